from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import Project


def test_operations_are_imported_where_only_the_upgrade_has_them(tmp_path: Path) -> None:
    project = Project(tmp_path, 'from alembic import op\nop.create_table("t", sa.Column("a"))')
    text = project.file.read_text().replace("\nfrom alembic import op\n\n", "\n", 1)
    project.file.write_text(text)
    assert "\nfrom alembic import op\n" in project.write()


def test_types_of_other_modules_come_with_their_import_or_not_at_all(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        "op.create_table('t', sa.Column('a', JSONB()), sa.Column('b', Mine()))",
        'op.drop_column("t", "a")',
        'op.drop_column("t", "b")',
    )
    versions = project.file.parent
    first = versions / "r1_change_things.py"
    first.write_text(
        first.read_text().replace(
            "import sqlalchemy",
            "from sqlalchemy.dialects.postgresql import JSONB\nimport sqlalchemy",
        )
        + "\n\nclass Mine(sa.Text):\n    pass\n"
    )
    assert PLACEHOLDER in project.write()
    project.file = versions / "r2_change_things.py"
    assert "from sqlalchemy.dialects.postgresql import JSONB\n" in project.write()


@pytest.mark.parametrize(
    ("there", "imported"),
    [
        ("if TYPE_CHECKING:\n    import sqlalchemy as sa\n", True),
        ("sa = 5\n", False),
    ],
)
def test_an_import_is_added_where_its_name_is_free_when_the_migration_runs(
    tmp_path: Path, there: str, imported: bool
) -> None:
    table = "op.create_table('t', sa.Column('a', sa.Text()), sa.Column('b', sa.Text()))"
    project = Project(tmp_path, table, "op.drop_column('t', 'a')")
    text = project.file.read_text().replace("import sqlalchemy as sa\n", there)
    project.file.write_text(text)
    written = project.write()
    assert ("\nimport sqlalchemy as sa\n" in written) == imported
    assert (PLACEHOLDER in written) == (not imported)


def test_a_file_with_single_quotes_gets_single_quotes(tmp_path: Path) -> None:
    project = Project(tmp_path, "op.create_table('t', sa.Column('a', sa.Text()))")
    text = project.file.read_text().replace('"r1"', "'r1'")
    project.file.write_text(text)
    project.write()
    assert project.body == "op.drop_table('t')"


def test_written_again_it_keeps_its_quotes(tmp_path: Path) -> None:
    alike = "op.create_index('i', 't', ['a'])\nop.create_index(\"j\", \"t\", [\"a\"])\n"
    project = Project(tmp_path, "op.create_table('t', sa.Column('a', sa.Text()))", alike)
    written = project.write()
    assert project.write() == written
