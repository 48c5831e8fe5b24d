"""Diagnostics as the protocol has them: pulled, pulled for the workspace, or pushed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from lsprotocol import types

from alembic_roundtrip.diagnostic import Related
from alembic_roundtrip.links import rule_page
from alembic_roundtrip.lsp.session import Session, path_of

SOURCE = "alembic-roundtrip"
CHUNK = 100
"""Files in one partial answer about the workspace."""

Send = Callable[[list[types.WorkspaceDocumentDiagnosticReport]], None]

_SEVERITIES = MappingProxyType(
    {
        "error": types.DiagnosticSeverity.Error,
        "warning": types.DiagnosticSeverity.Warning,
        "information": types.DiagnosticSeverity.Information,
        "hint": types.DiagnosticSeverity.Hint,
    }
)


def items(session: Session, path: Path | None) -> list[types.Diagnostic]:
    """What was found in a file, in the protocol's terms."""
    found = session.diagnostics(path)
    if path is None or not found:
        return []
    lsp_range = session.converter(path).lsp_range
    pages = session.client.shows_code_pages
    return [
        types.Diagnostic(
            range=lsp_range(diagnostic.range),
            message=diagnostic.message,
            severity=_SEVERITIES[diagnostic.severity],
            code=diagnostic.rule,
            code_description=types.CodeDescription(rule_page(diagnostic.rule)) if pages else None,
            source=SOURCE,
            related_information=_related(session, diagnostic.related),
        )
        for diagnostic in found
    ]


def _related(
    session: Session, related: Iterable[Related]
) -> list[types.DiagnosticRelatedInformation] | None:
    if not session.client.shows_related:
        return None
    return [
        types.DiagnosticRelatedInformation(
            types.Location(
                session.uri(other.path),
                session.converter(other.path).lsp_range(other.range),
            ),
            other.message,
        )
        for other in related
    ] or None


def result_id(found: Iterable[types.Diagnostic]) -> str:
    """The same for the same diagnostics, for as long as the server runs."""
    return f"{hash(tuple(_flat(item) for item in found)) & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def _flat(item: types.Diagnostic) -> tuple[object, ...]:
    related = item.related_information or ()
    return (
        _numbers(item.range),
        item.severity,
        item.code,
        item.message,
        tuple((other.location.uri, _numbers(other.location.range)) for other in related),
    )


def _numbers(range: types.Range) -> tuple[int, ...]:
    start, end = range.start, range.end
    return (start.line, start.character, end.line, end.character)


def document_report(
    session: Session, uri: str, previous: str | None
) -> types.DocumentDiagnosticReport:
    """Answer to a pull for one document."""
    found = items(session, path_of(uri))
    now = result_id(found)
    if now == previous:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=now)
    return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=now)


def checked_paths(session: Session) -> Iterator[Path]:
    """Every migration script of the workspace, and what is checked beside them."""
    for environment in session.environments:
        yield from session.workspace.scripts(environment).paths
    yield from session.workspace.files


async def workspace_report(
    session: Session, previous: Mapping[str, str], send: Send | None
) -> list[types.WorkspaceDocumentDiagnosticReport]:
    """Answer to a pull for the workspace: what is not as the client knows it.

    Held back until there is something: clients ask again as soon as they are answered. With
    `send` the reports go out in parts and nothing remains to be answered.
    """
    while True:
        bell = session.bell
        reports: list[types.WorkspaceDocumentDiagnosticReport] = []
        anything = False
        async for report in _changed_reports(session, previous):
            anything = True
            reports.append(report)
            if send and len(reports) == CHUNK:
                send(reports)
                reports = []
        if anything:
            if send and reports:
                send(reports)
                reports = []
            return reports
        await bell.wait()


async def _changed_reports(
    session: Session, previous: Mapping[str, str]
) -> AsyncIterator[types.WorkspaceDocumentDiagnosticReport]:
    known = {path: value for uri, value in previous.items() if (path := path_of(uri))}
    for path in list(checked_paths(session)):
        await session.quiet()
        await session.prepare(path)
        found = items(session, path)
        now = result_id(found)
        before = known.pop(path, None)
        if before != now and (found or before is not None):
            yield types.WorkspaceFullDocumentDiagnosticReport(
                uri=session.uri(path), items=found, result_id=now, version=session.version(path)
            )
    empty = result_id(())
    for path in [path for path, value in known.items() if value != empty]:
        yield types.WorkspaceFullDocumentDiagnosticReport(
            uri=session.uri(path), items=[], result_id=empty, version=session.version(path)
        )
