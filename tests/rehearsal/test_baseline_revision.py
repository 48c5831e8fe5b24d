"""Histories that begin nowhere: from a schema that models make, back and up again."""

from __future__ import annotations

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.events import FromModels, RevisionFinished, StepStarted
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import KEPT, KINDS, Rehearse, collect

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table(
    "users", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(30)),
    sa.Column("email", sa.String(60)),
)
sa.Table("teams", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""
SETTINGS = {"baseline": "models:metadata.create_all", "baseline_revision": "heads"}
TEAMS = 'op.create_table("teams", sa.Column("id", sa.Integer, primary_key=True))'


def added(column: str) -> str:
    return f'op.add_column("users", sa.Column("{column}", sa.String(60)))'


def dropped(column: str) -> str:
    return f'with op.batch_alter_table("users") as batch:\n    batch.drop_column("{column}")'


@pytest.fixture
def models(project: AlembicProject) -> AlembicProject:
    """A history of tables that none of its migrations has made."""
    (project.folder / "models.py").write_text(MODELS)
    return project


@KINDS
async def test_from_what_models_make_down_and_up_again(models: AlembicProject, rehearsed: Rehearse):
    models.add("name", added("name"), dropped("name"))
    models.add("teams", TEAMS, 'op.drop_table("teams")')
    models.add("email", added("email"), dropped("email"))
    evidence = await rehearsed(full_cycle=True, **SETTINGS)
    assert {revision: each.verdict for revision, each in evidence.items()} == dict.fromkeys(
        ("name", "teams", "email", "full cycle"), Verdict.LOSSLESS
    )
    assert evidence["email"].rows == 5


@KINDS
async def test_what_does_not_lead_back_hides_no_other(models: AlembicProject, rehearsed: Rehearse):
    models.add("name", added("name"), dropped("name"))
    models.add("teams", TEAMS, "pass")
    models.add("email", added("email"), 'raise NotImplementedError("no way back")')
    models.add("later", 'op.create_index("ix", "users", ["name"])', 'op.drop_index("ix", "users")')
    models.add("revoking", 'op.execute("SELECT 1")', 'op.drop_table("users")')
    models.add("call", "pass", 'op.create_foreign_key("users", "teams", ["team"], ["id"])')
    models.add("syntax", "pass", 'op.execute("ALTER TABLE users REMOVE COLUMN name")')
    evidence = await rehearsed(full_cycle=True, **SETTINGS)
    assert {revision: each.verdict for revision, each in evidence.items()} == {
        "name": Verdict.LOSSLESS,
        # It may be that models and migrations differ.
        "teams": Verdict.SKIPPED,
        "email": Verdict.IRREVERSIBLE,
        "later": Verdict.SKIPPED,
        "revoking": Verdict.SKIPPED,
        # These are wrong whatever is there.
        "call": Verdict.FAILED,
        "syntax": Verdict.FAILED,
        "full cycle": Verdict.SKIPPED,
    }
    assert "baseline" not in (evidence["call"].reason or "")
    assert "`upgrade()` fails after the downgrade: " in (evidence["teams"].reason or "")
    assert "; the schema is that of `baseline`" in (evidence["later"].reason or "")
    without = "`upgrade()` does not make again what `downgrade()` drops: `users`;"
    assert (evidence["revoking"].reason or "").startswith(without)


async def test_a_downgrade_that_connects_elsewhere_is_not_rehearsed(
    models: AlembicProject, rehearsed: Rehearse
):
    elsewhere = (
        "import sqlite3\ntry:\n    sqlite3.connect('other.db')\nexcept BaseException:\n    pass"
    )
    models.add("email", added("email"), f"{elsewhere}\n{dropped('email')}")
    found = (await rehearsed(**SETTINGS))["email"]
    assert found.verdict is Verdict.SKIPPED
    assert (found.reason or "").startswith("not rehearsed: ")


@KINDS
async def test_a_downgrade_that_fails_on_rows_hides_no_other(
    models: AlembicProject, rehearsed: Rehearse
):
    count = 'op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar()'
    refusal = f'if {count}:\n    raise RuntimeError("rows are in the way")'
    models.add("email", added("email"), f"{dropped('email')}\n{refusal}")
    models.add("teams", TEAMS, 'op.drop_table("teams")')
    evidence = await rehearsed(**SETTINGS)
    assert evidence["email"].verdict is Verdict.IRREVERSIBLE
    assert evidence["teams"].verdict is Verdict.LOSSLESS


async def test_a_downgrade_that_ends_the_process_hides_no_other(
    models: AlembicProject, rehearsed: Rehearse
):
    models.add("name", added("name"), dropped("name"))
    models.add("email", added("email"), "import os; os._exit(3)")
    models.add("teams", TEAMS, 'op.drop_table("teams")')
    evidence = await rehearsed(**SETTINGS)
    assert {revision: each.verdict for revision, each in evidence.items()} == {
        "name": Verdict.LOSSLESS,
        "email": Verdict.FAILED,
        "teams": Verdict.LOSSLESS,
    }


async def test_only_what_is_wanted_is_taken_back(models: AlembicProject):
    models.add("name", added("name"), 'raise ValueError("not to be run")')
    models.add("email", added("email"), dropped("email"))
    events = await collect(models, "head", **SETTINGS)
    assert "name" not in {getattr(event, "revision", None) for event in events}


async def test_from_a_revision_in_the_middle(models: AlembicProject, rehearsed: Rehearse):
    models.add("email", added("email"), dropped("email"))
    models.add("more", added("more"), dropped("more"))
    evidence = await rehearsed(**SETTINGS | {"baseline_revision": "email"})
    assert {each.verdict for each in evidence.values()} == {Verdict.LOSSLESS}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"baseline_revision": "heads"}, "`baseline-revision` is set without `baseline`"),
        (SETTINGS | {"baseline_revision": "nowhere"}, "nowhere"),
    ],
    ids=["without a baseline", "of no revision"],
)
async def test_where_it_cannot_begin_is_said(models: AlembicProject, settings, sentence):
    models.add("email", added("email"), dropped("email"))
    with pytest.raises(CannotRun, match=sentence):
        await collect(models, **settings)


