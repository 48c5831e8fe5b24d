"""Writes what is generated: the extension manifest's settings, from the typed ones.

Run `python -m alembic_roundtrip.rulebook` in a checkout after a change of what it is made from; a
test says when that was forgotten.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alembic_roundtrip import __version__
from alembic_roundtrip.config import Settings

SECTION = "alembicRoundtrip"


def manifest(text: str) -> str:
    """The extension's `package.json` with our version and settings in it."""
    data = json.loads(text)
    data["version"] = __version__
    ours, *others = data["contributes"]["configuration"]
    ours["properties"] = properties()
    trust = data["capabilities"]["untrustedWorkspaces"]
    trust["restrictedConfigurations"] = [
        name
        for group in (ours, *others)
        for name, schema in group["properties"].items()
        # What may name a program or a server is not for a workspace to decide.
        if schema["scope"] == "machine-overridable"
    ]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def properties() -> dict[str, dict[str, Any]]:
    """The settings as the manifest describes them."""
    return {
        f"{SECTION}.{editor_name(field.name)}": _schema(field, order)
        for order, field in enumerate(fields(Settings))
    }


def editor_name(name: str) -> str:
    """A setting's name in editors: `x_arguments` is `xArguments`."""
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


def _schema(field: Field[Any], order: int) -> dict[str, Any]:
    default = getattr(Settings(), field.name)
    scope = "machine-overridable" if field.metadata["restricted"] else "resource"
    return {
        **_type(default),
        "default": list(default) if isinstance(default, tuple) else default,
        "scope": scope,
        "order": order,
        "markdownDescription": field.metadata["doc"],
    }


def _type(default: Any) -> dict[str, Any]:
    strings = {"type": "string"}
    if isinstance(default, tuple):
        return {"type": "array", "items": strings}
    if isinstance(default, dict):
        return {"type": "object", "additionalProperties": strings}
    if isinstance(default, bool):
        return {"type": "boolean"}
    if isinstance(default, int):
        return {"type": "integer", "minimum": 0}
    return {"type": "number", "exclusiveMinimum": 0} if isinstance(default, float) else strings


GENERATED: Mapping[str, Callable[[str], str]] = MappingProxyType({"package.json": manifest})
"""Every file with something generated in it, and what makes its new text from the old one."""


def stale(root: Path) -> dict[Path, str]:
    """The files that are not as they would be generated, with the text they should have."""
    current = {root / name: generate for name, generate in GENERATED.items()}
    wanted = {file: make(file.read_text(encoding="utf-8")) for file, make in current.items()}
    return {file: text for file, text in wanted.items() if text != file.read_text(encoding="utf-8")}


def main() -> int:
    """Bring the generated files of the checkout in the working directory up to date."""
    for file, text in stale(Path.cwd()).items():
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.name}")  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
