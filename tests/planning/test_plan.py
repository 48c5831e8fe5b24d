from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import multidb
from alembic_project import AlembicProject
from alembic_roundtrip.evidence import (
    Loss,
    Note,
    RevisionEvidence,
    Statement,
    Step,
    StepError,
    Verdict,
    evidence_store,
)
from alembic_roundtrip.planning import RollbackPlan, plan_rollback
from alembic_roundtrip.planning.document import document
from alembic_roundtrip.planning.markdown import markdown
from alembic_roundtrip.planning.plan import PlannedRevision
from alembic_roundtrip.planning.sentences import basis, headline, loss_line
from alembic_roundtrip.workspace import Workspace

USERS = 'op.create_table("users", sa.Column("id", sa.Integer), sa.Column("nick", sa.String(9)))'


def plan(project: AlembicProject, target: str = "base") -> RollbackPlan:
    workspace = Workspace([project.folder])
    return plan_rollback(workspace, workspace.environments[0], target)


def newest(project: AlembicProject) -> PlannedRevision:
    return plan(project).revisions[0]


def remember(project: AlembicProject, revision: str, **measured: object) -> None:
    """Keep evidence of a revision as it is now."""
    workspace = Workspace([project.folder])
    (environment,) = workspace.environments
    found = RevisionEvidence(
        revision=revision,
        path=None,
        verdict=Verdict.LOSSLESS,
        seconds=0.1,
        database_version="3.45",
        rows=100,
        steps=(Step("downgrade", 0.001), Step("downgrade with rows", 0.25)),
    )
    key = workspace.scripts(environment).evidence_key(revision)
    evidence_store(environment).save(key, replace(found, **measured))


def test_a_rehearsal_from_models_is_told_from_one_of_the_history(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    for baseline, known in (
        (None, "lossless in the last rehearsal"),
        ("target_metadata", "lossless in the last rehearsal, from today's models"),
    ):
        remember(project, "aaaa", baseline=baseline)
        assert basis(newest(project)) == known
        (told,) = document(plan(project))["revisions"]
        assert told["evidence"]["baseline"] == baseline


def test_reading_tells_what_is_lost_of_old_and_of_new_data(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add(
        "bbbb",
        'op.drop_column("users", "nick")\nop.add_column("users", sa.Column("age", sa.Integer))',
        'op.add_column("users", sa.Column("nick", sa.String(9)))\nop.drop_column("users", "age")',
    )
    second, first = plan(project).revisions
    assert [(loss.subject, loss.basis) for loss in second.losses] == [
        ("users.nick", "reading"),
        ("users.age", "reading"),
    ]
    assert [loss.message for loss in second.losses] == [
        "does not bring back `users.nick`, which the upgrade destroys",
        "loses what was written to `users.age` since the upgrade",
    ]
    assert [loss.subject for loss in first.losses] == ["users"]
    assert not second.documented
    assert (second.title, second.down_revisions) == ("bbbb", ("aaaa",))
    assert second.code.splitlines()[1] == 'op.drop_column("users", "age")'


def test_a_warning_that_names_one_loss_documents_no_other(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    file = project.add(
        "bbbb",
        'op.drop_column("users", "nick")\nop.drop_column("users", "id")\n'
        'op.create_table("tags", sa.Column("x", sa.Integer))',
        'op.drop_table("tags")\nop.add_column("users", sa.Column("id", sa.Integer))\n'
        'op.add_column("users", sa.Column("nick", sa.Text))',
    )
    text = file.read_text()
    said = "The values of `users.nick` cannot be restored."
    file.write_text(text.replace('"""bbbb"""', f'"""{said}"""'))
    found = plan(project).revisions[0]
    assert found.documented is False
    lines = [loss_line(found, loss) for loss in found.losses]
    assert [line.endswith("; the migration does not say so") for line in lines] == [
        "`users.id`" in line for line in lines
    ]
    assert {loss.subject for loss in found.losses} == {"users.nick", "users.id", "tags"}
    file.write_text(text.replace('"""bbbb"""', f'"""{said} Nor can those of `users.id`."""'))
    assert plan(project).revisions[0].documented is True


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "kind", "certain", "message"),
    [
        ("pass", 'raise RuntimeError("no")', "irreversible", True, "refuses: no"),
        ("pass", None, "missing", True, "Alembic refuses the whole rollback"),
        ("pass", 'op.drop_column("users", "nobody")', "failing", True, "`users.nobody`"),
        (
            'op.alter_column("users", "nick", nullable=True)',
            'op.alter_column("users", "nick", nullable=False)',
            "fragile",
            False,
            "fails if there are NULLs in `users.nick` by now",
        ),
    ],
)
def test_reading_tells_what_stops_it(
    project: AlembicProject,
    upgrade: str,
    downgrade: str | None,
    kind: str,
    certain: bool,
    message: str,
) -> None:
    project.dialect = "postgresql"
    (project.folder / "alembic.ini").write_text(
        "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://"
    )
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add("bbbb", upgrade, downgrade)
    found = plan(project)
    (blocker,) = found.revisions[0].blockers
    assert (blocker.kind, blocker.certain, blocker.basis) == (kind, certain, "reading")
    assert message in blocker.message
    assert found.blocked == certain


ADD = 'op.add_column("users", sa.Column("age", sa.Integer))'


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "said"),
    [
        (ADD, 'op.drop_column("users", "age")', ()),
        (ADD, 'raise RuntimeError("no")', ()),
        (ADD, "pass", ("downgrade() does nothing, but upgrade() has 1 operation to undo",)),
        (ADD, 'op.execute("SELECT 1")', ("nothing in downgrade() drops the column `users.age`",)),
        (
            f"{ADD}  # roundtrip: ignore[column-not-dropped] on purpose",
            'op.execute("SELECT 1")',
            ("nothing in downgrade() drops the column `users.age`",),
        ),
        (
            'op.drop_column("users", "nick")',
            'op.add_column("users", sa.Column("nick", sa.String(8)))',
            ("after the downgrade `users.nick` has the type sa.String(8) instead of sa.String(9)",),
        ),
    ],
)
def test_reading_tells_what_is_not_undone(
    project: AlembicProject, upgrade: str, downgrade: str, said: tuple[str, ...]
) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add("bbbb", upgrade, downgrade)
    found = plan(project, "-1")
    assert found.revisions[0].left == said
    assert ("1 does not undo all that was done" in headline(found)) is bool(said)
    assert all(sentence in markdown(found).replace("\\", "") for sentence in said)
    if said:
        remember(project, "bbbb")
        assert newest(project).left == (), "it was seen to undo all"


