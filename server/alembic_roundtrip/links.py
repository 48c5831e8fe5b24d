"""Where the project's documentation is on the web."""

from __future__ import annotations

REPOSITORY = "https://github.com/alembic-roundtrip/alembic-roundtrip"
ISSUES = f"{REPOSITORY}/issues"
SETTINGS_SCHEMA = f"{REPOSITORY}/raw/main/server/docs/settings.schema.json"


def rule_page(rule: str) -> str:
    """Address of a rule's page."""
    return f"{REPOSITORY}/blob/main/server/docs/rules/{rule}.md"


def verdicts_page() -> str:
    """Address of what each verdict means."""
    return f"{REPOSITORY}#verdicts"
