"""The Flask application around an env.py that asks for it, as `flask db` would provide it."""

from __future__ import annotations

import os
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, ContextManager


def context_for(env_py: str) -> ContextManager[Any]:
    """The application's context where env.py uses `current_app`, else nothing.

    Which application is up to Flask: `FLASK_APP`, or `app.py` or `wsgi.py` beside it.
    """
    try:
        with open(env_py, encoding="utf-8") as file:
            asks = "current_app" in file.read()
    except (OSError, ValueError):
        asks = False
    if not asks:
        return nullcontext()
    context: ContextManager[Any] = _application().app_context()
    return context


@lru_cache(maxsize=1)
def _application() -> Any:
    """The application, made once: making it may well create or migrate a database."""
    from flask.cli import ScriptInfo  # type: ignore[import-not-found, unused-ignore]

    return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