def know_the_models(project: AlembicProject) -> None:
    """Have env.py give Alembic the models, as for autogenerate."""
    env = project.folder / "migrations" / "env.py"
    text = env.read_text().replace("target_metadata=None", "target_metadata=models.metadata")
    env.write_text(f"import models\n{text}")


@KINDS
@pytest.mark.parametrize("jobs", [1, 2])
async def test_without_a_baseline_env_pys_own_models_are_one(models: AlembicProject, jobs: int):
    know_the_models(models)
    models.add("nothing")
    models.add("name", added("name"), dropped("name"))
    models.add("email", added("email"), dropped("email"))
    events = await collect(models, jobs=jobs)
    assert sum(isinstance(event, FromModels) for event in events) == 1
    found = [event.evidence for event in events if isinstance(event, RevisionFinished)]
    assert [(each.revision, each.verdict) for each in found] == [
        ("nothing", Verdict.LOSSLESS),
        ("name", Verdict.LOSSLESS),
        ("email", Verdict.LOSSLESS),
    ]
    assert found[-1].rows == 5
    # The first needs no table.
    assert [each.baseline for each in found] == [None, "target_metadata", "target_metadata"]


async def test_of_one_revision_too(models: AlembicProject, rehearsed: Rehearse):
    know_the_models(models)
    models.add("name", added("name"), dropped("name"))
    models.add("email", added("email"), dropped("email"))
    assert {key: each.verdict for key, each in (await rehearsed("head")).items()} == {
        "email": Verdict.LOSSLESS
    }


@KINDS
async def test_models_that_cannot_be_made_leave_what_the_history_says(models: AlembicProject):
    know_the_models(models)
    twice = 'sa.Index("same", metadata.tables["users"].c.name)\n' * 2
    (models.folder / "models.py").write_text(f"{MODELS}{twice}")
    models.add("email", added("email"), dropped("email"))
    models.add("more", added("more"), dropped("more"))
    events = await collect(models)
    evidence = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert not any(isinstance(event, FromModels) for event in events)
    assert evidence["email"].verdict is Verdict.FAILED
    assert "the setting `baseline` names" in (evidence["email"].reason or "")
    assert "the baseline `target_metadata` failed: " in (evidence["email"].reason or "")
    assert evidence["email"].baseline is None
    assert evidence["more"].verdict is Verdict.SKIPPED


async def test_extensions_that_models_want_are_there(models: AlembicProject):
    know_the_models(models)
    wanting = """
sa.Table(
    "keyed", metadata,
    sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("uuid_generate_v4()")),
    sa.Column("name", sa.Text),
    sa.Index("found", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
)
"""
    (models.folder / "models.py").write_text(MODELS + wanting)
    models.add("email", added("email"), dropped("email"))
    events = await collect(models, database="postgresql")
    (found,) = [event.evidence for event in events if isinstance(event, RevisionFinished)]
    assert (found.verdict, found.baseline) == (Verdict.LOSSLESS, "target_metadata")


