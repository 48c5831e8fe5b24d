from __future__ import annotations

import pytest

from alembic_roundtrip.evidence import evidence_keys

CODE = b'''"""Drop the \\"nick\\"."""
revision = "a"


def upgrade():
    """Not the first."""
    op.drop_column("users", "nick")  # why
'''


def key(content: bytes) -> str:
    return evidence_keys({"a": (content, ())})["a"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"""Drop the \\"nick\\"."""', b"r'''WARNING: it's gone.\n\nFor ever.'''"),
        (b'"""Drop the \\"nick\\"."""', b"'One line.'"),
        (b"    op.", b"    # DESTRUCTIVE: drops users.nick\n    op."),
        (b"    op.", b"    # roundtrip: ignore[lossy-upgrade] nobody used it\r\n    op."),
    ],
)
def test_saying_what_was_found_leaves_evidence_as_it_is(old: bytes, new: bytes) -> None:
    assert old in CODE
    assert key(CODE.replace(old, new)) == key(CODE)
    assert key(b"#!/usr/bin/python\n\n" + CODE.replace(old, new)) != key(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"users", b"user"),
        (b'"""Not', b'"""Yet'),
        (b"# why", b"# because"),
        (b'revision = "a"', b'revision = "b"'),
    ],
)
def test_whatever_else_is_edited_makes_it_stale(old: bytes, new: bytes) -> None:
    assert old in CODE
    assert key(CODE.replace(old, new)) != key(CODE)


def test_a_file_that_only_begins_like_a_docstring_counts_whole() -> None:
    assert key(b'"""never ends\nx = 1\n') != key(b'"""never ends\nx = 2\n')
    assert key(b"x = 1\n") != key(b"'' + x\n")


def test_comments_before_anything_else_take_no_time() -> None:
    """Two ways to read each of them would double the time with every line."""
    assert key(b"    # a\n\n" * 200 + b"x = 1\n") != key(b"    # a\n\n" * 200 + b"x = 2\n")
