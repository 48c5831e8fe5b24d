from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lsp.editor import Editor
from lsp.project import Project


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=["vscode", "vscode-pulling", "neovim"]
)
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor for all tests, without folders."""
    editor = Editor(request.param)
    cache = tmp_path_factory.mktemp("cache")
    await editor.start(environment={"XDG_CACHE_HOME": str(cache)})
    yield editor
    await editor.stop()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "pro 😋 ject"
    folder.mkdir()
    return Project(folder)


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """Environment variables of a server that keeps its evidence to the test."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest_asyncio.fixture(loop_scope="session")
async def editor(shared: Editor, project: Project) -> AsyncIterator[Editor]:
    """The editor with the project as its only folder; what a test opened is closed behind it."""
    shared.client.messages.clear()
    shared.published.clear()
    shared.partial.clear()
    shared.progress.clear()
    shared.applied.clear()
    shared.accepts_edits = True
    seen = len(shared.log)
    shared.folders(added=(project.folder,))
    yield shared
    for uri in list(shared.texts):
        shared.close(uri)
    shared.folders(removed=(project.folder,))
    await shared.round_trip()
    assert "Traceback" not in "".join(shared.log[seen:])


@pytest_asyncio.fixture(loop_scope="session", params=["vscode", "neovim"])
async def alone(request: pytest.FixtureRequest) -> AsyncIterator[Editor]:
    """An editor that the test starts as it needs it."""
    editor = Editor(request.param)
    yield editor
    await editor.stop()
