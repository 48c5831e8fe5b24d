"""Lints, rehearses and rewrites the corpus, and prints it: `python tests/corpus/report.py`.

How lint and rehearsal agree, and what written downgrades are worth, is kept in `REPORT.md`.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus.agreement import Agreement, report, section
from corpus.install import CannotInstallError, Installed, install
from corpus.projects import PROJECTS, Project
from corpus.replaying import Comparison, compare
from corpus.runs import Run, command_line
from corpus.servers import postgresql
from corpus.writing import GENERATED, Measure, generated, measured
from corpus.writing import section as section_of_writing

_SEVERITIES = ("error", "warning")
_LONGEST = 118
_REVISIONS = 60
"""Of the history that is generated."""
_KEPT = Path(__file__).with_name("REPORT.md")


def main() -> int:
    """Print a table a project; gives 2 where one could not be run."""
    total: Counter[str] = Counter()
    agreement = Agreement()
    scaffolds = (Measure(), Measure(source="database"))
    sections: list[str] = []
    written: list[tuple[str, Measure]] = []
    seconds = 0.0
    for project in PROJECTS:
        try:
            installed = install(project)
        except CannotInstallError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        lint, rehearsal, replayed = _run(installed)
        for run in (lint, rehearsal):
            if run.status == 2:
                sys.stderr.write(run.errors)
                return 2
        seconds += rehearsal.seconds
        total += _project(project, lint, rehearsal, replayed)
        agreement.add(project.name, lint, rehearsal)
        alone = Agreement()
        alone.add(project.name, lint, rehearsal)
        sections.append(section(project.requires[0], alone))
        for total_of, measure in zip(scaffolds, _writing(installed), strict=True):
            written.append((project.requires[0], measure))
            total_of.include(measure)
    written += [("all", each) for each in scaffolds]
    written += _generated()
    _print(f"{sum(total.values())} revisions: {_counts(total)}; rehearsed in {seconds:.0f} s")
    for line in (*agreement.lines(), *(line for each in scaffolds for line in each.lines())):
        _print(line)
    _KEPT.write_text(report(agreement, [*sections, section_of_writing(written)]), encoding="utf-8")
    return 0


def _run(installed: Installed) -> tuple[Run, Run, list[Comparison]]:
    with tempfile.TemporaryDirectory() as name:
        workspace, home = Path(name, "workspace"), Path(name, "home")
        workspace.mkdir()
        installed.project.write(workspace, installed.python)
        return (
            command_line("lint", "--hints", "--format", "json", cwd=workspace, home=home),
            command_line("test", "--format", "json", cwd=workspace, home=home),
            _compared(installed, Path(name)),
        )


def _compared(installed: Installed, folder: Path) -> list[Comparison]:
    """What is replayed, compared on each dialect."""
    with postgresql(installed.project.name) as url:
        found = []
        for name, each in (("sqlite", ""), ("postgresql", url)):
            workspace = folder / name
            workspace.mkdir()
            installed.project.write(workspace, installed.python, each)
            found.append(compare(installed, workspace, each))
        return found


def _writing(installed: Installed) -> tuple[Measure, Measure]:
    """Delete every downgrade, write it from the upgrade, rehearse; once more from a database."""
    with tempfile.TemporaryDirectory() as name:
        code, _ = measured(installed, Path(name))
        database, _ = measured(installed, Path(name), database=True)
    for line in (*code.lines(), *database.lines()):
        _print(line)
    _print("")
    return code, database


def _generated() -> Iterator[tuple[str, Measure]]:
    """The history of the benchmarks, whose downgrades are all deleted and written, too."""
    for kind in GENERATED:
        with tempfile.TemporaryDirectory() as name:
            for database in (False, True):
                measure = generated(kind, _REVISIONS, Path(name), database=database)
                _print(f"generated for {kind}:")
                for line in measure.lines():
                    _print(line)
                yield f"generated, {kind}", measure


def _project(
    project: Project, lint: Run, rehearsal: Run, replayed: list[Comparison]
) -> Counter[str]:
    revisions: list[dict[str, Any]] = rehearsal.document["revisions"]
    rules = _rules(lint)
    verdicts = Counter(found["verdict"] for found in revisions)
    _print(f"{project.requires[0]}: {len(revisions)} revisions, {_counts(verdicts)}")
    _print(f"  linted in {lint.seconds:.1f} s, rehearsed in {rehearsal.seconds:.1f} s")
    for found in revisions:
        if found["verdict"] != "lossless":
            read = ", ".join(sorted(rules.get(found["revision"], ()))) or "-"
            line = f"  {found['revision']:<13} {found['verdict']:<8}{found['seconds']:5.2f} s"
            _print(_cut(f"{line}  {read:<22}  {_what(found)}"))
    for comparison in replayed:
        for line in comparison.lines():
            _print(f"  {line}")
    _print("")
    return verdicts


def _rules(lint: Run) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for diagnostic in lint.document["diagnostics"]:
        if diagnostic["severity"] in _SEVERITIES:
            found.setdefault(diagnostic["revision"], set()).add(diagnostic["rule"])
    return found


def _what(found: dict[str, Any]) -> str:
    """What there is to say of a verdict."""
    residue = [each for each in found["residue"] if each["grade"] != "cosmetic"]
    if found["verdict"] == "failed":
        return _failure(found)
    if residue:
        more = f" and {len(residue) - 1} more" if residue[1:] else ""
        return _difference(residue[0]) + more
    loss = next(each for each in found["losses"] if each["step"] != "downgrade")
    name = loss["table"] if loss["column"] is None else f"{loss['table']}.{loss['column']}"
    return f"{loss['lost']} of {loss['rows']} {name} lost: {loss['example']}"


def _failure(found: dict[str, Any]) -> str:
    """The step that the verdict is about, and its error."""
    for step in found["steps"]:
        message = step["error"]["message"].splitlines()[0] if step["error"] else None
        if message is not None and message in found["reason"]:
            return f"{step['name']}: {message}"
    return str(found["reason"])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _difference(residue: dict[str, Any]) -> str:
    name = f"{residue['kind']} {residue['object']}"
    if residue["change"] == "left":
        return f"leaves {name}"
    if residue["change"] == "missing":
        return f"does not restore {name}"
    return f"{name}: {residue['before']} → {residue['after']}"


def _counts(verdicts: Counter[str]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())


def _print(text: str) -> None:
    sys.stdout.write(f"{text.rstrip()}\n")


if __name__ == "__main__":
    sys.exit(main())
