"""What an exception says: its message, the project's own line, and how much it proves."""

from __future__ import annotations

import ast
import linecache
import os
import re
import traceback
from typing import Any, Callable, Dict, List, Optional

import alembic
import sqlalchemy
from sqlalchemy import exc

from ..guard.audit import ONLY_SCRATCH
from ..guard.redirect import Refused
from . import extensions

_MISSING_TABLE = re.compile(
    r"no such table|(relation|table|schema) .* does not exist|table .* doesn't exist|Unknown table"
    r"|NoSuchTableError",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"no such table: (.+)|(?:relation|table|schema) [\"'](.+?)[\"'] (?:does not|doesn't) exist"
    r"|Unknown table '(.+?)'|NoSuchTableError: (.+)",
    re.IGNORECASE,
)
"""How databases and SQLAlchemy name the table, or its schema, that they miss."""
_LIBRARIES = tuple(
    os.path.dirname(os.path.realpath(str(module.__file__))) + os.sep
    for module in (alembic, sqlalchemy)
)
_OF_A_VALUE = re.compile(r"'(str|int|float|bool|bytes|list|dict|NoneType)' object ")
_OF_A_CALL = re.compile(
    r"\(\) (missing \d+ required|got an unexpected keyword|takes .* positional)"
)
_OF_SYNTAX = re.compile(
    r"syntax error at (or near|end of input)|near \".*?\": syntax error|error in your SQL syntax"
)
_OF_A_TEXT = re.compile(
    r"invalid input (value for enum|syntax for)|Truncated incorrect |Incorrect \w+ value:"
)
_OF_THESE_ROWS = re.compile(
    r"(UNIQUE|CHECK) constraint failed|could not create (unique index|exclusion constraint)"
    r"|(check|exclusion) constraint \".*?\" .*is violated by some row|conflicting key value"
    r"|violates (unique|check|exclusion) constraint"
    r"|insert or update on table \".*?\" violates foreign key|Cannot add or update a child row"
    r"|Duplicate entry |CONSTRAINT `.*?` failed for |Check constraint '.*?' is violated"
    r"|value too long for type|Data too long for|Data truncated for|Out of range value"
    r"|\w+ out of range|numeric field overflow"
)
_OF_NULLS = re.compile(
    r".* contains null values|NOT NULL constraint failed|Invalid use of NULL|Data truncated for"
)
_OF_EXTENSIONS = (
    (r'extension "([^"]+)" is not available',
     "the scratch server has no extension `{}`; a server that has it can be named in `database`"),
    (r'permission denied to create extension "([^"]+)"',
     "`{}` is for superusers to create; `database` can name a server that has it in `template1`"),
    (r"must be owner of extension ([^\n]+)",
     "`template1` of the server has the extension `{}`, which is no migration's to change or drop"),
)  # fmt: skip
_BEYOND_AN_OWNER = (
    (r"the stand-in of (`[^`]+` has no [^\n]*)", "the embedded server's stand-in of {}"),
    (r"(ICU) is not supported in this build", "the scratch server has no collations of {}"),
    (r"permission denied to (create role|create database|set parameter [^\n]*)",
     "migrations run as an owner who may not {}"),
    (r'role "([^"]+)" does not exist', "the scratch server has no role `{}`"),
    (r"(must be superuser[^\n]*|only superusers? can[^\n]*)",
     "migrations run as a plain owner, and the server says: {}"),
    (r"need \(at least one of\) the (.*?) privilege", "migrations run as an owner without {}"),
    (r"You do not have the (SUPER) privilege and binary logging is enabled",
     "the server keeps a binary log, and asks for {} to make functions and triggers"),
    (r"Access denied for user '\w+'@'\S+' to database '(.*?)'",
     "migrations run as an owner of scratch databases only, not of `{}`"),
    (r"Unknown storage engine '(.*?)'", "the scratch server has no storage engine `{}`"),
    (r"Unknown collation: '(.*?)'", "the scratch server has no collation `{}`"),
)  # fmt: skip
"""What a scratch server lacks or denies: says nothing of the migration."""
_FULL = re.compile(r"database or disk is full|No space left on device|^The table '.*?' is full")
_STATEMENT = 2000
_MESSAGE = 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEMA_VERBS = ("CREATE", "ALTER", "DROP", "RENAME", "COMMENT", "TRUNCATE")


