"""Fixes as code actions; nothing is remembered between listing one and resolving it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from lsprotocol import types

from alembic_roundtrip.diagnostic import Diagnostic, Fix, NewFile
from alembic_roundtrip.fixing import fixed_text
from alembic_roundtrip.lsp import diagnostics
from alembic_roundtrip.lsp.session import Session, path_of
from alembic_roundtrip.migration import editing
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import RewriteError, WriteBody
from alembic_roundtrip.text import Edit, Position, Range, differences
from alembic_roundtrip.textfile import TextFile

FIX_ALL = "source.fixAll.alembicRoundtrip"
_REWRITE = types.CodeActionKind.RefactorRewrite.value
SCAFFOLD_FROM_DATABASE = "alembicRoundtrip.scaffoldFromDatabase"
APPLY_ACTION = "alembicRoundtrip.applyAction"
_FROM_DATABASE = "Write the downgrade from a scratch database"
_CHANGES_ROLLBACK = "changes-rollback"


class StaleActionError(ValueError):
    """The document is no longer the one that the action was offered for."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """One fix of one diagnostic, or a pattern, found again by what it says and where."""

    name: str
    """Of the rule or of the pattern."""
    range: Range
    fix: Fix
    diagnostic: Diagnostic | None = None

    @property
    def key(self) -> list[Any]:
        start, end = self.range
        return [self.name, start.line, start.column, end.line, end.column, self.fix.title]


def offered(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction] | list[types.Command]:
    """The actions at a range; for a client that knows commands only, what makes their changes.

    Edits are made for a client that cannot ask for them later, and not for one that could not read
    them: a command makes them when it is called.
    """
    actions = listed(session, params)
    if session.client.reads_actions and session.client.resolves_edits:
        return actions
    if session.client.reads_actions:
        return [ready for action in actions if (ready := _ready(session, action))]
    if not session.client.applies_edits:
        return []
    return [
        action.command or types.Command(action.title, APPLY_ACTION, arguments=[action.data])
        for action in actions
    ]


def listed(session: Session, params: types.CodeActionParams) -> list[types.CodeAction]:
    """The actions at a range, without their edits."""
    uri = params.text_document.uri
    path = path_of(uri)
    if path is None:
        return []
    found = session.diagnostics(path)
    actions = []
    if _wanted(types.CodeActionKind.QuickFix.value, params.context.only):
        near = [
            offer
            for offer in _near(session, path, _offers(found), params.range)
            if session.client.creates_files or not offer.fix.creates
        ]
        actions += [_quick_fix(session, uri, offer, params.context) for offer in near]
        commands = _from_database(session, uri, near, params.context)
    else:
        commands = []
    if _wanted(FIX_ALL, params.context.only) and len(_safe(found)) >= _worth(params.context):
        actions.append(
            types.CodeAction(
                title="Fix everything that is safe to fix",
                kind=FIX_ALL,
                data={"uri": uri, "all": True},
            )
        )
    if _wanted(_REWRITE, params.context.only):
        told = {action.title for action in actions}
        place = session.converter(path).range(params.range)
        kept = _kept(session, path, place)
        actions += [_rewriting(uri, offer) for offer in kept if offer.fix.title not in told]
    return [*actions, *commands]


def _ready(session: Session, action: types.CodeAction) -> types.CodeAction | None:
    """The action with its edit; None for one that cannot be made of this text."""
    try:
        return resolved(session, action)
    except RewriteError:
        return None


def resolved(session: Session, action: types.CodeAction) -> types.CodeAction:
    """An action with its edit; raises `StaleActionError` if its diagnostic is gone."""
    if action.command is not None:
        return action
    uri, key, everything = _read_data(action.data)
    path = path_of(uri)
    found = session.diagnostics(path)
    document = session.document(path)
    if path is None or document is None:
        raise StaleActionError(f"{uri} is not a file that is checked any more")
    if everything:
        action.edit = _edit(session, path, _all_edits(session, document), needs_confirmation=None)
        return action
    offers = chain(_offers(found), _kept(session, path, _place(key)))
    offer = next((offer for offer in offers if offer.key == key), None)
    if offer is None:
        raise StaleActionError(f"{path.name} changed: `{action.title}` no longer applies as it was")
    if offer.fix.creates:
        made = [part for new in offer.fix.creates for part in _creation(session, new)]
        action.edit = types.WorkspaceEdit(document_changes=made)
        return action
    edits = editing.edits(document, offer.fix.rewrites)
    confirm = offer.fix if offer.fix.safety == "unsafe" else None
    action.edit = _edit(session, path, edits, needs_confirmation=confirm)
    return action


def _creation(
    session: Session, new: NewFile
) -> Iterator[types.CreateFile | types.TextDocumentEdit]:
    """What makes a file, and fails where there is one by now."""
    uri, start = session.uri(new.path), types.Position(0, 0)
    yield types.CreateFile(uri)
    document = types.OptionalVersionedTextDocumentIdentifier(uri)
    yield types.TextDocumentEdit(document, [types.TextEdit(types.Range(start, start), new.text)])


def _read_data(data: Any) -> tuple[str, list[Any], bool]:
    if not isinstance(data, dict) or not isinstance(data.get("uri"), str):
        raise StaleActionError("this code action was not offered by this server")
    return data["uri"], data.get("fix", []), bool(data.get("all"))


def _place(key: Sequence[Any]) -> Range:
    """The range in an offer's key; nowhere for one that we did not make."""
    numbers = [number for number in key[1:5] if isinstance(number, int)]
    a, b, c, d = numbers if len(numbers) == 4 else (0, 0, 0, 0)  # noqa: PLR2004 - two places
    return Range(Position(a, b), Position(c, d))


