from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from alembic_roundtrip.cli import main
from alembic_roundtrip.cli.reports import formats


def test_a_port_that_is_taken_is_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["server", "--tcp", f"127.0.0.1:{port}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert said.count("\n") == 1


def test_stopped_while_it_still_starts_is_one_sentence(tmp_path):
    (tmp_path / "argparse.py").write_text("raise KeyboardInterrupt\n")
    program = (
        "import sys; from alembic_roundtrip.cli import main; "
        f"sys.modules.pop('argparse'); sys.path.insert(0, {str(tmp_path)!r}); "
        "raise SystemExit(main(['lint']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (2, "stopped before the end\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test", "--rows", "many"], "--rows: 'many' is not a number of rows"),
        (["test", "--timeout", "x"], "--timeout: 'x' is not a number of seconds above 0"),
        (["test", "--timeout", "nan"], "--timeout: 'nan' is not a number of seconds above 0"),
        (["lint", "--format", "jsno"], "'sarif', 'github', 'junit'); did you mean `json`?"),
        (["lint", "--selct", "x"], "unrecognized arguments: --selct; did you mean `--select`?"),
        (["lnt"], "'test'); did you mean `lint`?"),
        (["server", "--tcp", "h:99999"], "--tcp: 'h:99999' is not HOST:PORT, as in 127.0.0.1:2087"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.endswith(f"{said}\n")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--select", "empty-downgrad"],
            "no rule `empty-downgrad`; did you mean `empty-downgrade`?",
        ),
        (["--ignore", "all"], "there is no rule `all`; `alembic-roundtrip explain` lists them"),
        (["gone.py"], "gone.py does not exist"),
        (["other"], "there are no migrations in other; they are in migrations/versions"),
        (["--config", "gone.ini"], "set `config` to the path of alembic.ini or pyproject.toml"),
        (["--name", "second"], "set `config` to the file that has it"),
        (["--since", "bbbc"], "there is no one revision `bbbc`; did you mean `bbbb`?"),
    ],
)
def test_what_lint_cannot_do_is_one_sentence_with_the_next_step(project, arguments, said, capsys):
    (project / "other").mkdir()
    assert main(["lint", *arguments]) == 2
    told = capsys.readouterr()
    assert told.err.endswith(f"{said}\n")
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize("arguments", [[], ["."], ["--format", "json"]])
def test_a_configuration_that_nothing_is_read_by_is_no_green_result(
    tmp_path, monkeypatch, arguments, capsys
):
    (tmp_path / "alembic.ini").write_text("[alembic\n")
    monkeypatch.chdir(tmp_path)
    assert main(["lint", *arguments]) == 2
    assert "not readable as an ini file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["."], ["migrations/versions"], ["alembic.ini"]])
def test_a_project_without_migrations_is_right(project, arguments, printed):
    for file in (project / "migrations/versions").iterdir():
        file.unlink()
    assert printed("lint", *arguments) == (
        "alembic.ini: 0 migrations for any dialect: the setting `dialects` names it\n"
        "0 migrations read: nothing to report\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], True), (["."], True), (["new/alembic.ini"], True), (["new/migrations/env.py"], True)]
    + [([place], False) for place in ("migrations", "migrations/versions")],
)
def test_an_environment_without_migrations_is_told_of_where_it_is_asked_for(
    project, arguments, told, printed
):
    new = project / "new" / "migrations"
    (new / "versions").mkdir(parents=True)
    (new / "env.py").write_text("")
    ini = "[alembic]\nscript_location = %(here)s/migrations\n"
    (project / "new" / "alembic.ini").write_text(ini)
    assert ("new/alembic.ini: 0 migrations" in printed("lint", *arguments)) is told


def test_folders_that_alembic_leaves_out_are_no_green_result(project, capsys):
    versions = project / "migrations/versions"
    (versions / "old").mkdir()
    first, *others = sorted(versions.glob("*.py"))
    first.rename(versions / "old" / first.name)
    main(["lint"])
    assert (
        "alembic.ini: 2 migrations for any dialect: the setting `dialects` names it; not those in "
        "1 folder below, which `version_locations` does not name\n"
    ) in capsys.readouterr().out
    for file in others:
        file.rename(versions / "old" / file.name)
    assert main(["lint"]) == 2
    assert capsys.readouterr().err == (
        "there are no migrations in migrations/versions, but below it, as in "
        "migrations/versions/old: have Alembic read them with `version_locations` or "
        "`recursive_version_locations = true`\n"
    )
    ini = project / "alembic.ini"
    ini.write_text(f"{ini.read_text()}recursive_version_locations = true\n")
    assert main(["lint"]) == 1
    assert "alembic.ini: 3 migrations for" in capsys.readouterr().out


@pytest.mark.parametrize("format", formats.LINT)
@pytest.mark.parametrize(
    ("output", "said"),
    [
        (">/dev/full", "cannot write to standard output: No space left on device\n"),
        (">&-", "standard output is closed; give it a file, a pipe or a terminal\n"),
        ("| true", ""),
    ],
)
def test_output_that_takes_nothing_ends_the_run_quietly(project, format, output, said):
    command = f'"{sys.executable}" -m alembic_roundtrip lint --format {format} {output}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == said
    assert done.returncode == 2


@pytest.mark.parametrize("format", formats.LINT)
def test_no_file_name_ends_the_run(project, format):
    versions = os.fsencode(project / "migrations/versions")
    for number, name in enumerate([b"\xff.py", b"a b:c,d%.py", b']]>&".py', b"\r.py", b"-x.py"]):
        text = f"revision = 'x{number}'\ndown_revision = 'gone'\n"
        Path(os.fsdecode(os.path.join(versions, name))).write_text(text)  # noqa: PTH118 - bytes
    done = subprocess.run(
        [sys.executable, "-m", "alembic_roundtrip", "lint", "--format", format],
        cwd=project,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode == 1
    assert done.stdout.decode("utf-8")
    assert b"\r" not in done.stdout


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyboardInterrupt(), "stopped before the end\n"),
        (RuntimeError("😋"), "RuntimeError: 😋\nthis is a fault of alembic-roundtrip, not of your"),
        (PermissionError(13, "😋", "x"), "cannot write or read x: 😋\n"),
        (PermissionError(13, "😋", b"x"), "cannot write or read x: 😋\n"),
    ],
)
def test_a_run_that_does_not_end_has_found_nothing(capsys, monkeypatch, raised, said):
    from alembic_roundtrip.cli import explain

    def run(_):
        raise raised

    monkeypatch.setattr(explain, "run", run)
    assert main(["explain"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert ("Traceback" in told) is isinstance(raised, RuntimeError)
