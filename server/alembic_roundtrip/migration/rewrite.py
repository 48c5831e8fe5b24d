"""What is to be written of a migration, as values; `editing` makes text edits of them."""

from __future__ import annotations

from dataclasses import dataclass

from alembic_roundtrip.text import Range


class RewriteError(ValueError):
    """A rewrite that cannot be made; says why in one sentence."""


@dataclass(frozen=True, slots=True)
class WriteBody:
    """Give a direction this body in place of the one it has; make the function where it lacks.

    `statements` are whole statements of Python at no indentation, `imports` what they need.
    """

    direction: str
    statements: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InsertStatements:
    """Put statements before the top-level statement of that index (its length: at the end)."""

    direction: str
    index: int
    statements: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddWarning:
    """Say in the module docstring's WARNING paragraph what a downgrade loses."""

    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrectWarning:
    """Put another sentence in the place of one in the WARNING paragraph, or nothing."""

    sentence: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class AddComment:
    """Put a comment line above a statement."""

    statement: Range
    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the text in a range."""

    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class ChangeCall:
    """Call another function (where one is named), or the same with other arguments.

    `arguments` are values by name, None for one that goes; `signature` has the names of those that
    may be given by position.
    """

    call: Range
    function: str = ""
    arguments: tuple[tuple[str, str | None], ...] = ()
    signature: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplaceCall:
    """Another expression in the place of a call, its lines indented as if it began one."""

    call: Range
    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrapStatements:
    """Put statements that follow each other into one block, such as `with …:`."""

    header: str
    statements: tuple[Range, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoveStatement:
    """Move a statement with its comments before or after another one of its block."""

    statement: Range
    target: Range
    after: bool = False


@dataclass(frozen=True, slots=True)
class RemoveStatement:
    """Take a statement away with its comments."""

    statement: Range


@dataclass(frozen=True, slots=True)
class SurroundStatement:
    """Put statements before and after another one, in its block."""

    statement: Range
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


TreeRewrite = (
    ChangeCall | ReplaceCall | WrapStatements | MoveStatement | RemoveStatement | SurroundStatement
)
Warned = AddWarning | CorrectWarning
Rewrite = WriteBody | InsertStatements | Warned | AddComment | Replace | TreeRewrite
