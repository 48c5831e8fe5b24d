"""What a downgrade does about its upgrade, object by object; silent where reading is unsure."""

from __future__ import annotations
