from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

ROWS = "op.execute('UPDATE users SET email = lower(email)')"
COLUMN = "op.add_column('users', sa.Column('x', sa.Text()))"
PLAIN = "Lower-case all addresses."
SAID = "Lower-case all addresses. One-way: how they were spelt is lost."


@pytest.mark.parametrize(
    ("operation", "docstring", "body", "severity", "safety"),
    [
        (COLUMN, PLAIN, "pass", "error", "safe"),
        (COLUMN, SAID, "pass", "error", "safe"),
        (COLUMN, PLAIN, "'There is no way back.'", "information", "unsafe"),
        (ROWS, PLAIN, "pass", "warning", "safe"),
        (ROWS, SAID, "pass", "information", "unsafe"),
        (COLUMN, PLAIN, "pass  # on purpose", "information", "unsafe"),
        (COLUMN, PLAIN, "pass\n    # There is no way back.", "information", "unsafe"),
        (COLUMN, PLAIN, "pass\n\n\n# There is no way back.", "error", "safe"),
    ],
)
def test_what_is_said_of_it_makes_it_milder(
    operation: str, docstring: str, body: str, severity: str, safety: str, tmp_path: Path
) -> None:
    text = f"def upgrade():\n    '{docstring}'\n    {operation}\n\n\ndef downgrade():\n    {body}\n"
    project = write_project(Example("", text), tmp_path)
    (found,) = Workspace([tmp_path], {"select": ["empty-downgrade"]}).diagnostics(project.file)
    assert (found.severity, {fix.safety for fix in found.fixes}) == (severity, {safety})