def _wanted(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    kinds = [getattr(one, "value", one) for one in only or [""]]
    return any(not one or kind == one or kind.startswith(f"{one}.") for one in kinds)


def _worth(context: types.CodeActionContext) -> int:
    """How many safe fixes make it worth offering them together: beside the single ones, two."""
    return 1 if context.only else 2


def _offers(found: Iterable[Diagnostic]) -> Iterator[_Offer]:
    return (_Offer(d.rule, d.range, fix, d) for d in found for fix in d.fixes)


def _kept(session: Session, path: Path, place: Range) -> Iterator[_Offer]:
    """What keeps data, wherever it can be done: also where nothing was found."""
    for pattern in session.patterns(path, place):
        yield _Offer(pattern.name, pattern.range, pattern.fix)


def _near(
    session: Session, path: Path, offers: Iterable[_Offer], range: types.Range
) -> Iterator[_Offer]:
    asked = session.converter(path).range(range)
    for offer in offers:
        there = offer.range
        if there.start <= asked.end and asked.start <= there.end:
            yield offer


def _quick_fix(
    session: Session, uri: str, offer: _Offer, context: types.CodeActionContext
) -> types.CodeAction:
    diagnostic = offer.diagnostic
    assert diagnostic is not None
    there = session.converter(diagnostic.path).lsp_range(offer.range)
    answered = [
        item
        for item in context.diagnostics
        if item.source == diagnostics.SOURCE and item.code == offer.name and item.range == there
    ]
    return types.CodeAction(
        title=offer.fix.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=answered or None,
        is_preferred=offer.fix is diagnostic.fixes[0] or None,
        data={"uri": uri, "fix": offer.key},
    )


def _from_database(
    session: Session, uri: str, near: Iterable[_Offer], context: types.CodeActionContext
) -> list[types.CodeAction]:
    """Where a downgrade can be written from the upgrade: asking a scratch database for it."""
    if not session.trusted or not session.client.applies_edits:
        return []
    writing = [offer for offer in near if _writes_downgrade(offer.fix)]
    if not writing:
        return []
    action = _quick_fix(session, uri, writing[0], context)
    command = types.Command(_FROM_DATABASE, SCAFFOLD_FROM_DATABASE, arguments=[{"uri": uri}])
    return [types.CodeAction(_FROM_DATABASE, action.kind, action.diagnostics, command=command)]


def _writes_downgrade(fix: Fix) -> bool:
    return any(
        isinstance(part, WriteBody) and part.direction == "downgrade" for part in fix.rewrites
    )


def _rewriting(uri: str, offer: _Offer) -> types.CodeAction:
    data = {"uri": uri, "fix": offer.key}
    kind = types.CodeActionKind.RefactorRewrite
    return types.CodeAction(title=offer.fix.title, kind=kind, data=data)


def _safe(found: Iterable[Diagnostic]) -> list[Fix]:
    return [
        fix
        for diagnostic in found
        if (fix := next((f for f in diagnostic.fixes if f.safety == "safe"), None))
    ]


def _all_edits(session: Session, document: Migration | TextFile) -> list[Edit]:
    """What the command line would make of the text, as edits of the lines that differ."""
    opened = session.open.get(document.path)
    try:
        fixed = fixed_text(session.workspace, document.path)
    finally:
        # Fixing has set the text in the workspace.
        session.workspace.set_text(document.path, opened.text if opened else None)
    return differences(document.text, fixed or document.text)


def _edit(
    session: Session, path: Path, edits: Iterable[Edit], *, needs_confirmation: Fix | None
) -> types.WorkspaceEdit:
    """The edit, tied to the version it was made for, and asking first where it is unsafe."""
    uri = session.uri(path)
    converter = session.converter(path)
    text_edits = [converter.lsp_edit(edit) for edit in edits]
    if not session.client.versions_edits:
        return types.WorkspaceEdit(changes={uri: text_edits})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=session.version(path))
    if needs_confirmation is None or not session.client.confirms_edits:
        return types.WorkspaceEdit(
            document_changes=[types.TextDocumentEdit(document, list(text_edits))]
        )
    annotated = [
        types.AnnotatedTextEdit(_CHANGES_ROLLBACK, edit.range, edit.new_text) for edit in text_edits
    ]
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(document, list(annotated))],
        change_annotations={
            _CHANGES_ROLLBACK: types.ChangeAnnotation(
                label=needs_confirmation.title,
                needs_confirmation=True,
                description=needs_confirmation.description,
            )
        },
    )


def edit_for(session: Session, path: Path, fix: Fix) -> types.WorkspaceEdit | None:
    """The edit of a fix that was asked for by a command; None where there is no migration."""
    migration = session.migration(path)
    if migration is None:
        return None
    return _edit(session, path, editing.edits(migration, fix.rewrites), needs_confirmation=None)
