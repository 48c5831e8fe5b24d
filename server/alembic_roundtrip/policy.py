"""Whether a project has downgrades at all: some have none, on purpose and in every file."""

from __future__ import annotations

import re
from collections.abc import Iterable

_START = "def downgrade"
_DOWNGRADE = re.compile(
    r"^def downgrade\b[^\n]*\n(?P<body>(?:[ \t]+[^\n]*\n|[ \t]*\n)*)", re.MULTILINE
)
_QUIET = re.compile(
    r"""
      \#[^\n]* | \"\"\".*?\"\"\" | '''.*?''' | "[^"\n]*"$ | '[^'\n]*'$
    | ^[ \t]*(?:pass|\.\.\.|return|raise\b.*)$ | \s+
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ENOUGH = 5
_SHARE = 0.8


def goes_back(text: str) -> bool:
    """Whether a migration script has a downgrade that does something, as far as a look tells.

    Reading every script to know would keep an editor waiting; this takes microseconds.
    """
    found = None
    start = 0 if text.startswith(_START) else text.find(f"\n{_START}") + 1
    if start or text.startswith(_START):  # a search for the pattern takes ten times as long
        found = _DOWNGRADE.search(text + "\n", start)
    return found is not None and _QUIET.sub("", found["body"]) != ""


def is_upgrade_only(downgrades: Iterable[bool]) -> bool:
    """Whether so many scripts have no way back that it is the project's policy."""
    known = list(downgrades)
    return len(known) >= _ENOUGH and known.count(False) >= _SHARE * len(known)
