"""SQLite: a file in the scratch folder, made by the agent itself."""

from __future__ import annotations

KIND = "sqlite"
