from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp.editor import Editor
from lsp.project import EMPTY, LOSSY, Project


@pytest_asyncio.fixture(loop_scope="session", params=["vscode-pulling", "neovim"])
async def fresh(
    request: pytest.FixtureRequest, cache: dict[str, str], tmp_path: Path
) -> AsyncIterator[Editor]:
    """An editor whose only folder is empty at first."""
    editor = Editor(request.param)
    folder = tmp_path / "fresh 😋"
    folder.mkdir()
    await editor.start(folder, environment=cache)
    await editor.round_trip()
    yield editor
    await editor.stop()
    assert "Traceback" not in editor.logged


def project_in(tmp_path: Path, **kinds: str) -> Project:
    return Project(tmp_path / "fresh 😋", **kinds)


async def codes(editor: Editor, uri: str) -> list[object]:
    return [item.code for item in await editor.diagnostics(uri)]


async def test_a_bare_folder_of_migrations_is_checked(fresh: Editor, tmp_path: Path) -> None:
    project = project_in(tmp_path)
    (project.folder / "alembic.ini").unlink()
    (project.folder / "migrations" / "env.py").unlink()
    fresh.watched((project.folder / "alembic.ini", types.FileChangeType.Deleted))
    uri = fresh.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in await codes(fresh, uri)
    assert fresh.messages == []


