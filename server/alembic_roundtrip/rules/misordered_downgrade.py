"""The downgrade's operations are in an order that the database refuses.

## Why it matters
The downgrade fails half-way: on databases without transactional DDL what ran before stays.

## What to do
Undo the upgrade from its last operation to its first: what hangs on a table goes before the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from alembic_roundtrip.comparison.dependents import DEPENDED_ON, depended_on
from alembic_roundtrip.comparison.targets import MAKING, NEEDING, absent_targets, referring
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Constraint, Name
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._order import moved

rule = Rule(__name__, severity="error", downgrade=(*NEEDING, *MAKING, *DEPENDED_ON))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Operations on what the downgrade has dropped already, and drops of what is still needed."""
    for found in _found(context):
        yield replace(found, fixes=partial(moved, context, found, _found))


def _found(context: Context) -> Iterator[Finding]:
    in_the_way = tuple(depended_on(context))
    said = {what for _, what in in_the_way}
    for target in absent_targets(context):
        # What is in the way of its column's drop is to go before that: this says it all.
        twice = f"the {target.key.kind} `{target.key.name}` still uses it" in said
        if target.gone_before and not twice:
            kind = "enum type" if target.key.kind == "enum" else target.key.kind
            subject = f"the {kind} `{target.key}`"
            yield Finding(target.operation.range, f"{subject} is gone already at this point")
    yield from _referred_to(context)
    yield from _refers_to_nothing(context)
    yield from (Finding(operation.range, what) for operation, what in in_the_way)


def _refers_to_nothing(context: Context) -> Iterator[Finding]:
    """Foreign keys to tables that the downgrade brings back only later; SQLite lets that pass."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    for trip in context.round_trips:
        if not _enforces(trip.dialect, context) or trip.down.unread:
            continue
        for operation, change, schema in trip.down.steps:
            for name in () if operation.doubtful else _referents(change):
                later = name in trip.before.tables and name in trip.down.schema.tables
                there = name in schema.tables or name in schema.unknown
                if later and not there and name not in c.tables_of(change):
                    message = f"a foreign key refers to `{name}`, which is not back at this point"
                    yield Finding(operation.range, message)


def _enforces(dialect: str | None, context: Context) -> bool:
    """Whether the database looks after foreign keys: MySQL and MariaDB can be told not to."""
    told = dialect in MYSQL and any(
        operation.says("FOREIGN_KEY_CHECKS", *assigned, off, mysql=True)
        for operation in context.downgrade_operations
        for assigned in (("=",), (":", "="))
        for off in ("0", "OFF", "FALSE")
    )
    return dialect not in {None, "sqlite"} and not told


def _referents(change: c.Change) -> Iterator[Name]:
    parts: tuple[Constraint, ...] = ()
    if isinstance(change, c.CreateTable):
        parts = change.table.constraints
    elif isinstance(change, c.AddConstraint):
        parts = (change.constraint,)
    elif isinstance(change, c.AddColumn):
        parts = change.constraints
    yield from (part.referent for part in parts if part.referent is not None)


def _referred_to(context: Context) -> Iterator[Finding]:
    """Tables dropped while a foreign key still refers to them; SQLite lets that pass."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[object] = set()
    for trip in context.round_trips:
        if not _enforces(trip.dialect, context) or trip.down.unread:
            continue
        for operation, change, schema in trip.down.steps:
            if not isinstance(change, c.DropTable) or operation.name != "drop_table":
                continue
            for table, name in referring(change.table, schema):
                known = table not in schema.unknown and not operation.doubtful
                if known and (operation, table) not in seen:
                    seen.add((operation, table))
                    key = f"the foreign key `{name}`" if name else "a foreign key"
                    yield Finding(operation.range, f"{key} of `{table}` still refers to it")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
)

