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
        {"back": "# may fail, but we do not intend to support downgrades anyway"},
        {"docstring": "We don't support downgrades as it means we will drop columns."},
        {"docstring": "This is a one-way migration to clean up dependencies."},
        {"docstring": "This is a one-way migration for safety."},
        {"docstring": "This downgrade is intentionally incomplete as they are deprecated."},
        {"docstring": "Downgrade not fully supported for this migration as it is a major one."},
        {"docstring": "We don't fully downgrade to keep it simple, but remove added columns."},
        {"docstring": "This migration is not reversible."},
        {"docstring": "Not safely reversible (data normalization)."},
        {"docstring": "Cannot safely reverse this."},
        {"docstring": "No downgrade path."},
        {"docstring": "This reconciliation intentionally has no destructive downgrade."},
        {"docstring": "It is not possible to downgrade."},
        {"docstring": "You can't roll this back."},
        {"docstring": "There is no way to undo this."},
        {"docstring": "Cannot be undone once applied."},
        {"docstring": "Downgrading is not supported."},
        {"docstring": "Downgrade back from 0.3xx is not supported."},
        {"docstring": "Once applied, this migration cannot be reverted automatically."},
        {"docstring": "This migration is irreversible after the deploy."},
        {"docstring": "The downgrade is best-effort."},
        {"docstring": "This change is destructive and irreversible."},
        {"docstring": "Do not downgrade."},
        {"docstring": "We never downgrade."},
        {"docstring": "This cannot be rolled back without restoring a backup."},
        {"docstring": "The downgrade does not fully restore the schema."},
        {"docstring": "Downgrade cannot restore everything."},
        {"docstring": "Downgrade is a no-op."},
        {"docstring": "The downgrade deliberately leaves everything in place."},
        {"end": "# irreversible by design"},
        {"end": "# the rest of this migration is irreversible"},
        {"here": "# cannot be restored"},
        {"here": "# there is no way to bring it back"},
        {"here": "# irreversible: the old one was never used"},
        {"here": "# one-way"},
        {"docstring": "There is no safe downgrade."},
        {"docstring": "No safe downgrade (potential data loss if values exceed 32 bits)"},
        {"docstring": "This migration can not be reversed."},
        {"docstring": "This migration cannot be downgraded."},
        {"docstring": "WARNING: this is irreversible!"},
        {"docstring": "Irreversible migration"},
        {"docstring": "This is an irreversible change."},
        {"docstring": "Non-reversible."},
        {"docstring": "Downgrade is not implemented."},
        {"docstring": "Downgrade not possible."},
        {"docstring": "Downgrades are not supported."},
        {"docstring": "There is no downgrade for this migration."},
        {"docstring": "Rolling back is impossible."},
        {"docstring": "The downgrade only partially restores the schema."},
        {"docstring": "Downgrade is only a best effort."},
        {"docstring": "We are not going back."},
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
        (INDEX, {"back": "# We don't recreate the index since it was never used"}),
        (COLUMN, {"end": "# We don't restore the column since it's deprecated"}),
        (INDEX, {"end": "# We don't want to recreate the index"}),
        (INDEX, {"docstring": "The old index was a duplicate and should not be restored."}),
        (TYPE, {"docstring": "Don't support changing the column type back to Unicode(256)."}),
        (DEFAULT, {"docstring": "Cannot easily revert the default."}),
        (COLUMN, {"end": "# leave the column dropped"}),
        (INDEX, {"docstring": "The downgrade leaves the index out."}),
        (INDEX, {"docstring": "ix_users_email is not coming back when downgrading."}),
        (COLUMN, {"docstring": "users.bio is removed. It does not come back."}),
        (COLUMN, {"docstring": "Removal of the column cannot be undone."}),
        (TYPE, {"end": "# the type of status stays Text"}),
        (TYPE, {"end": "# no need to narrow status again"}),
        (DEFAULT, {"end": "# the default is intentionally not set again"}),
        (INDEX, {"docstring": "The unique index is not recreated."}),
        (INDEX, {"docstring": "The downgrade skips the index."}),
        (INDEX, {"end": "# We don't want to recreate the foreign keys or the index"}),
        (TYPE, {"docstring": "Cannot easily revert the type since existing rows may be longer."}),
        (INDEX, {"end": "# The index is intentionally not recreated."}),
        (
            INDEX,
            {"docstring": "Downgrade drops the column only; the index is not brought back."},
        ),
        (COLUMN, {"docstring": "Note: downgrade does not restore the dropped column."}),
        (COLUMN, {"docstring": "We do not bother to restore the column."}),
        (COLUMN, {"docstring": "The bio column will not be restored."}),
        (COLUMN, {"docstring": "bio won't be restored on downgrade"}),
        (COLUMN, {"end": "# bio is not re-added"}),
        (INDEX, {"end": "# skip the index, it was a duplicate"}),
        (INDEX, {"end": "# ix_users_email is deliberately left out"}),
        (TYPE, {"end": "# status keeps its new type"}),
        (TYPE, {"docstring": "The wider type is harmless, so the downgrade keeps it."}),
        (TYPE, {"docstring": "Downgrade intentionally leaves status wider."}),
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
        {"docstring": "We cannot downgrade in one transaction."},
        {"end": "# We cannot downgrade in one transaction"},
        {"back": "# We cannot downgrade in one transaction"},
        {"docstring": "Removes users.bio. Do not keep it in the index."},
        {"end": "# Do not keep it in the index"},
        {"here": "# Do not keep it in the index"},
        {"end": "# The index cannot be created in a transaction"},
        {"end": "# Don't forget to recreate the index"},
        {"docstring": "Do not forget to recreate the index after a downgrade!"},
        {"docstring": "Without this index we cannot roll back fast."},
        {"docstring": "We don't roll back the transaction here."},
        {"docstring": "Users cannot undo it any more."},
        {"docstring": "It is not possible to downgrade without downtime."},
        {"docstring": "Cannot downgrade while workers are running."},
        {"docstring": "If this fails halfway, it cannot be undone by the next run."},
        {"docstring": "The downgrade intentionally deletes sessions first."},
        {"docstring": "Rolling back deletes incomplete orders."},
        {"docstring": "Rolls back partially filled orders."},
        {"docstring": "Rolling back does not touch anything else."},
        {"docstring": "Downgrade is not possible in one transaction."},
        {"docstring": "The downgrade is not supported while replicas lag."},
        {"end": "# we keep irreversible hashes"},
        {"docstring": "Hashes are irreversible, we keep them."},
        {"here": "# cannot restore the old passwords"},
        {"here": "# never revert to the old driver"},
        {"end": "# There is no index yet, create it again"},
        {"docstring": "The downgrade does nothing to lock the tables."},
        {"docstring": "Removes orders.note. It cannot be undone."},
        {"docstring": "This needs no downgrade of the server."},
        {"docstring": "You cannot downgrade the server after this."},
        {"docstring": "Should the index not be restored?"},
        {"end": "# Nothing prevents us from adding the index back"},
        {"end": "# It does no harm to create the index again"},
        {"end": "# must not be reverted by the cleanup job"},
        {"docstring": "Note that we cannot roll back DDL on MySQL."},
        {"docstring": "This downgrade should be done together with the downgrade of 950e23e3aa54."},
        {"docstring": "This will fail if any rows have status=NULL."},
        {"here": "# We cannot use nullable=False as old orders may have NULL"},
        {"docstring": "We don't need detailed downgrades for emergency fixes, but here it is."},
        {"end": "# We cannot drop the column without recreating the index"},
        {"docstring": "A rollback takes no more than a minute, and nothing is reverted by hand."},
        {"docstring": "Speeds the rollback of payments up. There is no downgrade of the client."},
        {"docstring": "Do not downgrade before the workers are stopped."},
        {"end": "# Do not run the downgrade twice"},
        {"docstring": "The downgrade cannot be interrupted."},
        {"docstring": "We must not skip the downgrade of the client."},
        {"docstring": "Payments are one-way: this table never gets them back."},
        {"docstring": "Refunds cannot be reversed, so we record them."},
        {"docstring": "Makes the flag irreversible for users: there is no way back to drafts."},
        {"docstring": "Adds a lock so that a failed rollback is not retried."},
        {"docstring": "The downgrade requires that no worker is running."},
        {"end": "# no other index may be created at the same time"},
        {"end": "# make sure nothing is left in the queue"},
        {"end": "# leave enough time for replicas to catch up"},
        {"end": "# cannot use batch mode here"},
        {"end": "# the order matters, the index cannot be dropped after the column"},
        {"docstring": "The index could not be created on the first try, see #123."},
        {"docstring": "Not to be confused with the rollback of payments."},
        {"docstring": "Downgrading needs PostgreSQL 12, older ones do not support this syntax."},
        {"docstring": "The downgrade deletes orders that are not supported by the old client."},
        {"docstring": "Rollback is safe, nothing is lost."},
        {"docstring": "This migration does not need a maintenance window."},
        {"docstring": "The downgrade does not need a maintenance window."},
        {"docstring": "The downgrade is not complete until the workers restart."},
        {"docstring": "Rolling back does not require a full table scan."},
        {"docstring": "There is no need to stop the app for a downgrade."},
        {"docstring": "The column is not needed any more."},
        {"docstring": "Drop the index, which is not used."},
        {"docstring": "Nobody uses the column. It was never set."},
        {"here": "# not used anywhere"},
        {"here": "# this cannot fail"},
        {"here": "# lossless, the downgrade reverts it"},
        {"docstring": "Never run this by hand, use the deploy script; it rolls back on errors."},
        {"docstring": "The worker does not roll back on errors any more."},
        {"docstring": "Make the undo log not nullable."},
        {"docstring": "Reverts 1234: the column was not needed."},
        {"docstring": "Revert 'add column', this was not supported by the driver."},
        {"docstring": "Note: this might fail if there are any NULL values in the column."},
        {"docstring": "Does not lock the table on rollback."},
        {"docstring": "This does not affect the downgrade."},
        {"docstring": "Nothing to worry about on rollback."},
        {"docstring": "Check the runbook before you roll back, there is no undo button."},
    ],
)
def test_of_other_things_and_of_data_a_loss_gives_up_no_part(
    part: Part, prose: dict[str, str]
) -> None:
    assert not given_up(part, **prose)


