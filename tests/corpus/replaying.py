"""How the replayed schema of each revision agrees with what a database has after it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Table
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.scripts import Scripts
from alembic_roundtrip.workspace import Workspace
from corpus.install import Installed
from corpus.projects import DECOY

HERE = Path(__file__).parent
PARTS = (
    "table", "column", "type", "nullability", "default", "index", "constraint", "enum",
)  # fmt: skip
"""What is counted, in the order it is printed."""

Facts = dict[tuple[str, ...], object]
"""What is said of a table: a value for each thing, `ANY` where only its presence is said."""


class _Any:
    """What the reader does not claim to know."""

    def __repr__(self) -> str:
        return "?"


ANY = _Any()


@dataclass
class Comparison:
    """Counts of what agrees, what does not, and what the reader does not claim to know."""

    told: Told
    baseline: bool = False
    """Whether the history starts from tables that no migration makes."""
    agreed: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    disagreed: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    """Each disagreement with the revision where it begins."""
    revisions: int = 0
    skipped: int = 0

    def share(self, part: str) -> float:
        """Of what the reader claims to know, how much is so; from 0 to 1."""
        return self.agreed[part] / max(1, self.agreed[part] + self.disagreed[part])

    def add(self, replayed: Schema, real: Mapping[str, Any], revision: str) -> None:
        """Count one revision in."""
        self.revisions += 1
        for name in {*map(str, replayed.tables), *real["tables"]}:
            self._table(name, replayed, real["tables"].get(name), revision)
        if self.told.dialect == "postgresql":
            ours = {("enum", str(name)): enum.members for name, enum in replayed.enums.items()}
            theirs = {("enum", name): tuple(found) for name, found in real["enums"].items()}
            claims = {key: ANY if value is None else value for key, value in ours.items()}
            self._facts(claims, theirs, "", revision)

    def _table(
        self, name: str, replayed: Schema, real: dict[str, Any] | None, revision: str
    ) -> None:
        schema, _, plain = name.rpartition(".")
        table = replayed.table(Name(plain, schema))
        if table is None:
            unread = replayed.opaque or self.baseline
            claimed = not unread and Name(plain, schema) not in replayed.unknown
        else:
            claimed = replayed.knows(table.name)
        ours = self.told.of(table) if table else {}
        theirs = facts_of(real) if real else {}
        if claimed:
            self._facts(ours, theirs, f"{name}: ", revision)
        else:
            self.unknown.update(key[0] for key in {**ours, **theirs})

    def _facts(self, ours: Facts, theirs: Facts, where: str, revision: str) -> None:
        for key in sorted({*ours, *theirs}):
            ours_, theirs_ = ours.get(key), theirs.get(key)
            if key in ours and ours_ is ANY and key in theirs:
                self.unknown[key[0]] += 1
            elif key in ours and key in theirs and _agree(ours_, theirs_):
                self.agreed[key[0]] += 1
            else:
                self.disagreed[key[0]] += 1
                if ("table",) in {*ours} ^ {*theirs} and key != ("table",):
                    continue  # the table says it all
                said = ours_ if key in ours else "nothing"
                found = theirs_ if key in theirs else "nothing"
                text = f"{where}{' '.join(key)}: read {said}, found {found}"
                self.first.setdefault(text, revision)

    def lines(self) -> Iterator[str]:
        """As sentences, every disagreement by its name."""
        skipped = f", {self.skipped} do not upgrade" if self.skipped else ""
        database = self.told.dialect
        yield f"replayed and compared with {database} after {self.revisions} revisions{skipped}"
        for part in PARTS:
            known = self.agreed[part] + self.disagreed[part]
            if known or self.unknown[part]:
                yield (
                    f"  {part:<12}{self.share(part):7.2%}: {self.agreed[part]} of {known} agree, "
                    f"{self.unknown[part]} unknown"
                )
        for text, revision in self.first.items():
            yield f"  since {revision} {text}"


def compare(installed: Installed, workspace: Path, url: str = "") -> Comparison:
    """The comparison of a project's whole history, on a database that is made anew.

    Without a `url` it is the decoy.
    """
    url = url or f"sqlite:///{workspace}/{DECOY}"
    dialect = url.partition(":")[0].partition("+")[0]
    scripts = _scripts(workspace)
    replayed = {rev: scripts.schema_at(rev, dialect) for rev in scripts.history.by_id}
    columns = columns_of(replayed.values())
    real = _measure(installed, workspace, url, columns)
    told = Told(dialect, dict(zip(columns, real["columns"], strict=True)))
    found = Comparison(told, baseline="baseline" in installed.project.settings)
    for revision, schema in real["schemas"].items():
        if schema is None:
            found.skipped += 1
        else:
            found.add(replayed[revision], schema, revision)
    return found


def _scripts(workspace: Path) -> Scripts:
    opened = Workspace([workspace])
    (environment,) = opened.environments
    return opened.scripts(environment)


Definition = tuple[Expression, "Expression | None"]
"""The type and the server default of a column."""


def columns_of(schemas: Iterable[Schema]) -> list[Definition]:
    """What columns there are in any of the schemas, each once."""
    tables = (table for schema in schemas for table in schema.tables.values())
    columns = (column for table in tables for column in table.columns)
    return [*dict.fromkeys((c.type, c.server_default) for c in columns if c.type is not None)]


def _measure(
    installed: Installed, folder: Path, url: str, columns: list[Definition]
) -> dict[str, Any]:
    project = installed.project
    plan = {
        "url": url,
        "baseline": project.settings.get("baseline", ""),
        "flask": project.env.get("FLASK_APP", ""),
        "columns": [[piece(part) for part in column] for column in columns],
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    env = {name: value.format(here=folder) for name, value in project.env.items()}
    script = str(HERE / "catalogue.py")
    result = installed.run("-W", "ignore", script, "plan.json", cwd=folder, **env)
    if result.returncode:
        raise RuntimeError(result.stderr)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def piece(part: Expression | None) -> tuple[str, tuple[str, ...]] | None:
    """Python as it is handed to `catalogue.py`."""
    return None if part is None else (part.text, part.imports)


@dataclass(frozen=True)
class Told:
    """What a database of this dialect makes of columns."""

    dialect: str
    columns: Mapping[Definition, dict[str, Any] | None]

    def of(self, table: Table) -> Facts:
        """What the reader says of a table."""
        facts: Facts = {("table",): True}
        for column in table.columns:
            default, nullable = column.server_default, column.nullable
            stored = self.columns.get((column.type, default)) if column.type else None
            facts["column", column.name] = True
            facts["type", column.name] = ANY if stored is None else _plain(stored["type"])
            facts["nullability", column.name] = ANY if nullable is None else nullable
            if column.fills_itself or (default is not None and stored is None):
                facts["default", column.name] = ANY
            else:
                facts["default", column.name] = stored and default and stored["default"]
        for index in table.indexes:
            facts["index", index.name or "?"] = _index(index)
        _count(facts, ((_constraint_key(part), _constraint(part)) for part in table.constraints))
        return facts


def facts_of(real: dict[str, Any]) -> Facts:
    """What the database says of a table."""
    facts: Facts = {("table",): True}
    for name, column in real["columns"].items():
        facts["column", name] = True
        facts["type", name] = _plain(column["type"])
        facts["nullability", name] = column["nullable"]
        facts["default", name] = column["default"]
    for index in real["indexes"]:
        facts["index", index["name"]] = (index["unique"], tuple(index["columns"]))
    _count(facts, (_real_constraint(part) for part in real["constraints"]))
    return facts


def _agree(claim: object, fact: object) -> bool:
    if isinstance(claim, tuple) and isinstance(fact, tuple):
        pairs = zip(claim, fact, strict=False)
        return len(claim) == len(fact) and all(_agree(one, other) for one, other in pairs)
    return claim is ANY or claim == fact


def _count(facts: Facts, found: Iterator[tuple[tuple[str, ...], object]]) -> None:
    """Put constraints in; several of the same kind on the same columns have numbers."""
    several: dict[tuple[str, ...], list[object]] = {}
    for key, value in found:
        values = several.setdefault(key, [])
        if value not in values:
            values.append(value)
    for key, values in several.items():
        for number, value in enumerate(sorted(values, key=str), 1):
            facts[(*key, str(number)) if number > 1 else key] = value


def _name(part: Constraint) -> object:
    """Its name in the database; none is a claim of its own."""
    return (part.name or part.generated) if part.sure else ANY


def _constraint_key(part: Constraint) -> tuple[str, ...]:
    if part.kind == "check":
        return ("constraint", "check", part.name or part.generated or "without name")
    if part.kind == "primary":
        return ("constraint", "primary")
    return ("constraint", part.kind, ",".join(part.columns))


def _constraint(part: Constraint) -> object:
    if part.kind == "foreignkey":
        rules = {key: str(value.value).upper() for key, value in part.options if key[:2] == "on"}
        target = (part.referent.name if part.referent else "", part.referent_columns)
        return (_name(part), *target, tuple(sorted(rules.items())))
    return (_name(part), part.columns if part.kind != "check" else ())


def _real_constraint(part: dict[str, Any]) -> tuple[tuple[str, ...], object]:
    kind, name, columns = part["kind"], part["name"], tuple(part["columns"])
    if kind == "check":
        return ("constraint", "check", name or "without name"), (name, ())
    if kind == "primary":
        return ("constraint", "primary"), (name, columns)
    if kind == "unique":
        return ("constraint", "unique", ",".join(columns)), (name, columns)
    options = part["options"].items()
    rules = tuple(sorted((key, value.upper()) for key, value in options if key[:2] == "on"))
    target = (part["referent"], tuple(part["referent_columns"]))
    return ("constraint", kind, ",".join(columns)), (name, *target, rules)


def _index(index: Index) -> object:
    # How a database spells an expression is its own affair.
    columns = tuple(ANY if part.string is None else part.string for part in index.columns)
    return (index.unique, columns)


def _plain(text: str) -> str:
    return " ".join(text.upper().replace(" (", "(").split())
