"""Alembic environments: where they are and what they say of themselves; nothing is run."""

from __future__ import annotations

from alembic_roundtrip.project.environment import Environment
from alembic_roundtrip.project.environments import (
    DEFAULT_SECTION,
    ProjectError,
    environment_of,
    find_environments,
)

__all__ = ["DEFAULT_SECTION", "Environment", "ProjectError", "environment_of", "find_environments"]
