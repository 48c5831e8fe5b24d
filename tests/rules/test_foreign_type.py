"""What SQLAlchemy itself makes of the types that `foreign-type` finds."""

from __future__ import annotations

import importlib

import pytest
from sqlalchemy.exc import CompileError

from alembic_roundtrip.rules.foreign_type import DATABASES, OWN_TYPES

CASES = [
    (owner, name, dialect)
    for owner, names in OWN_TYPES.items()
    for name in sorted(names)
    for dialect in DATABASES
    if dialect != owner
]


@pytest.mark.parametrize(("owner", "name", "dialect"), CASES)
def test_sqlalchemy_writes_the_type_for_no_other_dialect(owner: str, name: str, dialect: str):
    module = importlib.import_module(f"sqlalchemy.dialects.{owner}")
    made = getattr(module, name)()
    other = importlib.import_module(f"sqlalchemy.dialects.{dialect}").dialect()
    with pytest.raises(CompileError):
        made.compile(other)
