"""How much a diagnostic matters."""

from __future__ import annotations

from typing import Literal

Severity = Literal["error", "warning", "information", "hint"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information", "hint")
"""From the worst on."""
