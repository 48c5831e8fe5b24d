"""The WARNING paragraph of a migration's docstring."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence

from alembic_roundtrip.migration.layout import Layout
from alembic_roundtrip.migration.model import Docstring, Migration
from alembic_roundtrip.text import Edit, Position, Range

WARNING = "WARNING: Downgrade will result in data loss."
_WIDTH = 88
_HEADER = re.compile(
    r"^[ \t]*(?:Revision ID|Revises|Create Date|Branch Labels?|Depends On)[ \t]*:", re.IGNORECASE
)
_LOSS = re.compile(r"\b(los[es]|lost|losing|loss|destr|irrevers|cannot be restored)", re.IGNORECASE)
_LITERAL = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')(.*)\2", re.DOTALL)
_DATE = re.compile(r"^\d{4}[-_]?\d{2}[-_]?\d{2}([-_T]?\d{2,6})*[-_]")
_LINE_END = re.compile(r"\r\n|\n|\r")


def warning_edits(
    migration: Migration,
    sentences: Iterable[str],
    corrections: Iterable[tuple[str, str | None]] = (),
) -> list[Edit]:
    """The edit that says these sentences in the docstring; none where it says them all.

    `corrections` are sentences of the paragraph with what takes their place, None for nothing. A
    paragraph that is left without any goes.
    """
    corrected = dict(corrections)
    wanted = [_sentence(sentence) for sentence in dict.fromkeys(sentences)]
    documented = _plain(migration.docstring.text) if migration.docstring else ""
    missing = [sentence for sentence in dict.fromkeys(wanted) if sentence not in documented]
    if not missing and not corrected:
        return []
    if migration.docstring is None:
        return [_created(migration, missing)] if missing else []
    return [_changed(migration, migration.docstring, missing, corrected)]


def wrapped(sentences: Sequence[str], indent: str = "", width: int = _WIDTH) -> str:
    """Sentences on lines of that width; one that does not fit on a line begins on a new one."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and len(f"{lines[-1]} {sentence}") <= width:
            lines[-1] += f" {sentence}"
            continue
        lines.append(indent.rstrip("\n"))
        for word in sentence.split():
            started = lines[-1].strip()
            if started and len(f"{lines[-1]} {word}") > width:
                lines.append(indent + word)
            else:
                lines[-1] += f" {word}" if started else word
    return "\n".join(lines)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    plain = _plain(text)
    return plain if plain.endswith((".", "!", "?")) else plain + "."


def _created(migration: Migration, sentences: Sequence[str]) -> Edit:
    """A docstring where there is none: below the comments that the file begins with."""
    layout, source = Layout(migration), migration.source
    paragraph = wrapped([WARNING, *sentences])
    text = f'"""{_escaped(_message(migration))}\n\n{_escaped(paragraph)}\n"""\n\n'
    number = 1
    while number <= source.line_count and source.line(number).removeprefix("\ufeff")[:1] == "#":
        number += 1
    blank = number > source.line_count or not source.line(number).strip()
    if number > 1 and blank:
        while number <= source.line_count and not source.line(number).strip():
            number += 1
    elif number > 1:
        number = 1 + _fixed_lines(migration)
    if number > source.line_count:
        place = source.line_range(source.line_count).end
        return Edit(Range(place, place), layout.newlines("\n" + text.rstrip("\n") + "\n"))
    place = Position(number, 1) if number > 1 else layout.start
    return Edit(Range(place, place), layout.newlines(text))


def _fixed_lines(migration: Migration) -> int:
    """How many lines must stay first: `#!` and the coding line."""
    count = 0
    for number in (1, 2):
        line = migration.source.line(number).removeprefix("\ufeff")
        fixed = line.startswith("#!") or re.match(r"#.*?coding[:=]", line)
        count = number if fixed else count
    return count


def _message(migration: Migration) -> str:
    """What the file name says besides date and revision; else the revision."""
    stem = _DATE.sub("", migration.path.stem)
    if migration.id:
        stem = stem.replace(migration.id, "")
    words = re.sub(r"[_\W]+", " ", stem).strip()
    return f"{words[:1].upper()}{words[1:]}." if words else f"Revision {migration.id}."


