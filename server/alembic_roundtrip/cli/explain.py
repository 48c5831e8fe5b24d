"""Print the page of a rule."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from difflib import get_close_matches

from alembic_roundtrip.rule import rules


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument("rule", metavar="RULE", nargs="?", help="a rule's name; none lists all")


def run(arguments: Namespace) -> int:
    """Print; gives the exit status: 0, or 2 for a rule that is none."""
    known = rules()
    if arguments.rule is None:
        width = max(map(len, known))
        for name, rule in known.items():
            print(f"{name:<{width}}  {rule.severity:<11}  {rule.summary}")
        return 0
    if arguments.rule not in known:
        near = get_close_matches(arguments.rule, known, 1)
        hint = f"did you mean `{near[0]}`?" if near else "`explain` alone lists them"
        print(f"there is no rule `{arguments.rule}`; {hint}", file=sys.stderr)
        return 2
    rule = known[arguments.rule]
    print(f"# {rule.name} ({rule.severity})\n\n{rule.page}")
    return 0
