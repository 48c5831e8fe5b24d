"""Objects of alembic-utils, as migrations hand them to its operations."""

from __future__ import annotations

import ast

from alembic_roundtrip.migration.definitions import last
from alembic_roundtrip.migration.literals import value_of
from alembic_roundtrip.migration.objects import Name

_KINDS = {
    "PGExtension": "extension",
    "PGFunction": "function",
    "PGMaterializedView": "view",
    "PGPolicy": "policy",
    "PGTrigger": "trigger",
    "PGView": "view",
}


def entity_of(node: ast.expr | None) -> tuple[str, Name] | None:
    """What `PGView(schema=…, signature=…)` stands for: its kind and name."""
    kind = _KINDS.get(last(node.func)) if isinstance(node, ast.Call) else None
    if kind is None or not isinstance(node, ast.Call):
        return None
    given = {keyword.arg: value_of(keyword.value) for keyword in node.keywords}
    given |= dict(zip(("schema", "signature"), map(value_of, node.args), strict=False))
    schema, signature = given.get("schema"), given.get("signature")
    if not isinstance(schema, str) or not isinstance(signature, str):
        return None
    return kind, Name.of(signature.partition("(")[0].strip(), schema)
