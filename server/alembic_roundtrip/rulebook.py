"""Writes what is generated: manifest, rule pages, tables of README and guide, the settings' schema.

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
from textwrap import dedent
from types import MappingProxyType
from typing import Any

from alembic_roundtrip import __version__
from alembic_roundtrip.config import TABLE, Settings, option_name
from alembic_roundtrip.links import SETTINGS_SCHEMA
from alembic_roundtrip.rule import Example, Rule, rules
from alembic_roundtrip.textfile import TextFile

SECTION = "alembicRoundtrip"
RULES = "server/docs/rules"
RULE_LISTS = ("select", "ignore")
"""The settings that name rules."""
_LANGUAGES = MappingProxyType({"make": "makefile", "docker": "dockerfile"})
NOTICE = "generated from the rule's own file by `make generate`; change that one"


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


def settings_schema() -> str:
    """The table in `pyproject.toml`, for editors: JSON schema as SchemaStore and taplo read it."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SETTINGS_SCHEMA,
        "title": f"[tool.{TABLE}]",
        "description": "Settings of Alembic Roundtrip, which rehearses Alembic downgrades.",
        "type": "object",
        "additionalProperties": False,
        "properties": {option_name(field.name): _option(field) for field in fields(Settings)},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _option(field: Field[Any]) -> dict[str, Any]:
    default = getattr(Settings(), field.name)
    told = {"description": field.metadata["doc"], **_type(default), "default": _plain(default)}
    if field.name in RULE_LISTS:
        told["items"] = {"enum": list(rules())}
        told["uniqueItems"] = True
    return told


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _schema(field: Field[Any], order: int) -> dict[str, Any]:
    default = getattr(Settings(), field.name)
    scope = "machine-overridable" if field.metadata["restricted"] else "resource"
    return {
        **_type(default),
        "default": _plain(default),
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


def pages() -> dict[str, str]:
    """The page of every rule, by its file's name."""
    return {f"server/docs/rules/{rule.name}.md": page(rule) for rule in rules().values()}


def page(rule: Rule) -> str:
    """A rule's documentation: its own page, then its examples."""
    summary, _, rest = rule.page.partition("\n")
    parts = [f"# {rule.name}", f"<!-- {NOTICE} -->", summary, f"Severity: {rule.severity}."]
    parts += [rest.strip(), "## Found"]
    examples = [(example, _without_carets(example)) for example in rule.examples]
    parts += [_found(example, *code) for example, code in examples if code[1]]
    parts += ["## Left alone"]
    parts += [
        f"{example.title}:\n\n{_block(source, example.file)}{_beside(example)}"
        for example, (source, marks) in examples
        if not marks
    ]
    return "\n\n".join(parts) + "\n"


def _found(example: Example, source: str, messages: list[str]) -> str:
    told = "\n".join(f"- {message}" for message in messages)
    text = f"{example.title}:\n\n{_block(source, example.file)}{_beside(example)}\n\n{told}"
    if example.deployed is not None:
        text += f"\n\nDeployed is:\n\n{_block(dedent(example.deployed).strip())}"
    if example.fixed is not None:
        text += f"\n\nAfter the fix:\n\n{_block(dedent(example.fixed).strip(), example.file)}"
    if example.created is not None:
        text += f"\n\nThe fix makes a file:\n\n{_block(dedent(example.created).strip())}"
    return text


def _block(source: str, file: str = "") -> str:
    kind = TextFile(Path(file), source).kind if file else "python"
    return f"```{_LANGUAGES.get(kind, kind)}\n{source}\n```"


def _beside(example: Example) -> str:
    """The other files that an example needs."""
    return "".join(
        f"\n\nBeside it, `{path}`:\n\n{_block(dedent(text).strip(), path)}"
        for path, text in example.beside.items()
    )


def _without_carets(example: Example) -> tuple[str, list[str]]:
    lines, messages = [], []
    for line in dedent(example.source).strip().split("\n"):
        mark = re.match(r"\s*\^+ (.+)", line)
        if mark:
            messages.append(mark.group(1))
        else:
            lines.append(line)
    return "\n".join(lines), messages


def readme(text: str) -> str:
    """The README with our table of rules in it."""
    rows = [
        f"| [`{rule.name}`](server/docs/rules/{rule.name}.md) | {rule.severity} | {rule.summary} |"
        for rule in rules().values()
    ]
    return _section(text, "rules", ["| rule | severity | says |", "| --- | --- | --- |", *rows])


def guide(text: str) -> str:
    """The guide with our table of settings in it."""
    rows = [
        f"| `{option_name(field.name)}` | {field.metadata['doc'].replace('|', '&#124;')} |"
        for field in fields(Settings)
    ]
    return _section(text, "settings", ["| setting | what it says |", "| --- | --- |", *rows])


def _section(text: str, name: str, lines: list[str]) -> str:
    """Put lines between the two marks of that name; raises `ValueError` where they are not."""
    start, end = f"<!-- {name}: generated -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no {start} … {end}")
    return "\n".join([before + start, *lines, end + after])


def _always(text: str) -> Callable[[str], str]:
    return lambda _: text


GENERATED: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "package.json": manifest,
        "README.md": readme,
        "server/docs/GUIDE.md": guide,
        "server/docs/settings.schema.json": _always(settings_schema()),
        **{name: _always(text) for name, text in pages().items()},
    }
)
"""Every file with something generated in it, and what makes its new text from the old one."""


def stale(root: Path) -> dict[Path, str]:
    """The files that are not as they would be generated, with the text they should have."""
    found: dict[Path, str] = {}
    for name, generate in GENERATED.items():
        file = root / name
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        wanted = generate(text)
        if wanted != text:
            found[file] = wanted
    return found


def orphans(root: Path) -> list[Path]:
    """Pages of rules that are no more."""
    return [file for file in (root / RULES).glob("*.md") if f"{RULES}/{file.name}" not in GENERATED]


def main() -> int:
    """Bring the generated files of the checkout in the working directory up to date."""
    root = Path.cwd()
    for file, text in stale(root).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.name}")  # noqa: T201 - a command's output
    for file in orphans(root):
        file.unlink()
        print(f"removed {file.name}")  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