async def test_a_history_that_makes_tables_is_not_begun_anew(
    models: AlembicProject, rehearsed: Rehearse
):
    know_the_models(models)
    models.add("teams", TEAMS, 'op.drop_table("teams")')
    models.add("email", added("email"), dropped("email"))
    evidence = await rehearsed()
    assert evidence["teams"].verdict is Verdict.LOSSLESS
    assert evidence["email"].verdict is Verdict.FAILED


ROW = 'op.execute("INSERT INTO teams (id) VALUES (1)")'
BROKEN = {
    "it is made later": (ROW, [TEAMS]),
    "it gets its name later": (
        ROW,
        ['op.create_table("old", sa.Column("id", sa.Integer))', 'op.rename_table("old", "teams")'],
    ),
    "models make it later": (ROW, ["import models", "models.metadata.create_all(op.get_bind())"]),
    "SQL makes it later": (ROW, ['op.execute("CREATE TABLE teams (id INTEGER PRIMARY KEY)")']),
    "computed SQL follows": (ROW, ['op.execute("".join(open("made.sql")))']),
    "there is none of that name": (ROW.replace("teams", "teems"), []),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_history_that_is_broken_is_not_begun_anew(
    models: AlembicProject, rehearsed: Rehearse, name: str
):
    first, second = BROKEN[name]
    know_the_models(models)
    (models.folder / "made.sql").write_text("CREATE TABLE teams (id INTEGER PRIMARY KEY)")
    models.add("first", first)
    models.add("second", "\n".join(second) or "pass")
    models.add("third", added("email"), dropped("email"))
    evidence = await rehearsed()
    assert evidence["first"].verdict is Verdict.FAILED
    assert {each.baseline for each in evidence.values()} == {None}
    assert evidence["third"].verdict is Verdict.SKIPPED
    assert (await rehearsed("head"))["third"].verdict is Verdict.SKIPPED


async def test_a_table_that_models_call_otherwise_today_is_a_beginning(
    models: AlembicProject, rehearsed: Rehearse
):
    know_the_models(models)
    models.add(
        "email",
        added("email").replace("users", "people"),
        dropped("email").replace("users", "people"),
    )
    models.add("users", 'op.rename_table("people", "users")', 'op.rename_table("users", "people")')
    evidence = await rehearsed()
    assert [each.verdict for each in evidence.values()] == [Verdict.LOSSLESS] * 2


@KEPT
async def test_from_models_nothing_is_kept_or_taken_over(models: AlembicProject):
    know_the_models(models)
    for number in range(12):
        models.add(f"step{number}")
    models.add("email", added("email"), dropped("email"))
    for _ in range(3):
        events = await collect(models, "email")
        (found,) = (event.evidence for event in events if isinstance(event, RevisionFinished))
        assert found.verdict is Verdict.LOSSLESS


@KEPT
async def test_where_models_cannot_be_made_the_kept_state_is_taken_up_again(
    models: AlembicProject,
):
    know_the_models(models)
    twice = 'sa.Index("same", metadata.tables["users"].c.name)\n' * 2
    (models.folder / "models.py").write_text(f"{MODELS}{twice}")
    for number in range(12):
        models.add(f"step{number}")
    models.add("email", added("email"), dropped("email"))
    for applies in (True, False):
        events = await collect(models, "email")
        (found,) = (event.evidence for event in events if isinstance(event, RevisionFinished))
        assert found.verdict is Verdict.FAILED
        others = {event.revision for event in events if isinstance(event, StepStarted)} - {"email"}
        assert bool(others) is applies


async def test_env_pys_models_may_be_named(models: AlembicProject, rehearsed: Rehearse):
    models.add("email", added("email"), dropped("email"))
    named = SETTINGS | {"baseline": "target_metadata"}
    with pytest.raises(CannotRun, match=r"env\.py gives Alembic no tables"):
        await rehearsed(**named)
    know_the_models(models)
    assert (await rehearsed(**named))["email"].verdict is Verdict.LOSSLESS


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_models_in_schemas_get_them(models: AlembicProject, rehearsed: Rehearse):
    know_the_models(models)
    text = MODELS.replace("String(60)),\n)", 'String(60)),\n    schema="Of app",\n)', 1)
    (models.folder / "models.py").write_text(text)
    up = 'op.add_column("users", sa.Column("email", sa.String(60)), schema="Of app")'
    models.add("email", up, 'op.drop_column("users", "email", schema="Of app")')
    assert (await rehearsed())["email"].verdict is Verdict.LOSSLESS
