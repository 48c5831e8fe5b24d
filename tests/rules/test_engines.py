"""What rules find in migrations of several databases, each of which has a schema of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import multidb
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.evidence import Loss, Residue, RevisionEvidence, Verdict, evidence_store
from alembic_roundtrip.fixing import fixed_text
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.scaffold import fix
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace

LOG = 'op.create_table("log", sa.Column("id", sa.Integer, primary_key=True))'
BASE = {
    "upgrade_engine1": (
        'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), '
        'sa.Column("name", sa.String(80), nullable=False), sa.Column("bio", sa.Text))\n' + LOG
    ),
    "downgrade_engine1": 'op.drop_table("log")\nop.drop_table("users")',
    "upgrade_engine2": (
        'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), '
        'sa.Column("total", sa.Numeric(10, 2)))\n'
        f'op.create_index("ix_total", "orders", ["total"])\n{LOG}\n'
        'op.add_column("log", sa.Column("who", sa.Text))'
    ),
    "downgrade_engine2": (
        'op.drop_table("log")\nop.drop_index("ix_total", "orders")\nop.drop_table("orders")'
    ),
}
T = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'
DROP = 'op.drop_table("t")'
INDEX = 'op.create_index("ix_name", "users", ["name"])'
DROP_INDEX = 'op.drop_index("ix_name", "users")'
ENUM = 'op.create_table("e", sa.Column("mood", sa.Enum("a", "b", name="mood")))'
DROP_ENUM = 'op.drop_table("e")'
RENAME = 'op.rename_table("log", "logs")'
RENAME_BACK = 'op.rename_table("logs", "log")'
WHO = 'op.add_column("log", sa.Column("who", sa.Text))'
ARRAY = 'op.add_column("log", sa.Column("tags", postgresql.ARRAY(sa.Text)))'
DROP_ARRAY = 'op.drop_column("log", "tags")'
_QUIET = frozenset({"new-data-lost", "undocumented-data-loss"})
"""What is said of every migration that makes or drops something."""


def judged(found: tuple[Diagnostic, ...], text: str) -> set[tuple[str, str]]:
    """The rules that found more than a hint, with the functions that they found it in."""
    lines = text.splitlines()
    marked = [d for d in found if d.severity != "hint" and d.rule not in _QUIET]
    assert len({(d.range, d.rule, d.message) for d in marked}) == len(marked)
    above = ([*reversed(lines[: d.range.start.line])] for d in marked)
    functions = (next((x for x in up if x.startswith("def ")), "def ?(") for up in above)
    names = [function[4:].partition("(")[0] for function in functions]
    return set(zip(names, (d.rule for d in marked), strict=True))


FAULTS = {
    "made in one, dropped in the other": (
        (T, "pass", "pass", DROP),
        {("downgrade_engine1", "empty-downgrade"), ("downgrade_engine2", "unknown-object")},
    ),
    "one of two things dropped, the other in the other": (
        (f"{T}\n{INDEX}", DROP_INDEX, "pass", DROP),
        {("upgrade_engine1", "table-not-dropped"), ("downgrade_engine2", "unknown-object")},
    ),
    "only one of both forgets": ((T, "pass", T, DROP), {("downgrade_engine1", "empty-downgrade")}),
    "only one that the configuration does not name forgets": (
        (T, DROP, T, DROP, T, "pass"),
        {("downgrade_engine3", "empty-downgrade")},
    ),
    "both forget": (
        (T, "pass", T, "pass"),
        {("downgrade_engine1", "empty-downgrade"), ("downgrade_engine2", "empty-downgrade")},
    ),
    "another's table": (
        (T, f'{DROP}\nop.drop_table("orders")', "pass", "pass"),
        {("downgrade_engine1", "unknown-object")},
    ),
    "a column that only the other's table has": (
        (T, f'op.drop_column("log", "who")\n{DROP}', "pass", "pass"),
        {("downgrade_engine1", "unknown-object")},
    ),
    "a column that the other's table has already": (
        (T, f"{DROP}\n{WHO}", T, f"{DROP}\n{WHO}"),
        {
            ("downgrade_engine1", "definition-not-restored"),
            ("downgrade_engine2", "existing-object"),
        },
    ),
    "its own table": (
        ("pass", "pass", T, f'{DROP}\nop.drop_table("log")'),
        {("downgrade_engine2", "unrelated-drop")},
    ),
    "one of two indexes": (
        ("pass", "pass", f'{T}\nop.drop_index("ix_total", "orders")', DROP),
        {("upgrade_engine2", "index-not-restored")},
    ),
    "renamed back in one only": (
        (RENAME, RENAME, RENAME, RENAME_BACK),
        {("downgrade_engine1", "unknown-object")},
    ),
    "out of order in one only": (
        (
            f'{T}\nop.add_column("users", sa.Column("t_id", sa.Integer, sa.ForeignKey("t.id")))',
            f'{DROP}\nop.drop_column("users", "t_id")',
            T,
            DROP,
        ),
        {("downgrade_engine1", "misordered-downgrade")},
    ),
    "an enum type of PostgreSQL": (
        (ENUM, DROP_ENUM, ENUM, DROP_ENUM),
        {("upgrade_engine1", "leftover-enum-type")},
    ),
    "PostgreSQL's type in SQLite": (
        (ARRAY, DROP_ARRAY, ARRAY, DROP_ARRAY),
        {("upgrade_engine2", "foreign-type")},
    ),
    "refuses without a reason": (
        (T, "raise NotImplementedError()", T, DROP),
        {
            ("downgrade_engine1", "irreversible-downgrade"),
            ("downgrade_engine1", "unexplained-irreversible-downgrade"),
        },
    ),
    "NOT NULL for rows that are there": (
        (
            'op.drop_column("users", "name")',
            'op.add_column("users", sa.Column("name", sa.String(80), nullable=False))',
            "pass",
            "pass",
        ),
        {("downgrade_engine1", "not-null-without-default")},
    ),
}
RIGHT = {
    "the same in both": (T, DROP, T, DROP),
    "only in one": ("pass", "pass", T, DROP),
    "another one of the same name": (
        T,
        DROP,
        'op.create_table("t", sa.Column("x", sa.Text))\nop.create_index("i", "t", ["x"])',
        f'op.drop_index("i", "t")\n{DROP}',
    ),
    "made in one, the other's dropped": (T, DROP, 'op.drop_table("log")', f"{LOG}\n{WHO}"),
    "moved from one to the other": (
        'op.drop_table("log")',
        LOG,
        'op.rename_table("orders", "logs")',
        'op.rename_table("logs", "orders")',
    ),
    "a column that only one has": (
        WHO,
        'op.drop_column("log", "who")',
        'op.alter_column("log", "who", new_column_name="by")',
        'op.alter_column("log", "by", new_column_name="who")',
    ),
    "renamed in one only": (
        RENAME,
        RENAME_BACK,
        'op.add_column("log", sa.Column("z", sa.Text))',
        'op.drop_column("log", "z")',
    ),
    "an enum type where there are none": ("pass", "pass", ENUM, DROP_ENUM),
    "an enum type dropped where there are some": (
        ENUM,
        f'{DROP_ENUM}\nop.execute("DROP TYPE mood")',
        ENUM,
        DROP_ENUM,
    ),
    "PostgreSQL's type in PostgreSQL": (ARRAY, DROP_ARRAY, "pass", "pass"),
    "an index of the same name": (
        INDEX,
        DROP_INDEX,
        'op.create_index("ix_name", "log", ["who"])',
        'op.drop_index("ix_name", "log")',
    ),
    "the other order in each": (
        f"{T}\n{INDEX}",
        f"{DROP_INDEX}\n{DROP}",
        f'op.drop_index("ix_total", "orders")\n{T}',
        f'{DROP}\nop.create_index("ix_total", "orders", ["total"])',
    ),
    "a table that no migration made": (
        'op.add_column("old", sa.Column("a", sa.Text))',
        'op.drop_column("old", "a")',
        'op.create_table("old", sa.Column("b", sa.Text))',
        'op.drop_table("old")',
    ),
}
CASES = [pytest.param(*case, id=name) for name, case in FAULTS.items()]
CASES += [pytest.param(bodies, set(), id=name) for name, bodies in RIGHT.items()]


@pytest.mark.parametrize(("bodies", "expected"), CASES)
def test_each_engine_is_judged_by_its_own_schema(
    tmp_path: Path, bodies: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    functions = (*BASE, "upgrade_engine3", "downgrade_engine3")
    text = multidb.script("b", "a", dict(zip(functions, bodies, strict=False)))
    versions = multidb.write(tmp_path, {"a": multidb.script("a", None, BASE), "b": text})
    workspace = Workspace([tmp_path])
    assert judged(workspace.diagnostics(versions / "b.py"), text) == expected
    assert not judged(workspace.diagnostics(versions / "a.py"), multidb.script("a", None, BASE))


def project(folder: Path, text: str, base: str | None = None) -> tuple[Workspace, Path]:
    base = multidb.script("a", None, BASE) if base is None else base
    versions = multidb.write(folder, {"a": base, "b": text})
    return Workspace([folder]), versions / "b.py"


SHARED = "def upgrade(engine_name):\n    {}\n\n\ndef downgrade(engine_name):\n    {}\n"


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        ("op.add_column('log', sa.Column('x', sa.Text))", "op.drop_column('log', 'x')", []),
        (
            "if engine_name == 'engine2': op.drop_column('log', 'who')",
            "if engine_name != 'engine1': op.add_column('log', sa.Column('who', sa.Text))",
            [],
        ),
        (
            T,
            "op.drop_table('t')\n    op.drop_column('log', 'who')",
            [
                "the column `log.who` does not exist at this point (`engine1`)",
                "upgrade() did not create the column `log.who` (`engine2`)",
            ],
        ),
        (
            f"if engine_name == 'engine1': {T}",
            "if engine_name == 'engine2': op.drop_table('t')",
            [
                "downgrade() does nothing, but upgrade() has 1 operation to undo (`engine1`)",
                "the table `t` does not exist at this point: `engine1` has it (`engine2`)",
            ],
        ),
        (T, "pass", ["downgrade() does nothing, but upgrade() has 1 operation to undo"]),
    ],
)
def test_of_directions_that_all_share_it_is_said_whose_fault_it_is(
    tmp_path: Path, up: str, down: str, expected: list[str]
) -> None:
    workspace, file = project(tmp_path, multidb.script("b", "a", {}, SHARED.format(up, down)))
    found = workspace.diagnostics(file)
    assert [d.message for d in found if d.severity == "error"] == expected
    # What is written there, every engine runs.
    assert not [fix for d in found for fix in d.fixes if "downgrade" in fix.title.lower()]


SINGLE = {
    "upgrade": f'{LOG}\nop.create_table("users", sa.Column("id", sa.Integer, primary_key=True))',
    "downgrade": 'op.drop_table("users")\nop.drop_table("log")',
}
WRONG_OR_NOT = {
    "upgrade_engine1": 'op.drop_column("log", "id")',
    "downgrade_engine1": 'op.add_column("log", sa.Column("id", sa.Integer))',
    "upgrade_engine2": 'op.create_table("log", sa.Column("id", sa.Integer))',
    "downgrade_engine2": 'op.drop_table("log")\nop.drop_table("users")',
}


def test_once_another_number_of_databases_was_migrated_nothing_is_guessed(tmp_path: Path) -> None:
    single = multidb.script("a", None, SINGLE, head="")
    text = multidb.script("b", "a", WRONG_OR_NOT)
    workspace, file = project(tmp_path / "to several", text, single)
    assert not judged(workspace.diagnostics(file), text)
    text = multidb.script("b", "a", SINGLE, head="")
    workspace, file = project(tmp_path / "to one", text)
    assert not judged(workspace.diagnostics(file), text)


def test_a_comment_is_used_where_it_ignores_something_of_one_engine(tmp_path: Path) -> None:
    text = multidb.script("b", "a", dict(zip(BASE, (T, "pass", T, DROP), strict=True)))
    ignored = "# roundtrip: ignore[empty-downgrade] kept\ndef downgrade_engine1("
    text = text.replace("def downgrade_engine1(", ignored)
    workspace, file = project(tmp_path, text)
    assert not judged(workspace.diagnostics(file), text)


def test_an_upgrade_that_does_more_leaves_the_downgrades_to_their_engines(tmp_path: Path) -> None:
    head = multidb.DISPATCH.replace(":\n", ":\n    print(engine_name)\n", 1)
    text = multidb.script("b", "a", dict(zip(BASE, (T, "pass", T, DROP), strict=True)), head)
    workspace, file = project(tmp_path, text)
    (found,) = (d for d in workspace.diagnostics(file) if d.rule == "empty-downgrade")
    assert found.message.startswith("downgrade_engine1() does nothing")
    fixed = fixed_text(workspace, file)
    assert f"def downgrade_engine1():\n    {DROP}\n" in (fixed or "")


FORGETS = dict(
    zip(BASE, (T, "pass", f'{T}\nop.drop_table("orders")', f"# mine\n{DROP}"), strict=True)
)


@pytest.mark.parametrize("left_out", ["", "downgrade_engine1"])
def test_a_fix_writes_into_the_engine_that_lacks_it(tmp_path: Path, left_out: str) -> None:
    bodies = {name: body for name, body in FORGETS.items() if name != left_out}
    workspace, file = project(tmp_path, multidb.script("b", "a", bodies))
    text = fixed_text(workspace, file)
    assert text is not None
    assert f"def downgrade_engine1():\n    {DROP}\n" in text
    assert f"def downgrade_engine2():\n    # mine\n    {DROP}\n" in text
    (left,) = (d for d in workspace.diagnostics(file) if d.rule.endswith("-not-restored"))
    assert left.message == "nothing in downgrade_engine2() restores the table `orders`"


def test_a_scaffold_writes_the_downgrades_that_are_not_right(tmp_path: Path) -> None:
    right = {"upgrade_engine3": T, "downgrade_engine3": f"# by hand\n{DROP}"}
    workspace, file = project(tmp_path, multidb.script("b", "a", FORGETS | right))
    context = workspace.context(file)
    written = None if context is None else fix(context)
    assert context is not None
    assert written is not None
    text = apply_edits(context.migration.text, edits(context.migration, written.rewrites))
    assert f"def downgrade_engine3():\n    {right['downgrade_engine3'][:9]}" in text
    assert "downgrade():" not in text
    workspace.set_text(file, text)
    assert not [d for d in workspace.diagnostics(file) if d.severity == "error"]
    assert "ix_total" in text.partition("def downgrade_engine2")[2]


def test_what_a_rehearsal_measured_stands_at_the_operation_of_its_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    index = 'op.create_index("ix", "log", ["id"])'
    bodies = (
        f"{WHO}\n{index}",
        'op.drop_column("log", "who")',
        f'op.drop_column("log", "who")\n{index}',
        WHO,
    )
    text = multidb.script("b", "a", dict(zip(BASE, bodies, strict=True)))
    workspace, file = project(tmp_path, text)
    (environment,) = workspace.environments
    measured = RevisionEvidence(
        "b",
        str(file),
        Verdict.RESIDUE,
        0.1,
        residue=(
            Residue("index", "engine2.log.odd", "left"),
            Residue("table", "engine1.gone", "missing"),
        ),
        losses=(Loss("engine2.log", "who", 9, 10, "round trip"),),
        rows=10,
    )
    key = workspace.scripts(environment).evidence_key("b")
    evidence_store(environment).save(key, measured)
    places: dict[str, list[tuple[str, str]]] = {}
    for found in workspace.diagnostics(file):
        above = text.splitlines()[: found.range.start.line]
        function = next(line for line in reversed(above) if not line.startswith(" "))
        places.setdefault(found.rule, []).append((function, above[-1].strip()))
    assert places["schema-residue"] == [
        ("def downgrade_engine1():", "def downgrade_engine1():"),
        ("def downgrade_engine2():", WHO),
    ]
    assert places["lossy-downgrade"] == [("def downgrade_engine2():", WHO)]
