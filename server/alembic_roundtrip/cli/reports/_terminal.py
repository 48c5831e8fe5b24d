"""Where text for people goes: styled on a terminal, plain and always the same elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Part = tuple[str, str]
"""A text and its style, as rich names styles."""
Write = Callable[[list[Part]], None]


def console() -> Console:
    """Standard output; no line is broken, and nothing is styled where NO_COLOR asks for that."""
    from rich.console import Console

    if os.environ.get("NO_COLOR"):
        return Console(color_system=None, highlight=False, soft_wrap=True)
    return Console(highlight=False, soft_wrap=True)


def writer() -> Write:
    """What prints parts of a text next to each other."""
    if os.environ.get("NO_COLOR") or not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        # Nothing is to be styled: rich need not be loaded.
        return lambda parts: print(*(text for text, _ in parts), sep="", end="")
    from rich.text import Text

    shown = console()
    return lambda parts: shown.print(Text.assemble(*parts), end="")


def columns() -> int | None:
    """How wide the terminal is; None where the text does not go to one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def width(text: str) -> int:
    """Cells that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
