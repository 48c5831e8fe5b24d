from __future__ import annotations

import logging
from pathlib import Path

import pytest

from alembic_roundtrip.config import SettingsError
from alembic_roundtrip.lsp.session import Session, folder_around, path_of


def fail() -> int:
    raise RuntimeError("unforeseen 😋")


def refuse() -> int:
    raise SettingsError("said when the settings were read")


def test_guarded_work_gives_its_result_or_the_other(caplog: pytest.LogCaptureFixture) -> None:
    session = Session()
    with caplog.at_level(logging.ERROR):
        assert session.guarded("counting", lambda: 1, 2) == 1
        assert not caplog.records
        assert [session.guarded("counting", fail, 2) for _ in range(3)] == [2, 2, 2]
    (record,) = caplog.records
    assert record.getMessage() == "counting failed: unforeseen 😋"
    assert record.exc_info


def test_settings_that_cannot_be_used_are_no_error_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        assert Session().guarded("checking", refuse, 2) == 2
    assert not caplog.records


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "git:/a/b.py?x", "vscode-vfs://x/y", ""])
def test_what_is_no_file_has_no_path(uri: str) -> None:
    assert path_of(uri) is None


def test_a_path_is_where_the_file_really_is(tmp_path: Path) -> None:
    real = tmp_path / "real 😋"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    assert path_of((tmp_path / "link" / "a.py").as_uri()) == real / "a.py"


def test_the_folder_around_a_file_is_the_nearest_with_a_configuration(tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("")
    assert folder_around(versions / "a.py") == tmp_path
