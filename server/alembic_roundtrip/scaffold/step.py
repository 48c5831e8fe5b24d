"""One change of an upgrade on its way back, and the statements that undo it."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rendering import Renderer, call
from alembic_roundtrip.schema import Schema

PLACEHOLDER = "# TODO(alembic-roundtrip):"
"""Begins the comment line that stands for what could not be written."""


@dataclass(frozen=True)
class Step:
    """One change of the upgrade with the schemas around it.

    `made` are the tables, `filled` the columns and `indexes` the indexes that this upgrade itself
    had added by then.
    """

    operation: Operation
    change: c.Change
    before: Schema
    after: Schema
    made: frozenset[Name]
    filled: frozenset[tuple[Name, str]] = frozenset()
    indexes: frozenset[tuple[Name, str | None]] = frozenset()

    @property
    def target(self) -> str:
        """What the inverse is called on."""
        return "batch_op" if self.operation.batch is not None else "op"


@dataclass
class Inverse:
    """Statements that undo a step: those inside its batch block, and those around the block."""

    inner: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def table_arguments(name: Name, step: Step, render: Renderer) -> list[str]:
    """A table's name and schema as arguments; a batch block has said them."""
    if step.target != "op":
        return []
    key = "source_table" if step.operation.name == "create_foreign_key" else "table_name"
    return [spelled(render, step, key, name.name), *render.schema(name)]


def in_block(table: Name, statement: str, render: Renderer) -> str:
    """A statement of batch mode in a block of its own."""
    block = call("with op.batch_alter_table", [render.text(table.name), *render.schema(table)])
    inner = statement.replace("\n", "\n    ")
    return f"{block} as batch_op:\n    {inner}"


def spelled(render: Renderer, step: Step, argument: str, value: str) -> str:
    """A name as the upgrade's call spells it."""
    return render.spelled(option(step.operation.arguments, argument), value, step.target)
