"""The README's snippet in a real Neovim: what somebody sees and does there with one migration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from alembic_project import AlembicProject
from rehearsal.conftest import skip_unless

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
BIN = Path(sys.executable).parent
NVIM = shutil.which("nvim", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}")

BATCH = "with op.batch_alter_table('customer') as batch_op:\n    "


def test_neovim_with_the_snippet_of_the_readme_shows_fixes_and_rehearses(tmp_path: Path):
    skip_unless(NVIM, "no Neovim is installed")
    project = AlembicProject(tmp_path / "project")
    project.add(
        "a1",
        "op.create_table('customer', sa.Column('id', sa.Integer, primary_key=True))",
        "op.drop_table('customer')",
    )
    migration = project.add(
        "b2", f"{BATCH}batch_op.add_column(sa.Column('nickname', sa.String(40)))", "pass"
    )
    settings = tmp_path / "init.lua"
    (snippet,) = re.findall(r"```lua\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    settings.write_text(snippet, encoding="utf-8")
    homes = {
        f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CACHE", "CONFIG", "DATA", "STATE")
    }

    # A script that does not load would leave Neovim waiting for a key: hence the last command.
    script = ["-S", HERE / "neovim.lua", "-c", "cquit 2"]
    done = subprocess.run(
        [str(NVIM), "--headless", "-n", "-i", "NONE", "-u", settings, *script, migration],
        cwd=project.folder,
        env=os.environ | homes | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "ok   ends the server" in said
    assert "ok   came to the end" in said
