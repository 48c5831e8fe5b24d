"""Pins what tests run with: `python tests/lock.py python3.10 python3.12` writes the constraints.

The first interpreter is the oldest that is supported; what it gets is pinned for versions below the
second's, where the two differ.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "server" / "constraints.txt"


def frozen(python: str) -> dict[str, str]:
    """Name and version of all that an interpreter gets, the newest that fit."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        own = [f"{folder}/bin/python", "-m", "pip"]
        subprocess.run([*own, "install", "--quiet", "--upgrade", "pip"], check=True)
        wanted = ["--editable", ".", "--group", "dev", "--group", "native"]
        subprocess.run([*own, "install", "--quiet", *wanted], cwd=ROOT, check=True)
        freeze = [*own, "freeze", "--exclude-editable"]
        done = subprocess.run(freeze, cwd=ROOT, check=True, capture_output=True, text=True)
    pins = (line.partition("==") for line in done.stdout.splitlines())
    return {name: version for name, _, version in pins}


def merged(oldest: dict[str, str], newer: dict[str, str], border: str) -> list[str]:
    """One line a pin that holds everywhere, two where the interpreters differ."""
    lines = []
    for name in sorted({*oldest, *newer}, key=str.lower):
        old, new = oldest.get(name), newer.get(name)
        if old == new:
            lines.append(f"{name}=={new}")
            continue
        lines += [f'{name}=={old} ; python_version < "{border}"'] if old else []
        lines += [f'{name}=={new} ; python_version >= "{border}"'] if new else []
    return lines


def main(oldest: str, newer: str) -> None:
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    command = [newer, "-c", asked]
    border = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    lines = merged(frozen(oldest), frozen(newer), border)
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
