"""Reads the identifiers of migration scripts, fast: their text up to the first function.

Files are listed and named as Alembic does it, so that the history is the one Alembic would load.
"""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from alembic_roundtrip.history import History, Problem, Revision
from alembic_roundtrip.project import Environment

NAMES = ("revision", "down_revision", "depends_on", "branch_labels")

_STRING = r"[rRuU]?(?:'[^'\\\n]*'|\"[^\"\\\n]*\")"
_SPACE = r"(?:\s|\#[^\n]*\n)*"
_SEQUENCE = (
    rf"\({_SPACE}(?:{_STRING}{_SPACE},{_SPACE})*(?:{_STRING}{_SPACE})?\)"
    rf"|\[{_SPACE}(?:{_STRING}{_SPACE},{_SPACE})*(?:{_STRING}{_SPACE})?\]"
)
_ASSIGNMENT = re.compile(
    rf"^({'|'.join(NAMES)})\b"
    rf"(?:[ \t]*(?::[^=\n#]+)?=[ \t]*(?:(None)|({_STRING})|({_SEQUENCE}))"
    r"[ \t]*(?:\#[^\n]*)?(?=\n|\r\n|\Z))?",
    re.MULTILINE,
)
_ITEM = re.compile(rf"\#[^\n]*|({_STRING})")
_DOCSTRING = re.compile(
    r"\ufeff?(?:\s|#[^\n]*\n)*[rRuU]?"
    r"(?:\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*''')",
    re.DOTALL,
)
_FUNCTION = re.compile(r"^(?:def|async def|class|@)", re.MULTILINE)
_FILE = re.compile(r"(?!\.\#|__init__)(.*\.py)$")
_ID_AS_NAME = re.compile(r"([a-f0-9]+)\.py$")
_NOTHING: Mapping[Path, str] = {}
_OPEN = tuple("([{,\\=")  # a line after one of these continues a statement


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a migration script says of its place in the history."""

    revision: str | None = None
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    """Names of those that are no literals: their values are not known."""


_COMPUTED = object()


def scan(text: str) -> Identifiers | None:
    """The identifiers of a migration script; None for a text that is none.

    The answer is that of a full parse, at a hundredth of the cost where the identifiers are plain.
    """
    start = _docstring_end(text)
    function = _FUNCTION.search(text, start)
    end = function.start() if function else len(text)
    if any(f"\n{name}" in text[end:] for name in NAMES):
        return _parsed(text)
    head = text[start:end]
    if "revision" not in head:
        return None
    values = _matched(head)
    return _parsed(text[:end], text) if values is None else _identifiers(values)


def _docstring_end(text: str) -> int:
    match = _DOCSTRING.match(text)
    return match.end() if match else 0


def _matched(head: str) -> dict[str, object] | None:
    """Values read by pattern; None where the pattern cannot be sure of all of them."""
    if '"""' in head or "'''" in head:
        return None
    values: dict[str, object] = {}
    for match in _ASSIGNMENT.finditer(head):
        name, none, string, sequence = match.groups()
        if name in values or not (none or string or sequence):
            return None
        if head[: match.start()].rstrip().endswith(_OPEN):
            return None
        if sequence and name == "revision":
            return None
        values[name] = None if none else _text(string) if string else _texts(sequence)
    if not {"revision", "down_revision"} <= values.keys():
        return None
    return None if any(n not in values and n in head for n in NAMES) else values


def _text(literal: str) -> str:
    return literal.lstrip("rRuU")[1:-1]


def _texts(sequence: str) -> tuple[str, ...]:
    return tuple(_text(m.group(1)) for m in _ITEM.finditer(sequence) if m.group(1))


def _parsed(*texts: str) -> Identifiers | None:
    """Identifiers by parsing the first text that parses; half-typed ones are matched by line."""
    for text in texts:
        tree = _tree(text)
        if tree is not None:
            return _identifiers(_assigned(tree.body))
    return _identifiers(_salvaged(texts[-1]))


def _tree(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's `\d`, for example
        try:
            return ast.parse(text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _assigned(body: Iterable[ast.stmt]) -> dict[str, object]:
    values: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                values.update(_bound(target, statement.value))
        elif isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                values.update(_bound(statement.target, statement.value))
        elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            values.update(dict.fromkeys(_names_bound(statement), _COMPUTED))
    return values


def _bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, object]]:
    if isinstance(target, ast.Name):
        if target.id in NAMES:
            yield target.id, _literal(value)
        return
    pairs: Iterable[tuple[ast.expr, ast.expr]] = ()
    several = (ast.Tuple, ast.List)
    if isinstance(target, several) and isinstance(value, several):
        pairs = tuple(zip(target.elts, value.elts, strict=False))
        pairs = pairs if len(target.elts) == len(value.elts) else ()
    for part, item in pairs:
        yield from _bound(part, item)
    if not pairs:
        yield from ((name, _COMPUTED) for name in _names_bound(target))


def _literal(value: ast.expr) -> object:
    if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, str)):
        return value.value
    if isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        items = [i.value for i in value.elts if isinstance(i, ast.Constant)]
        texts = tuple(i for i in items if isinstance(i, str))
        if len(texts) == len(value.elts):
            return texts
    return _COMPUTED


