"""What it costs to look for a better order."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip import context
from alembic_roundtrip.rule import Example
from alembic_roundtrip.schema import replay
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project


def test_a_long_downgrade_is_not_replayed_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 60
    columns = 'sa.Column("id", sa.Integer(), primary_key=True)'
    made = [f'op.create_table("t0", {columns})']
    for n in range(1, number):
        key = f'sa.ForeignKeyConstraint(["id"], ["t{n - 1}.id"])'
        made.append(f'op.create_table("t{n}", {columns}, {key})')
    dropped = [f'op.drop_table("t{n}")' for n in range(number)]
    source = "\n    ".join(["def upgrade():", *made]) + "\n\n\n"
    source += "\n    ".join(["def downgrade():", *dropped]) + "\n"
    project = write_project(Example("", source), tmp_path)
    calls = 0

    def counted(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return replay(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(context, "replay", counted)
    settings = {"dialects": ["postgresql"], "select": ["misordered-downgrade"]}
    found = Workspace([tmp_path], settings).diagnostics(project.file)
    assert len(found) == number - 1
    assert any(diagnostic.fixes for diagnostic in found)
    assert calls < 250
