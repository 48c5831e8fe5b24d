"""The command line: one file for each subcommand in this folder."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from alembic_roundtrip import __version__

_PACKAGES = frozenset({"reports"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit status: 0 nothing found, 1 findings, 2 could not run."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    names = _commands()
    # Only the command that runs is imported: start-up time is a feature.
    named = [name for name in names if not arguments or name == arguments[0]] or names
    if arguments[:1] == ["--version"]:
        named = []
    parser = _parser({name: importlib.import_module(f"{__name__}.{name}") for name in named})
    parsed = parser.parse_args(arguments)
    if "run" not in parsed:
        parser.print_help()
        return 2
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def _commands() -> list[str]:
    found = (info.name for info in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if name not in _PACKAGES and not name.startswith("_"))


def _parser(commands: dict[str, ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="alembic-roundtrip",
        description="Know before you deploy what each Alembic rollback would lose.",
    )
    parser.add_argument("--version", action="version", version=f"alembic-roundtrip {__version__}")
    commands_parser = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, module in commands.items():
        summary = (module.__doc__ or "").strip().partition("\n")[0]
        command = commands_parser.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
