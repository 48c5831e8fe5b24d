"""Everything a rule may know about a file that is no migration.

Nothing here reads migrations: a run that finds none does not wait for the code that would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_roundtrip.config import Mistake
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.history import History
from alembic_roundtrip.textfile import TextFile

if TYPE_CHECKING:
    from alembic_roundtrip.deployed import Deletion


@dataclass(frozen=True)
class FileContext:
    """One file beside the migrations, and what is to be said there of a whole environment."""

    file: TextFile
    deletions: tuple[Deletion, ...] = ()
    """Deployed migrations that are gone, where this is the configuration of their environment."""
    problems: tuple[str, ...] = ()
    """Why an environment that this file configures cannot be used, a sentence each."""
    histories: tuple[History, ...] = ()
    """The histories that this file has the settings of."""
    refused: tuple[str, ...] = ()
    """Why git could not say what is deployed of them."""
    mistakes: tuple[Mistake, ...] = ()
    """What its settings name of environments that is not there."""
    absent: tuple[Mistake, ...] = ()
    """Files and folders for rehearsals that its settings name and that are not there."""
    found: tuple[Diagnostic, ...] = ()
    """What the rules of the stages before found, before anything was ignored."""
    applied: frozenset[str] = frozenset()
    """The names of the rules that are applied."""
