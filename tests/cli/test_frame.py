from __future__ import annotations

import pytest

from alembic_roundtrip.cli.reports._frame import Line, cut, frame
from alembic_roundtrip.cli.reports._terminal import width
from alembic_roundtrip.text import Position, Range, Source


def drawn(source: str, mark: str) -> list[str]:
    """A frame around the text of a range, each line's marks below it."""
    start = source.index(mark)
    lines = []
    for line in frame(
        Source(source), Range(position(source, start), position(source, start, mark))
    ):
        lines.append(f"{line.number} | {line.code}".rstrip())
        if line.marks:
            lines.append(f"{' ' * len(line.number)} | {line.marks}")
    return lines


def position(source: str, start: int, mark: str = "") -> Position:
    before = source[: start + len(mark)]
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def test_a_range_is_marked_between_the_lines_around_it() -> None:
    source = "a\n\ndef f():\n    pass\n\n\nb\n"
    assert drawn(source, "pass") == ["3 | def f():", "4 |     pass", "  |     ^^^^"]
    assert drawn("x\n\n\n\ny = 1\nz\n", "y") == ["5 | y = 1", "  | ^", "6 | z"]


def test_numbers_stand_below_each_other() -> None:
    source = "\n".join(f"line{n}" for n in range(1, 12))
    assert drawn(source, "line9") == [
        " 7 | line7",
        " 8 | line8",
        " 9 | line9",
        "   | ^^^^^",
        "10 | line10",
        "11 | line11",
    ]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("\top.drop('x')", "op.drop('x')"),
        ("if x:\top.drop('x')", "op.drop('x')"),
        ("f(a,\tb, c)", "a,\tb"),
        ("f('日本', b)", "b"),
        ("f('😋', '😋')", "'😋')"),
        ("f('e\u0301', b)", "b"),
        ("f('\x1b[31m', b)", "b"),
    ],
    ids=["indented", "between", "inside", "wide", "emoji", "combining", "escape"],
)
def test_marks_stand_under_their_text_on_a_terminal(line: str, mark: str) -> None:
    shown, marks = drawn(line, mark)
    assert shown.isprintable(), "nothing that a terminal would act on"
    left, right = marks.index("^"), len(marks)
    cells = "".join(c + "\0" * (width(c) - 1) for c in shown if width(c))
    expected = mark.replace("\t", " ").replace("\x1b", "␛")
    found = "".join(cells[left:right]).replace("\0", "")
    assert " ".join(found.split()) == expected


def test_a_long_range_is_shown_by_its_ends() -> None:
    source = "f(\n    1,\n    2,\n\n    3,\n    4,\n)\n"
    assert drawn(source, source.strip()) == [
        "1 | f(",
        "  | ^^",
        ". |",
        "7 | )",
        "  | ^",
    ]
    assert drawn("f(\n\n    1\n)\n", "f(\n\n    1\n)") == [
        "1 | f(",
        "  | ^^",
        "2 |",
        "3 |     1",
        "  |     ^",
        "4 | )",
        "  | ^",
    ]


def test_a_place_behind_the_text_has_no_frame() -> None:
    nowhere = Range(Position(9, 1), Position(9, 1))
    assert list(frame(Source("a\n"), nowhere)) == []
    assert list(frame(Source(""), Range(Position(1, 1), Position(1, 1)))) == []
    assert [line.marks for line in frame(Source("a"), Range(Position(1, 2), Position(1, 2)))] == [
        " ^"
    ]


def test_a_line_is_cut_where_the_terminal_ends_but_not_before_its_marks() -> None:
    whole = Line("7", "op.drop_column('users', 'n')", "   ^^^^^^^^^^^^^^^^^^^^^^^^^")
    assert cut(whole, 10) == Line("7", "op.drop_c…", "   ^^^^^^^")
    assert cut(Line("7", "op(ééé, 名名名名)", "  ^^^^^^^^^^^^^^"), 10) == Line(
        "7", "op(ééé, …", "  ^^^^^^^^"
    )
    assert cut(whole, 30) == whole
    assert cut(Line("7", "x" * 40, " " * 30 + "^^^"), 20).marks.endswith("^^^")
