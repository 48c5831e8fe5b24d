"""What was measured, once more with nothing but Alembic's own commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from corpus.conftest import HERE, Place, Rehearsal

Rows = list[tuple[str, dict[str, object]]]


@dataclass(frozen=True)
class Proof:
    """Rows with which plain Alembic shows what a rehearsal found with rows of its own."""

    revision: str
    before: Rows
    after: Rows
    fails: str | None
    """`upgrade`, `downgrade` or `again`."""
    ask: str = "SELECT 1"
    answer: object = ()


PROOFS = {
    "optuna": [
        # Optuna itself writes no such row; the schema has allowed it since the upgrade.
        Proof(
            "v3.0.0.d",
            [],
            [("trial_values", {"trial_id": 1, "value": None, "value_type": "FINITE"})],
            "downgrade",
        ),
    ],
    "meltano": [Proof("53e97221d99f", [("job", {})], [], "upgrade")],
    "ihatemoney": [
        Proof(
            "f629c8ef4ab0",
            [("person", {"weight": None})],
            [],
            None,
            "SELECT weight FROM person",
            [[1.0]],
        ),
        Proof(
            "b78f8a8bdb16",
            [("project", {"password": "secret"})],
            [],
            None,
            "SELECT password = 'secret' FROM project",
            [[0]],
        ),
        Proof(
            "a67119aa3ee5",
            [("person", {"weight": -2.0})],
            [],
            None,
            "SELECT weight FROM person",
            [[1.0]],
        ),
        Proof(
            "c941aaca38c2",
            [("transaction", {"id": 1, "remote_addr": "192.0.2.1"})],
            [],
            None,
            'SELECT remote_addr FROM "transaction"',
            [[None]],
        ),
    ],
    "mlflow-skinny": [
        Proof(
            "90e64c465722",
            [("runs", {"run_uuid": "r", "experiment_id": 1, "user_id": "someone"})],
            [],
            None,
            "SELECT key, value FROM tags",
            [["mlflow.user", "someone"]],
        ),
        Proof(
            "181f10493468",
            [],
            [("metrics", {"is_nan": 0}), ("metrics", {"is_nan": 1})],
            "again",
        ),
        Proof(
            "c9d4e5f6a7b8",
            [],
            [
                ("endpoint_model_mappings", {"mapping_id": name, "linkage_type": name})
                for name in ("one", "two")
            ],
            "downgrade",
        ),
        Proof(
            "dc11669786a5",
            [("jobs", {"status": 0})],
            [],
            None,
            "SELECT status FROM jobs",
            [[5]],
        ),
    ],
}


def trips(place: Place, folder: Any, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Plain Alembic in a workspace of its own, whose database is there to be used."""
    project = place.project
    project.write(folder, place.installed.python)
    plan = {
        "baseline": project.settings.get("baseline", ""),
        "flask": project.env.get("FLASK_APP", ""),
        "trips": wanted,
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    env = {name: value.format(here=folder) for name, value in project.env.items()}
    script = str(HERE / "plain.py")
    result = place.installed.run("-W", "ignore", script, "plan.json", cwd=folder, **env)
    assert result.returncode == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def error_of(found: dict[str, Any], step: str) -> bool:
    return any(each["name"] == step and each["error"] for each in found["steps"])


def test_on_empty_tables_every_round_trip_ends_as_with_plain_alembic(
    place: Place, rehearsal: Rehearsal, tmp_path: Any
):
    empty = [
        {"revision": revision, "before": [], "after": [], "ask": []}
        for revision in rehearsal.revisions
    ]
    theirs = {
        found["revision"]: {
            "upgrade fails": bool(found["upgrade"]),
            "downgrade fails": bool(found["downgrade"]),
            "upgrade again fails": bool(found["again"]),
            "schema restored": not found.get("residue"),
        }
        for found in trips(place, tmp_path, empty)
    }
    ours = {
        revision: {
            "upgrade fails": error_of(found, "upgrade"),
            "downgrade fails": error_of(found, "downgrade"),
            "upgrade again fails": error_of(found, "upgrade again"),
            "schema restored": not any(
                each["kind"] != "rows" and each["grade"] != "cosmetic" for each in found["residue"]
            ),
        }
        for revision, found in rehearsal.revisions.items()
    }
    assert ours == theirs
    failing = {revision for revision, each in theirs.items() if each["upgrade again fails"]}
    assert failing == place.project.in_the_way


def test_what_only_rows_show_happens_with_plain_alembic_too(place: Place, tmp_path: Any):
    proofs = PROOFS[place.project.name]
    wanted = [
        {"revision": p.revision, "before": p.before, "after": p.after, "ask": [p.ask]}
        for p in proofs
    ]
    for proof, found in zip(proofs, trips(place, tmp_path, wanted), strict=True):
        failed = next((s for s in ("upgrade", "downgrade", "again") if found[s]), None)
        assert failed == proof.fails, found
        if proof.fails is None:
            assert found["answers"] == [proof.answer], found


def test_every_verdict_that_needs_rows_has_a_proof(place: Place, rehearsal: Rehearsal):
    needing = {
        revision
        for revision, found in rehearsal.revisions.items()
        if found["verdict"] != "lossless"
        and not error_of(found, "downgrade")
        and not error_of(found, "upgrade again")
        and not any(each["kind"] != "rows" for each in found["residue"])
    }
    proven = {proof.revision for proof in PROOFS[place.project.name]}
    assert needing <= proven, needing - proven


@pytest.mark.parametrize("step", ["upgrade", "downgrade", "again"])
def test_proofs_name_steps_that_exist(step: str):
    assert any(proof.fails == step for proofs in PROOFS.values() for proof in proofs)
