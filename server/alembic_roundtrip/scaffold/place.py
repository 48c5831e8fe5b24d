"""Where inverse statements stand: their batch block, and the conditions around it."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.model import Batch, Guard, GuardKind
from alembic_roundtrip.migration.objects import Options, without
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.fragility import fragile
from alembic_roundtrip.scaffold.recreation import NOTHING, Forgotten, copies
from alembic_roundtrip.scaffold.step import PLACEHOLDER, Inverse, Step

_KEPT_IN_BATCH = ("recreate", "naming_convention", "reflect_args", "reflect_kwargs", "table_kwargs")
NEVER_RECREATED = (("recreate", literal("never")),)


@dataclass(frozen=True)
class Place:
    """What a group of inverse statements stands in.

    `question` is the condition that finds what the upgrade made only where it was missing;
    `unclear` says that there is a condition, and that it cannot be asked backwards. `forgotten` is
    what SQLite forgets where batch mode makes the table anew; None where that cannot be told.
    """

    guards: tuple[Guard, ...]
    autocommit: bool
    batch: Batch | None
    question: str | None = None
    unclear: bool = False
    forgotten: Forgotten | None = NOTHING
    only_sqlite: bool = False
    left: tuple[str, ...] = ()
    """What the batch block has left to undo by hand."""

    @classmethod
    def of(cls, step: Step) -> Place:
        """Where a step stands in the upgrade, but for questions of what exists."""
        operation = step.operation
        return cls(
            tuple(guard for guard in operation.guards if guard.kind is GuardKind.DIALECT),
            operation.autocommit,
            operation.batch,
        )

    def block(self, parts: Sequence[Inverse], render: Renderer) -> list[str]:
        """The statements of a group inside their batch block and conditions."""
        if self.batch is None:
            lines = [line for part in parts for line in (*part.before, *part.inner, *part.after)]
        else:
            lines = [*self.left, *self._in_batch(self.batch, parts, render)]
        if self.autocommit:
            lines = inside("with op.get_context().autocommit_block():", lines)
        if self.question is not None:
            lines = inside(f"if {self.question}:", lines)
        if self.guards:
            lines = inside(f"if {self._condition(render)}:", lines)
        if self.unclear and not all(line.startswith("#") for line in lines):
            lines = [f"{PLACEHOLDER} undo this only where upgrade() did it", *lines]
        return lines

    def _in_batch(self, batch: Batch, parts: Sequence[Inverse], render: Renderer) -> list[str]:
        before = [line for part in parts for line in part.before]
        after = [line for part in parts for line in part.after]
        blocks = [*_blocks(parts)]
        anew = any(copies(block, batch) for block in blocks)
        forgotten, options = self.forgotten, batch.options
        if forgotten is None:
            return (
                [f"{PLACEHOLDER} undo what making {batch.table} anew changes by hand"]
                if anew
                else []
            )
        said: list[str] = []
        if forgotten.checks and (anew or forgotten.by_upgrade):
            said = [f"table_args=[{', '.join(forgotten.checks)}]"]
            if not anew and self.only_sqlite:
                options = (*without(options, "recreate"), ("recreate", literal("always")))
        indexes = list(forgotten.indexes if anew or forgotten.by_upgrade else ())
        if not self.only_sqlite:
            on_sqlite = f"if op.get_context().dialect.name == {render.text('sqlite')}:"
            indexes = inside(on_sqlite, indexes) if indexes else []
        header = _header(batch, options, said, render)
        lines = [line for block in blocks for line in inside(header, block)]
        rows = f"rows of {batch.table} against a CHECK that the upgrade lost"
        rows_in_the_way = fragile(rows) if said and forgotten.by_upgrade else []
        return [*before, *rows_in_the_way, *lines, *indexes, *after]

    def _condition(self, render: Renderer) -> str:
        parts = []
        for guard in self.guards:
            names = [render.text(name) for name in sorted(guard.names)]
            if len(names) == 1:
                sign, value = ("!=" if guard.negated else "=="), names[0]
            else:
                sign, value = ("not in" if guard.negated else "in"), f"({', '.join(names)})"
            parts.append(f"op.get_context().dialect.name {sign} {value}")
        return " and ".join(parts)


def _header(batch: Batch, options: Options, more: Sequence[str], render: Renderer) -> str:
    table = [render.text(batch.table.name), *render.schema(batch.table)]
    kept = tuple(pair for pair in options if pair[0] in _KEPT_IN_BATCH)
    try:
        said = render.options(kept)
    except NotKnownError:
        # Without its options a batch block reflects the table, which is always right.
        said = []
    return f"{call('with op.batch_alter_table', [*table, *said, *more])} as batch_op:"


def _blocks(parts: Sequence[Inverse]) -> Iterator[list[str]]:
    """Statements for one batch block each: one that has renamed a column does not know it yet."""
    block: list[str] = []
    for part in parts:
        lines = part.inner
        renamed = any("new_column_name=" in line for line in block)
        if renamed and any(line.startswith("batch_op.create_") for line in lines):
            yield block
            block = []
        block = [*block, *lines]
    yield block


def inside(header: str, lines: Sequence[str]) -> list[str]:
    """Lines as a block; comments alone need none."""
    if all(line.startswith("#") for line in lines):
        return list(lines)
    indented = [_indented(line) for line in lines]
    return ["\n".join([header, *indented])]


def _indented(statement: str) -> str:
    """A statement one level deeper; lines that are part of a string stay."""
    lines = statement.split("\n")
    if '"""' in statement:
        tokens = tokenize.generate_tokens(io.StringIO(statement).readline)
        for token in tokens:
            if token.type == tokenize.STRING:
                for number in range(token.start[0] + 1, token.end[0] + 1):
                    lines[number - 1] = "\0" + lines[number - 1]
    return "\n".join(f"    {line}".removeprefix("    \0") for line in lines)
