"""A comment ignores a rule that finds nothing there, or none at all.

## Why it matters
It hides the next finding of that rule, which nobody decided on. A name that no rule has hides
nothing at all.

## What to do
Remove the comment, or the rule's name from it; correct a misspelt name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule, rules
from alembic_roundtrip.suppression import (
    Suppression,
    file_suppressions,
    lookalikes,
    suppressions,
)
from alembic_roundtrip.text import Position, Range, Source

if TYPE_CHECKING:
    from alembic_roundtrip.context import Context

rule = Rule(__name__, severity="warning", stage=2, of_ignores=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Names in ignore comments of a migration that nothing was found for."""
    migration = context.migration
    yield from _unused(suppressions(migration), context, migration.source)
    yield from _unread(migration.source, python=True)


@rule.check_file
def check_file(context: FileContext) -> Iterator[Finding]:
    """The same for a file that is no migration."""
    yield from _unused(file_suppressions(context.file), context, context.file.source)
    yield from _unread(context.file.source, python=context.file.kind == "python")


def _unread(source: Source, *, python: bool) -> Iterator[Finding]:
    """Comments that name a rule in the way of another tool."""
    for place, names, reason in lookalikes(source, python=python):
        meant = ", ".join(name for name in names if name in rules())
        if meant:
            text = f"# roundtrip: ignore[{meant}]"
            fix = Fix(f"Write `{text}`", (Replace(place, f"{text} {reason}".rstrip()),))
            yield Finding(place, f"it ignores nothing: did you mean `{text}`?", (fix,))


def _unused(
    comments: Sequence[Suppression], context: Context | FileContext, source: Source
) -> Iterator[Finding]:
    for comment in comments:
        if not comment.rules:
            yield Finding(comment.range, "it ignores nothing: name the rule, `ignore[rule]`")
        unknown = [name for name in comment.rules if name not in rules()]
        for name in unknown:
            fix = _corrected(comment, name) or _without(comment, unknown, source)
            yield Finding(comment.range, f"there is no rule `{name}`", (fix,))
        unused = [name for name in comment.rules if _is_unused(name, comment, context)]
        if unused:
            names = ", ".join(f"`{name}`" for name in unused)
            verb = "find" if len(unused) > 1 else "finds"
            yield Finding(
                comment.range,
                f"{names} {verb} nothing here to ignore",
                (_without(comment, unused, source),),
            )


def _is_unused(name: str, comment: Suppression, context: Context | FileContext) -> bool:
    found = any(comment.covers(d.rule, d.range) and d.rule == name for d in context.found)
    return name in context.applied and not found and not _unmeasured(name, context)


def _unmeasured(name: str, context: Context | FileContext) -> bool:
    """Whether a rule had nothing to judge: what it tells comes and goes with the evidence."""
    return rules()[name].measured and getattr(context, "evidence", None) is None


def _corrected(comment: Suppression, name: str) -> Fix | None:
    for near in get_close_matches(name, rules(), 1):
        names = [near if one == name else one for one in comment.rules]
        return Fix(f"Ignore `{near}`", (_written(comment, names),))
    return None


def _without(comment: Suppression, names: Sequence[str], source: Source) -> Fix:
    kept = [name for name in comment.rules if name not in names]
    if kept:
        return Fix("Ignore only what is found", (_written(comment, kept),))
    place = comment.range
    if comment.alone:
        # The whole line goes, with its end.
        start = Position(place.start.line, 1)
        place = Range(start, Position(place.start.line + 1, 1))
    else:
        before = source.line(place.start.line)[: place.start.column - 1]
        place = Range(Position(place.start.line, len(before.rstrip()) + 1), place.end)
    return Fix("Remove the comment", (Replace(place, ""),))


def _written(comment: Suppression, names: Sequence[str]) -> Replace:
    text = f"# roundtrip: ignore[{', '.join(names)}] {comment.reason}".rstrip()
    return Replace(comment.range, text)


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
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ there is no rule `no-such-rule`
    """,
    fixed="""
    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "In the way of another tool",
    """
    def upgrade():
        op.drop_table("users")


    def downgrade():
        pass  # alembic-roundtrip: ignore[empty-downgrade] it was a cache 😋
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it ignores nothing: did you mean `# roundtrip: ignore[empty-downgrade]`?
        # noqa: E501, line-too-long
        # We skip empty-downgrade here.
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.drop_table("users")


    def downgrade():
        pass  # roundtrip: ignore[empty-downgrade] it was a cache 😋
        # noqa: E501, line-too-long
        # We skip empty-downgrade here.
    """,
)
rule.example(
    "As linters of Python have it",
    """
    def upgrade():
        op.drop_table("users")  # noqa: undocumented_data_loss
                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it ignores nothing: did you mean `# roundtrip: ignore[undocumented-data-loss]`?


    def downgrade():
        pass  # 😋
    """,
    history=(_USERS,),
)
rule.example(
    "A misspelt name beside a right one",
    """
    def upgrade():
        op.drop_table("users")


    def downgrade():
        pass  # roundtrip: ignore[empty-downgrad, unexplained-ignore] a cache
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ there is no rule `empty-downgrad`
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `unexplained-ignore` finds nothing here to ignore
    """,
    history=(_USERS,),
)
rule.example(
    "In a script",
    """
    echo "no stamp here"  # roundtrip: ignore[history-stamped-over] once there was
                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `history-stamped-over` finds nothing here to ignore
    """,
    file="deploy.sh",
    fixed="""
    echo "no stamp here"
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
rule.example(
    "No rule is named",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        pass  # roundtrip: ignore
              ^^^^^^^^^^^^^^^^^^^ it ignores nothing: name the rule, `ignore[rule]`
    """,
)