@pytest.mark.parametrize(
    ("part", "prose"),
    [
        (COLUMN, {"docstring": "Drops the index on users.bio. It is not restored."}),
        (
            COLUMN,
            {"docstring": "Drops the unused index of users.bio. The downgrade leaves it out."},
        ),
        (COLUMN, {"docstring": "The type of the column is not restored."}),
        (COLUMN, {"docstring": "The column type is not restored."}),
        (COLUMN, {"docstring": "The index on the column is not restored."}),
        (INDEX, {"end": "# keep the index on email"}),
        (INDEX, {"docstring": "The downgrade keeps the index on email."}),
        (COLUMN, {"docstring": "The column users.bio is not lost."}),
        (INDEX, {"end": "# we stay in the same transaction, so a failure leaves no index behind"}),
        (COLUMN, {"docstring": "Downgrading leaves no column behind."}),
        (TYPE, {"end": "# NOT NULL needs a default first"}),
        (COLUMN, {"end": "# NOT NULL needs a default first"}),
        (INDEX, {"end": "# NOT NULL needs a default first"}),
        (TYPE, {"docstring": "The default is kept in the model."}),
        (COLUMN, {"docstring": "The default is kept in the model."}),
        (INDEX, {"docstring": "The default is kept in the model."}),
        (COLUMN, {"docstring": "A downgrade adds the column back, but not its values."}),
        (COLUMN, {"docstring": "The values of bio are lost. The column is restored without them."}),
        (COLUMN, {"docstring": "Downgrade restores the column, not the index."}),
    ],
)
def test_what_says_which_or_where_is_not_given_up_itself(part: Part, prose: dict[str, str]) -> None:
    assert not given_up(part, **prose)


def test_a_database_that_is_none_of_the_project_gives_up_nothing() -> None:
    migration = read(
        TEXT.format(
            docstring="The downgrade is a no-op on SQLite.",
            here="# -",
            there="# -",
            back="# -",
            end="# -",
        ),
        Path("a.py"),
    )
    assert is_given_up(migration, INDEX, OTHERS, ("sqlite",))
    assert not is_given_up(migration, INDEX, OTHERS, ("postgresql",))