def _changed(
    migration: Migration,
    docstring: Docstring,
    sentences: Sequence[str],
    corrections: Mapping[str, str | None],
) -> Edit:
    layout = Layout(migration)
    literal = migration.source.slice(docstring.range)
    match = _LITERAL.fullmatch(literal)
    plain = match is not None and _pieces(literal) == 1
    prefix, quote, content = match.groups() if match and plain else ("", "", "")
    if not plain:
        content = _escaped(docstring.text)
    raw = "r" in prefix.lower()
    new = _LINE_END.sub("\n", content)
    for old, by in corrections.items():
        said = [None if text is None else text if raw else _escaped(text) for text in (old, by)]
        new = _with_correction(new, said[0] or "", said[1])
    if sentences:
        new = _with_paragraph(new, [s if raw else _escaped(s) for s in sentences])
    if not plain:
        return Edit(docstring.range, layout.newlines(f'"""{new}"""'))
    if len(quote) == 1 and "\n" in new:
        quote = "'''" if '"""' in content else '"""'
        return Edit(docstring.range, layout.newlines(f"{prefix}{quote}{new}{quote}"))
    return _smallest(layout, docstring, len(prefix + quote), content, layout.newlines(new))


def _with_correction(content: str, sentence: str, by: str | None) -> str:
    """A docstring's content with another sentence in its WARNING paragraph, or without it."""
    lines = content.split("\n")
    place = _warning_place(lines)
    if place is None:
        return content
    start, end = place
    paragraph = "\n".join(lines[start:end])
    found = re.search(r"\s+".join(map(re.escape, sentence.split())), paragraph)
    if found is None:
        return content
    before, after = paragraph[: found.start()], paragraph[found.end() :]
    if by is not None:
        paragraph = before + by + after
    elif before.rstrip(" \t").endswith("\n"):
        paragraph = (before.rstrip() + "\n" if after.strip() else before.rstrip()) + after.lstrip(
            "\n"
        )
    else:
        paragraph = before.rstrip() + after
    if _plain(paragraph) == WARNING:
        above = "\n".join(lines[:start]).rstrip()
        return "\n".join([above, *lines[end:]])
    return "\n".join([*lines[:start], paragraph, *lines[end:]])


def _pieces(literal: str) -> int:
    """How many strings a literal is put together from."""
    tokens = tokenize.generate_tokens(io.StringIO(literal).readline)
    return sum(token.type == tokenize.STRING for token in tokens)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _smallest(layout: Layout, docstring: Docstring, skip: int, old: str, new: str) -> Edit:
    """The edit without what is the same at both ends."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    base = layout.source.offset(docstring.range.start) + skip
    places = layout.position(base + start), layout.position(base + len(old) - end)
    return Edit(Range(*places), new[start : len(new) - end])


def _with_paragraph(content: str, sentences: Sequence[str]) -> str:
    """A docstring's content with the sentences in its WARNING paragraph."""
    lines = content.split("\n")
    end = _warning_end(lines)
    if end is not None:
        indent = _indent(lines[end - 1]) if end > 1 else ""
        return _joined(lines, end, wrapped(sentences, indent), blank=False)
    header = max((n for n, line in enumerate(lines) if _HEADER.match(line)), default=None)
    if header is not None:
        said = wrapped([WARNING, *sentences], _indent(lines[header]))
        return _joined(lines, header + 1, said, blank=True)
    last = max((n for n, line in enumerate(lines) if line.strip()), default=0)
    said = wrapped([WARNING, *sentences], _indent(lines[last]) if last else "")
    return _joined(lines, last + 1, said, blank=True)


def _joined(lines: list[str], at: int, said: str, *, blank: bool) -> str:
    """Lines with a text put in; the closing quotes get a line of their own."""
    before, after = [line.rstrip() for line in lines[at - 1 : at]], lines[at:]
    gap = [""] if blank else []
    if after and after[0].strip():
        after = ["", *after]
    return "\n".join([*lines[: at - 1], *before, *gap, said, *(after or [""])])


def warning_paragraph(text: str) -> str | None:
    """The paragraph of a docstring that warns of loss; None where there is none."""
    lines = text.split("\n")
    place = _warning_place(lines)
    return None if place is None else " ".join(line.strip() for line in lines[slice(*place)])


def _warning_end(lines: list[str]) -> int | None:
    """The number of lines up to the end of the paragraph that warns of loss."""
    place = _warning_place(lines)
    return None if place is None else place[1]


def _warning_place(lines: list[str]) -> tuple[int, int] | None:
    for start, line in enumerate(lines):
        if not line.lstrip().upper().startswith("WARNING"):
            continue
        end = start + 1
        while end < len(lines) and lines[end].strip() and not _HEADER.match(lines[end]):
            end += 1
        if _LOSS.search(" ".join(lines[start:end])):
            return start, end
    return None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
