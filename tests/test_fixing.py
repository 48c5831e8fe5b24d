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
