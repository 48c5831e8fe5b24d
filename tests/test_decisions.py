"""What a migration says of parts of the schema that do not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.decisions import Part, is_given_up
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.text import Position, Range

TEXT = '''"""Change users.

{docstring}
"""

def upgrade():
    {here}
    op.alter_column("users", "status", type_=sa.Text())
    {there}
    op.drop_column("orders", "note")


def downgrade():
    {back}
    op.add_column("orders", sa.Column("note", sa.Text()))
    {end}
    op.drop_column("orders", "kind")
'''
PLACE = Range(Position(8, 5), Position(8, 60))
TYPE = Part("users.status", "type", PLACE, ("users",), missing=False)
DEFAULT = Part("users.status", "server default", PLACE, ("users",), missing=False)
COLUMN = Part("users.bio", "column", PLACE, ("users",))
INDEX = Part("users.ix_users_email", "index", PLACE, ("users", "email"))
OTHERS = ("users", "orders", "note", "status", "bio", "ix_users_email")


def given_up(part: Part, **prose: str) -> bool:
    said = {"docstring": "", "here": "# -", "there": "# -", "back": "# -", "end": "# -", **prose}
    migration = read(TEXT.format_map(said), Path("a.py"))
    return is_given_up(migration, part, OTHERS)


@pytest.mark.parametrize("part", [TYPE, DEFAULT, COLUMN, INDEX])
@pytest.mark.parametrize(
    "prose",
    [
        {"docstring": "Irreversible."},
        {"docstring": "This migration is\nirreversible because data goes."},
        {"docstring": "Downgrading is only partially possible."},
        {"docstring": "This cannot be undone."},
        {"docstring": "The downgrade intentionally does nothing more."},
        {"docstring": "There is no way back: rows are lost."},
        {"end": "# irreversible: nobody uses it"},
        {"end": "# This cannot be undone."},
        {"end": "# irreversible"},
    ],
)
def test_a_downgrade_is_given_up_as_a_whole(part: Part, prose: dict[str, str]) -> None:
    assert given_up(part, **prose)


@pytest.mark.parametrize(
    ("part", "prose"),
    [
        (
            TYPE,
            {"docstring": "The type of users.status is not changed back: values may be longer."},
        ),
        (TYPE, {"back": "# keep the type of status: longer values would not fit"}),
        (TYPE, {"here": "# not reverted on purpose"}),
        (DEFAULT, {"docstring": "The server default is not restored."}),
        (DEFAULT, {"docstring": "Rolling back leaves the default of users.status."}),
        (COLUMN, {"docstring": "Dropping users.bio cannot be undone."}),
        (COLUMN, {"docstring": "The column bio is gone for good."}),
        (COLUMN, {"docstring": "Removes bio. There is no way to restore it."}),
        (INDEX, {"docstring": "Does not recreate ix_users_email."}),
        (INDEX, {"docstring": "The downgrade does not restore the index."}),
        (INDEX, {"docstring": "Downgrade is a no-op for the index."}),
        (INDEX, {"docstring": "The unused index on users.email does not come back."}),
        (INDEX, {"back": "# no need to create the index on email again"}),
    ],
)
def test_a_part_is_given_up_by_its_name_or_its_kind(part: Part, prose: dict[str, str]) -> None:
    assert given_up(part, **prose)


@pytest.mark.parametrize("part", [TYPE, DEFAULT, COLUMN, INDEX])
@pytest.mark.parametrize(
    "prose",
    [
        {"docstring": "WARNING: Downgrade will result in data loss."},
        {"docstring": "The values of users.status and users.bio cannot be restored."},
        {"docstring": "Irreversible loss of data."},
        {"docstring": "This is destructive, and the downgrade is lossy."},
        {"docstring": "Dropping orders.note cannot be undone."},
        {"docstring": "The note cannot be restored."},
        {"docstring": "Passwords become irreversible hashes, one-way from now on."},
        {"docstring": "Orders can no longer be reverted by customers."},
        {"docstring": "Keep users.status short, and the email unique."},
        {"docstring": "Make users.status NOT NULL on purpose."},
        {"docstring": "The constraint uq_orders is not restored."},
        {"docstring": "Removes the values of users.bio. There is no way to restore them."},
        {"docstring": "Removes orders.note. There is no way to restore it."},
        {"docstring": "Downgrade is a no-op for the constraint."},
        {"docstring": "The downgrade is partial, for the primary key."},
        {"end": "# DESTRUCTIVE: this cannot be undone"},
        {"here": "# DESTRUCTIVE: cannot be restored"},
        {"end": "# Unsupported on MySQL, see the runbook"},
        {"end": "# no-op on replicas"},
        {"end": "# This is not possible online"},
        {"end": "# TODO: is everything dropped? Not fully tested"},
        {"end": "# It is not supported to run this twice"},
        {"end": "# Incomplete transactions must be closed before"},
        {"there": "# irreversible"},
        {"there": "# this is not restored on purpose"},
        {"back": "# irreversible"},
    ],
)
def test_of_other_things_and_of_data_a_loss_gives_up_no_part(
    part: Part, prose: dict[str, str]
) -> None:
    assert not given_up(part, **prose)
