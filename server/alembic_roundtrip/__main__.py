"""`python -m alembic_roundtrip` is the command line."""

from __future__ import annotations

import os
import sys

# `-m` puts the folder it is run in first: a project's `tempfile` would be run instead of Python's.
if sys.path[0] == os.getcwd():  # noqa: PTH109 - before `pathlib` is imported
    del sys.path[0]

from alembic_roundtrip.cli import main

raise SystemExit(main())
