"""Whether two statements define the same view, function or trigger, however they are written.

PostgreSQL tells a definition in other words than it was given: with casts, parentheses and what is
the default anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from alembic_roundtrip.migration.sql.words import statements

_BODY = re.compile(r"\$(\w*)\$(?P<body>.*)\$\1\$", re.DOTALL)
_QUOTED = re.compile(r"'(?P<body>(?:[^']|'')*)'", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|\w+|[^\s\w]")
_OF_NO_MEANING = frozenset({'"', "(", ")", "as"})
_ROUTINES = frozenset({"function", "procedure"})

_CLAUSES = frozenset(
    "language immutable stable volatile leakproof not called returns strict external security"
    " parallel cost rows support set window as".split()
)
"""What begins a clause of CREATE FUNCTION; their order is free."""
_DEFAULTS = frozenset(
    {
        "volatile",
        "called on null input",
        "security invoker",
        "external security invoker",
        "not leakproof",
        "parallel unsafe",
    }
)
_COMPARES = r"(?:=|<|>|! =|~~?|like|ilike|in|any)"
_CAST = r" : : (?:text|character varying|varchar)(?: \[ \])?(?= |$)"
_COMPARED_CAST = re.compile(rf"(?<='){_CAST}|{_CAST}(?= {_COMPARES} )")
"""Casts to text of literals, and of what is compared: PostgreSQL writes them by itself."""

_CALLED_ITSELF = re.compile(r"(?<!\w)([a-z_]\w*) \1(?= |$)")
_ONLY_SOURCE = re.compile(r" from (?P<table>[a-z_]\w*)(?! [.,]| .* join )(?= |$)")


def same_definition(kind: str, one: str, other: str) -> bool:
    """Whether two statements make the same; true for functions of other arguments."""
    if kind in _ROUTINES:
        return _signature(one) != _signature(other) or _routine(one) == _routine(other)
    if "view" in kind:
        return _view(one) == _view(other)
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    """What a definition says, in small letters: without comments, layout and `OR REPLACE`."""
    return [word for statement in _statements(text) for word in _of_tokens(statement)]


def _statements(text: str) -> Iterator[list[str]]:
    for statement in statements(text):
        at = 3 if tuple(map(str.upper, statement.tokens[1:3])) == ("OR", "REPLACE") else 1
        tokens = [statement.tokens[0], *statement.tokens[at:]]
        yield [
            token
            for place, token in enumerate(tokens)
            if not _is_default_schema(tokens[place : place + 2])
            and not _is_default_schema(tokens[max(0, place - 1) : place + 1])
        ]


def _is_default_schema(pair: Sequence[str]) -> bool:
    return len(pair) > 1 and pair[0].strip('"') == "public" and pair[1] == "."


def _of_tokens(tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        body = _BODY.fullmatch(token)
        if body is not None:
            yield from _words(body["body"])
        else:
            yield from _TOKEN.findall(token.lower())


def _routine(text: str) -> list[object]:
    """The clauses of a routine in one order; in its own where its body is not in quotes."""
    parts: list[object] = []
    for tokens in _statements(text):
        parts += _clauses(tokens) or _of_tokens(tokens)
    return parts


def _clauses(tokens: Sequence[str]) -> list[tuple[str, ...]] | None:
    clauses: list[list[str]] = [[]]
    depth, quoted = 0, False
    for token in tokens:
        depth += (token == "(") - (token == ")")
        word = token.lower()
        last = clauses[-1][-1:]
        if depth == 0 and word in _CLAUSES and last not in (["not"], ["external"]):
            clauses.append([])
        body = _body(token) if last == ["as"] else None
        if body is not None:
            quoted = True
            clauses[-1] += _words(body)
        else:
            clauses[-1].append(word.strip("'") if last == ["language"] else word)
    if not quoted:
        return None
    said = (tuple(each) for each in clauses[1:] if " ".join(each) not in _DEFAULTS)
    return [tuple(clauses[0]), *sorted(said)]


def _body(token: str) -> str | None:
    quoted, dollars = _QUOTED.fullmatch(token), _BODY.fullmatch(token)
    if quoted is not None:
        return quoted["body"].replace("''", "'")
    return None if dollars is None else dollars["body"]


def _view(text: str) -> list[str]:
    return [_query(tokens) for tokens in _statements(text)]


def _query(tokens: Sequence[str]) -> str:
    words = [word for word in _of_tokens(_unlisted(tokens)) if word not in _OF_NO_MEANING]
    said = " ".join(words)
    said = _COMPARED_CAST.sub("", said)
    # `id AS id` is the name that it has anyway, `FROM users AS users` as well.
    said = _CALLED_ITSELF.sub(r"\1", said)
    source = _ONLY_SOURCE.search(said) if said.count(" from ") == 1 else None
    return said.replace(f" {source['table']} . ", " ") if source else said


def _unlisted(tokens: Sequence[str]) -> Sequence[str]:
    """A view without the names of its columns, where these are what the query calls them."""
    lower = [token.lower().strip('"') for token in tokens]
    if "as" not in lower or "(" not in lower[: lower.index("as")]:
        return tokens
    start, end = lower.index("("), lower.index("as")
    if lower[end - 1] != ")" or lower[end + 1 : end + 2] != ["select"] or "from" not in lower:
        return tokens
    selected = _called(lower[end + 2 : lower.index("from")])
    return (
        [*tokens[:start], *tokens[end:]]
        if _called(lower[start + 1 : end - 1]) == selected
        else tokens
    )


def _called(tokens: Sequence[str]) -> list[str]:
    """The name of each of several columns: its last word."""
    text, depth = [""], 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            text.append("")
        else:
            text[-1] = token
    return text


def _signature(text: str) -> str:
    arguments = text.partition("(")[2].partition(")")[0]
    return " ".join(arguments.lower().split())
