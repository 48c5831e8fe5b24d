"""A rollback's plan as Markdown: for a ticket, and for editors to show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alembic_roundtrip.databases import named
from alembic_roundtrip.planning import sentences
from alembic_roundtrip.planning.plan import PlannedRevision, RollbackPlan
from alembic_roundtrip.wording import shown


def markdown(plan: RollbackPlan) -> str:
    """The whole plan."""
    lines = [f"{sentences.notice(plan)}.", "", "# Rollback plan", "", _text(_headline(plan)), ""]
    if plan.no_sql:
        lines += [f"{_text(plan.no_sql)}.", ""]
    if plan.revisions:
        lines += list(_table(plan))
    for number, revision in enumerate(plan.revisions, 1):
        lines += _section(number, revision)
    return "\n".join(lines).rstrip() + "\n"


def _headline(plan: RollbackPlan) -> str:
    told = sentences.headline(plan)
    return f"{told[:1].upper()}{told[1:]}."


def _table(plan: RollbackPlan) -> Iterator[str]:
    yield "| # | revision | title | known | took | loses data | stops | documented |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for number, each in enumerate(plan.revisions, 1):
        timed = sentences.seconds(each.timed.seconds) if each.timed else "-"
        cells = (
            str(number),
            f"`{each.revision}`",
            _text(each.title),
            sentences.basis(each),
            timed,
            "yes" if each.losses else "no",
            each.stops,
            sentences.documented(each),
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""


def _section(number: int, revision: PlannedRevision) -> list[str]:
    lines = [f"## {number}. `{revision.revision}` {_text(revision.title)}".rstrip(), ""]
    if revision.path is not None:
        lines += [f"`{shown(str(revision.path))}`", ""]
    timing = sentences.timing(revision)
    items = [sentences.blocker_line(blocker) for blocker in revision.blockers]
    items += [sentences.loss_line(revision, loss) for loss in revision.losses]
    items += (*revision.left, *revision.notes)
    items += [f"took {timing}"] if timing else []
    lines += [f"- {_text(item)}" for item in items]
    lines += [""] if items else []
    slow = sentences.slow_statements(revision)
    if slow:
        lines += ["Its slowest statements there:", "", *_fenced("text", "\n".join(slow))]
    return [*lines, *_effects(revision)]


def _effects(revision: PlannedRevision) -> Iterator[str]:
    """The SQL; the code where there is none."""
    for each in revision.sql:
        if each.database is not None:
            yield f"On `{named(each.database)}`:"
            yield ""
        if each.sql:
            yield from _fenced("sql", each.sql)
        if each.problem:
            yield f"No further SQL without a database: {_text(each.problem)}"
            yield ""
    if revision.code and not revision.explained_by_sql:
        yield from _fenced("python", revision.code)


def _fenced(language: str, text: str) -> list[str]:
    """A block of code; its fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence, ""]


def _text(text: str) -> str:
    """Plain text on one line in which nothing but code spans is markup."""
    line = " ".join(text.split())
    return re.sub(r"(`[^`]*`)|([\\*_\[\]<>])", lambda m: m.group(1) or f"\\{m.group(2)}", line)
