"""Applies fixes to files: one after another, each to the text the one before gave."""

from __future__ import annotations

import codecs
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import (
    AddComment,
    ChangeCall,
    ReplaceCall,
    Rewrite,
    RewriteError,
)
from alembic_roundtrip.migration.syntax import encoding_of
from alembic_roundtrip.text import Range, apply_edits
from alembic_roundtrip.textfile import TextFile
from alembic_roundtrip.workspace import Workspace

_ROUNDS = 50

logger = logging.getLogger(__name__)


def fixed_text(workspace: Workspace, path: Path, *, unsafe: bool = False) -> str | None:
    """The text of a file after its safe fixes (or all); None for one that rules do not read.

    The workspace sees the new text afterwards, as if an editor had it open.
    """
    for _ in range(_ROUNDS):
        document = workspace.document(path)
        if document is None:
            return None
        text = _step(document, _offered(workspace, path, unsafe=unsafe))
        if text is None:
            return document.text
        workspace.set_text(path, text)
    raise RuntimeError(f"the fixes of {path} do not come to an end")


def _step(document: Migration | TextFile, offered: Iterable[Fix]) -> str | None:
    """The text after the first fix that changes it, or after all of those that are small.

    A large file has many of these, and is read anew after each step.
    """
    small: list[Fix] = []
    for fix in offered:
        if all(map(_place, fix.rewrites)):
            small.append(fix)
        elif not small and (text := _fixed(document, fix)) != document.text:
            return text
    together = Fix("Several fixes", tuple(r for fix in _apart(small) for r in fix.rewrites), "safe")
    texts = (_fixed(document, fix) for fix in (together, *small))
    return next((text for text in texts if text != document.text), None)


def _apart(fixes: Iterable[Fix]) -> Iterator[Fix]:
    """Those that are about other places than the ones before them."""
    taken: list[Range] = []
    for fix in fixes:
        places = list(filter(None, map(_place, fix.rewrites)))
        if not any(a.start < b.end and b.start < a.end for a in places for b in taken):
            taken += places
            yield fix


def _place(rewrite: Rewrite) -> Range | None:
    """The one place that a rewrite is about, beside which others can be made."""
    if isinstance(rewrite, AddComment):
        return rewrite.statement
    return rewrite.call if isinstance(rewrite, ChangeCall | ReplaceCall) else None


def with_pattern(workspace: Workspace, path: Path, name: str) -> str:
    """The text of a migration after all changes that a pattern offers for it.

    The workspace sees the new text afterwards, as if an editor had it open.
    """
    from alembic_roundtrip.scaffold.patterns import patterns

    for _ in range(_ROUNDS):
        context = workspace.context(path)
        assert context is not None
        migration = context.migration
        offered = (each.fix for each in patterns(context) if each.name == name)
        texts = (_fixed(migration, fix) for fix in offered)
        text = next((text for text in texts if text != migration.text), None)
        if text is None:
            return migration.text
        workspace.set_text(path, text)
    raise RuntimeError(f"the pattern {name} does not come to an end with {path}")


def fix_file(workspace: Workspace, path: Path, *, unsafe: bool = False) -> bool:
    """Fix a file on disk; true where it changed. Its encoding and line ends are kept."""
    created = unsafe and _create_files(workspace, path)
    before = workspace.document(path)
    text = fixed_text(workspace, path, unsafe=unsafe)
    workspace.set_text(path, None)
    if before is None or text is None or text == before.text:
        return created
    write(path, text)
    workspace.changed_on_disk(path)
    return True


def write(path: Path, text: str) -> None:
    """Replace a file's text at once; its encoding, byte order mark, line ends and mode stay."""
    old = path.read_bytes()
    mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
    data = _encoded(text, old)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data if data.startswith(mark) else mark + data)
    temporary.chmod(path.stat().st_mode)
    temporary.replace(path)


def _encoded(text: str, source: bytes) -> bytes:
    """A text in the encoding that a source says it has, in its first lines."""
    encoding = encoding_of(source)
    return text.encode("utf-8" if encoding == "utf-8-sig" else encoding)


def _create_files(workspace: Workspace, path: Path) -> bool:
    """Make the files that fixes of a file offer; one that is there by now stays as it is."""
    created = False
    for fix in _offered(workspace, path, unsafe=True):
        for new in fix.creates:
            if not new.path.exists():
                new.path.parent.mkdir(parents=True, exist_ok=True)
                new.path.write_bytes(_encoded(new.text, new.text.encode(errors="replace")))
                workspace.changed_on_disk(new.path)
                created = True
    return created


def _fixed(document: Migration | TextFile, fix: Fix) -> str:
    """The text after a fix; as it is where the fix cannot be made of it."""
    try:
        return apply_edits(document.text, edits(document, fix.rewrites))
    except RewriteError as error:
        logger.warning("%s was not applied: %s", fix.title, error)
        return document.text


def _offered(workspace: Workspace, path: Path, *, unsafe: bool) -> Iterator[Fix]:
    for diagnostic in workspace.diagnostics(path):
        for fix in diagnostic.fixes[:1]:
            if unsafe or fix.safety == "safe":
                yield fix
