from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from alembic_roundtrip.rule import Example, rules
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project
from lsp.editor import Editor

CASES = [
    pytest.param(example, id=f"{rule.name}: {example.title}")
    for rule in rules().values()
    for example in rule.examples
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    editor = Editor("vscode-pulling")
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))  # for the evidence of examples
        await editor.start(environment={"XDG_CACHE_HOME": str(cache)})
        yield editor
        await editor.stop()


@pytest.mark.parametrize("example", CASES)
async def test_an_example_is_shown_by_the_server_as_by_the_checker(
    reader: Editor, example: Example, tmp_path: Path
) -> None:
    project = write_project(example, tmp_path / "project")
    settings = project.folder / "pyproject.toml"
    if project.file != settings:
        dialects = f"dialects = {list(example.dialects)!r}"
        settings.write_text(f"[tool.alembic-roundtrip]\n{dialects}\n")
    text = project.file.read_bytes().decode()
    direct = Workspace([project.folder]).diagnostics(project.file)
    assert {d.message for d in direct} >= {expected.message for expected in project.expected}
    reader.folders(added=(project.folder,))
    uri = reader.open(project.file)
    try:
        served = await reader.diagnostics(uri)
        assert [(d.code, d.message, reader.range(text, d.range)) for d in served] == [
            (d.rule, d.message, d.range) for d in direct
        ]
        for item in served:
            assert item.severity in types.DiagnosticSeverity
    finally:
        reader.close(uri)
        reader.folders(removed=(project.folder,))
        await reader.round_trip()
        shutil.rmtree(project.folder)
