"""Whether env.py has migrations run in a transaction, as far as reading tells."""

from __future__ import annotations

import ast
from pathlib import Path

from alembic_roundtrip.project.modules import Modules

_AUTOCOMMIT = "AUTOCOMMIT"
"""SQLAlchemy's isolation level of connections that commit each statement by themselves."""


def in_transaction(env_py: Path | None, folder: Path) -> bool:
    """Whether statements of a migration share a transaction; False where that is not certain.

    It is Alembic's default. Somebody else decides where env.py asks for autocommit, or leaves all
    that concerns the connection to a function that is not read here.
    """
    module = Modules(env_py, folder).module(env_py) if env_py else None
    if module is None or not module.tree.body:
        return True
    runs = False
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.upper() == _AUTOCOMMIT:
                return False
        elif isinstance(node, ast.Attribute):
            runs = runs or node.attr == "run_migrations"
        elif isinstance(node, ast.alias):
            runs = runs or node.name == "run_migrations"
    return runs
