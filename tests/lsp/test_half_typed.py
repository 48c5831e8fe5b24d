from __future__ import annotations

import pytest

from lsp.editor import Editor
from lsp.project import LOSSY, Project

STATEMENTS = [
    'op.create_index("ix_😋", "customers", ["nick"])',
    'op.add_column("customers", sa.Column("😋", sa.String(30), nullable=False))',
    "op.execute(\"UPDATE customers SET nick = '😋' WHERE nick IS NULL\")",
    'with op.batch_alter_table("customers") as batch_op:',
]


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("closing", [False, True], ids=["as typed", "brackets closed"])
async def test_each_state_of_a_statement_being_typed_keeps_the_other_diagnostics(
    editor: Editor, project: Project, statement: str, closing: bool
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    before = [d for d in await editor.diagnostics(uri) if d.code == "undocumented-data-loss"]
    assert before
    editor.edit(uri, "def downgrade", "    \n\n\ndef downgrade")
    editor.edit(uri, '"nick")\n\n\n    \n', '"nick")\n    \n')
    typed = ""
    for character in statement:
        state = typed + character + (_closing(typed + character) if closing else "")
        old = "    " + typed + (_closing(typed) if closing else "") + "\n\n\ndef downgrade"
        editor.edit(uri, old, f"    {state}\n\n\ndef downgrade")
        typed += character
        found = await editor.diagnostics(uri)
        hints = [d for d in found if d.code == "unmarked-destructive-operation"]
        places = [editor.code(editor.texts[uri], hint.range) for hint in hints]
        assert 'op.drop_column("customers", "nick")' in places, state
        assert [d.range for d in found if d.code == "undocumented-data-loss"] == [
            d.range for d in before
        ], state


def _closing(text: str) -> str:
    """What an editor that closes brackets and quotes has put behind what was typed."""
    pending: list[str] = []
    for character in text:
        if pending and pending[-1] == character:
            pending.pop()
        elif pending and pending[-1] in "\"'":
            continue
        elif character in "([{\"'":
            pending.append({"(": ")", "[": "]", "{": "}"}.get(character, character))
    return "".join(reversed(pending))


async def test_every_request_is_answered_in_every_state_of_a_file_being_typed(
    editor: Editor, project: Project
) -> None:
    file = project.write("bbbb", LOSSY)
    text = file.read_text(encoding="utf-8")
    uri = editor.open(file, "")
    for end in range(0, len(text), 7):
        editor.rewrite(uri, text[:end])
        await editor.diagnostics(uri)
        place = editor.under(editor.texts[uri], "") if not end else editor.under(text, text[:end])
        await editor.actions(uri, place)
        await editor.hover(uri, place.end)
        await editor.lenses(uri)
        await editor.symbols(uri)