class Problem:
    """One exception of one step."""

    def __init__(
        self, error: BaseException, script: Optional[str], is_ours: Callable[[str], bool]
    ) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if is_ours(frame.filename)]
        in_script = [frame for frame in frames if frame.filename == script]
        frame = next(reversed(in_script or own), None)
        self.type = type(error).__name__
        self.message = _message(error)
        self.statement = error.statement if isinstance(error, exc.DBAPIError) else None
        self.path: Optional[str] = frame.filename if frame else None
        self.line: Optional[int] = frame.lineno if frame else None
        self.reached: Optional[int] = in_script[0].lineno if in_script else None
        """How far the script's own function came."""
        self.raised = bool(frames) and frames[-1].filename == script and _is_raise(frames[-1])
        # Alembic and SQLAlchemy raise it too, for what a database cannot do: nobody meant that.
        self.not_implemented = isinstance(error, NotImplementedError) and not _by_library(frames)
        self.conclusive = _is_conclusive(error)
        self.of_nulls = self.conclusive and bool(_OF_NULLS.match(self.message))
        self.of_these_rows = self.conclusive and (self.of_nulls or _is_of_rows(self.message))
        self.about_values = _is_about_values(error) or _cannot_read_a_value(error, frames)
        said = f"{self.type}: {self.message}"
        self.missing_table = bool(_MISSING_TABLE.search(said))
        self.missing_name = _missing_name(said)
        """The name of that table, without its schema, or of this, where it is said."""
        self.beyond = _beyond(self.message) or _denied(error)
        """What the scratch database lacks or denies, where that is what stopped it, and advice."""
        self.certain = _is_certain(error, frames, script)
        """Whether it would be the same with any schema."""
        self.missed = extensions.missed(self.message)
        """What is not there that an extension would have made."""
        self.refused = isinstance(error, Refused)
        self.values = _values(error)

    def to_json(self) -> Dict[str, Any]:
        """As `evidence.StepError` has it."""
        source = linecache.getline(self.path, self.line) if self.path and self.line else ""
        return {
            "type": self.type,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "source": source.strip() or None,
            "statement": shorten(self.statement, _STATEMENT) if self.statement else None,
        }

    def __str__(self) -> str:
        """One line: the message, with the type where the message says little."""
        first = self.message.splitlines()[0] if self.message else ""
        if self.type == "MissingFunction":
            return first
        return f"{self.type}: {first}" if first else self.type


def _missing_name(said: str) -> Optional[str]:
    found = _NAMED.search(said)
    named = next(filter(None, found.groups()), None) if found else None
    return None if named is None else named.strip().rpartition(".")[2].strip('"`')


def causes(error: BaseException) -> List[BaseException]:
    """An error, what it was raised from, and so on; `raise e from e` is one."""
    found = [error]
    while found[-1].__cause__ is not None and found[-1].__cause__ not in found:
        found.append(found[-1].__cause__)
    return found


def because(error: BaseException) -> str:
    """What an error was raised from, in brackets, where its own words do not say it."""
    cause = causes(error)[-1]
    said = shorten(" ".join(str(cause).split()), 300)
    return "" if str(cause) in str(error) else f" ({type(cause).__name__}: {said})"


def way_out(error: BaseException, otherwise: str) -> str:
    """What to do of an error of the project's own code: a write that is denied has its own way."""
    if any(isinstance(each, PermissionError) and each.filename for each in causes(error)):
        return (
            "if it only wants that to be there, create it before, else lead it elsewhere by the "
            "setting `env`: `{scratch}` in a variable, `HOME` say, is a folder for that"
        )
    return otherwise


def _beyond(message: str) -> Optional[str]:
    full = _FULL.search(message)
    if full:
        room = f"there is no room left for the scratch database: {full.group()}"
        return f"{room}; make some, or have `rows` make fewer"
    for patterns, advice in (
        (_OF_EXTENSIONS, ""),
        (_BEYOND_AN_OWNER, "; a server of yours can be named in `database`"),
    ):
        for pattern, sentence in patterns:
            match = re.search(pattern, message)
            if match:
                return sentence.format(match.group(1)) + advice
    return None


def _denied(error: BaseException) -> Optional[str]:
    for each in causes(error):
        if isinstance(each, PermissionError) and each.strerror == ONLY_SCRATCH:
            return (
                f"not rehearsed: it writes to {each.filename}; {ONLY_SCRATCH}; the setting `env` "
                "can lead it there, with `{scratch}` in a variable"
            )
    return None


def _message(error: BaseException) -> str:
    """The message without SQLAlchemy's background links; for a driver's error, the driver's."""
    try:
        if isinstance(error, exc.DBAPIError) and error.orig is not None:
            return _legible(_said(error.orig))
        if isinstance(error, SystemExit):
            return _legible(f"the migration called sys.exit({error.code!r})")
        return _CONSTRAINT.sub(r"\1", _legible(str(error)))
    except Exception as another:  # noqa: BLE001 - whatever a project's own error does
        return f"what it says cannot be read: its own code raises {type(another).__name__}"


def _legible(text: str) -> str:
    """As much of a text as anybody reads, without what would command a terminal."""
    return _CONTROL.sub(
        lambda found: ascii(found.group())[1:-1], text[:_MESSAGE].replace("\r\n", "\n")
    )


