"""A `# DESTRUCTIVE: …` comment names what its operation does not destroy.

## Why it matters
Migrations are edited before they are merged. A mark that stays behind frightens whoever reads it,
and teaches that marks mean nothing.

## What to do
Let the comment say what the operation below destroys, or take it away. The fix does so with comments
that a fix has written; it is silent where something in the migration could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.losses import PredictedLoss, predicted_losses
from alembic_roundtrip.measurements import subject_of
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="hint")

_MARK = re.compile(
    r"(?P<indent>\s*)# DESTRUCTIVE: The (?P<kind>values|rows) of (?P<subject>\S+) "
    r"(?:that the upgrade (?:overwrote|deleted) )?(?:cannot be restored|are lost)\.\s*"
)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Marks of what neither reading nor the last rehearsal finds to be lost."""
    source = context.migration.source
    if "# DESTRUCTIVE: " not in source.text or _is_unread(context):
        return
    losses = predicted_losses(context)
    lost = {loss.subject for loss in losses} | {*_overwritten(context)}
    if context.evidence is not None:
        lost |= {subject_of(loss) for loss in context.evidence.losses}
    for number in range(1, source.line_count + 1):
        mark = _MARK.fullmatch(source.line(number))
        if mark is not None and mark["subject"] not in lost and _is_known(context, mark):
            below = _below(context, number, losses)
            text = "".join(f"{mark['indent']}# DESTRUCTIVE: {each}\n" for each in below)
            change = Replace(Range(Position(number, 1), Position(number + 1, 1)), text)
            title = "Correct the comment" if below else "Remove the comment"
            yield Finding(
                source.code_range(number),
                f"nothing here destroys what is in `{mark['subject']}`",
                (Fix(title, (change,)),),
            )


def _overwritten(context: Context) -> Iterator[str]:
    """What the upgrade writes into or deletes from, and the downgrade does not write again."""
    back = {written for o in context.downgrade_operations for written in _put_back(o)}
    for operation in context.upgrade_operations:
        for table, column in _written(operation):
            if (table, column) not in back:
                yield f"{table}.{column}" if column else str(table)


def _written(operation: Operation) -> Iterator[tuple[Name | None, str | None]]:
    for change in operation.changes:
        if isinstance(change, c.WriteRows) and change.verb != "insert":
            yield from ((change.table, column) for column in change.columns or (None,))


def _put_back(operation: Operation) -> Iterator[tuple[Name | None, str | None]]:
    for change in operation.changes:
        if isinstance(change, c.WriteRows) and change.verb == "update":
            yield from ((change.table, column) for column in change.columns)
        elif isinstance(change, c.WriteRows) and change.verb == "insert":
            yield change.table, None


def _is_unread(context: Context) -> bool:
    operations = (*context.upgrade_operations, *context.downgrade_operations)
    return any(
        operation.opaque is not None or isinstance(change, c.Unknown)
        for operation in operations
        for change in operation.changes or (None,)
    )


def _is_known(context: Context, mark: re.Match[str]) -> bool:
    """Whether reading knows the table that a mark is about, as the upgrade finds it."""
    subject = mark["subject"]
    owner = subject.rpartition(".")[0] if mark["kind"] == "values" else subject
    schema, _, name = owner.rpartition(".")
    table = Name.of(name, schema)
    return any(trip.before.knows(table) for trip in context.round_trips)


def _below(context: Context, number: int, losses: Iterable[PredictedLoss]) -> list[str]:
    """What the operation below a comment destroys, where no other comment there says so."""
    source = context.migration.source
    first = number + 1
    while first <= source.line_count and source.line(first).lstrip().startswith("#"):
        first += 1
    here = [loss for loss in losses if loss.operation.statement.start.line == first]
    return [
        loss.sentence
        for loss in here
        if loss.subject not in context.migration.comment_at(loss.operation.statement)
    ]


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('bio', sa.Text()),\n"
    "        sa.Column('nick', sa.Text()))\n"
)

rule.example(
    "Another column than the one that goes",
    """
    def upgrade():
        # DESTRUCTIVE: The values of users.nick cannot be restored.
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing here destroys what is in `users.nick`
        op.drop_column("users", "bio")


    def downgrade():
        # DESTRUCTIVE: The values of users.bio cannot be restored.
        op.add_column("users", sa.Column("bio", sa.Text()))
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        # DESTRUCTIVE: The values of users.bio cannot be restored.
        op.drop_column("users", "bio")


    def downgrade():
        # DESTRUCTIVE: The values of users.bio cannot be restored.
        op.add_column("users", sa.Column("bio", sa.Text()))
    """,
)
rule.example(
    "A rename that was a drop once",
    """
    def upgrade():
        # Agreed with support. 😋
        # DESTRUCTIVE: The values of users.nick cannot be restored.
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing here destroys what is in `users.nick`
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.alter_column("users", "nickname", new_column_name="nick")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        # Agreed with support. 😋
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.alter_column("users", "nickname", new_column_name="nick")
    """,
)
rule.example(
    "What is said is true",
    """
    def upgrade():
        # DESTRUCTIVE: The values of users.nick cannot be restored.
        op.drop_column("users", "nick")


    def downgrade():
        # DESTRUCTIVE: The values of users.nick cannot be restored.
        op.add_column("users", sa.Column("nick", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "Somebody's own words",
    """
    def upgrade():
        # DESTRUCTIVE: the nicks are gone, and nobody misses them
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.alter_column("users", "nickname", new_column_name="nick")
    """,
    history=(_USERS,),
)
rule.example(
    "A table that is not known",
    """
    def upgrade():
        # DESTRUCTIVE: The values of people.nick cannot be restored.
        op.drop_column("people", "nick")


    def downgrade():
        op.add_column("people", sa.Column("nick", sa.Text()))
    """,
)
rule.example(
    "Values that are put back by now",
    """
    def upgrade():
        op.execute("UPDATE users SET bio = nick, nick = ''")


    def downgrade():
        # DESTRUCTIVE: The values of users.nick that the upgrade overwrote cannot be restored.
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing here destroys what is in `users.nick`
        op.execute("UPDATE users SET nick = bio")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.execute("UPDATE users SET bio = nick, nick = ''")


    def downgrade():
        op.execute("UPDATE users SET nick = bio")
    """,
)
rule.example(
    "Values that the upgrade overwrites",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = ''")


    def downgrade():
        # DESTRUCTIVE: The values of users.nick that the upgrade overwrote cannot be restored.
        pass
    """,
    history=(_USERS,),
)
rule.example(
    "Rows that are deleted in both directions",
    """
    def upgrade():
        op.execute("DELETE FROM users WHERE nick IS NULL")


    def downgrade():
        # DESTRUCTIVE: The rows of users that the upgrade deleted cannot be restored.
        op.execute("DELETE FROM users WHERE nick = ''")
    """,
    history=(_USERS,),
)
