from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.editor import WITHIN, Editor
from lsp.processes import agents_of
from lsp.project import EMPTY, LOSSY, Project


async def test_a_revision_is_rehearsed_and_comes_back_as_json(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    for arguments in ([{"uri": uri, "revision": "bbbb"}], [uri], [{"uri": uri}]):
        result = await editor.command("testRevision", *arguments)
        json.dumps(result)
        assert result["version"] == 1
        assert result["database"]["kind"] == "sqlite"
        assert result["database"]["version"]
        assert result["rows"] == 100
        (revision,) = result["revisions"]
        assert set(revision) >= {
            *("revision", "path", "verdict", "seconds", "steps", "residue", "losses"),
            *("documented", "reason"),
        }
        assert revision["revision"] == "bbbb"
        assert revision["verdict"] == "lossy"
        assert revision["documented"] is False
        assert {(loss["table"], loss["column"]) for loss in revision["losses"]} == {
            ("customers", "nick")
        }
        assert {"name", "seconds", "error"} <= set(revision["steps"][0])
        assert result["summary"]["lossy"] == 1
    assert any("Round trip of bbbb: lossy" in message for message in editor.messages)


async def test_a_file_and_everything_can_be_rehearsed(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    one = await editor.command("testFile", {"uri": uri})
    assert [revision["revision"] for revision in one["revisions"]] == ["bbbb"]
    for arguments in ([], [uri]):
        every = await editor.command("testAll", *arguments)
        verdicts = {r["revision"]: r["verdict"] for r in every["revisions"]}
        assert set(verdicts) == {"aaaa", "bbbb"}
        assert verdicts["bbbb"] == "lossy"


async def test_a_downgrade_is_written_through_the_editor(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    answer = await editor.command("scaffoldDowngrade", {"uri": uri})
    assert answer["applied"] is True
    (asked,) = editor.applied
    editor.apply(asked.edit)
    assert "drop_column" in editor.texts[uri]
    assert "empty-downgrade" not in [item.code for item in await editor.diagnostics(uri)]
    editor.accepts_edits = False
    editor.rewrite(uri, EMPTY.format(revision="bbbb", down="aaaa"))
    assert (await editor.command("scaffoldDowngrade", uri))["applied"] is False


async def test_a_downgrade_is_written_from_a_scratch_database(
    editor: Editor, project: Project
) -> None:
    hidden = EMPTY.replace("op.add_column(", 'globals()["op"].add_column(')
    uri = editor.open(project.write("bbbb", hidden))
    answer = await editor.command("scaffoldFromDatabase", uri)
    assert answer["applied"] is True
    (asked,) = editor.applied
    editor.apply(asked.edit)
    assert 'drop_column("phone")' in editor.texts[uri]
    assert "TODO" not in editor.texts[uri]
    assert any("the schema of the parent is restored" in text for text in editor.messages)
    for command in ("scaffoldFromDatabase", "testFile"):
        assert "is not saved" in await refusal(editor, command, uri)


async def test_a_scratch_database_is_offered_where_a_downgrade_can_be_written(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    (found,) = [item for item in await editor.diagnostics(uri) if item.code == "empty-downgrade"]
    (action,) = [
        action
        for action in await editor.actions(uri, found.range, found=[found])
        if action.title == "Write the downgrade from a scratch database"
    ]
    assert [*(action.diagnostics or ())] == [found]
    assert action.command is not None
    assert action.command.command == "alembicRoundtrip.scaffoldFromDatabase"
    assert (await editor.command("scaffoldFromDatabase", *action.command.arguments))["applied"]


async def refusal(editor: Editor, name: str, *arguments: Any) -> str:
    with pytest.raises(JsonRpcException) as refused:
        await asyncio.wait_for(editor.command(name, *arguments), WITHIN)
    assert refused.value.code == types.LSPErrorCodes.RequestFailed.value
    assert "Traceback" not in f"{refused.value.message}{refused.value.data}"
    return str(refused.value.message)


async def test_what_cannot_be_done_is_said_in_a_sentence(editor: Editor, project: Project) -> None:
    env = (project.folder / "migrations" / "env.py").as_uri()
    assert "no command alembicRoundtrip.fly" in await refusal(editor, "fly")
    for arguments in ([], [None], [7], [env], [{"uri": env}], [{"url": env}], [[env]]):
        assert "is not a migration" in await refusal(editor, "testRevision", *arguments)
    assert "open a migration" in await refusal(editor, "scaffoldDowngrade", env)
    uri = editor.open(project.write("bbbb", EMPTY))
    editor.edit(uri, 'op.add_column("customers", sa.Column("phone", sa.String(30)))', "pass")
    assert "nothing to undo" in await refusal(editor, "scaffoldDowngrade", uri)
    assert "nope" in await refusal(editor, "testRevision", {"uri": uri, "revision": "nope"})


async def test_what_was_measured_can_be_forgotten(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    await editor.command("testRevision", uri)
    (lens,) = await editor.lenses(uri)
    assert "loses 1 column" in lens.command.title
    assert (await editor.command("clearEvidence"))["cleared"] >= 1
    (lens,) = await editor.lenses(uri)
    assert "never rehearsed" in lens.command.title


@pytest.mark.parametrize("name", ["large", "declared", "marked", "linked"])
async def test_a_saved_file_is_rehearsed_however_it_is_kept(
    name: str, editor: Editor, project: Project, tmp_path: Path
) -> None:
    file = project.write("bbbb", EMPTY)
    text = file.read_text(encoding="utf-8").replace("😋", "é")
    if name == "large":
        text += f"# {'x' * 600_000}\n"
    elif name == "declared":
        text = f"# coding: latin-1\n{text}"
    encodings = {"declared": "latin-1", "marked": "utf-8-sig"}
    file.write_text(text, encodings.get(name, "utf-8"), newline="")
    if name == "linked":
        file = file.rename(tmp_path / "real.py")
        (project.versions / "bbbb.py").symlink_to(file)
        file = project.versions / "bbbb.py"
    uri = editor.open(file, text)
    result = await editor.command("testFile", uri)
    assert [revision["revision"] for revision in result["revisions"]] == ["bbbb"]


# What can go wrong


async def test_an_env_py_that_fails_is_one_clear_error(editor: Editor, project: Project) -> None:
    (project.folder / "migrations" / "env.py").write_text('raise RuntimeError("no 😋 luck")\n')
    uri = editor.open(project.write("bbbb", EMPTY))
    said = await refusal(editor, "testRevision", uri)
    assert "env.py" in said
    assert "no 😋 luck" in said
    assert "empty-downgrade" in [item.code for item in await editor.diagnostics(uri)]


async def test_a_migration_that_prints_does_not_disturb_the_protocol(
    editor: Editor, project: Project
) -> None:
    noisy = LOSSY.replace(
        '    "😋"; op.drop_column',
        '    import os, sys; print("Content-Length: 3\\r\\n\\r\\nabc", flush=True); '
        'os.write(1, b"raw"); sys.stderr.write("x" * 100000); op.drop_column',
    )
    uri = editor.open(project.write("bbbb", noisy))
    result = await editor.command("testRevision", uri)
    assert result["revisions"][0]["verdict"] == "lossy"


async def test_an_untrusted_workspace_runs_nothing(
    alone: Editor, project: Project, cache: dict[str, str]
) -> None:
    await alone.start(project.folder, options={"trusted": False}, environment=cache)
    uri = alone.open(project.write("bbbb", EMPTY))
    for name in ("testRevision", "testFile", "testAll"):
        assert "trust this workspace" in await refusal(alone, name, uri)
    plan = await alone.command("planRollback", uri)
    assert "this workspace is not trusted" in plan["no_sql"]
    assert "empty-downgrade" in [item.code for item in await alone.diagnostics(uri)]
    assert not agents_of(alone.process.pid)


async def test_a_python_without_alembic_is_one_clear_error(
    alone: Editor, project: Project, cache: dict[str, str], tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True, timeout=60
    )
    python = str(bare / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    await alone.start(project.folder, environment=cache, settings={"python": python})
    uri = alone.open(project.write("bbbb", EMPTY))
    said = await refusal(alone, "testRevision", uri)
    assert python in said
    assert "no Alembic" in said
    assert "empty-downgrade" in [item.code for item in await alone.diagnostics(uri)]


async def test_a_client_that_can_nothing_still_gets_the_result(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("plain")
    await editor.start(project.folder, environment=cache)
    uri = editor.open(project.write("bbbb", LOSSY))
    result = await editor.command("testRevision", uri)
    assert result["revisions"][0]["verdict"] == "lossy"
    assert editor.progress == {}
    editor.edit(uri, 'op.add_column("customers", sa.Column("nick", sa.String(30)))', "pass")
    said = await refusal(editor, "scaffoldDowngrade", uri)
    assert "does not let a server edit" in said
    await editor.stop()


async def test_a_client_that_shows_results_itself_gets_no_message(
    alone: Editor, project: Project, cache: dict[str, str]
) -> None:
    await alone.start(project.folder, options={"reportsResults": True}, environment=cache)
    uri = alone.open(project.write("bbbb", LOSSY))
    await alone.command("testRevision", uri)
    assert alone.messages == []


async def test_a_rollback_is_planned_from_the_open_migration(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    result = await editor.command("planRollback", uri)
    json.dumps(result)
    assert (result["target"], result["from"], result["to"]) == ("aaaa", ["bbbb"], ["aaaa"])
    assert result["notice"].startswith("This plan runs nothing")
    assert result["markdown"].startswith(result["notice"])
    (revision,) = result["revisions"]
    assert [loss["subject"] for loss in revision["losses"]] == ["customers.nick"]
    assert result["no_sql"].startswith("no SQL: migrations/env.py line ")
    assert any("Rollback from bbbb to aaaa: 1 revision" in text for text in editor.messages)


async def test_a_rollback_is_planned_to_a_target_and_from_a_revision(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    result = await editor.command("planRollback", {"uri": uri, "target": "base", "from": "aaaa"})
    assert [each["revision"] for each in result["revisions"]] == ["aaaa"]
    whole = await editor.command("planRollback", {"target": "base"})
    assert [each["revision"] for each in whole["revisions"]] == ["bbbb", "aaaa"]
    assert "no revision or branch `zzzz`" in await refusal(
        editor, "planRollback", {"uri": uri, "target": "zzzz"}
    )
    assert "name a target" in await refusal(editor, "planRollback")