def _said(error: BaseException) -> str:
    """What a driver passes on from the database, without its own packing."""
    first = error.args[0] if error.args else None
    if isinstance(first, dict) and "M" in first:  # pg8000
        parts = [first["M"], *(f"{name}: {first[key]}" for name, key in _PARTS if key in first)]
        return "\n".join(parts)
    if isinstance(first, int) and error.args[1:]:  # most of MySQL's: its number, its message
        return _OF_SCRATCH.sub("", str(error.args[1]))
    return _OF_SCRATCH.sub("", _PACKED.sub("", str(getattr(error, "msg", None) or error)))


_CONSTRAINT = re.compile(r"\b(\w+Constraint)\([^\n]*\)(?=; it has no name)")
"""SQLAlchemy names what it is without by all that it knows, and where that is in memory."""
_PARTS = (("DETAIL", "D"), ("HINT", "H"))
_PACKED = re.compile(r"^<class '[\w.]+'>: ")
_OF_SCRATCH = re.compile(r"`?\balembic_roundtrip_[0-9a-f]{12}\w*`?\.(`#sql[\w-]*`, )?")
"""A server may say in whose database something was, which is ours, and in which copy of a table."""


def _by_library(frames: List[traceback.FrameSummary]) -> bool:
    """Whether it was Alembic or SQLAlchemy that raised."""
    return bool(frames) and os.path.realpath(frames[-1].filename).startswith(_LIBRARIES)


def _is_raise(frame: traceback.FrameSummary) -> bool:
    """Whether a frame stopped at a `raise` statement of its own."""
    try:
        tree = ast.parse("".join(linecache.getlines(frame.filename)))
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Raise)
        and frame.lineno is not None
        and node.lineno <= frame.lineno <= (node.end_lineno or node.lineno)
        for node in ast.walk(tree)
    )


def _is_of_rows(message: str) -> bool:
    return bool(_OF_THESE_ROWS.match(message) or _OF_A_TEXT.search(message))


def _is_conclusive(error: BaseException) -> bool:
    """Whether any row like ours would fail: the database refused a change of the schema.

    Batch mode copies rows into `_alembic_tmp_…`; that copy is part of the change.
    """
    if not isinstance(error, exc.DBAPIError) or not error.statement:
        return False
    words = error.statement.split(None, 1)
    return (words[0].upper() if words else "") in _SCHEMA_VERBS or (
        "_alembic_tmp_" in error.statement
    )


def _is_certain(
    error: BaseException, frames: List[traceback.FrameSummary], script: Optional[str]
) -> bool:
    """Whether a call or a statement is wrong in itself, whatever is there."""
    if isinstance(error, exc.DBAPIError):
        return bool(_OF_SYNTAX.search(_message(error)))
    if isinstance(error, TypeError):
        # Alembic's operations are made of text, and have no file.
        called = bool(frames) and frames[-1].filename in {script, "<string>"}
        return called and bool(_OF_A_CALL.search(str(error)))
    return isinstance(error, exc.ObjectNotExecutableError) or (
        isinstance(error, NotImplementedError) and _by_library(frames)
    )


def _is_about_values(error: BaseException) -> bool:
    """Whether other values might get through: what a text must hold cannot be made up."""
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        error = error.orig or error
    if isinstance(error, exc.IntegrityError) and _copies_rows(error):
        return True
    if isinstance(error, exc.DBAPIError) and _OF_A_TEXT.search(str(error.orig)):
        return not _is_conclusive(error)
    if isinstance(error, AttributeError):
        return bool(_OF_A_VALUE.match(str(error)))
    return isinstance(error, (ValueError, LookupError, ArithmeticError, TypeError))


def _cannot_read_a_value(error: BaseException, frames: List[traceback.FrameSummary]) -> bool:
    """Whether a type did not understand a value, in words of its own; a mistake in it is one."""
    return not isinstance(error, _MISTAKES) and any(map(_reads_a_value, frames))


_MISTAKES = (
    AttributeError,
    ImportError,
    NameError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    exc.SQLAlchemyError,
)
"""What no value is to blame for; SQLAlchemy packs what types raise where values are sent."""


def _reads_a_value(frame: traceback.FrameSummary) -> bool:
    """Whether it is a type that makes something of a value of the database's: of a pickle, say."""
    if frame.name == "process":
        return os.path.realpath(frame.filename).startswith(_LIBRARIES)
    return frame.name == "process_result_value"


def _copies_rows(error: exc.IntegrityError) -> bool:
    """Whether rows that were put elsewhere are alike there: which those are, their values say."""
    statement = (error.statement or "").lstrip().upper()
    alike = re.search("unique|duplicate", str(error.orig), re.IGNORECASE)
    return statement.startswith("INSERT") and alike is not None


def _values(error: BaseException) -> Optional[str]:
    if isinstance(error, exc.DBAPIError) and error.params:
        return shorten(repr(error.params))
    return None


def shorten(text: str, limit: int = 160) -> str:
    """A text short enough for one line."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
