"""The command line: one file for each subcommand in this folder."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn

from alembic_roundtrip import __version__

_PACKAGES = frozenset({"reports"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit status: 0 nothing found, 1 findings, 2 could not run."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return _say("stopped before the end")


def _run(arguments: list[str]) -> int:
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
    if sys.stdout is None:
        return _say("standard output is closed; give it a file, a pipe or a terminal")
    try:
        status = int(parsed.run(parsed))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; nothing is left to say.
        _close_output()
        return 2
    except OSError as error:
        if error.filename is not None:  # what was written to has no name, what is opened has
            return _say(f"cannot write or read {os.fsdecode(error.filename)}: {error.strerror}")
        _close_output()
        return _say(f"cannot write to standard output: {error.strerror}")
    except Exception:  # noqa: BLE001 - it is shown; Python's own status would mean findings
        return _say_fault()
    return status


def _say_fault() -> int:
    import traceback

    from alembic_roundtrip.links import ISSUES

    traceback.print_exc()
    return _say(
        "this is a fault of alembic-roundtrip, not of your project: please report it, with the "
        f"lines above, at {ISSUES}"
    )


def _say(sentence: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"{sentence}\n")
    return 2


def _close_output() -> None:
    """Leave nothing for the interpreter to write, and to fail with, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence: `--help` has the rest."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        from difflib import get_close_matches

        unknown = re.match(
            r"unrecognized arguments: (-[^\s=]*)|.*invalid choice: '([^']*)'", message
        )
        word = (unknown.group(1) or unknown.group(2) or "") if unknown else ""
        near = get_close_matches(word, self.known_words(), 1) if word else []
        hint = f"; did you mean `{near[0]}`?" if near else ""
        self.exit(2, f"{self.prog}: {message.removeprefix('argument ')}{hint}\n")

    def known_words(self) -> Iterator[str]:
        """Options, and what they and the subcommands take."""
        for action in self._actions:
            yield from action.option_strings
            yield from map(str, action.choices or ())
            if isinstance(action.choices, dict):
                for command in action.choices.values():
                    yield from command.known_words()


def _commands() -> list[str]:
    found = (info.name for info in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if name not in _PACKAGES and not name.startswith("_"))


def _parser(commands: dict[str, ModuleType]) -> argparse.ArgumentParser:
    parser = _Parser(
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
