"""A downgrade of what reading had written and of what a scratch database has shown, in one."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.evidence import Residue
from alembic_roundtrip.migration.rendering import Renderer, call
from alembic_roundtrip.restoration import Mark, Restoration, Restored
from alembic_roundtrip.scaffold.downgrade import Scaffold, as_fix, scaffold
from alembic_roundtrip.scaffold.step import PLACEHOLDER
from alembic_roundtrip.scaffold.told import DESTRUCTIVE

_SAY_NOTHING = {("schema", "None"), ("postgresql_include", "[]")}
_WHOLE_TABLES = ("op.create_table", "sa.Table")
_BY_HAND = " by hand"
_FILL = f"{PLACEHOLDER} undo the loss of "
_WRITES = ("DELETE", "INSERT", "UPDATE", "bulk_insert")


def fix_from_database(context: Context, found: Restoration) -> Fix | None:
    """The fix that writes what leads back; None where there is nothing to write."""
    written = restored(context, scaffold(context), found)
    return as_fix(context, written, "Write the downgrade from the database")


def statements_of(written: Scaffold) -> tuple[str, ...]:
    """Those of its statements that can be run; the others are comments."""
    return tuple(text for text in written.statements if not text.startswith("#"))


def restored(context: Context, written: Scaffold, found: Restoration) -> Scaffold:
    """The statements that worked, with what has to be said of each and what is left to do."""
    render = Renderer(context.migration)
    comments, last = _comments(written)
    used = {each.written for each in found.statements if each.written is not None}
    lines: list[str] = []
    lost: dict[str, None] = {}
    for each in found.statements:
        if each.written is None:
            marks = [_sentence(mark) for mark in each.marks]
            lost |= dict.fromkeys(m.removeprefix(DESTRUCTIVE) for m in marks if DESTRUCTIVE in m)
            lines += [*marks, _styled(each, render)]
        else:
            lines += [*_kept(comments[each.written], written, found), each.text]
    for number, said in comments.items():
        if number not in used:
            # Its own marks go with it; what stood above it for other operations does not.
            kept = _kept(said, written, found)
            lines += [line for line in kept if line.endswith(_BY_HAND) or line in written.unread]
            lines += _not_done(statements_of(written)[number])
    lines += [line for line in _kept(last, written, found) if line not in lines]
    lines += [line for line in map(_left, found.residue) if line not in lines]
    there = {line.removeprefix(DESTRUCTIVE) for line in lines}
    whole = used or not found.statements
    lost = {sentence: None for sentence in written.lost if whole or sentence in there} | lost
    imports = dict.fromkeys(written.imports if used else ())
    imports |= dict.fromkeys(name for each in found.statements for name in each.imports)
    if any("op." in line for line in lines):
        render.need_operations()
    complete = not any(PLACEHOLDER in line for line in lines)
    every = tuple(dict.fromkeys([*imports, *render.imports]))
    return Scaffold(tuple(lines), every, tuple(lost), complete)


def _comments(written: Scaffold) -> tuple[dict[int, list[str]], list[str]]:
    """The comments above each statement that can be run, and those below the last."""
    found: dict[int, list[str]] = {}
    waiting: list[str] = []
    for text in written.statements:
        if text.startswith("#"):
            waiting.append(text)
        else:
            found[len(found)] = waiting
            waiting = []
    return found, waiting


def _kept(comments: Sequence[str], written: Scaffold, found: Restoration) -> Iterator[str]:
    """Comments without the placeholders of what the database restored, and their marks."""
    marks: list[str] = []
    for line in comments:
        if line.startswith(DESTRUCTIVE) and line not in written.unread:
            marks.append(line)
        elif _by_hand(line) and _told(line, written, found):
            marks = []
        else:
            yield from marks
            marks = []
            yield line
    yield from marks


def _told(line: str, written: Scaffold, found: Restoration) -> bool:
    """Whether the database has told what was left to do by hand."""
    stays = all(each.kind == "extension" and each.change == "left" for each in found.residue)
    return stays and (line not in written.unread or found.only_schema)


def _by_hand(line: str) -> bool:
    return line.startswith(PLACEHOLDER) and line.endswith(_BY_HAND) and not line.startswith(_FILL)


def _not_done(text: str) -> Iterator[str]:
    """What is to be said of a statement that did not work: the schema is restored without it."""
    if any(word in text for word in _WRITES) and "op." in text:
        first = " ".join(text.split())
        yield f"{PLACEHOLDER} undo what `{first[:60]}` was for{_BY_HAND}"


def _left(residue: Residue) -> str:
    if residue.kind == "extension" and residue.change == "left":
        return f"# The extension {residue.object} stays: others may use it."
    if residue.kind == "rows":
        return f"{PLACEHOLDER} delete what the upgrade wrote to {residue.object}{_BY_HAND}"
    verb = {"left": "remove", "missing": "bring back", "changed": "restore"}[residue.change]
    return f"{PLACEHOLDER} {verb} the {residue.kind} {residue.object}{_BY_HAND}"


def _sentence(mark: Mark) -> str:
    """A mark as the comment above its statement."""
    column = f"{mark.table}.{mark.column}"
    columns = ", ".join(f"{mark.table}.{name}" for name in mark.columns)
    return {
        "rows": f"{DESTRUCTIVE}The rows of {mark.table} cannot be restored.",
        "values": f"{DESTRUCTIVE}The values of {column} cannot be restored.",
        "fill": f"{_FILL}{column} by hand: fill it here",
        "computed": f"# FRAGILE: rows that {column} cannot be computed for would stop this.",
        "nulls": f"# FRAGILE: NULLs in {column} would stop this.",
        "type": f"# FRAGILE: values in {column} that its old type cannot hold would stop this.",
        "duplicates": f"# FRAGILE: duplicates in {columns} would stop this.",
        "against": f"# FRAGILE: rows of {mark.table} against {mark.column} would stop this.",
        "orphans": f"# FRAGILE: values in {columns} that {mark.referent} lacks would stop this.",
    }[mark.mark]


def _styled(statement: Restored, render: Renderer) -> str:
    """A statement of autogenerate's with the quotes and the line width of the file."""
    text = _quoted(statement.text, render)
    return "\n".join(line for node in ast.parse(text).body for line in _lines(node, text))