async def test_a_configuration_that_points_nowhere_is_said_once(
    fresh: Editor, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    ini = project.folder / "alembic.ini"
    ini.write_text("[alembic]\nscript_location = elsewhere\n")
    for _ in range(3):
        fresh.watched((ini, types.FileChangeType.Changed))
        uri = fresh.open(project.write("bbbb", EMPTY))
        await fresh.diagnostics(uri)
        fresh.edit(uri, "pass", "return")
        await fresh.diagnostics(uri)
        fresh.close(uri)
    assert len(fresh.messages) == 1, fresh.messages
    (message,) = fresh.messages
    assert "elsewhere" in message
    ini.write_text("[alembic]\nscript_location = migrations\n")
    fresh.watched((ini, types.FileChangeType.Changed))
    uri = fresh.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in await codes(fresh, uri)
    ini.write_text("[alembic]\nscript_location = elsewhere\n")
    fresh.watched((ini, types.FileChangeType.Changed))
    await fresh.round_trip()
    assert len(fresh.messages) == 2, "it came up again"


async def test_two_configurations_are_two_histories(fresh: Editor, tmp_path: Path) -> None:
    uris = []
    for name in ("one", "two"):
        folder = tmp_path / "fresh 😋" / name
        folder.mkdir()
        uris.append(fresh.open(Project(folder).write("bbbb", EMPTY)))
    fresh.watched((tmp_path / "fresh 😋" / "one" / "alembic.ini", types.FileChangeType.Created))
    for uri in uris:
        found = await codes(fresh, uri)
        assert "empty-downgrade" in found
        assert "duplicate-revision" not in found
    assert fresh.messages == []


BROKEN = {
    "no TOML": ("[tool.alembic-roundtrip\n", "not readable as TOML"),
    "unknown setting": ("[tool.alembic-roundtrip]\nrowz = 3\n", "no setting `rowz`"),
    "wrong type": ('[tool.alembic-roundtrip]\nrows = "3"\n', "`rows` must be a number"),
    "unknown rule": (
        '[tool.alembic-roundtrip]\nselect = ["emty-downgrade"]\n',
        "no rule `emty-downgrade`; did you mean `empty-downgrade`?",
    ),
    "no configuration": ('[tool.alembic-roundtrip]\nconfig = "x.ini"\n', "x.ini"),
}


@pytest.mark.parametrize(
    ("content", "below"), [*((content, False) for content in BROKEN), ("no TOML", True)]
)
async def test_settings_that_cannot_be_used_are_said_once_and_end_nothing(
    fresh: Editor, tmp_path: Path, content: str, below: bool
) -> None:
    top = tmp_path / "fresh 😋"
    folder = top / "service" if below else top
    folder.mkdir(exist_ok=True)
    project = Project(folder)
    text, said = BROKEN[content]
    settings = folder / "pyproject.toml"
    settings.write_text(text)
    uri = fresh.open(project.write("bbbb", EMPTY))
    for _ in range(2):
        fresh.watched((settings, types.FileChangeType.Changed))
        await fresh.diagnostics(uri)
        fresh.edit(uri, "pass", "pass  #")
        await fresh.hover(uri, types.Position(0, 0))
        await fresh.lenses(uri)
        await fresh.symbols(uri)
        await fresh.actions(uri, fresh.under(fresh.texts[uri], "pass"))
    assert len(fresh.messages) == 1, fresh.messages
    (message,) = fresh.messages
    assert said in message
    settings.write_text('[tool.alembic-roundtrip]\nignore = ["multiple-heads"]\n')
    fresh.watched((settings, types.FileChangeType.Changed))
    assert "empty-downgrade" in await codes(fresh, uri)


async def test_a_folder_that_cannot_be_used_takes_no_other_with_it(
    fresh: Editor, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text("[tool.alembic-roundtrip\n")
    uri = fresh.open(project.write("bbbb", EMPTY))
    fresh.folders(added=(other,))
    assert "empty-downgrade" in await codes(fresh, uri)
    assert len(fresh.messages) == 1, fresh.messages
    (message,) = fresh.messages
    assert str(other) in message


async def test_the_editors_settings_go_before_the_projects(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("vscode-pulling")
    await editor.start(
        project.folder,
        environment=cache,
        settings={"ignore": ["empty-downgrade"], "rows": "many", "trace": {"server": "off"}},
    )
    await editor.until(lambda: editor.messages)
    assert [m for m in editor.messages if "alembicRoundtrip.rows" in m] == editor.messages
    uri = editor.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" not in await codes(editor, uri)
    editor.client.set_configuration({"alembicRoundtrip": {"ignore": []}})
    before = editor.refreshed
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
    await editor.until(lambda: editor.refreshed > before)
    assert "empty-downgrade" in await codes(editor, uri)
    editor.client.set_configuration({"alembicRoundtrip": {"select": ["nonsense"]}})
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
    await editor.until(lambda: any("no rule `nonsense`" in text for text in editor.messages))
    assert len(editor.messages) == 2
    await editor.stop()
    assert "Traceback" not in editor.logged


async def test_a_client_is_asked_for_what_it_can_register(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("vscode-pulling")
    await editor.start(project.folder, environment=cache)
    await editor.until(lambda: editor.registered)
    methods = {registration.method for registration in editor.registered}
    assert methods == {
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.WORKSPACE_DID_CHANGE_CONFIGURATION,
    }
    await editor.stop()


# Several folders, and none


async def test_two_folders_are_two_workspaces(
    editor: Editor, project: Project, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = Project(other)
    editor.folders(added=(other,))
    mine = editor.open(project.write("bbbb", EMPTY))
    theirs = editor.open(second.write("bbbb", LOSSY))
    assert "empty-downgrade" in await codes(editor, mine)
    assert "undocumented-data-loss" in await codes(editor, theirs)
    with pytest.raises(Exception, match="2 Alembic environments"):
        await editor.command("testAll")
    editor.folders(removed=(other,))
    await editor.round_trip()
    assert "empty-downgrade" in await codes(editor, mine)
    result = await editor.command("testAll")
    assert len(result["revisions"]) == 2


async def test_a_folder_that_was_taken_away_is_not_looked_at(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in await codes(editor, uri)
    editor.folders(removed=(project.folder,))
    await editor.round_trip()
    if editor.pulls:
        assert await codes(editor, uri) == []
    else:
        await editor.until(lambda: not editor.published[uri][-1].diagnostics)
    editor.folders(added=(project.folder,))
    await editor.round_trip()
    if editor.pulls:
        assert "empty-downgrade" in await codes(editor, uri)
    else:
        await editor.until(lambda: editor.published[uri][-1].diagnostics)


async def test_a_file_outside_any_folder_is_checked_with_its_project(
    editor: Editor, tmp_path: Path
) -> None:
    far = tmp_path / "far"
    far.mkdir()
    lonely = Project(far)
    uri = editor.open(lonely.write("bbbb", EMPTY))
    assert "empty-downgrade" in await codes(editor, uri)
    assert "unknown-down-revision" not in await codes(editor, uri)
    # Becoming a folder of the workspace does not make it two.
    editor.folders(added=(far,))
    assert (await codes(editor, uri)).count("empty-downgrade") == 1
    assert "duplicate-revision" not in await codes(editor, uri)
    editor.folders(removed=(far,))


async def test_folders_inside_each_other_are_one_environment(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    editor.folders(added=(project.folder / "migrations",))
    found = await codes(editor, uri)
    assert "duplicate-revision" not in found
    result = await editor.command("testAll")
    assert len(result["revisions"]) == 2
    editor.folders(removed=(project.folder / "migrations",))


async def test_a_client_without_folders_is_served(cache: dict[str, str], project: Project) -> None:
    editor = Editor("neovim")
    await editor.start(environment=cache)
    uri = editor.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in await codes(editor, uri)
    await editor.stop()
