from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from alembic_roundtrip import __version__, rulebook
from alembic_roundtrip.config import Settings, SettingsError, from_mapping, option_name

ROOT = Path(__file__).parents[1]
MANIFEST = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
SETTINGS = MANIFEST["contributes"]["configuration"][0]["properties"]


def test_generated_files_are_fresh() -> None:
    names = [file.name for file in rulebook.stale(ROOT)]
    assert not names, f"stale: {names}; run `make generate`"
    assert rulebook.orphans(ROOT) == []


def test_a_stale_file_is_found_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in rulebook.GENERATED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    assert rulebook.stale(tmp_path) == {}
    file = tmp_path / "package.json"
    fresh = file.read_text(encoding="utf-8")
    file.write_text(fresh.replace('"alembicRoundtrip.rows"', '"alembicRoundtrip.lines"'), "utf-8")
    orphan = tmp_path / "server" / "docs" / "rules" / "no-such-rule.md"
    orphan.write_text("", encoding="utf-8")
    assert rulebook.stale(tmp_path) == {file: fresh}
    monkeypatch.chdir(tmp_path)
    assert rulebook.main() == 0
    assert file.read_text(encoding="utf-8") == fresh
    assert rulebook.stale(tmp_path) == {}
    assert not orphan.exists()


def test_every_setting_is_in_the_manifest_under_its_name_in_editors() -> None:
    names = [rulebook.editor_name(field.name) for field in fields(Settings)]
    assert list(SETTINGS) == [f"alembicRoundtrip.{name}" for name in names]
    assert "alembicRoundtrip.xArguments" in SETTINGS


def test_every_setting_says_what_it_is_and_what_holds_without_it() -> None:
    defaults = Settings()
    for field in fields(Settings):
        schema = SETTINGS[f"alembicRoundtrip.{rulebook.editor_name(field.name)}"]
        default = getattr(defaults, field.name)
        assert schema["markdownDescription"] == field.metadata["doc"]
        assert schema["default"] == (list(default) if isinstance(default, tuple) else default)


def test_what_could_start_a_program_is_not_for_an_untrusted_workspace_to_set() -> None:
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    risky = {rulebook.editor_name(f.name) for f in fields(Settings) if f.metadata["restricted"]}
    assert risky
    assert set(restricted) == {f"alembicRoundtrip.{name}" for name in (*risky, "serverCommand")}
    for name in risky:
        assert SETTINGS[f"alembicRoundtrip.{name}"]["scope"] == "machine-overridable"


SCHEMA = json.loads((ROOT / "server/docs/settings.schema.json").read_text(encoding="utf-8"))


def test_the_schema_of_the_settings_allows_their_defaults() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    defaults = json.loads(json.dumps(asdict(Settings())))
    jsonschema.validate({option_name(name): value for name, value in defaults.items()}, SCHEMA)


@pytest.mark.parametrize(
    ("table", "usable"),
    [
        ({"select": ["empty-downgrade"], "x-arguments": ["a=b"]}, True),
        ({"env": {"A": "b"}, "rows": 5, "timeout": 1}, True),
        ({"x_arguments": []}, False),
        ({"timeout": "long"}, False),
        ({"rows": 1.5}, False),
        ({"env": {"A": 1}}, False),
        ({"dialects": "sqlite"}, False),
    ],
)
def test_the_schema_agrees_with_what_is_read(table: dict[str, Any], usable: bool) -> None:
    assert jsonschema.Draft7Validator(SCHEMA).is_valid(table) == usable
    if usable:
        from_mapping(table, "here")
    else:
        with pytest.raises(SettingsError):
            from_mapping(table, "here")


def test_extension_and_package_have_one_version() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert {MANIFEST["version"], lock["version"], lock["packages"][""]["version"]} == {__version__}


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
