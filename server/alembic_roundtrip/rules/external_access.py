"""The migration reaches for the network, another program or a file.

## Why it matters
It does not run where these are missing, in CI, in a rehearsal or at night, and it does something else
when they change.

## What to do
Put what it needs into the migration, or beside it (`Path(__file__).with_name(…)`).
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="warning")

_ROOTS = frozenset(
    "requests httpx urllib aiohttp subprocess socket smtplib ftplib paramiko boto3 shutil".split()
)
_NAMES = frozenset({"open", "os.system", "os.popen"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Calls that leave the process, but for files that lie beside the migration."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        for use in direction.uses if direction is not None else ():
            outside = use.name in _NAMES or use.name.partition(".")[0] in _ROOTS
            beside = use.name == "open" and "__file__" in context.migration.text
            if outside and not beside:
                severity: Severity | None = None if context.recent else "hint"
                message = f"`{use.name}` makes the migration depend on what is outside"
                yield Finding(use.range, message, severity=severity)


rule.example(
    "A web service",
    """
    import requests


    def upgrade():
        names = requests.get("https://example.org/😋").json()
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `requests.get` makes the migration depend on what is outside
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "A file beside the migration",
    """
    import pathlib


    def upgrade():
        with open(pathlib.Path(__file__).with_name("users.sql")) as file:
            op.execute(file.read())


    def downgrade():
        op.execute("SELECT 1")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
