from __future__ import annotations

import json
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.cli import main
from rehearsal.test_sql import ENV

NOTICE = "This plan runs nothing and connects to no database: "


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlembicProject:
    """Three revisions with an env.py that can work offline; the working directory."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    project = AlembicProject(folder, env=ENV)
    project.add(
        "aaaa1",
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))',
        'op.drop_table("t")',
    )
    project.add(
        "bbbb2",
        'op.create_table("u", sa.Column("id", sa.Integer, primary_key=True))',
        'op.drop_table("u")',
    )
    project.add("cccc3", "pass", 'raise NotImplementedError("never again")')
    return project


@pytest.mark.usefixtures("history")
def test_text_says_that_nothing_is_run_then_what_would_be(capsys):
    assert main(["plan", "aaaa", "--from", "bbbb2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{NOTICE}it says what `alembic downgrade aaaa` would do"
    assert lines[1] == "from bbbb2 to aaaa1: 1 revision, 1 loses data"
    assert "      DROP TABLE u;" in lines
    assert "      DROP TABLE t;" not in lines
    (row,) = [line for line in lines if line.startswith("1   bbbb2")]
    assert row.split() == ["1", "bbbb2", "by", "reading", "-", "yes", "no", "no", "bbbb2"]


def test_a_rehearsal_tells_how_long_it_took_and_what_it_lost(history, capsys):
    assert main(["test", "bbbb2", "--rows", "4"]) == 0
    capsys.readouterr()
    assert main(["plan", "-1", "--from", "bbbb2"]) == 0
    told = capsys.readouterr().out
    assert "1. bbbb2  bbbb2  lossless in the last rehearsal" in told
    assert "(4 of 4 rows in the rehearsal)" in told
    assert "made-up rows a table); slowest:" in told
    (slow,) = [line for line in told.splitlines() if line.startswith("      ") and " ms  " in line]
    assert slow.endswith("DROP TABLE u")
    assert not (history.folder / "app.db").exists()


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("54", "# revision known loses stops documented"),
        ("64", "# revision known took loses stops documented"),
        ("90", "# revision known took loses stops documented title"),
    ],
)
def test_a_narrow_terminal_gets_a_table_without_broken_lines(
    history, capsys, monkeypatch, columns, names
):
    title = "What a docstring says in its first line, be it as long as it may"
    file = history.add("dddd4")
    file.write_text(file.read_text().replace('"""dddd4', f'"""{title}'))
    monkeypatch.setenv("COLUMNS", columns)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.setenv(name, "1")
    assert main(["plan", "cccc3", "--no-sql"]) == 0
    _, _, _, head, rule, row, _, heading, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == names.split()
    assert max(map(len, (head, rule, row))) <= int(columns)
    assert ("What a doc" in row) == ("title" in names)
    assert heading.startswith(f"1. dddd4  {title}")


@pytest.mark.usefixtures("history")
def test_a_rollback_that_stops_is_a_finding(capsys):
    assert main(["plan", "base"]) == 1
    told = capsys.readouterr().out
    assert "from cccc3 to base: 3 revisions, stops at cccc3, 2 lose data" in told
    assert "    stops: refuses: never again" in told
    assert told.index("1. cccc3") < told.index("2. bbbb2") < told.index("3. aaaa1")


@pytest.mark.usefixtures("history")
def test_json_has_everything(capsys):
    assert main(["plan", "base", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "notice"
    assert document["notice"].startswith(NOTICE)
    assert (document["from"], document["to"], document["blocked"]) == (["cccc3"], [], True)
    assert [r["revision"] for r in document["revisions"]] == ["cccc3", "bbbb2", "aaaa1"]
    last = document["revisions"][-1]
    assert last["path"] == "migrations/versions/aaaa1_.py"
    assert last["sql"][0]["sql"].splitlines()[2] == "DROP TABLE t;"
    assert last["evidence"] == {"state": "none"}
    assert set(last) == {
        *("revision", "title", "path", "down_revisions", "documented", "blockers", "losses"),
        *("left", "notes", "evidence", "code", "sql"),
    }


@pytest.mark.usefixtures("history")
def test_markdown_is_a_document_whose_first_line_says_that_nothing_is_run(capsys):
    assert main(["plan", "aaaa1", "--from", "bbbb2", "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(NOTICE)
    assert "## 1. `bbbb2` bbbb2" in lines
    assert lines[lines.index("```sql") + 1].startswith("-- Running downgrade bbbb2 -> aaaa1")


def test_where_env_py_wants_a_database_the_code_stands_for_the_sql(history, capsys):
    env = history.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("context.is_offline_mode()", "False"))
    assert main(["plan", "aaaa1", "--from", "bbbb2"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "no SQL: migrations/env.py line 10 connects to a database" in told.out
    assert '      op.drop_table("u")' in told.out


def test_nothing_of_the_project_runs_where_no_sql_is_wanted(history, capsys):
    (history.folder / "migrations" / "env.py").write_text("raise SystemExit('ran')")
    assert main(["plan", "aaaa1", "--from", "bbbb2", "--no-sql"]) == 0
    told = capsys.readouterr().out
    assert "no SQL" not in told
    assert '      op.drop_table("u")' in told


@pytest.mark.usefixtures("history")
def test_nothing_to_undo_is_said(capsys):
    assert main(["plan", "cccc3"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "from cccc3 to cccc3: there is nothing to undo"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dddd"], "there is no revision or branch `dddd`"),
        (["bbbc2"], "there is no revision or branch `bbbc2`; did you mean `bbbb2`?"),
        (["bbbb2", "--from", "aaaa"], "revision bbbb2 is not below the current revision aaaa1"),
        (["-9"], "there are not 9 revisions below"),
        (["+1"], "`+1` goes up; name a revision below"),
        ([""], "nothing is named; name a revision below"),
        (["base", "--from", "base"], "there is nothing below the base to roll back to"),
        (["base", "--config", "nowhere.ini"], "nowhere.ini"),
    ],
)
@pytest.mark.usefixtures("history")
def test_what_cannot_be_planned_is_one_sentence_and_status_2(capsys, arguments, sentence):
    assert main(["plan", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_there_is_no_plan_where_alembic_refuses_the_history(history, capsys):
    history.add("dddd4", after="gone")
    assert main(["plan", "base", "--no-sql"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "`dddd4_.py`: revision dddd4 revises gone, which does not exist\n",
    )
