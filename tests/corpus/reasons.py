"""Why reading and rehearsing disagree on some revisions of the corpus: each was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("optuna", "v3.0.0.c"): (
            "its downgrade fails in Python over rows, in code of the application that is not read; "
            "what `Session` did leaves everything else unsure"
        ),
        ("optuna", "v3.0.0.d"): (
            "its downgrade gives values to the rows that are marked as infinite, ahead of NOT "
            "NULL; made-up rows lack values without being marked, which the application never does"
        ),
        ("meltano", "53e97221d99f"): (
            "its upgrade assigns to a row of a result, which only shows when there is one"
        ),
        ("mlflow-skinny", "c8d9e0f1a2b3"): (
            "its batch copies a table with a generated column; the table is named by a model of "
            "the application, so reading does not know its columns"
        ),
        ("mlflow-skinny", "1b5f0d9ad7c1"): (
            "whether UNIQUE is there is asked of the database in functions of its own: what hangs "
            "on that is unsure"
        ),
    }
)
