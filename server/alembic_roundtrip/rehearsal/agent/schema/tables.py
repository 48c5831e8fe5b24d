"""Tables, columns, keys and the rest of a schema, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple


@dataclass(frozen=True)
class Column:
    """One column; `key` is its position in the primary key, from 1, or 0."""

    name: str
    type: str
    notnull: bool = False
    default: Optional[str] = None
    key: int = 0
    generated: str = ""
    expression: Optional[str] = None
    collation: str = ""
    autoincrement: bool = False
    conflict: str = ""
    hidden: bool = False
    identity: str = ""
    options: str = ""
    base: str = ""
    """The type that a domain stands for."""
    members: Tuple[str, ...] = ()
    """The labels of an enum type."""


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; no `target_columns` means the primary key of `target`."""

    columns: Tuple[str, ...]
    target: str
    target_columns: Tuple[str, ...] = ()
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: str = ""
    name: Optional[str] = None
    definition: str = ""
    """As the database itself writes it, where it does."""


@dataclass(frozen=True)
class Unique:
    """Columns whose values are unique together: a constraint, or an index (`index` its name)."""

    columns: Tuple[str, ...]
    name: Optional[str] = None
    where: Optional[str] = None
    index: Optional[str] = None
    conflict: str = ""
    definition: str = ""
    """As the database itself writes it, where it does."""


@dataclass(frozen=True)
class Check:
    """A CHECK constraint: its text as written, and in one spelling for all."""

    text: str
    normal: str
    name: Optional[str] = None


@dataclass(frozen=True)
class Index:
    """An index that was created by name; `parts` are columns or expressions with their order."""

    name: str
    unique: bool
    parts: Tuple[str, ...]
    where: Optional[str] = None
    definition: str = ""
    """As the database itself writes it, where it does."""


@dataclass(frozen=True)
class Table:
    """One table, with all that is needed to read, fill and compare it."""

    name: str
    columns: Tuple[Column, ...] = ()
    key: Tuple[str, ...] = ()
    key_name: Optional[str] = None
    foreign_keys: Tuple[ForeignKey, ...] = ()
    uniques: Tuple[Unique, ...] = ()
    checks: Tuple[Check, ...] = ()
    indexes: Tuple[Index, ...] = ()
    options: Tuple[str, ...] = ()
    kind: str = "table"
    """Or `partition`, `foreign table`, `virtual table`: these have no rows of their own."""
    definition: Optional[str] = None
    """Of a virtual table: what it was made with."""
    schema: str = ""
    bare: str = ""
    """The name without the schema, where there are schemas."""
    exclusions: Tuple[Tuple[str, str], ...] = ()
    """Exclusion constraints: names and definitions."""
    text: str = field(default="", compare=False)
    """As the database itself writes it, where it does; the order of its parts means nothing."""

    def column(self, name: str) -> Optional[Column]:
        """The column of this name, whatever its case."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)

    @property
    def has_rows(self) -> bool:
        """Whether rows are in it, and not only seen through it."""
        return self.kind == "table"

    @property
    def writable(self) -> Tuple[Column, ...]:
        """The columns that an INSERT can name."""
        return tuple(c for c in self.columns if not c.generated and not c.hidden)


@dataclass(frozen=True)
class Snapshot:
    """The schema of a database at one moment."""

    tables: Dict[str, Table] = field(default_factory=dict)
    views: Dict[str, str] = field(default_factory=dict)
    triggers: Dict[str, str] = field(default_factory=dict)
    objects: Dict[str, Dict[str, str]] = field(default_factory=dict)
    """Everything else a database can hold, by its kind: names and definitions."""

    def find(self, name: str) -> Optional[Table]:
        """The table of this name, whatever its case."""
        if name in self.tables:
            return self.tables[name]
        return next((t for n, t in self.tables.items() if n.lower() == name.lower()), None)
