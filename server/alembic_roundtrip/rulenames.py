"""Names of rules, and of severities, in settings."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.config import Mistake, Settings, nearest
from alembic_roundtrip.severity import SEVERITIES

OFF = "off"
"""The severity, in the settings, of a rule that is not applied."""


class UnknownRuleError(ValueError):
    """A rule named in the settings does not exist."""


def check_names(settings: Settings) -> None:
    """Raises `UnknownRuleError` where a rule or a severity is named that there is not."""
    for mistake in mistaken_names(settings):
        told = mistake.sentence
        raise UnknownRuleError(
            told if mistake.near else f"{told}; `alembic-roundtrip explain` lists them"
        )


def mistaken_names(settings: Settings) -> Iterator[Mistake]:
    """Names of rules and severities that there are not."""
    if not (settings.select or settings.ignore or settings.severity):
        return
    from alembic_roundtrip.rule import rules  # which loads every one of them

    known = rules()
    for setting in ("select", "ignore"):
        for index, name in enumerate(getattr(settings, setting)):
            if name not in known:
                yield Mistake((setting, index), f"there is no rule `{name}`", nearest(name, known))
    levels = (*SEVERITIES, OFF)
    for name, severity in settings.severity.items():
        place = ("severity", name)
        if name not in known:
            near = nearest(name, known)
            yield Mistake(place, f"there is no rule `{name}`", near, about_key=True)
        if severity not in levels:
            wanted = ", ".join(levels)
            message = f"`{severity}` for `{name}` is no severity: there are {wanted}"
            yield Mistake(place, message, nearest(severity, levels))
