"""`python -m alembic_roundtrip` is the command line."""

from __future__ import annotations

from alembic_roundtrip.cli import main

raise SystemExit(main())
