"""Whether env.py has migrations run in a transaction, as far as reading tells."""

from __future__ import annotations

import ast

from alembic_roundtrip.project.configuration import ConfigurationError, read_ini
from alembic_roundtrip.project.environment import Environment
from alembic_roundtrip.project.modules import Modules

_AUTOCOMMIT = "AUTOCOMMIT"
"""SQLAlchemy's isolation level of connections that commit each statement by themselves."""


def in_transaction(environment: Environment) -> bool:
    """Whether statements of a migration share a transaction; False where that is not certain.

    It is Alembic's default. Somebody else decides where env.py or the configuration asks for
    autocommit, or env.py leaves all that concerns the connection to a function not read here.
    """
    env_py = environment.env_py
    if _set_in(environment):
        return False
    if env_py is None:
        return True
    module = Modules(env_py, environment.folder).module(env_py)
    if module is None:
        return False
    if not module.tree.body:
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


def _set_in(environment: Environment) -> bool:
    """Whether the configuration may ask for autocommit, for one of its databases at least.

    `engine_from_config` takes every option that begins like the URL's.
    """
    config = environment.config
    if config is None or config.suffix == ".toml":
        return False
    try:
        parser = read_ini(config)
    except ConfigurationError:
        return True  # it cannot be read any more: nothing is certain
    options = (pair for section in parser.sections() for pair in parser.items(section, raw=True))
    return any(
        name.endswith("isolation_level") and value.strip().upper() == _AUTOCOMMIT
        for name, value in options
    )
