"""Extensions that owners of databases add by hand, ahead of all migrations."""

from __future__ import annotations

import ast
import glob
import os
import re
import tokenize
from typing import Container, Iterable, Iterator, NamedTuple, Optional

_NOT_THERE = re.compile(
    r'(?:type|operator class) "(?:\w+\.)?(\w+)(?:\[\])?" does not exist'
    r"|function (?:\w+\.)?(\w+)\(.*?\) does not exist"
)
_MAKES = {
    "citext": r"citext",
    "hstore": r"hstore",
    "ltree": r"ltree|lquery|ltxtquery",
    "pg_trgm": r"gi[ns]t?_trgm_ops|(strict_)?(word_)?similarity",
    "pgcrypto": r"crypt|digest|gen_random_bytes|gen_salt|hmac|pgp_(sym|pub)_(en|de)crypt",
    "postgis": r"geometry|geography|raster|st_\w+",
    "unaccent": r"unaccent",
    "uuid-ossp": r"uuid_generate_v\w+",
    "vector": r"vector|halfvec|sparsevec|(vector|halfvec|sparsevec)_\w+_ops",
}


class Missed(NamedTuple):
    """What is not there, and the extension that would have made it."""

    name: str
    extension: str


def missed(message: str) -> Optional[Missed]:
    """What of an extension's a database says that it has not."""
    found = _NOT_THERE.search(message)
    name = next(filter(None, found.groups()), "") if found else ""
    makers = (each for each, makes in _MAKES.items() if re.fullmatch(makes, name))
    return next((Missed(name, extension) for extension in makers), None)


def lacking(what: Missed, installed: Container[str], folders: Iterable[str]) -> Optional[str]:
    """That a database lacks an extension, unless migrations in these folders see to it.

    Then they are to blame for what is missed: they come too early, drop it, or misspell a call.
    """
    if what.extension in installed:
        return None
    extension, name = re.escape(what.extension), re.escape(what.name)
    seen_to = re.compile(
        rf"\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?['\"\\]*{extension}\b"
        rf"|\bPGExtension\([^)]*\b{extension}\b"
        rf"|\bCREATE\s+(?:OR\s+REPLACE\s+)?{_KIND}\s+(?:['\"\\\w]+\.)?['\"\\]*{name}\b",
        re.IGNORECASE,
    )
    if any(map(seen_to.search, _code(folders))):
        return None
    return (
        f"the scratch database has no extension `{what.extension}`, and no migration before this "
        "one creates it; the setting `baseline` can name an SQL file that does"
    )


_KIND = r"(?:TYPE|DOMAIN|FUNCTION|AGGREGATE|OPERATOR\s+CLASS)"


def _code(folders: Iterable[str]) -> Iterator[str]:
    """What scripts say without comments, which may tell who else is to create an extension."""
    for folder in folders:
        for path in glob.iglob(os.path.join(glob.escape(folder), "*.py")):
            with tokenize.open(path) as file:
                tree = ast.parse(file.read(), path)
            for node in ast.walk(tree):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    node.value = ast.Constant(None)
            yield ast.unparse(tree).replace("\\n", " ")
