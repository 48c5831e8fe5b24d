"""Where a statement stands: what it reaches, and what it runs under."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.model import Batch, Guard, GuardKind
from alembic_roundtrip.text import Range


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands: the names in reach and the conditions around it."""

    scope: Scope
    guards: tuple[Guard, ...] = ()
    batch: Batch | None = None
    batches: tuple[tuple[str, Batch], ...] = ()
    autocommit: bool = False
    caller: tuple[Range, Range] | None = None
    depth: int = 0

    def under(self, *guards: Guard) -> Place:
        """The same under more conditions."""
        return replace(self, guards=(*self.guards, *guards)) if guards else self

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialects that a statement here may run on; none where nothing says which."""
        if not self.guards:
            return self.scope.dialects
        asked = [guard for guard in self.guards if guard.kind is GuardKind.DIALECT]
        named = [name for g in asked if not g.negated for name in sorted(g.names)]
        known = self.scope.dialects or tuple(dict.fromkeys(named))
        return tuple(name for name in known if all((name in g.names) != g.negated for g in asked))

    def batch_named(self, name: str) -> Batch | None:
        """The batch block that a name stands for, the innermost of them."""
        return next((batch for key, batch in reversed(self.batches) if key == name), None)

    def passed(self, function: ast.FunctionDef, node: ast.Call) -> tuple[tuple[str, Batch], ...]:
        """Batch objects that a helper is given as arguments."""
        passed = []
        for parameter, argument in zip(function.args.args, node.args, strict=False):
            batch = self.batch_named(argument.id) if isinstance(argument, ast.Name) else None
            if batch is not None:
                passed.append((parameter.arg, batch))
        return tuple(passed)
