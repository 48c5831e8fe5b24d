from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import body


def test_an_enum_type_that_is_used_elsewhere_or_that_no_database_has_stays(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.create_table("u", sa.Column("s", sa.Enum("a", name="mood", create_type=False)))'
    assert body(tmp_path / "used", first, second) == 'op.drop_table("u")'
    assert body(tmp_path / "other", first, dialects=("sqlite",)) == 'op.drop_table("t")'


@pytest.mark.parametrize(
    ("dialects", "type_"),
    [
        (("postgresql",), 'postgresql.ENUM("a", name="mood", create_type=False)'),
        (
            ("postgresql", "sqlite"),
            (
                'sa.Enum("a", name="mood").with_variant('
                'postgresql.ENUM("a", name="mood", create_type=False), "postgresql")'
            ),
        ),
        (("sqlite",), 'sa.Enum("a", name="mood")'),
    ],
)
def test_a_table_comes_back_with_the_enum_type_that_stayed(
    dialects: tuple[str, ...], type_: str, tmp_path: Path
) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    written = body(tmp_path, first, 'op.drop_table("t")', dialects=dialects)
    assert f'    sa.Column("s", {type_}),\n' in written


def test_a_table_and_its_enum_type_come_back_together(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.drop_table("t")\nop.execute("DROP TYPE mood")'
    written = body(tmp_path, first, second)
    assert written.startswith('sa.Enum("a", name="mood").create(op.get_bind(), checkfirst=True)\n')
    assert "create_type=False" in written


SWAP = """
op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM ('a', 'b', 'it''s')")
op.execute('''
    ALTER TABLE t ALTER COLUMN s
    TYPE mood USING s::text::mood
''')
op.execute("DROP TYPE mood_old")
"""


def test_an_enum_type_that_was_replaced_gets_its_members_back(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood")))'
    assert body(tmp_path, first, SWAP) == dedent(
        """
        # FRAGILE: values in t.s that the old mood lacks would stop this.
        op.execute("ALTER TYPE mood RENAME TO mood_old")
        op.execute("CREATE TYPE mood AS ENUM ('a', 'c')")
        op.execute("ALTER TABLE t ALTER COLUMN s TYPE mood USING s::text::mood")
        op.execute("DROP TYPE mood_old")
        """
    ).strip("\n")


def test_a_column_of_a_replaced_enum_type_is_still_known(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood")))'
    written = body(tmp_path, first, SWAP, 'op.drop_column("t", "s")')
    column = 'sa.Column("s", postgresql.ENUM(name="mood", create_type=False), nullable=True)'
    assert column.replace(", nullable=True", "") in written.replace("'", '"')


def test_an_enum_type_that_was_renamed_has_its_columns_still(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.execute("ALTER TYPE mood RENAME TO humour")'
    written = body(tmp_path, first, second, 'op.drop_table("t")')
    assert 'postgresql.ENUM("a", name="humour", create_type=False)' in written


def test_an_enum_type_is_made_anew_without_the_values_it_got(tmp_path: Path) -> None:
    first = (
        'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood"), server_default="a"))'
    )
    second = """
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE mood ADD VALUE 'b' AFTER 'a'")
        op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'd'")
    op.add_column("t", sa.Column("u", sa.Enum("a", "b", "c", "d", name="mood", create_type=False)))
    """
    assert body(tmp_path, first, second) == dedent(
        """
        op.drop_column("t", "u")
        # FRAGILE: values in t.s that the old mood lacks would stop this.
        op.execute("ALTER TYPE mood RENAME TO mood_old")
        op.execute("CREATE TYPE mood AS ENUM ('a', 'c')")
        op.execute("ALTER TABLE t ALTER COLUMN s DROP DEFAULT")
        op.execute("ALTER TABLE t ALTER COLUMN s TYPE mood USING s::text::mood")
        op.execute("ALTER TABLE t ALTER COLUMN s SET DEFAULT 'a'")
        op.execute("DROP TYPE mood_old")
        """
    ).strip("\n")


def test_an_enum_type_that_a_view_may_use_is_left_to_its_author(tmp_path: Path) -> None:
    first = """
    op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))
    op.execute("CREATE VIEW v AS SELECT s FROM t")
    """
    assert PLACEHOLDER in body(tmp_path, first, "op.execute(\"ALTER TYPE mood ADD VALUE 'b'\")")


def test_values_that_were_synced_are_synced_back(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood")))'
    second = """
    op.sync_enum_values("public", "mood", ["a", "b"], [("t", "s")], enum_values_to_rename=[])
    """
    assert body(tmp_path, first, second) == dedent(
        """
        # FRAGILE: values of mood that it did not have would stop this.
        op.sync_enum_values(
            enum_schema="public",
            enum_name="mood",
            new_values=["a", "c"],
            affected_columns=[("t", "s")],
            enum_values_to_rename=[],
        )
        """
    ).strip("\n")


def test_a_type_goes_after_a_table_that_was_made_before_it(tmp_path: Path) -> None:
    upgrade = """
    op.create_table("t", sa.Column("id", sa.Integer()))
    sa.Enum("a", "b", name="mood").create(op.get_bind())
    op.add_column("t", sa.Column("mood", sa.Enum("a", "b", name="mood")))
    """
    assert body(tmp_path, upgrade) == dedent(
        """
        op.drop_table("t")
        sa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)
        """
    ).strip("\n")


def test_a_schema_goes_after_the_types_in_it(tmp_path: Path) -> None:
    upgrade = """
    op.execute("CREATE SCHEMA s")
    op.create_table("t", sa.Column("id", sa.Integer()), schema="s")
    mood = sa.Enum("a", name="mood", schema="s")
    mood.create(op.get_bind())
    op.add_column("t", sa.Column("mood", mood), schema="s")
    """
    assert body(tmp_path, upgrade, dialects=("postgresql",)).splitlines() == [
        'op.drop_table("t", schema="s")',
        'sa.Enum(name="mood", schema="s").drop(op.get_bind(), checkfirst=True)',
        'op.execute("DROP SCHEMA s")',
    ]
