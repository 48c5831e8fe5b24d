"""Alembic environments: where they are and what they say of themselves; nothing is run."""

from __future__ import annotations

from alembic_roundtrip.project.environments import (
    Environment,
    ProjectError,
    environment_of,
    find_environments,
)

__all__ = ["Environment", "ProjectError", "environment_of", "find_environments"]
