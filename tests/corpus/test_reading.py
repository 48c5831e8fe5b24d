from __future__ import annotations

import json

from alembic_roundtrip.workspace import Workspace
from corpus.conftest import Place

READ_BY_ALEMBIC = """
import json, sys
from alembic.config import Config
from alembic.script import ScriptDirectory
scripts = ScriptDirectory.from_config(Config("alembic.ini"))
def tuple_(value):
    return [value] if isinstance(value, str) else list(value or ())
json.dump({
    "heads": sorted(scripts.get_heads()),
    "bases": sorted(scripts.get_bases()),
    "revisions": {
        script.revision: [
            tuple_(script.down_revision), tuple_(script.dependencies),
            sorted(script.branch_labels), script.path,
        ]
        for script in scripts.walk_revisions()
    },
}, sys.stdout)
"""


def test_the_history_is_what_alembic_itself_reads(place: Place):
    result = place.installed.run("-c", READ_BY_ALEMBIC, cwd=place.workspace)
    assert result.returncode == 0, result.stderr
    theirs = json.loads(result.stdout)
    workspace = Workspace([place.workspace])
    (environment,) = workspace.environments
    history = workspace.scripts(environment).history
    assert history.problems == ()
    assert {
        "heads": sorted(history.heads),
        "bases": sorted(history.bases),
        "revisions": {
            found.id: [
                list(found.down_revisions),
                list(found.depends_on),
                sorted(found.branch_labels),
                str(found.path),
            ]
            for found in history.revisions
        },
    } == theirs
    assert history.heads == (place.project.head,)
    assert len(history.revisions) == place.project.revisions


def test_every_migration_is_read_without_failure(place: Place):
    workspace = Workspace([place.workspace])
    (environment,) = workspace.environments
    scripts = workspace.scripts(environment)
    read = [scripts.migration(path) for path in scripts.paths]
    assert len(read) == place.project.revisions
    assert {found.path.name: found.problems for found in read if found.problems} == {}
    assert [found.path.name for found in read if not (found.upgrade and found.downgrade)] == []
