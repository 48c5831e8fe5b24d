"""Something in `[tool.alembic-roundtrip]` cannot be used.

## Why it matters
A misspelt setting does nothing: a rule that should be off is on, and one that should be on is off.

## What to do
Correct it. The rest of the settings is used meanwhile; only where the file is no TOML at all, no
migration is judged, because nobody knows what to leave out. Rehearsals do not start with settings
that cannot be used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic_roundtrip.config import (
    TABLE,
    Mistake,
    Settings,
    misnamed,
    misnamed_table,
    nearest,
    own_table,
    parsed,
    usable,
)
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.filecontext import FileContext
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rulenames import mistaken_names
from alembic_roundtrip.text import Position, Range, Source

if TYPE_CHECKING:
    from alembic_roundtrip.tomlplaces import Place

rule = Rule(__name__, severity="error", always=True)

_AT = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DATABASES = ("auto", "sqlite", "postgresql", "mysql", "mariadb")
_DIALECTS = (*_DATABASES[1:], "oracle", "mssql")


@rule.check_file
def check_file(context: FileContext) -> Iterator[Finding]:
    """Our table in a `pyproject.toml`, and whether there is any way to read it."""
    file = context.file
    if file.path.name != "pyproject.toml" or "alembic" not in file.text.lower():
        return
    try:
        data = parsed(file.text)
    except ValueError as error:
        yield _unreadable(file.source, str(error))
        return
    table = own_table(data)
    if table is None:
        yield from _misnamed(misnamed_table(data), file.text)
        return
    where = _places(file.text)
    if not isinstance(table, dict):
        place = where.get(("tool", TABLE))
        yield Finding(place.value if place else _top(), f"`tool.{TABLE}` must be a table")
        return
    for mistake in _mistakes(table, context):
        yield _finding(mistake, where)
    yield from _refused(table, context, where)
    for mistake in context.absent:
        # Where nothing is rehearsed, as where this is linted only, a Python need not be there.
        elsewhere = mistake.place == ("python",)
        found = _finding(mistake, where)
        yield replace(found, severity="information" if elsewhere else "warning")


def _places(text: str) -> Mapping[Any, Place]:
    from alembic_roundtrip.tomlplaces import places

    return places(text)


def _mistakes(table: Mapping[str, Any], context: FileContext) -> Iterator[Mistake]:
    settings, mistakes = usable(table)
    yield from mistakes
    yield from mistaken_names(settings)
    yield from context.mistakes
    if settings.database not in _DATABASES and "://" not in settings.database:
        message = f"there is no kind of scratch database `{settings.database}`"
        yield Mistake(("database",), message, nearest(settings.database, _DATABASES))
    for index, name in enumerate(settings.dialects):
        near = nearest(name.partition("+")[0].partition(":")[0], _DIALECTS)
        # A name that is not near to any of these may be a dialect that somebody else wrote.
        if near and near != name:
            yield Mistake(("dialects", index), f"there is no dialect `{name}`", near)
    yield from _since(settings, context)


def _since(settings: Settings, context: FileContext) -> Iterator[Mistake]:
    histories = context.histories
    if settings.since and histories and not any(h.get(settings.since) for h in histories):
        near = nearest(settings.since, [rev for history in histories for rev in history.by_id])
        yield Mistake(("since",), f"there is no one revision `{settings.since}`", near)


def _refused(
    table: Mapping[str, Any], context: FileContext, where: Mapping[Any, Place]
) -> Iterator[Finding]:
    """Git's answer to a ref that was named: a checkout may be too shallow, which is no mistake."""
    ref = table.get("deployed-ref")
    place = where.get(("tool", TABLE, "deployed-ref"))
    if ref and place and context.refused:
        message = (
            f"git cannot say what of `{ref}` is deployed: {context.refused[0]}; name a branch, tag "
            "or commit, and fetch it where a checkout is shallow"
        )
        yield Finding(place.value, message, severity="information")


def _finding(mistake: Mistake, where: Mapping[Any, Place]) -> Finding:
    place = where.get(("tool", TABLE, *mistake.place))
    if place is None:
        return Finding(_top(), mistake.message)
    there = place.key if mistake.about_key else place.value
    fixes: tuple[Fix, ...] = ()
    if mistake.near:
        bare = mistake.about_key and _BARE.fullmatch(mistake.near)
        text = mistake.near if bare else json.dumps(mistake.near, ensure_ascii=False)
        fixes = (Fix(f"Write `{mistake.near}`", (Replace(there, text),)),)
    return Finding(there, mistake.sentence, fixes)


def _misnamed(name: str, text: str) -> Iterator[Finding]:
    """Another table, where it was meant to be ours."""
    place = _places(text).get(("tool", name))
    if place is not None:
        fix = Fix(f"Write `{TABLE}`", (Replace(place.key, TABLE),))
        yield Finding(place.key, misnamed(name), (fix,))


