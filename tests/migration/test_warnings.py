"""The WARNING paragraph: made, extended, corrected and taken out, in every kind of docstring."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.migration.rewrite import AddWarning, CorrectWarning, Rewrite
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.text import apply_edits

BIO = "The values of users.bio cannot be restored (in a rehearsal 90 of 100)."
NOW = "The values of users.bio cannot be restored (in a rehearsal 1 of 2)."
ROWS = "The rows of größen_😋 are lost."
CODE = 'revision = "a"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n'
DOCSTRINGS = {
    "as Alembic writes it": '"""Add a thing.\n\nRevision ID: a\nRevises: b\n\n"""\n',
    "one line": '"""Add a thing."""\n',
    "plain quotes": "'Add a \"thing\".'\n",
    "raw": 'r"""Add \\a thing.\n\nRevision ID: a\n"""\n',
    "escapes": '"""Add \\"\\"\\" and \\\\.\n\nRevision ID: a\n"""\n',
    "in pieces": '"Add a thing. " "Really."\n',
    "not only ASCII": '"""Größe 😋 hinzufügen.\n\nRevision ID: a\n"""\n',
    "missing": "",
    "indented": '"""\n    Add a thing.\n\n    Revision ID: a\n    Revises: b\n"""\n',
    "tabs": '"""Add.\n\n\tRevision ID: a\n"""\n',
    "empty": '""""""\n',
    "with a warning": (
        '"""Add.\n\nWARNING: Downgrade will result in data loss. The rows of t are lost.\n'
        'Ask support.\n\nRevision ID: a\n"""\n'
    ),
}


def changed(text: str, *rewrites: Rewrite) -> str:
    migration = read(text, Path("versions/a_things.py"))
    made = edits(migration, rewrites)
    result = apply_edits(text, made)
    again = edits(read(result, migration.path), rewrites)
    assert apply_edits(result, again) == result
    return result


def said(text: str) -> str:
    return " ".join((ast.get_docstring(ast.parse(text.removeprefix("\ufeff"))) or "").split())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("docstring", DOCSTRINGS.values(), ids=DOCSTRINGS)
def test_a_warning_is_made_extended_corrected_and_taken_out(
    docstring: str, line_end: str, mark: str
) -> None:
    first = mark + (docstring + CODE).replace("\n", line_end)
    words = said(first)
    made = changed(first, AddWarning((BIO,)))
    extended = changed(made, AddWarning((BIO, ROWS)))
    corrected = changed(extended, CorrectWarning(BIO, NOW))
    assert said(extended).count(BIO) == said(extended).count(ROWS) == 1
    assert NOW in said(corrected)
    assert BIO not in said(corrected)
    assert ROWS in said(corrected)
    less = changed(corrected, CorrectWarning(NOW))
    assert NOW not in said(less)
    assert ROWS in said(less)
    none = changed(less, CorrectWarning(ROWS))
    assert said(none) == (words if docstring else "Things.")
    for text in (made, extended, corrected, less, none):
        assert text.endswith(CODE.replace("\n", line_end))
        assert text.startswith(mark)
        assert ("\r\n" in text) == (line_end == "\r\n")
        assert text.replace("\r\n", "").count("\n") == (
            0 if line_end == "\r\n" else text.count("\n")
        )


def test_a_sentence_that_is_wrapped_is_found() -> None:
    wrapped = BIO.replace(" cannot ", "\ncannot ")
    text = f'"""Add.\n\nWARNING: data loss. {wrapped}\n"""\n{CODE}'
    assert said(changed(text, CorrectWarning(BIO))) == "Add. WARNING: data loss."


def test_what_is_not_said_is_not_taken_out() -> None:
    text = f'"""Add.\n\nWARNING: data loss.\n"""\n{CODE}'
    assert changed(text, CorrectWarning(BIO)) == text
    assert changed(CODE, CorrectWarning(BIO, NOW)) == CODE