def _names_bound(node: ast.AST) -> Iterator[str]:
    """Our names that a statement gives a value in any other way."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id in NAMES:
            yield part.id
        elif isinstance(part, ast.alias) and (part.asname or part.name) in NAMES:
            yield part.asname or part.name


def _salvaged(text: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for match in _ASSIGNMENT.finditer(text, _docstring_end(text)):
        name, none, string, sequence = match.groups()
        known = none or string or (sequence and name != "revision")
        value = None if none else _text(string) if string else _texts(sequence or "")
        values[name] = value if known else _COMPUTED
    return values


def _identifiers(values: Mapping[str, object]) -> Identifiers | None:
    if "revision" not in values and "down_revision" not in values:
        return None
    revision = values.get("revision")
    computed = {n for n in NAMES if values.get(n) is _COMPUTED}
    if "revision" in values and not isinstance(revision, str):
        computed.add("revision")
    return Identifiers(
        revision if isinstance(revision, str) else None,
        _several(values.get("down_revision")),
        _several(values.get("depends_on") or None),  # Alembic takes "" for none
        _several(values.get("branch_labels")),
        tuple(n for n in NAMES if n in computed),
    )


def _several(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return value if isinstance(value, tuple) else ()


def read_text(file: Path) -> str:
    """The text of a Python file in the encoding it declares; raises `OSError` or `ValueError`."""
    return text_of(file.read_bytes())


def text_of(content: bytes) -> str:
    """The text of a Python file's bytes; raises `ValueError` where they are no such thing."""
    if content.startswith(b"\xef\xbb\xbf") or b"coding" in content[:200]:
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        except SyntaxError as error:
            raise ValueError(error.msg) from error
        return content.decode(encoding)
    return content.decode("utf-8")


def is_script_name(name: str) -> bool:
    """Whether Alembic would load a file of that name as a migration."""
    return _FILE.match(name) is not None


def migration_files(environment: Environment) -> tuple[Path, ...]:
    """The files that Alembic would load as migrations, in its order."""
    seen: set[str] = set()
    files = []
    for location in environment.version_locations:
        for file, real in _listed(location, recursive=environment.recursive):
            if real not in seen:
                seen.add(real)
                files.append(file)
    return tuple(files)


def _listed(location: Path, *, recursive: bool) -> Iterator[tuple[Path, str]]:
    """Files that may be migrations, in order, and what each really is."""
    real = os.path.realpath(location)
    try:
        with os.scandir(location) as found:
            entries = sorted(found, key=attrgetter("name"))
    except OSError:
        return
    for entry in entries:
        if _FILE.match(entry.name) and not entry.is_dir():
            # The folder knows it; asking each of thousands of files took longer than all the rest.
            linked = entry.is_symlink()
            name = os.path.realpath(entry) if linked else f"{real}/{entry.name}"
            yield location / entry.name, name
    for entry in entries if recursive else ():
        if entry.is_dir(follow_symlinks=False) and not entry.name.endswith("__pycache__"):
            yield from _listed(location / entry.name, recursive=True)


def load_history(
    environment: Environment,
    read: Callable[[Path], str] = read_text,
    overlay: Mapping[Path, str] = _NOTHING,
) -> History:
    """The history of an environment; `overlay` has the texts of files open in an editor.

    Files that cannot be read or are no migrations become problems of the history.
    """
    revisions: list[Revision] = []
    problems: list[Problem] = []
    for file in _with_overlay(environment, overlay):
        try:
            text = overlay[file] if file in overlay else read(file)
        except (OSError, ValueError) as error:
            message = f"`{file.name}` cannot be read: {error}"
            problems.append(Problem("unreadable-migration", message, file))
            continue
        revision = revision_of(file, text)
        if revision is None:
            problems.append(unidentified(file))
        else:
            revisions.append(revision)
    return History(revisions, problems)


def _with_overlay(environment: Environment, overlay: Mapping[Path, str]) -> Iterable[Path]:
    files = dict.fromkeys(migration_files(environment))
    for file in overlay:
        if _FILE.match(file.name) and environment.location_of(file):
            files.setdefault(file)
    return files


def revision_of(file: Path, text: str) -> Revision | None:
    """The revision in a migration file; None where it has no identifier.

    A file that has none but is named by one counts, as in Alembic. Where the identifier is
    computed the file's name stands for it.
    """
    found = scan(text)
    name = _ID_AS_NAME.match(file.name)
    if found is None:
        return None
    if found.revision is not None:
        identifier = found.revision
    elif "revision" in found.computed:
        identifier = file.stem
    elif name:
        identifier = name.group(1)
    else:
        return None
    return Revision(
        identifier,
        found.down_revisions,
        found.depends_on,
        found.branch_labels,
        file,
        found.computed,
    )


def unidentified(file: Path) -> Problem:
    """The problem of a file that Alembic would load, and that has no identifier."""
    message = (
        f"`{file.name}` has no `revision`, so Alembic refuses the whole history; add it, or move "
        "the file out of the version locations"
    )
    return Problem("unidentified-migration", message, file)