def _lines(node: ast.stmt, text: str) -> Iterator[str]:
    if isinstance(node, ast.With):
        (item,) = node.items
        name = ast.get_source_segment(text, item.optional_vars) if item.optional_vars else None
        yield f"with {_laid_out(item.context_expr, text)}{f' as {name}' if name else ''}:"
        for inner in node.body:
            yield from (f"    {line}" for line in _lines(inner, text))
    elif isinstance(node, ast.Expr):
        yield from _laid_out(node.value, text).split("\n")
    else:
        yield ast.get_source_segment(text, node) or ""


def _laid_out(node: ast.expr, text: str) -> str:
    """A call on one line where it fits, else with an argument a line."""
    said = ast.get_source_segment(text, node) or ""
    if not isinstance(node, ast.Call) or '"""' in said:
        return said
    parts = [_laid_out(part, text) for part in node.args]
    for keyword in node.keywords:
        value = _laid_out(keyword.value, text)
        if (keyword.arg, value) not in _SAY_NOTHING:
            parts.append(f"{keyword.arg}={value}")
    name = ast.get_source_segment(text, node.func) or ""
    if not parts:
        return f"{name}()"
    narrow = name in _WHOLE_TABLES or any("\n" in part for part in parts)
    indented = [part.replace("\n", "\n    ") for part in parts]
    return call(name, indented, wide=not narrow)


def _quoted(text: str, render: Renderer) -> str:
    """Plain strings in the quotes of the file."""
    made = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        value = token.string
        if token.type == tokenize.STRING and not value.startswith(('"""', "'''")):
            read = ast.literal_eval(value)
            if isinstance(read, str) and value[:1] in {"'", '"'}:
                value = render.text(read)
        made.append((token, value))
    lines = text.split("\n")
    for token, value in reversed(made):
        if token.string != value:
            row, start = token.start
            lines[row - 1] = lines[row - 1][:start] + value + lines[row - 1][token.end[1] :]
    return "\n".join(lines)
