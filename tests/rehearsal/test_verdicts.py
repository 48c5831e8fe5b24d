from __future__ import annotations

import re

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict, evidence_store
from rehearsal.conftest import KINDS

CREATE = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30)),
    sa.Column("email", sa.String(40)),
)
"""


def users(project: AlembicProject) -> None:
    project.add("users", CREATE, 'op.drop_table("users")')


@KINDS
async def test_a_table_that_comes_and_goes_is_lossless(project, rehearsed, kind):
    users(project)
    evidence = (await rehearsed())["users"]
    assert evidence.verdict is Verdict.LOSSLESS
    assert evidence.residue == ()
    assert [(x.table, x.column, x.lost, x.rows, x.step) for x in evidence.losses] == [
        ("users", None, 5, 5, "downgrade")
    ]
    assert [step.name for step in evidence.steps] == [
        "upgrade",
        "downgrade",
        "upgrade again",
        "upgrade with rows",
        "downgrade with rows",
        "upgrade again with rows",
    ]
    assert all(step.error is None for step in evidence.steps)
    assert (evidence.database, evidence.rows) == (kind, 5)


async def test_without_rows_only_the_schema_is_rehearsed(project, rehearsed):
    users(project)
    project.add("empty", 'op.execute("DELETE FROM users")')
    evidence = await rehearsed(rows=0)
    assert {each.verdict for each in evidence.values()} == {Verdict.LOSSLESS}
    assert [step.name for step in evidence["empty"].steps] == [
        "upgrade",
        "downgrade",
        "upgrade again",
    ]
    assert all((each.rows, each.losses) == (0, ()) for each in evidence.values())


@KINDS
async def test_a_dropped_column_that_comes_back_empty_is_lossy(project, rehearsed):
    users(project)
    project.add(
        "drop",
        'with op.batch_alter_table("users") as batch:\n    batch.drop_column("email")',
        'op.add_column("users", sa.Column("email", sa.String(40)))',
    )
    evidence = (await rehearsed())["drop"]
    assert evidence.verdict is Verdict.LOSSY
    (loss,) = evidence.old_losses()
    assert (loss.table, loss.column, loss.step, loss.rows) == ("users", "email", "round trip", 5)
    assert 0 < loss.lost <= 5
    assert loss.example is not None
    assert loss.example.endswith("→ NULL")


@KINDS
async def test_an_index_left_behind_fails_the_next_upgrade(project, rehearsed):
    users(project)
    project.add("index", 'op.create_index("ix_email", "users", ["email"])', "pass")
    evidence = (await rehearsed())["index"]
    assert evidence.verdict is Verdict.FAILED
    assert evidence.reason is not None
    assert re.search(r'ix_email"? already exists|Duplicate key name .ix_email', evidence.reason)
    (residue,) = evidence.residue
    assert (residue.kind, residue.object, residue.change, residue.grade) == (
        "index",
        "ix_email",
        "left",
        "broken",
    )


@KINDS
async def test_what_comes_back_otherwise_is_residue(project, rehearsed):
    users(project)
    project.add(
        "default",
        'with op.batch_alter_table("users") as batch:\n    batch.drop_column("email")',
        'op.add_column("users", sa.Column("email", sa.String(40), server_default="x"))',
    )
    evidence = (await rehearsed())["default"]
    assert evidence.verdict is Verdict.RESIDUE
    assert [r.grade for r in evidence.residue if r.grade != "cosmetic"] == ["different"]


@KINDS
async def test_rows_a_migration_inserts_and_leaves_are_residue(project, rehearsed):
    users(project)
    project.add("seed", "op.execute(\"INSERT INTO users (name) VALUES ('root')\")", "pass")
    evidence = (await rehearsed())["seed"]
    assert evidence.verdict is Verdict.RESIDUE
    assert [(r.kind, r.object, r.change, r.after) for r in evidence.residue] == [
        ("rows", "users", "left", "1 row")
    ]


@KINDS
async def test_values_an_upgrade_overwrites_are_lost_by_the_upgrade(project, rehearsed):
    users(project)
    project.add("upper", "op.execute(\"UPDATE users SET name = 'x'\")", "pass")
    evidence = (await rehearsed())["upper"]
    assert evidence.verdict is Verdict.LOSSY
    assert {(x.column, x.step) for x in evidence.old_losses()} == {
        ("name", "upgrade"),
        ("name", "round trip"),
    }


async def test_a_downgrade_that_raises_is_irreversible_and_says_why(project, rehearsed):
    users(project)
    project.add("declared", "pass", 'raise NotImplementedError("mails are gone")')
    project.add("own", "pass", 'raise RuntimeError("restore the backup")')
    project.add("silent", "pass", "raise NotImplementedError")
    evidence = await rehearsed()
    assert {name: (e.verdict, e.reason) for name, e in evidence.items() if name != "users"} == {
        "declared": (Verdict.IRREVERSIBLE, "mails are gone"),
        "own": (Verdict.IRREVERSIBLE, "restore the backup"),
        "silent": (Verdict.IRREVERSIBLE, "NotImplementedError"),
    }


@KINDS
async def test_an_error_in_the_downgrade_that_nobody_raised_on_purpose_fails(project, rehearsed):
    project.add("broken", "pass", 'op.drop_table("nowhere")')
    project.add("typo", "pass", "undefined_name()")
    project.add("nothing", "pass", None)
    evidence = await rehearsed()
    assert {e.verdict for e in evidence.values()} == {Verdict.FAILED}
    reason = evidence["broken"].reason or ""
    assert re.search(
        'no such table: nowhere|table "nowhere" does not exist|Unknown table .nowhere', reason
    )
    assert "undefined_name" in (evidence["typo"].reason or "")
    assert evidence["nothing"].reason == "`downgrade()` fails: the migration has no `downgrade()`"


@KINDS
async def test_an_upgrade_that_fails_skips_what_does_not_work_without_it_and_nothing_else(
    project, rehearsed
):
    made = 'op.create_table("{}", sa.Column("id", sa.Integer, primary_key=True))\n'
    users(project)
    project.add("broken", 'op.drop_table("nowhere")\n' + made.format("made"))
    project.add("child", 'op.drop_table("made")', made.format("made"))
    project.add("crashing", "import os\nos._exit(3)")
    gone = made.replace("id", "old").format("made")
    project.add("residue", 'op.execute("DROP TABLE IF EXISTS made")', gone)
    project.add("lossy", "op.execute(\"UPDATE users SET name = 'x'\")")
    project.add("failing", "pass", "undefined_name()")
    project.add("final", "pass", 'raise NotImplementedError("no way back")')
    project.add("other", made.format("others"), 'op.drop_table("others")')
    project.add("sibling", after="users")
    evidence = await rehearsed(full_cycle=True)
    missing = ("child", "crashing", "residue", "lossy", "failing", "full cycle")
    assert {name: e.verdict for name, e in evidence.items()} == {
        "users": Verdict.LOSSLESS,
        "broken": Verdict.FAILED,
        "final": Verdict.IRREVERSIBLE,
        "other": Verdict.LOSSLESS,
        "sibling": Verdict.LOSSLESS,
        **dict.fromkeys(missing, Verdict.SKIPPED),
    }
    for name in missing:
        assert evidence[name].reason == "the upgrade of broken, which it depends on, fails"
        assert evidence[name].steps == ()
    told = {name: [note.text for note in e.notes] for name, e in evidence.items()}
    for name in ("final", "other"):
        assert told.pop(name) == ["rehearsed without what `broken` would have made"]
    assert not any(told.values())
    store = evidence_store(project.environment)
    kept = {name for name in evidence if store.load(name) is not None}
    assert kept == {"users", "broken", "sibling"}
    error = evidence["broken"].steps[0].error
    assert error is not None
    assert error.path == str(project.versions / "broken_.py")
    assert error.line == 9


@KINDS
async def test_dirt_of_one_revision_does_not_reach_the_next(project, rehearsed):
    users(project)
    project.add("dirty", 'op.create_index("ix", "users", ["email"])', "pass")
    project.add(
        "clean", 'op.create_index("ix2", "users", ["name"])', 'op.drop_index("ix2", "users")'
    )
    evidence = await rehearsed()
    assert evidence["dirty"].verdict is Verdict.FAILED
    assert evidence["clean"].verdict is Verdict.LOSSLESS


@KINDS
async def test_a_migration_that_only_fails_with_rows_fails(project, rehearsed):
    users(project)
    project.add(
        "misspelt",
        """
        for row in op.get_bind().execute(sa.text("SELECT email FROM users")).fetchall():
            op.execute("UPDATE user SET emial = NULL")
        """,
    )
    evidence = (await rehearsed())["misspelt"]
    assert evidence.verdict is Verdict.FAILED
    assert evidence.reason is not None
    assert evidence.reason.startswith("`upgrade()` fails with made-up rows in the tables: ")
    assert "user" in evidence.reason


@KINDS
async def test_a_downgrade_that_fails_on_rows_written_since_fails(project, rehearsed):
    project.add(
        "strict",
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True),'
        ' sa.Column("a", sa.String(9), nullable=False))',
        'op.drop_table("t")',
    )
    batch = 'with op.batch_alter_table("t") as batch:\n'
    project.add(
        "loose",
        batch + '    batch.alter_column("a", existing_type=sa.String(9), nullable=True)',
        batch + '    batch.alter_column("a", existing_type=sa.String(9), nullable=False)',
    )
    evidence = (await rehearsed())["loose"]
    assert evidence.verdict is Verdict.FAILED
    assert (evidence.reason or "").startswith("`downgrade()` fails with made-up rows in the tables")
    assert (
        evidence.notes[-1].text == "with the rows from before the upgrade alone `downgrade()` works"
    )
    if evidence.database == "sqlite":
        assert (
            "stops half-way, and nothing undoes what it did: table `_alembic_tmp_t` is there"
            in (evidence.half_done or "")
        )
    assert evidence.old_losses() == ()


async def test_python_that_stumbles_over_unkind_values_only_is_a_note(project, rehearsed):
    users(project)
    project.add(
        "careless",
        """
        connection = op.get_bind()
        for name, in connection.execute(sa.text("SELECT name FROM users")).fetchall():
            name.upper()
        """,
    )
    evidence = (await rehearsed())["careless"]
    assert evidence.verdict is Verdict.LOSSLESS
    assert len(evidence.notes) == 1
    assert "AttributeError" in evidence.notes[0].text
    assert "with plain rows it works" in evidence.notes[0].text


async def test_python_that_stumbles_over_any_row_fails(project, rehearsed):
    users(project)
    project.add(
        "broken",
        """
        connection = op.get_bind()
        for row in connection.execute(sa.text("SELECT name FROM users")).fetchall():
            row.nonsense
        """,
    )
    evidence = (await rehearsed())["broken"]
    assert evidence.verdict is Verdict.FAILED
    assert "fails with made-up rows in the tables: AttributeError" in (evidence.reason or "")


async def test_a_history_that_expects_tables_names_the_setting_for_them(project, rehearsed):
    project.add("first", 'op.add_column("users", sa.Column("x", sa.Integer))')
    evidence = (await rehearsed())["first"]
    assert evidence.verdict is Verdict.FAILED
    assert "; this history does not start from an empty database" in (evidence.reason or "")
    users(project)
    evidence = (await rehearsed())["first"]
    assert (evidence.reason or "").endswith("; `users` is made later, by users")


async def test_an_empty_first_revision_does_not_hide_that(project, rehearsed):
    project.add("stamp", "pass", "pass")
    project.add("first", 'op.add_column("users", sa.Column("x", sa.Integer))')
    evidence = await rehearsed()
    assert evidence["stamp"].verdict is Verdict.LOSSLESS
    assert "`baseline`" in (evidence["first"].reason or "")


@pytest.mark.parametrize("first", ['op.drop_table("nowhere")', 'op.execute("DELETE FROM nowhere")'])
async def test_tables_may_be_missing_beside_others(project, rehearsed, first):
    users(project)
    project.add("first", first)
    reason = (await rehearsed())["first"].reason or ""
    assert "; where this history does not start from an empty database" in reason


async def test_an_upgrade_that_lets_errors_pass_does_not_hide_that(project, rehearsed):
    users(project)
    column = 'op.add_column("nowhere", sa.Column("x", sa.Integer))'
    passing = f"""
        try:
            with op.get_bind().begin_nested():
                {column}
        except Exception as error:
            print(error)
        """
    project.add("first", passing, 'op.drop_column("nowhere", "x")')
    reason = (await rehearsed())["first"].reason or ""
    assert reason.startswith("`downgrade()` fails: ")
    assert "; where this history does not start from an empty database" in reason


@KINDS
async def test_a_baseline_is_a_function_or_an_sql_file(project, rehearsed):
    project.add(
        "first",
        'op.add_column("users", sa.Column("x", sa.Integer))',
        'with op.batch_alter_table("users") as batch:\n    batch.drop_column("x")',
    )
    (project.folder / "models.py").write_text(
        "import sqlalchemy as sa\n"
        "class Base:\n"
        "    metadata = sa.MetaData()\n"
        'sa.Table("users", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))\n'
    )
    (project.folder / "base.sql").write_text("CREATE TABLE users (id INTEGER PRIMARY KEY);")
    for baseline in ("models:Base.metadata.create_all", "base.sql"):
        evidence = await rehearsed(baseline=baseline, full_cycle=True)
        assert evidence["first"].verdict is Verdict.LOSSLESS
        assert evidence["full cycle"].verdict is Verdict.LOSSLESS


@KINDS
async def test_a_full_cycle_that_leaves_something_says_what(project, rehearsed):
    users(project)
    project.add("view", 'op.execute("CREATE VIEW v AS SELECT 1 AS one")', "pass")
    evidence = (await rehearsed(full_cycle=True))["full cycle"]
    assert evidence.verdict is Verdict.RESIDUE
    assert [(r.kind, r.object, r.change) for r in evidence.residue] == [("view", "v", "left")]


async def test_a_check_of_the_data_that_refuses_made_up_rows_is_a_note(project, rehearsed):
    users(project)
    project.add(
        "checked",
        """
        def check(row):
            raise ValueError(f"unknown format: {row}")
        for row in op.get_bind().execute(sa.text("SELECT name FROM users")).fetchall():
            check(row)
        """,
    )
    evidence = (await rehearsed())["checked"]
    assert evidence.verdict is Verdict.LOSSLESS
    (note,) = (each.text for each in evidence.notes)
    assert note.startswith("`upgrade()` refuses made-up rows: unknown format")


async def test_a_downgrade_that_refuses_once_there_are_rows_is_irreversible(project, rehearsed):
    users(project)
    project.add(
        "guarded",
        "pass",
        """
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM users")):
            raise RuntimeError("there are users")
        """,
    )
    evidence = (await rehearsed())["guarded"]
    assert evidence.verdict is Verdict.IRREVERSIBLE
    assert evidence.reason == "there are users"


@KINDS
async def test_a_temporary_table_ends_with_its_command(project, rehearsed, kind):
    users(project)
    statements = ["CREATE TEMPORARY TABLE some_users AS SELECT * FROM users"]
    if kind == "mariadb":
        statements.append("CREATE OR REPLACE TEMPORARY TABLE `a b` (id int)")
    else:
        statements.append("CREATE TEMP VIEW seen AS SELECT * FROM users")
    if kind == "sqlite":
        statements.append("CREATE TEMP TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END")
    project.add("temporary", "\n".join(f"op.execute({each!r})" for each in statements), "pass")
    assert (await rehearsed())["temporary"].verdict is Verdict.LOSSLESS


async def test_made_up_rows_that_are_alike_where_they_are_copied_to_prove_nothing(
    project, rehearsed
):
    users(project)
    project.add(
        "keyed",
        """
        op.create_table("groups", sa.Column("size", sa.Integer, primary_key=True))
        op.execute("INSERT INTO groups SELECT length(email) * 0 + 1 FROM users")
        """,
        'op.drop_table("groups")',
    )
    evidence = (await rehearsed())["keyed"]
    assert evidence.verdict is Verdict.LOSSLESS
    assert "values that cannot be made up" in evidence.notes[0].text