def test_evidence_goes_before_reading_as_long_as_it_holds(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    file = project.add(
        "bbbb",
        'op.drop_column("users", "nick")',
        'op.add_column("users", sa.Column("nick", sa.String(9)))',
    )
    slow = Step("downgrade with rows", 0.25, None, (Statement("ALTER TABLE users", 0.2),))
    remember(
        project,
        "bbbb",
        verdict=Verdict.LOSSY,
        steps=(Step("downgrade", 0.001), slow),
        losses=(
            Loss("users", "nick", 7, 10, "round trip"),
            Loss("users", "age", 3, 10, "downgrade"),
        ),
    )
    found = newest(project)
    assert [loss.message for loss in found.losses] == [
        "loses older data of `users.nick` (7 of 10 values in the rehearsal)",
        "loses what was written to `users.age` since the upgrade (3 of 10 values in the rehearsal)",
    ]
    assert {loss.basis for loss in found.losses} == {"evidence"}
    assert found.timed is slow or found.timed == slow
    assert found.slowest == (Statement("ALTER TABLE users", 0.2),)
    file.write_text(file.read_text() + "\n# edited\n")
    stale = newest(project)
    assert stale.stale
    assert (stale.evidence, stale.timed) == (None, None)
    assert {loss.basis for loss in stale.losses} == {"reading"}


def test_a_downgrade_that_went_through_with_rows_is_no_longer_feared(
    project: AlembicProject,
) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add(
        "bbbb",
        'op.drop_index("ux", table_name="users")',
        'op.create_index("ux", "users", ["nick"], unique=True)',
    )
    assert [blocker.kind for blocker in newest(project).blockers] == ["fragile"]
    remember(project, "bbbb")
    assert newest(project).blockers == ()
    failed = StepError("IntegrityError", "UNIQUE constraint failed: users.nick")
    reason = (
        f"`downgrade()` fails with made-up rows in the tables: IntegrityError: {failed.message}"
    )
    remember(
        project,
        "bbbb",
        verdict=Verdict.FAILED,
        reason=reason,
        steps=(Step("downgrade", 0.001), Step("downgrade with rows", 0.1, failed)),
    )
    blocker = newest(project).blockers[0]
    assert (blocker.kind, blocker.certain, blocker.basis) == ("failing", True, "evidence")
    assert blocker.message == f"{reason} (SQLite 3.45, 100 made-up rows a table)"


DROPPED = (
    'op.drop_column("users", "nick")',
    'op.add_column("users", sa.Column("nick", sa.String(9)))',
)


@pytest.mark.parametrize(
    "measured",
    [
        {"rows": 0, "steps": (Step("downgrade", 0.001),)},
        {
            "verdict": Verdict.FAILED,
            "reason": "`upgrade()` fails: E: no",
            "steps": (Step("upgrade", 0.1, StepError("E", "no")),),
        },
        {
            "verdict": Verdict.FAILED,
            "reason": "`downgrade()` fails with made-up rows in the tables: E: no",
            "steps": (
                Step("downgrade", 0.1),
                Step("downgrade with rows", 0.1, StepError("E", "no")),
            ),
        },
    ],
    ids=["without rows", "no upgrade", "no downgrade with rows"],
)
def test_what_no_rows_have_shown_is_told_by_reading(
    project: AlembicProject, measured: dict[str, object]
) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add("bbbb", *DROPPED)
    remember(project, "bbbb", **measured)
    assert [(loss.subject, loss.basis) for loss in newest(project).losses] == [
        ("users.nick", "reading")
    ]


def test_a_downgrade_that_was_never_reached_is_told_by_reading(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'raise RuntimeError("no")')
    failed = (Step("upgrade", 0.1, StepError("E", "oh")),)
    reason = "`upgrade()` fails: E: oh"
    remember(project, "aaaa", verdict=Verdict.FAILED, reason=reason, steps=failed)
    assert newest(project).stops == "yes"


def test_rows_written_since_may_stop_it(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    steps = (
        Step("downgrade with rows", 0.1, StepError("E", "NOT NULL")),
        Step("downgrade with old rows only", 0.1),
    )
    reason = "`downgrade()` fails with made-up rows in the tables: E: NOT NULL"
    remember(project, "aaaa", verdict=Verdict.FAILED, reason=reason, steps=steps)
    assert newest(project).stops == "may"


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("users", "nick")',
        'op.drop_column("users", "nobody")  # roundtrip: ignore[unknown-object] made by hand',
        'op.add_column("users", sa.Column("x", sa.Text(), nullable=False))',
    ],
    ids=["dropped though older", "ignored", "as soon as there is a row"],
)
def test_what_a_database_may_well_do_is_no_certain_end(project: AlembicProject, line: str) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add("bbbb", 'op.execute("SELECT 1")', line)
    assert newest(project).stops != "yes"


