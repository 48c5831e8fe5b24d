"""What SQLAlchemy itself makes of the types that `foreign-type` finds."""

from __future__ import annotations

import importlib

import pytest
from sqlalchemy import Integer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import CompileError

from alembic_roundtrip.measurements import DATABASES
from alembic_roundtrip.rules.foreign_type import OWN_TYPES, is_foreign

CASES = [
    (owner, name, dialect)
    for owner, names in OWN_TYPES.items()
    for name in sorted(names)
    for dialect in DATABASES
    if is_foreign(owner, name, dialect)
]


@pytest.mark.parametrize(("owner", "name", "dialect"), CASES)
def test_sqlalchemy_writes_the_type_for_no_other_dialect(owner: str, name: str, dialect: str):
    module = importlib.import_module(f"sqlalchemy.dialects.{owner}")
    made = getattr(module, name)(*[Integer] if name == "ARRAY" else [])
    other = make_url(f"{dialect}://").get_dialect()()
    with pytest.raises(CompileError):
        made.compile(other)
