"""What an upgrade does that no schema has a word for: the downgrade says that it is left to undo.

Nobody could tell what there was before: a privilege that is granted may have been there already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.model import Batch
from alembic_roundtrip.migration.objects import Index, Table, option
from alembic_roundtrip.migration.sql.words import Words, has_words, statements
from alembic_roundtrip.scaffold.step import PLACEHOLDER
from alembic_roundtrip.schema.names import known_as, numbered_column

_GRANTS = frozenset({"GRANT", "REVOKE"})
_NOT_OF_A_SCHEMA = frozenset({"DATABASE", "EXTENSION", "LARGE", "ROLE", "TABLESPACE"})
"""What has comments that are not compared; those of tables and columns are read."""
_OPTIONS = frozenset(
    "CHARACTER CHARSET COLLATE COMMENT DEFAULT ENGINE KEY_BLOCK_SIZE ROW_FORMAT".split()
)
"""What MySQL stores of a table, also where no `=` stands behind it."""
_NOT_STORED = frozenset({"ALGORITHM", "AUTO_INCREMENT", "LOCK"})
_BUILT_IN = re.compile(
    r"(?:pg_|to_reg|has_|current_|txid_|json|sqlite_)\w*|set_config|setval|nextval|currval|lastval|"
    r"last_insert_\w+|version|now|exists|coalesce|count|database|schema|get_lock|release_lock|sleep",
    re.IGNORECASE,
)
"""Functions that leave nothing in a schema."""
_NUMBERS = frozenset({"USER_VERSION", "APPLICATION_ID"})
_NAMED = re.compile(r"\bname=['\"]([^'\"]+)['\"]")
_QUOTES = '"`[]'


def unsaid(sql: str, made: frozenset[str], dialects: Sequence[str]) -> Iterator[str]:
    """The statements of a text that do such a thing to what is not `made` by the upgrade itself.

    What it makes takes along what was done to it; `made` are names without their schemas.
    """
    for statement in statements(sql, mysql=bool(dialects) and MYSQL.issuperset(dialects)):
        about = _about(statement.tokens)
        if about is not None and not (about and about <= made):
            yield statement.text.strip()


def _about(tokens: Sequence[str]) -> set[str] | None:
    """What such a statement is about, as far as it says so by name; None for any other."""
    upper = [token.upper() for token in tokens]
    if upper[0] == "PRAGMA":
        sets = bool(_NUMBERS & {*upper}) and bool({"=", "("} & {*upper})
        return set() if sets else None
    if upper[0] in _GRANTS:
        return _between(tokens, upper, "ON", ("TO", "FROM"))
    if upper[0] == "SELECT":
        return set() if _only_calls(tokens, upper) else None
    if upper[0] == "CLUSTER" and "USING" in upper:
        return {tokens[upper.index("USING") - 1].strip(_QUOTES)}
    if upper[:2] == ["COMMENT", "ON"]:
        known = {*upper[2:3]} <= {"TABLE", "COLUMN", *_NOT_OF_A_SCHEMA}
        return None if known else _between(tokens, upper, "ON", ("IS",))
    if upper[0] == "CREATE" and has_words(tuple(upper), "PARTITION", "OF"):
        return _between(tokens, upper, "OF", ("FOR", "DEFAULT", "("))
    return _stored(tokens, upper) if upper[:2] == ["ALTER", "TABLE"] else None


def _only_calls(tokens: Sequence[str], upper: Sequence[str]) -> bool:
    """Whether a SELECT reads nothing, and calls a function that may do anything."""
    called = [tokens[at - 1] for at, token in enumerate(tokens) if token == "(" and at > 1]
    return (
        "FROM" not in upper
        and bool(called)
        and upper[upper.index("(") - 2] in {"SELECT", "."}
        and _BUILT_IN.fullmatch(called[0]) is None
    )


def _stored(tokens: Sequence[str], upper: Sequence[str]) -> set[str] | None:
    """The table of which ALTER TABLE sets what MySQL stores beside its columns."""
    words = Words(tuple(tokens))
    words.at = 2
    table = words.name()
    actions, depth = {words.at}, 0
    set_to: set[str] = set()
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            actions.add(at + 1)
        if token == "=" and depth == 0 and "USING" not in upper[:at]:
            set_to.add(upper[at - 1])
    stored = set_to - _NOT_STORED or any({*upper[at : at + 1]} & _OPTIONS for at in actions)
    return ({table.name} if table else set()) if stored else None


def _between(
    tokens: Sequence[str], upper: Sequence[str], first: str, last: Sequence[str]
) -> set[str]:
    """The names between two words; of `TABLE a.b` and `FUNCTION b(int)` it is `b`."""
    start = upper.index(first) + 1 if first in upper else len(upper)
    end = next((at for at in range(start, len(upper)) if upper[at] in last), len(upper))
    if "ALL" in upper[start : start + 1]:
        return set()
    said = " ".join(tokens[start:end]).replace(" . ", ".")
    names = [part.partition("(")[0].split() for part in said.split(",")]
    return {parts[-1].rpartition(".")[2].strip(_QUOTES) for parts in names if parts}


def left_by(
    batch: Batch, table: Table | None, kept: Sequence[Index], dialects: Sequence[str], *, anew: bool
) -> Iterator[str]:
    """What a batch block leaves to undo by its options, as placeholders.

    `table` is what it was before, where that is known, and `kept` are those of its indexes that the
    block does not drop; `anew` says that SQLite copies the table.
    """
    recreate = option(batch.options, "recreate")
    always = recreate is not None and recreate.value == "always"
    given = option(batch.options, "table_args")
    if given is not None and (anew or always) and not _is_there(given.text, table):
        yield f"{PLACEHOLDER} undo what table_args gave {batch.table} by hand"
    copied = option(batch.options, "copy_from")
    if copied is not None and anew:
        lacking = [each.name for each in kept if each.name and each.name not in copied.text]
        for name in lacking:
            yield f"{PLACEHOLDER} make {name} again, where copy_from lacks it, by hand"
    if always and "postgresql" in dialects and table is not None and numbered_column(table):
        yield f"{PLACEHOLDER} undo that the sequence of {batch.table} has another name by hand"


def _is_there(given: str, table: Table | None) -> bool:
    """Whether constraints are only said again: by their names, or as some without any."""
    names = {*_NAMED.findall(given)}
    known = {known_as(part) for part in table.constraints} if table else set()
    nameless = table is not None and any(part.name is None for part in table.constraints)
    return names <= known if names else nameless or given in {"()", "[]", "None"}
