from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lsp.editor import SERVER, Editor
from lsp.processes import agents_of, alive
from lsp.project import EMPTY, LOSSY, Project

SLEEPY = EMPTY.replace('"😋"; op.add_column', '__import__("time").sleep(60); op.add_column')
NEVER = ("alembic", "sqlalchemy", "mako")
LATE = ("libcst",)


def test_starting_imports_neither_alembic_nor_libcst() -> None:
    program = (
        "import json, sys; import alembic_roundtrip.cli.server, alembic_roundtrip.lsp.features; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = json.loads(done.stdout)
    assert "pygls" in loaded
    assert not {*NEVER, *LATE} & set(loaded)


def mapped(editor: Editor, name: str) -> bool:
    """Whether the server process has a compiled module of a package loaded."""
    return f"/{name}/" in Path(f"/proc/{editor.process.pid}/maps").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into /proc")
async def test_what_writes_edits_is_loaded_once_nobody_types(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("neovim")
    await editor.start(project.folder, environment=cache)
    uri = editor.open(project.write("bbbb", LOSSY))
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        editor.edit(uri, "nick", "nick")
        await editor.diagnostics(uri)
        await asyncio.sleep(0.1)
        assert not mapped(editor, "libcst"), "the user is typing"
    await editor.until(lambda: mapped(editor, "libcst"))
    assert not mapped(editor, "sqlalchemy")
    await editor.stop()


ORPHANED = textwrap.dedent(
    """
    import json, subprocess, sys, time

    server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(server.pid, flush=True)
    for message in json.loads(sys.argv[1]):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
        server.stdin.flush()
        time.sleep(0.2)
    time.sleep(300)
    """
)


def orphan(project: Project, cache: dict[str, str], *messages: dict[str, object]):
    """An editor as a process of its own, to be killed; gives it and its server's id."""
    first = {
        "id": 1,
        "method": "initialize",
        "params": {
            "processId": None,
            "capabilities": {},
            "workspaceFolders": [{"uri": project.folder.as_uri(), "name": "project"}],
        },
    }
    every = [first, {"method": "initialized", "params": {}}, *messages]
    editor = subprocess.Popen(
        [sys.executable, "-c", ORPHANED, json.dumps(every), *SERVER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **cache},
    )
    assert editor.stdout is not None
    return editor, int(editor.stdout.readline())


async def gone(pid: int, within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
@pytest.mark.parametrize("running", [False, True], ids=["idle", "during a rehearsal"])
async def test_a_server_ends_with_its_editor(
    project: Project, cache: dict[str, str], running: bool
) -> None:
    uri = project.write("bbbb", SLEEPY).as_uri()
    command = {
        "id": 2,
        "method": "workspace/executeCommand",
        "params": {"command": "alembicRoundtrip.testRevision", "arguments": [uri]},
    }
    editor, server = orphan(project, cache, *([command] if running else []))
    try:
        agents: dict[int, Path] = {}
        if running:
            end = time.monotonic() + 30
            while time.monotonic() < end and not agents:
                agents = agents_of(server)
                await asyncio.sleep(0.05)
            assert agents
            await asyncio.sleep(1.0)
        else:
            await asyncio.sleep(2.0)
        assert alive(server)
        os.kill(editor.pid, signal.SIGKILL)
        editor.wait()
        assert await gone(server, 1.0)
        for pid, folder in agents.items():
            assert await gone(pid, 1.0)
            assert not folder.exists()
    finally:
        editor.kill()
        editor.wait()
        assert editor.stdout is not None
        editor.stdout.close()
        if alive(server):
            os.kill(server, signal.SIGKILL)


async def test_printing_does_not_disturb_the_protocol(
    project: Project, cache: dict[str, str]
) -> None:
    noisy = (
        "import os, sys\n"
        "from alembic_roundtrip import checker\n"
        "from alembic_roundtrip.cli import main\n"
        "plain = checker.check\n"
        "def check(*arguments):\n"
        "    print('Content-Length: 2\\r\\n\\r\\n{}', flush=True)\n"
        "    os.write(1, b'raw')\n"
        "    os.system('echo from a child')\n"
        "    return plain(*arguments)\n"
        "checker.check = check\n"
        "sys.exit(main(['server']))\n"
    )
    editor = Editor("neovim")
    await editor.start(project.folder, environment=cache, command=(sys.executable, "-c", noisy))
    uri = editor.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in [item.code for item in await editor.diagnostics(uri)]
    assert editor.client.error is None
    await editor.stop()
    assert "from a child" in editor.logged


async def test_a_rule_that_fails_takes_nothing_else_with_it(
    project: Project, cache: dict[str, str]
) -> None:
    failing = (
        "import sys\n"
        "from alembic_roundtrip.cli import main\n"
        "from alembic_roundtrip.rule import rules\n"
        "def check(context):\n"
        "    raise RuntimeError('a rule of ours is wrong')\n"
        "    yield\n"
        "rules()['multiple-heads']._check = check\n"
        "sys.exit(main(['server']))\n"
    )
    editor = Editor("neovim")
    await editor.start(project.folder, environment=cache, command=(sys.executable, "-c", failing))
    uri = editor.open(project.write("bbbb", EMPTY))
    for _ in range(3):
        assert "empty-downgrade" in [item.code for item in await editor.diagnostics(uri)]
        editor.edit(uri, "pass", "pass  # 😋")
    assert editor.messages == []
    await editor.stop()
    assert "rule multiple-heads failed" in editor.logged


async def test_a_server_says_what_it_is_and_can(project: Project, cache: dict[str, str]) -> None:
    for name, encoding in (("vscode-pulling", "utf-16"), ("neovim", "utf-8")):
        editor = Editor(name)
        answer = await editor.start(project.folder, environment=cache)
        assert answer.server_info is not None
        assert answer.server_info.name == "alembic-roundtrip"
        assert answer.capabilities.position_encoding == encoding
        assert answer.capabilities.execute_command_provider is not None
        commands = set(answer.capabilities.execute_command_provider.commands)
        assert commands >= {"alembicRoundtrip.testRevision", "alembicRoundtrip.cancel"}
        await editor.stop()
        assert editor.process.returncode == 0
        assert "ERROR" not in editor.logged
