"""A rollback's plan as text: a table of the revisions, then what each comes to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from alembic_roundtrip.cli.reports._terminal import console
from alembic_roundtrip.databases import named
from alembic_roundtrip.planning import sentences
from alembic_roundtrip.planning.plan import PlannedRevision, RollbackPlan

_WIDEST = 1000
_SHORTEST_TITLE = 16
_GAP = 3
"""Cells between two columns."""
_STOPS = {"yes": "bold red", "may": "yellow", "no": ""}


def report(plan: RollbackPlan) -> None:
    """Write to standard output: with colours on a terminal, plain elsewhere."""
    out = console()
    out.print(Text(sentences.notice(plan), "bold"))
    out.print(Text(sentences.headline(plan), "red" if plan.blocked else ""))
    if plan.no_sql:
        out.print(Text(plan.no_sql, "yellow"))
    if not plan.revisions:
        return
    out.print()
    _print_table(out, plan)
    for number, revision in enumerate(plan.revisions, 1):
        _print_revision(out, number, revision)


def _print_table(out: Console, plan: RollbackPlan) -> None:
    """No line of it is broken: a narrow terminal gets less, all of which is said below as well."""
    if not out.is_terminal:
        # Whoever reads it from a file has no width.
        whole = _table(plan, _COLUMNS)
        out.width = max(out.width, _width(out, whole))
        out.print(whole)
        return
    without = [name for name in _COLUMNS if name != "title"]
    room = out.width - _width(out, _table(plan, without)) - _GAP
    if room >= _SHORTEST_TITLE:
        out.print(_table(plan, _COLUMNS, room))
    elif room >= -_GAP:
        out.print(_table(plan, without))
    else:
        out.print(_table(plan, [name for name in without if name != "took"]))


def _table(plan: RollbackPlan, names: Collection[str], room: int | None = None) -> Table:
    """Titles are cut to their room."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("#", justify="right")
    for name in names:
        table.add_column(name, no_wrap=True, max_width=room if name == "title" else None)
    for number, each in enumerate(plan.revisions, 1):
        table.add_row(str(number), *(_COLUMNS[name](each) for name in names))
    return table


def _width(out: Console, table: Table) -> int:
    return Measurement.get(out, out.options.update_width(_WIDEST), table).maximum


def _known(revision: PlannedRevision) -> str:
    if revision.evidence is not None:
        return revision.evidence.verdict.value
    return "stale" if revision.stale else "by reading"


_COLUMNS: Mapping[str, Callable[[PlannedRevision], Text]] = {
    "revision": lambda each: Text(each.revision, "bold"),
    "known": lambda each: Text(_known(each)),
    "took": lambda each: Text(sentences.seconds(each.timed.seconds) if each.timed else "-"),
    "loses": lambda each: Text("yes", "yellow") if each.losses else Text("no"),
    "stops": lambda each: Text(each.stops, _STOPS[each.stops]),
    "documented": lambda each: Text(sentences.documented(each)),
    "title": lambda each: Text(each.title),
}


def _print_revision(out: Console, number: int, revision: PlannedRevision) -> None:
    out.print()
    line = Text(f"{number}. ")
    line.append(revision.revision, "bold")
    if revision.title:
        line.append(f"  {revision.title}")
    line.append(f"  {sentences.basis(revision)}", "dim")
    out.print(line)
    for blocker in revision.blockers:
        style = "red" if blocker.certain else "yellow"
        out.print(Text(f"    {sentences.blocker_line(blocker)}", style))
    for loss in revision.losses:
        out.print(Text(f"    {sentences.loss_line(revision, loss)}"))
    for note in (*revision.left, *revision.notes):
        out.print(Text(f"    {note}"))
    timing = sentences.timing(revision)
    if timing:
        out.print(
            Text(f"    took {timing}; slowest:" if revision.slowest else f"    took {timing}")
        )
    for slow in sentences.slow_statements(revision):
        out.print(Text(f"      {slow}", "dim"))
    _print_effects(out, revision)


def _print_effects(out: Console, revision: PlannedRevision) -> None:
    for each in revision.sql:
        if each.database is not None:
            out.print(Text(f"    on {named(each.database)}:"))
        _print_block(out, each.sql)
        if each.problem:
            out.print(Text(f"    no further SQL without a database: {each.problem}", "yellow"))
    if not revision.explained_by_sql:
        _print_block(out, revision.code)


def _print_block(out: Console, text: str) -> None:
    for line in text.splitlines():
        if line.strip():
            out.print(Text(f"      {line}", "cyan"))
