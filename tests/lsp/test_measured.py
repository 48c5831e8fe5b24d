"""What a rehearsal measured, as problems in the text; each at the operation behind it."""

from __future__ import annotations

import pytest
from lsprotocol import types

from lsp.editor import Editor
from lsp.project import Project

BATCH = 'with op.batch_alter_table("customers") as batch:\n'
MEASURED = {
    "upgrade-failed": (
        '"😋"; op.add_column("customers", sa.Column("nick", sa.Text))',
        "pass",
        'op.add_column("customers", sa.Column("nick", sa.Text))',
    ),
    "downgrade-failed": (
        'op.execute("SELECT 1")',
        '"😋"; op.execute("DROP TABLE nowhere")',
        'op.execute("DROP TABLE nowhere")',
    ),
    "downgrade-failed-with-rows": (
        'op.execute("SELECT 1")',
        BATCH + '    "😋"; batch.alter_column("nick", nullable=False)',
        'with op.batch_alter_table("customers") as batch:',
    ),
    "reupgrade-failed": (
        '"😋"; op.execute("CREATE TABLE other (id INTEGER)")',
        "op.execute(f\"DROP TABLE IF EXISTS {'another'}\")",
        'op.execute("CREATE TABLE other (id INTEGER)")',
    ),
    "schema-residue": (
        "exec(\"op.add_column('customers', sa.Column('x', sa.Text))\")",
        '"😋"; op.execute("UPDATE customers SET nick = nick")',
        'op.execute("UPDATE customers SET nick = nick")',
    ),
    "extra-rows": (
        "exec(\"op.execute('INSERT INTO customers (nick) VALUES (1)')\")",
        '"😋"; op.execute("UPDATE customers SET nick = nick")',
        'op.execute("UPDATE customers SET nick = nick")',
    ),
}


@pytest.mark.parametrize("rule", MEASURED)
async def test_what_was_measured_is_a_problem_at_its_operation(
    rule: str, editor: Editor, project: Project
) -> None:
    upgrade, downgrade, place = MEASURED[rule]
    uri = editor.open(project.add("bbbb", upgrade, downgrade))
    before = {diagnostic.code for diagnostic in await editor.diagnostics(uri)}
    assert rule not in before
    (found,) = [d for d in await _rehearsed(editor, uri) if d.code == rule]
    assert editor.code(editor.texts[uri], found.range) == place
    assert "(SQLite 3." in found.message


async def test_a_downgrade_that_fails_on_what_was_written_since_is_told_apart(
    editor: Editor, project: Project
) -> None:
    columns = (
        'sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text, nullable=False)'
    )
    project.add("bbbb", f'op.create_table("orders", {columns})', 'op.drop_table("orders")')
    batch = BATCH.replace("customers", "orders")
    file = project.add(
        "cccc",
        batch + '    batch.alter_column("a", nullable=True)',
        batch + '    batch.alter_column("a", nullable=False)',
    )
    uri = editor.open(file)
    found = {d.code: d for d in await _rehearsed(editor, uri)}
    assert found["downgrade-failed-on-new-rows"].severity is types.DiagnosticSeverity.Warning
    assert "downgrade-failed-with-rows" not in found


async def _rehearsed(editor: Editor, uri: str) -> list[types.Diagnostic]:
    published = len(editor.published.get(uri, ()))
    await editor.command("testRevision", uri)
    await editor.until(lambda: editor.pulls or len(editor.published[uri]) > published)
    return await editor.diagnostics(uri)