def _unreadable(source: Source, error: str) -> Finding:
    found = _AT.search(error)
    message = _AT.sub("", error)
    end = source.line_range(source.line_count).end
    start = Position(int(found[1]), int(found[2])) if found and found[1] else end
    line_end = source.line_range(start.line).end
    return Finding(Range(start, max(start, line_end)), f"the file is no TOML: {message}")


def _top() -> Range:
    return Range(Position(1, 1), Position(1, 1))


_HEAD = """
    [project]
    name = "😋"  # [tool.alembic-roundtrip]
"""

rule.example(
    "A misspelt setting",
    f"""{_HEAD}
    [tool.alembic-roundtrip]
    "😋" = 1
    ^^^ there is no setting `😋`
    ignor = ["unread-operation"]
    ^^^^^ there is no setting `ignor`; did you mean `ignore`?
    rows = "many"
           ^^^^^^ `rows` must be a number
    timeout = 0
              ^ `timeout` must be above 0
    database = "postgres"
               ^^^^^^^^^^ there is no kind of scratch database `postgres`; did you mean `postgresql`?
    dialects = ["sqlite", "postgresql+psycopg"]
                          ^^^^^^^^^^^^^^^^^^^^ there is no dialect `postgresql+psycopg`; did you mean `postgresql`?
    """,
    file="pyproject.toml",
)
rule.example(
    "Rules and severities that there are not",
    """
    [tool.alembic-roundtrip]
    ignore = [
        # 😋
        "unread-operation", "empty-downgrad",
                            ^^^^^^^^^^^^^^^^ there is no rule `empty-downgrad`; did you mean `empty-downgrade`?
    ]

    [tool.alembic-roundtrip.severity]
    multiple-heads = "warn"
                     ^^^^^^ `warn` for `multiple-heads` is no severity: there are error, warning, information, hint, off; did you mean `warning`?
    """,
    file="pyproject.toml",
)
rule.example(
    "A rule's name with a typing mistake",
    """
    [tool]
    alembic-roundtrip = { severity = { "multiple-head" = "hint" }, rows = 3 }
                                       ^^^^^^^^^^^^^^^ there is no rule `multiple-head`; did you mean `multiple-heads`?
    """,
    file="pyproject.toml",
    fixed="""
    [tool]
    alembic-roundtrip = { severity = { multiple-heads = "hint" }, rows = 3 }
    """,
)
rule.example(
    "A table with another name",
    """
    [tool.alembic]
    script_location = "😋"

    [tool.alembic_roundtrip]
          ^^^^^^^^^^^^^^^^^ the table is called `tool.alembic-roundtrip`, not `tool.alembic_roundtrip`
    rows = 3
    """,
    file="pyproject.toml",
    fixed="""
    [tool.alembic]
    script_location = "😋"

    [tool.alembic-roundtrip]
    rows = 3
    """,
)
rule.example(
    "Tables of others",
    """
    [tool.alembic]
    script_location = "migrations"

    [tool.alembic-utils]
    [tool.pytest-alembic]
    """,
    file="pyproject.toml",
)
rule.example(
    "A revision that there is not",
    """
    [tool.alembic-roundtrip]
    since = "revision9"
            ^^^^^^^^^^^ there is no one revision `revision9`; did you mean `revision0`?
    """,
    file="pyproject.toml",
    history=("def upgrade():\n    pass\n",),
    fixed="""
    [tool.alembic-roundtrip]
    since = "revision0"
    """,
)
rule.example(
    "Files and folders that are not there",
    """
    [tool.alembic-roundtrip]
    python = "😋/bin/python"
             ^^^^^^^^^^^^^^ there is no Python `😋/bin/python`
    own-rows = "rows"
               ^^^^^^ there is no folder `rows`
    baseline = "first.sql"
               ^^^^^^^^^^^ there is no SQL file `first.sql`
    """,
    file="pyproject.toml",
)
rule.example(
    "Files and folders that are there, and what is no file",
    """
    [tool.alembic-roundtrip]
    python = "alembic.ini"
    own-rows = "migrations"
    baseline = "app.first:make"
    """,
    file="pyproject.toml",
)
rule.example(
    "A file that does not parse",
    """
    [tool.alembic-roundtrip]
    since = revision0  # 😋
            ^^^^^^^^^^^^^^ the file is no TOML: Invalid value
    """,
    file="pyproject.toml",
)
rule.example(
    "Settings that can be used, and those of others",
    '''
    [tool.other]
    ignor = """
    [tool.alembic-roundtrip]
    ignor = 1
    """

    [tool.alembic-roundtrip]
    ignore = ["empty-downgrade"]
    timeout = 5
    dialects = ["firebird"]
    severity.multiple-heads = "off"
    ''',
    file="pyproject.toml",
)
