from __future__ import annotations

from lsprotocol import types

import multidb
from lsp.editor import Editor
from lsp.project import EMPTY, LOSSY, Project


async def hovered(editor: Editor, uri: str, piece: str) -> str:
    """What a hover in the middle of a piece of text says; its range must be around there."""
    place = editor.under(editor.texts[uri], piece)
    hover = await editor.hover(uri, place.start)
    assert hover is not None, piece
    assert hover.range is not None
    assert hover.range.start <= place.start < hover.range.end
    assert isinstance(hover.contents, types.MarkupContent)
    return hover.contents.value


# The lens


async def test_the_lens_stands_over_the_downgrade_and_starts_a_rehearsal(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    (lens,) = await editor.lenses(uri)
    assert editor.code(editor.texts[uri], lens.range) == "downgrade"
    assert lens.command is not None
    assert lens.command.title == "round trip: never rehearsed"
    name = lens.command.command.partition(".")[2]
    result = await editor.command(name, *(lens.command.arguments or ()))
    assert result["revisions"][0]["revision"] == "bbbb"


async def test_the_lens_says_what_was_measured_and_when_that_is_stale(
    editor: Editor, project: Project
) -> None:
    file = project.write("bbbb", LOSSY)
    uri = editor.open(file)
    refreshed = editor.refreshed
    await editor.command("testRevision", uri)
    if editor.name.startswith("vscode"):
        await editor.until(lambda: editor.refreshed > refreshed)
    (lens,) = await editor.lenses(uri)
    assert lens.command.title.startswith("round trip: loses 1 column · ")
    assert lens.command.title.endswith("100 rows · SQLite")
    editor.edit(uri, "String(30)", "String(31)")
    (lens,) = await editor.lenses(uri)
    assert lens.command.title.endswith("stale: edited since")
    editor.edit(uri, "String(31)", "String(30)")
    (lens,) = await editor.lenses(uri)
    assert not lens.command.title.endswith("stale: edited since")


async def test_an_edit_of_an_ancestor_makes_evidence_stale(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    await editor.command("testRevision", uri)
    parent = editor.open(project.first)
    editor.edit(parent, "sa.String(30)", "sa.String(40)")
    (lens,) = await editor.lenses(uri)
    assert lens.command.title.endswith("stale: edited since")


async def test_without_a_downgrade_the_lens_stands_over_the_upgrade(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY.partition("\n\n\ndef downgrade")[0] + "\n"))
    (lens,) = await editor.lenses(uri)
    assert editor.code(editor.texts[uri], lens.range) == "upgrade"


async def test_what_is_no_migration_has_no_lens(editor: Editor, project: Project) -> None:
    uri = editor.open(project.folder / "migrations" / "env.py")
    assert await editor.lenses(uri) == []
    assert await editor.symbols(uri) == []
    assert await editor.hover(uri, types.Position(0, 0)) is None


# Hovers


async def test_a_hover_on_an_operation_says_what_it_does_and_what_undoes_it(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    text = await hovered(editor, uri, 'op.drop_column("customers", "nick")')
    assert "drops column `customers.nick` and its values" in text
    assert "Undone by `add_column` at line 12" in text
    text = await hovered(editor, uri, 'op.add_column("customers"')
    assert "Undoes `drop_column` at line 8" in text
    await editor.command("testRevision", uri)
    text = await hovered(editor, uri, 'op.drop_column("customers", "nick")')
    assert "The last rehearsal (SQLite" in text
    assert "customers.nick" in text


async def test_a_hover_on_the_identifier_says_for_which_dialects_it_is_read(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    assert "Read for sqlite (`sqlalchemy.url`)." in await hovered(editor, uri, '"bbbb"')


async def test_a_hover_on_the_downgrade_says_what_was_measured(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    assert "Never rehearsed." in await hovered(editor, uri, "downgrade():")
    await editor.command("testRevision", uri)
    assert "**Round trip: loses 1 column**" in await hovered(editor, uri, "downgrade():")
    editor.edit(uri, "String(30)", "String(31)")
    assert "Stale" in await hovered(editor, uri, "downgrade():")


async def test_a_hover_on_an_identifier_names_the_revision(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    assert "`bbbb` Nicknames 😋 (bbbb_😋.py)" in await hovered(editor, uri, "bbbb")
    assert "`aaaa` aaaa (aaaa_.py)" in await hovered(editor, uri, "aaaa")
    editor.edit(uri, "'aaaa'", "('aaaa', 'gone')")
    assert "no such revision" in await hovered(editor, uri, "gone")
    assert "`aaaa` aaaa (aaaa_.py)" in await hovered(editor, uri, "aaaa")


async def test_away_from_all_this_there_is_no_hover(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    for place in (types.Position(1, 3), types.Position(99, 0), types.Position(4, 999)):
        assert await editor.hover(uri, place) is None


# Symbols


async def test_the_outline_has_the_directions_with_their_operations(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    revision, upgrade, downgrade = await editor.symbols(uri)
    assert revision.name == "revision bbbb"
    assert revision.detail == "Phones 😋"
    assert (upgrade.name, upgrade.detail) == ("upgrade", "1 operation")
    assert (downgrade.name, downgrade.detail) == ("downgrade", "0 operations")
    (operation,) = upgrade.children or ()
    assert operation.name == "add_column"
    assert operation.detail == "adds column `customers.phone`"
    code = editor.code(editor.texts[uri], operation.selection_range)
    assert code == 'op.add_column("customers", sa.Column("phone", sa.String(30)))'
    for symbol in (revision, upgrade, downgrade, operation):
        assert symbol.range.start <= symbol.selection_range.start
        assert symbol.selection_range.end <= symbol.range.end


async def test_each_of_several_databases_has_its_own_directions(
    editor: Editor, project: Project
) -> None:
    bodies = {
        "upgrade_one": 'op.create_table("t", sa.Column("a"))',
        "downgrade_one": 'op.drop_table("t")',
        "upgrade_two": 'op.create_table("t", sa.Column("b"))',
        "downgrade_two": 'op.drop_table( "t")',
    }
    file = project.versions / "bbbb.py"
    file.write_text(multidb.script("bbbb", "aaaa", bodies), "utf-8")
    uri = editor.open(file)
    text = editor.texts[uri]
    line = text[: text.index('op.create_table("t", sa.Column("b"))')].count("\n") + 1
    said = await hovered(editor, uri, 'op.drop_table( "t")')
    assert f"Undoes `create_table` at line {line}" in said
    _, *functions = await editor.symbols(uri)
    assert [each.name for each in functions] == ["upgrade", "downgrade", *bodies]
    assert [len(each.children or ()) for each in functions] == [0, 0, 1, 1, 1, 1]


async def test_a_client_without_nesting_gets_a_list(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("plain")
    await editor.start(project.folder, environment=cache)
    uri = editor.open(project.write("bbbb", EMPTY))
    found = await editor.symbols(uri)
    assert [symbol.name for symbol in found] == ["revision bbbb", "upgrade", "downgrade"]
    assert all(isinstance(symbol, types.SymbolInformation) for symbol in found)
    await editor.stop()
