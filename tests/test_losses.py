"""What a text says of lost data."""

from __future__ import annotations

import pytest

from alembic_roundtrip.losses import says_loss


@pytest.mark.parametrize(
    "text",
    [
        "WARNING: Downgrade will result in data loss.",
        "The rows are deleted for good.",
        "Permanently deletes old records.",
        "Rolling back: the values do not come back.",
        "There is no way back.",
    ],
)
def test_a_loss_is_said(text: str) -> None:
    assert says_loss(text)


@pytest.mark.parametrize(
    "text",
    [
        "Soft delete: users are no longer permanently deleted.",
        "Permanently remove the unused index.",
        "This flag should never come back.",
    ],
)
def test_what_is_about_something_else_says_no_loss(text: str) -> None:
    assert not says_loss(text)