def test_a_guard_that_refused_made_up_rows_may_refuse_the_real_ones(
    project: AlembicProject,
) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    remember(
        project,
        "aaaa",
        notes=(Note("`downgrade()` refuses made-up rows: 3 rows are in the way", "guarded"),),
    )
    (blocker,) = newest(project).blockers
    assert (blocker.kind, blocker.certain) == ("fragile", False)
    assert "3 rows are in the way" in blocker.message


def test_a_way_down_without_a_way_up_again_is_a_note_and_no_obstacle(
    project: AlembicProject,
) -> None:
    project.add("aaaa", USERS, "pass")
    error = StepError("OperationalError", "table users already exists")
    remember(
        project,
        "aaaa",
        verdict=Verdict.FAILED,
        reason="`upgrade()` fails after the downgrade: table users already exists",
        steps=(Step("downgrade", 0.001), Step("upgrade again", 0.1, error)),
    )
    found = newest(project)
    assert found.blockers == ()
    assert found.notes == ("`upgrade()` fails after the downgrade: table users already exists",)


def test_markdown_keeps_what_is_no_markup_as_it_is(project: AlembicProject) -> None:
    file = project.add("aaaa", USERS, 'op.execute("```DROP```")\nop.drop_table("users")')
    file.write_text(file.read_text().replace('"""aaaa"""', '"""a *b* <c> | `d`"""'))
    text = markdown(plan(project))
    assert text.startswith("This plan runs nothing and connects to no database: ")
    assert "| `aaaa` | a \\*b\\* \\<c\\> &#124; `d` |" in text
    assert "````python\n" in text


def test_where_nothing_is_lost_there_is_nothing_to_document(project: AlembicProject) -> None:
    project.add("aaaa", USERS, 'op.drop_table("users")')
    project.add("bbbb", "op.create_index('ix', 'users', ['id'])", "op.drop_index('ix', 'users')")
    found = plan(project)
    assert [each.documented for each in found.revisions] == [None, False]
    assert [each["documented"] for each in document(found)["revisions"]] == [None, False]
    rows = [line for line in markdown(found).splitlines() if line.startswith(("| 1 |", "| 2 |"))]
    assert [row.rpartition("| no | ")[2] for row in rows] == ["- |", "no |"]


def test_what_one_of_several_databases_loses_is_said_of_that_one(tmp_path: Path) -> None:
    """Its name stands where another one has something of that name."""
    create = 'op.create_table("{0}", sa.Column("id", sa.Integer))'.format
    bodies = {
        "upgrade_engine1": f"{create('log')}\n{create('users')}",
        "downgrade_engine1": "op.drop_table('users')\nop.drop_table('log')",
        "upgrade_engine2": create("log"),
        "downgrade_engine2": "raise ValueError('no way back')",
        "upgrade_engine3": create("left"),
        "downgrade_engine3": "pass",
    }
    ini = multidb.INI.replace("engine2\n", "engine2, engine3\n", 1)
    multidb.write(tmp_path, {"a": multidb.script("a", None, bodies)}, ini)
    workspace = Workspace([tmp_path])
    (planned,) = plan_rollback(workspace, workspace.environments[0], "base").revisions
    assert [loss.message for loss in planned.losses] == [
        "loses what was written to `users` since the upgrade",
        "loses what was written to `log` since the upgrade",
    ]
    assert [blocker.message for blocker in planned.blockers] == [
        "`downgrade_engine2()` refuses: no way back"
    ]
    assert planned.left == (
        "downgrade_engine3() does nothing, but upgrade_engine3() has 1 operation to undo",
    )
    assert planned.code.startswith("# downgrade_engine1()\nop.drop_table('users')")