rule.example(
    "The index of a table that is gone",
    """
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer()))
        op.create_index("ix_id", "😋", ["id"])


    def downgrade():
        op.drop_table("😋")
        # Its index.
        op.drop_index("ix_id", table_name="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the table `😋` is gone already at this point
    """,
    fixed="""
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer()))
        op.create_index("ix_id", "😋", ["id"])


    def downgrade():
        # Its index.
        op.drop_index("ix_id", table_name="😋")
        op.drop_table("😋")
    """,
    history=(_USERS,),
)
rule.example(
    "The parent before the child",
    """
    def upgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))


    def downgrade():
        op.drop_table("parents")
        ^^^^^^^^^^^^^^^^^^^^^^^^ a foreign key of `children` still refers to it
        op.drop_table("children")
    """,
    fixed="""
    def upgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))


    def downgrade():
        op.drop_table("children")
        op.drop_table("parents")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The same on SQLite",
    """
    def upgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))


    def downgrade():
        op.drop_table("parents")
        op.drop_table("children")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "CASCADE",
    """
    def upgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))


    def downgrade():
        op.execute("DROP TABLE parents CASCADE")
        op.drop_table("children")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The child comes back before its parent",
    """
    def upgrade():
        op.drop_table("children")
        op.drop_table("parents")


    def downgrade():
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a foreign key refers to `parents`, which is not back at this point
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
    """,
    fixed="""
    def upgrade():
        op.drop_table("children")
        op.drop_table("parents")


    def downgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('parents', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('children', sa.Column('id', sa.Integer(), sa.ForeignKey('parents.id')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "MySQL is told not to look",
    """
    def upgrade():
        op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("children", sa.Column("id", sa.Integer(), sa.ForeignKey("parents.id")))


    def downgrade():
        op.execute("SET FOREIGN_KEY_CHECKS = 0")
        op.drop_table("parents")
        op.drop_table("children")
        op.execute("SET FOREIGN_KEY_CHECKS = 1")
    """,
    dialects=("mysql",),
)
rule.example(
    "The same column in each of several databases",
    """
    def upgrade(engine_name):
        globals()["upgrade_%s" % engine_name]()


    def downgrade(engine_name):
        globals()["downgrade_%s" % engine_name]()


    def upgrade_one():
        op.add_column("users", sa.Column("phone", sa.Text()))


    def downgrade_one():
        op.drop_column("users", "phone")


    def upgrade_two():
        op.add_column("users", sa.Column("phone", sa.Text()))


    def downgrade_two():
        op.drop_column("users", "phone")
    """,
    history=(_USERS,),
)
rule.example(
    "A column and a type before what uses them",
    """
    def upgrade():
        op.execute("CREATE TYPE kind AS ENUM ('a', 'b')")
        op.add_column("users", sa.Column("kind", sa.Enum("a", "b", name="kind")))
        op.execute("CREATE VIEW kinds AS SELECT u.id, kind FROM users u")


    def downgrade():
        sa.Enum(name="kind").drop(op.get_bind(), checkfirst=False)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `users.kind` is still of this type
        op.drop_column("users", "kind")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the view `kinds` still uses it
        op.execute("DROP VIEW kinds -- 😋")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A column before its view",
    """
    def upgrade():
        op.add_column("users", sa.Column("kind", sa.Text()))
        op.execute("CREATE VIEW kinds AS SELECT id, kind FROM users")


    def downgrade():
        op.drop_column("users", "kind")  # 😋
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the view `kinds` still uses it
        op.execute("DROP VIEW kinds")
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("kind", sa.Text()))
        op.execute("CREATE VIEW kinds AS SELECT id, kind FROM users")


    def downgrade():
        op.execute("DROP VIEW kinds")
        op.drop_column("users", "kind")  # 😋
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "A function before its trigger, a key before what refers to it, a table before its view",
    """
    def upgrade():
        op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        op.execute("CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
        op.create_unique_constraint("uq", "teams", ["name"])
        op.create_foreign_key("fk", "users", "teams", ["id"], ["name"])
        op.create_table("cats", sa.Column("id", sa.Integer()))
        op.execute("CREATE VIEW all_cats AS SELECT * FROM public.cats")


    def downgrade():
        op.drop_table("cats")
        ^^^^^^^^^^^^^^^^^^^^^ the view `all_cats` still uses it
        op.execute("DROP VIEW all_cats")
        op.drop_constraint("uq", "teams")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the foreign key `fk` of `users` still refers to it
        op.drop_constraint("fk", "users", comment="😋")
        op.execute("DROP FUNCTION f()")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the trigger `t` still calls it
        op.execute("DROP TRIGGER t ON users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Not what a view, trigger or column has, gone with the table, or with CASCADE",
    """
    def upgrade():
        op.add_column("users", sa.Column("kind", sa.Text()))
        op.add_column("users", sa.Column("name", sa.Text()))
        op.execute("CREATE VIEW kinds AS SELECT u.id, t.name, 'kind' AS kind FROM users u, teams t")
        op.execute("CREATE TYPE state AS ENUM ('a')")
        op.create_table("cats", sa.Column("state", sa.Enum("a", name="state", native_enum=False)))
        op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        op.execute("CREATE TRIGGER t AFTER UPDATE ON cats FOR EACH ROW EXECUTE FUNCTION f()")


    def downgrade():
        op.execute("DROP TYPE state")
        op.drop_table("cats")
        op.execute("DROP FUNCTION f()")
        op.drop_column("users", "kind")
        op.drop_column("users", "name")
        op.execute("ALTER TABLE users DROP COLUMN id CASCADE")
        op.add_column("users", sa.Column("id", sa.Integer()))
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A column of an index or a constraint, which SQLite does not drop along with it",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.add_column("users", sa.Column("nick", sa.Text()))
        op.create_index("ix_age", "users", ["id", "age"])
        op.add_column("users", sa.Column("zip", sa.Text()))
        op.create_index("ix_zip", "users", ["zip"])
        op.create_index("ix_id", "users", ["id"])
        op.add_column("users", sa.Column("fax", sa.Text()))
        op.create_index("ix_fax", "users", ["id"], sqlite_where=sa.text("fax IS NULL"))
        op.create_index("ix_not", "users", ["id"], sqlite_where=sa.text("id = 'fax'"))
        op.create_table("tags", sa.Column("owner", sa.ForeignKey("users.id")))
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_unique_constraint("uq_nick", ["nick"])


    def downgrade():
        op.drop_column("users", "nick")  # 😋
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the constraint `uq_nick` still uses it
        op.drop_column("users", "age")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `ix_age` still uses it
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("zip")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `ix_zip` still uses it
        op.drop_index("ix_zip", table_name="users")
        op.drop_column("users", "fax")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `ix_fax` still uses it
        op.drop_column("tags", "owner")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the foreign key still uses it
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index("ix_id")
            batch_op.drop_index("ix_id")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `users.ix_id` is gone already at this point
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "Gone before, or in the same batch, or part of the column's own text",
    """
    def upgrade():
        op.execute("ALTER TABLE users ADD COLUMN team integer REFERENCES teams (id)")
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.add_column("users", sa.Column("nick", sa.Text()))
        op.create_index("ix_age", "users", ["age"])
        op.create_index("ix_nick", "users", ["nick"])
        op.create_index("ix_id", "users", ["id"])


    def downgrade():
        op.drop_index("ix_id", table_name="users")
        op.drop_index("ix_nick", table_name="users")
        op.drop_column("users", "nick")
        op.drop_column("users", "team")
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("age")
            batch_op.drop_index("ix_age")
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
