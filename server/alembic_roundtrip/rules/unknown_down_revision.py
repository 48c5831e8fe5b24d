"""`down_revision` names a revision that does not exist.

## Why it matters
Alembic refuses to load a history with a missing link: no upgrade and no downgrade runs.

## What to do
Restore the migration that is gone, or name the revision that this one follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, NewFile
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.model import Identifier
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Links to revisions that no file has."""
    migration = context.migration
    if context.unread:
        return  # it may be the revision of any of them
    revisions, labels = context.history.by_id, context.history.labelled
    for identifier in (migration.down_revision, migration.depends_on):
        if identifier is None or not identifier.literal:
            continue
        needed = identifier is migration.depends_on
        for name in identifier.values:
            if name in revisions or (needed and (not name or name in labels)):
                continue
            fixes = (*_restored(name, context), *_nearest(name, identifier, context))
            if needed and not fixes:
                # What another package brings is only there when the application runs.
                message = f"no file here has the revision `{name}`: another package must bring it"
                yield Finding(identifier.range, message, severity="warning")
            else:
                yield Finding(identifier.range, f"there is no revision `{name}`", fixes)


def _restored(name: str, context: Context) -> Iterator[Fix]:
    for deletion in context.deletions:
        if deletion.id == name:
            new = NewFile(deletion.path, deletion.text)
            yield Fix(f"Restore `{new.path.name}`", (), "unsafe", creates=(new,))


def _nearest(name: str, identifier: Identifier, context: Context) -> Iterator[Fix]:
    if len(identifier.values) > 1:
        return
    own, history = context.migration.id, context.history
    # To follow what follows this migration would make a circle.
    after = {own, *history.descendants(own)} if own in history else {own}
    others = [rev for rev in history.by_id if rev not in after]
    begun = [rev for rev in others if name and rev.startswith(name)]
    for near in begun[:3] or get_close_matches(name, others, 3, cutoff=0.6):
        rewrite = Replace(identifier.range, literal(near).text)
        yield Fix(f"Follow `{near}`", (rewrite,), "unsafe")


rule.example(
    "A typing mistake",
    """
    revision = "bbbb2222"
    down_revision = "revisionO"  # 😋
                    ^^^^^^^^^^^ there is no revision `revisionO`


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
    fixed="""
    revision = "bbbb2222"
    down_revision = "revision0"  # 😋


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "Nothing like it but what comes after",
    """
    revision = "revision5"
    down_revision = "revision4"
                    ^^^^^^^^^^^ there is no revision `revision4`


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=('revision = "revision6"\ndown_revision = "revision5"\ndef upgrade():\n    pass\n',),
)
rule.example(
    "A revision that is there",
    """
    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=("def upgrade():\n    pass\n",),
)
rule.example(
    "A value that is computed",
    """
    import settings

    revision = "bbbb2222"
    down_revision = settings.PREVIOUS


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "The migration it follows was deleted",
    """
    revision = "bbbb2222"
    down_revision = "deleted0"
                    ^^^^^^^^^^ there is no revision `deleted0`


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    deleted=('revision = "deleted0"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n',),
    created="""
    revision = "deleted0"
    down_revision = None


    def upgrade():
        pass
    """,
)
rule.example(
    "A dependency that an installed package brings",
    """
    revision = "bbbb2222"
    down_revision = None
    depends_on = ("72f227e37bdf",)
                 ^^^^^^^^^^^^^^^^^ no file here has the revision `72f227e37bdf`: another package must bring it


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "An empty dependency, which is none",
    """
    revision = "bbbb2222"
    down_revision = None
    depends_on = ""


    def upgrade():
        pass


    def downgrade():
        pass
    """,
)
rule.example(
    "A dependency by its branch label",
    """
    revision = "bbbb2222"
    down_revision = "revision1"
    depends_on = "billing"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\nbranch_labels = ("billing",)\n'
        "def upgrade():\n    pass\n",
        'revision = "revision1"\ndown_revision = None\ndef upgrade():\n    pass\n',
    ),
)
rule.example(
    "A dependency by the beginning of its identifier",
    """
    revision = "bbbb2222"
    down_revision = "revision1"
    depends_on = ("aaaa",)
                 ^^^^^^^^^ there is no revision `aaaa`


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    history=(
        'revision = "aaaa1111"\ndown_revision = None\ndef upgrade():\n    pass\n',
        'revision = "revision1"\ndown_revision = None\ndef upgrade():\n    pass\n',
    ),
)
rule.example(
    "A revision in another version location",
    """
    revision = "bbbb2222"  # 😋
    down_revision = "aaaa1111"


    def upgrade():
        pass


    def downgrade():
        pass
    """,
    beside={
        "alembic.ini": """
        [alembic]
        script_location = migrations
        version_locations = migrations/versions:more/versions
        version_path_separator = :
        """,
        "more/versions/aaaa1111_first.py": """
        revision = "aaaa1111"
        down_revision = None


        def upgrade():
            pass


        def downgrade():
            pass
        """,
    },
)
