"""A comment ignores a rule that finds nothing there.

## Why it matters
It hides the next finding of that rule, which nobody decided on.

## What to do
Remove the comment, or the rule's name from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Finding, Fix, Rule, rules
from alembic_roundtrip.suppression import Suppression, suppressions
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="warning", last=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Names in ignore comments that nothing was found for."""
    for suppression in suppressions(context.migration):
        unused = [name for name in suppression.rules if _is_unused(name, suppression, context)]
        if unused:
            names = ", ".join(f"`{name}`" for name in unused)
            verb = "find" if len(unused) > 1 else "finds"
            yield Finding(
                suppression.range,
                f"{names} {verb} nothing here to ignore",
                (_fix(suppression, unused, context),),
            )


def _is_unused(name: str, suppression: Suppression, context: Context) -> bool:
    if name in rules() and name not in context.applied:
        return False
    return not any(suppression.covers(d.rule, d.range) and d.rule == name for d in context.found)


def _fix(suppression: Suppression, unused: list[str], context: Context) -> Fix:
    kept = [name for name in suppression.rules if name not in unused]
    if kept:
        text = f"# roundtrip: ignore[{', '.join(kept)}] {suppression.reason}".rstrip()
        return Fix("Ignore only what is found", (Replace(suppression.range, text),))
    place = suppression.range
    if suppression.alone:
        # The whole line goes, with its end.
        start = Position(place.start.line, 1)
        place = Range(start, Position(place.start.line + 1, 1))
    else:
        before = context.migration.source.line(place.start.line)[: place.start.column - 1]
        place = Range(Position(place.start.line, len(before.rstrip()) + 1), place.end)
    return Fix("Remove the comment", (Replace(place, ""),))


_USERS = "def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n"

rule.example(
    "The downgrade is written by now",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    # roundtrip: ignore[empty-downgrade] nobody rolls this back
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `empty-downgrade` finds nothing here to ignore
    def downgrade():
        op.drop_column("users", "😋")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
)
rule.example(
    "A rule that does not exist",
    """
    def upgrade():
        pass


    def downgrade():
        pass  # roundtrip: ignore[no-such-rule] whatever
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `no-such-rule` finds nothing here to ignore
    """,
    fixed="""
    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "A string that only looks like one",
    """
    NOTE = "# roundtrip: ignore[empty-downgrade] no comment"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
