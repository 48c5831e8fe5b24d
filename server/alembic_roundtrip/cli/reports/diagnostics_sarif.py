"""Diagnostics as SARIF 2.1.0, the format of code scanning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from alembic_roundtrip.cli.reports._fixes import written
from alembic_roundtrip.cli.reports._linting import Linting
from alembic_roundtrip.cli.reports._sarif import (
    LEVELS,
    Json,
    artifact,
    descriptor,
    fingerprint,
    location,
    print_log,
    region,
)
from alembic_roundtrip.diagnostic import Diagnostic, Fix
from alembic_roundtrip.links import rule_page
from alembic_roundtrip.rule import Rule, rules
from alembic_roundtrip.text import Edit, Source


def report(linting: Linting) -> None:
    """Print a log with every rule, and a result for each diagnostic."""
    print_log([_rule(rule) for rule in rules().values()], list(_results(linting)), linting.problems)


def _rule(rule: Rule) -> Json:
    tags = ["fixable"] if any(example.fixed for example in rule.examples) else []
    link = rule_page(rule.name)
    return descriptor(rule.name, rule.summary, rule.page, rule.severity, link, tags)


def _results(linting: Linting) -> Iterator[Json]:
    index = {name: number for number, name in enumerate(rules())}
    seen: Counter[str] = Counter()
    for d in linting.shown:
        same = _identity(d, linting.source(d))
        seen[same] += 1
        result: Json = {
            "ruleId": d.rule,
            "ruleIndex": index[d.rule],
            "level": LEVELS[d.severity],
            "message": {"text": d.message},
            "locations": [location(d.path, d.range)],
            "partialFingerprints": {
                "ruleRevisionText/v1": fingerprint(same, str(seen[same])),
            },
            "properties": {"revision": d.revision},
        }
        if d.related:
            result["relatedLocations"] = [location(r.path, r.range, r.message) for r in d.related]
        # The format has no place for files that are made.
        fixes = [_fix(d, *fix) for fix in written(d) if not fix[0].creates]
        yield result | {"fixes": fixes} if fixes else result


def _identity(d: Diagnostic, source: Source) -> str:
    """What makes two diagnostics the same one at two times: not where it stands."""
    text = source.slice(d.range).split()
    return "\0".join((d.rule, d.revision or d.path.name, " ".join(text)))


def _fix(d: Diagnostic, fix: Fix, edits: Sequence[Edit]) -> Json:
    replacements = [
        {"deletedRegion": region(edit.range), "insertedContent": {"text": edit.text}}
        for edit in edits
    ]
    change = {"artifactLocation": artifact(d.path), "replacements": replacements}
    return {
        "description": {"text": fix.title},
        "artifactChanges": [change],
        "properties": {"safety": fix.safety},
    }
