from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.fixing import fixed_text
from alembic_roundtrip.workspace import Workspace

NICK = 'op.add_column("users", sa.Column("nick", sa.Text))'


@pytest.mark.parametrize(
    ("said", "unsafe", "written"),
    [
        ("", False, True),
        ("# We do not drop the column: it would break those who use it.\n", False, False),
        ("# We do not drop the column: it would break those who use it.\n", True, True),
    ],
)
def test_a_downgrade_that_is_empty_on_purpose_is_written_only_for_who_asks(
    tmp_path: Path, said: str, unsafe: bool, written: bool
) -> None:
    project = AlembicProject(tmp_path)
    project.add("aaaa", 'op.create_table("users", sa.Column("id", sa.Integer))')
    file = project.add("bbbb", NICK, f"{said}pass")
    text = fixed_text(Workspace([tmp_path]), file, unsafe=unsafe)
    assert text is not None
    assert ('op.drop_column("users", "nick")' in text) == written


def test_many_fixes_come_to_an_end(tmp_path: Path) -> None:
    columns = [f"c{number}" for number in range(60)]
    project = AlembicProject(tmp_path)
    made = ", ".join(f'sa.Column("{name}", sa.Text)' for name in columns)
    project.add("aaaa", f'op.create_table("users", {made})')
    back = [f'op.add_column("users", sa.Column("{name}", sa.Text))' for name in columns]
    drops = [f'op.drop_column("users", "{name}")' for name in columns]
    file = project.add("bbbb", "\n".join(drops), "\n".join(back))
    text = fixed_text(Workspace([tmp_path]), file)
    assert text is not None
    assert text.count("# DESTRUCTIVE: ") == len(columns)
