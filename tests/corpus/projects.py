"""Four published packages with Alembic histories: how to use each, and what is known of it."""

from __future__ import annotations

import json
import sqlite3
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DECOY = "production.db"
"""What the projects' own configurations name; nothing may ever touch it."""

PSYCOPG2 = "psycopg2-binary==2.9.13"

_INI = """\
[alembic]
script_location = {location}
sqlalchemy.url = {url}

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(message)s
"""


@dataclass(frozen=True)
class Project:
    """A package, its history, and the answers known from plain Alembic."""

    name: str
    requires: tuple[str, ...]
    location: str
    """The script location as Alembic takes it."""
    head: str
    revisions: int
    verdicts: Mapping[str, str]
    """Of every revision that is not lossless."""
    in_the_way: frozenset[str] = frozenset()
    """What a downgrade leaves makes the next upgrade fail, on empty tables already."""
    settings: Mapping[str, object] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    minimum: tuple[int, int] = (3, 10)
    """The oldest Python it installs on."""

    @property
    def folder(self) -> str:
        """The folder of env.py, under site-packages."""
        return self.location.replace(":", "/")

    def write(self, workspace: Path, python: Path, url: str = "") -> None:
        """Put into an empty folder what a user of the package would have there.

        Without a `url` its database is the decoy, a file of SQLite.
        """
        url = url or f"sqlite:///{workspace}/{DECOY}"
        names = {"here": str(workspace), "url": url, "location": self.location}
        env = {name: value.format(**names) for name, value in self.env.items()}
        dialect = url.partition(":")[0].partition("+")[0]
        texts = {
            "alembic.ini": _INI.format(**names),
            "pyproject.toml": self._pyproject(python, dialect, env),
        }
        texts |= {name: text.format(**names) for name, text in self.files.items()}
        for name, text in texts.items():
            (workspace / name).write_text(text, encoding="utf-8")
        _decoy(workspace / DECOY)

    def _pyproject(self, python: Path, dialect: str, env: Mapping[str, str]) -> str:
        # Rehearsed on one dialect, and so read for it: the two are compared.
        settings = {"python": str(python), "dialects": [dialect], **self.settings}
        lines = ["[tool.alembic-roundtrip]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        lines += ["", "[tool.alembic-roundtrip.env]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in env.items()]
        return "\n".join(lines) + "\n"


def _decoy(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)")
    connection.execute("INSERT INTO customers (name) VALUES ('real')")
    connection.commit()
    connection.close()


OPTUNA = Project(
    name="optuna",
    requires=("optuna==5.0.0", PSYCOPG2),
    location="optuna:storages/_rdb/alembic",
    head="v3.2.0.a",
    revisions=10,
    verdicts={
        "v2.4.0.a": "failed",  # `pass`; upgrading again finds its own tables and no `direction`
        "v3.0.0.b": "residue",  # `value` becomes NOT NULL
        "v3.0.0.c": "failed",  # AttributeError in `downgrade()`
        "v3.0.0.d": "failed",  # NULL was allowed since the upgrade, NOT NULL is put back
    },
    in_the_way=frozenset({"v2.4.0.a"}),
)

MELTANO = Project(
    name="meltano",
    requires=("meltano==4.4.1", PSYCOPG2),
    location="meltano:migrations",
    head="c0efb3c314eb",
    revisions=16,
    verdicts={
        "53e97221d99f": "failed",  # assigns to a Row as soon as there is one
        "d135f52a6f49": "failed",  # `drop_column` of a quoted table name
        "c0efb3c314eb": "residue",  # `pass` where seven tables were dropped
    },
)

IHATEMONEY = Project(
    name="ihatemoney",
    requires=("ihatemoney==7.2.1", PSYCOPG2),
    location="ihatemoney:migrations",
    head="c941aaca38c2",
    revisions=13,
    verdicts={
        "f629c8ef4ab0": "lossy",  # weights that were NULL stay 1
        "b78f8a8bdb16": "lossy",  # passwords stay hashed
        "a67119aa3ee5": "lossy",  # weights that were negative stay 1
        "c941aaca38c2": "residue",  # `password` stays longer; `remote_addr` comes back empty
    },
    # Hashing a password takes as long as it should.
    settings={"rows": 20, "timeout": 300.0},
    env={"FLASK_APP": "ihatemoney.wsgi", "IHATEMONEY_SETTINGS_FILE_PATH": "{here}/settings.cfg"},
    files={
        "settings.cfg": textwrap.dedent(
            """\
            SQLALCHEMY_DATABASE_URI = "{url}"
            SECRET_KEY = "x"
            ACTIVATE_DEMO_PROJECT = False
            """
        )
    },
    minimum=(3, 11),
)

# `pass` where upgrading again fails: the table, column or index is already there.
_MLFLOW_IN_THE_WAY = frozenset(
    """
        451aebb31d03 df50e92ffc5e 728d730b5ebd 27a6a02d2cf1 84291f40a231
        bd07f7e963c5 0c779009ac13 97727af70f4d 7f2a7d5fae7d acf3f17fdcc7
        867495a8f9d4 400f98739977 6953534de441
    """.split()
)
# `pass` over a change of the schema that the next upgrade gets along with.
_MLFLOW_NOT_RESTORED = frozenset(
    """
        7ac759974ad8 cfd24bdc0731 a8c4a736bde6 39d1c3be5f05 cc1f77228345
        3500859a5d39 2d6e25af4d3e 5b0e9adcef9c f5a4f2784254 0584bdc529eb
        bda7b8c39065 17e22815139b
    """.split()
)
MLFLOW = Project(
    name="mlflow-skinny",
    requires=("mlflow-skinny==3.17.2", "alembic", "sqlalchemy", PSYCOPG2),
    location="mlflow:store/db_migrations",
    head="dc11669786a5",
    revisions=67,
    verdicts={
        **dict.fromkeys(_MLFLOW_IN_THE_WAY, "failed"),
        **dict.fromkeys(_MLFLOW_NOT_RESTORED, "residue"),
        "90e64c465722": "residue",  # `pass`: the tags it made of users stay
        # `pass`: upgrading again gives `is_nan` its default, and so two rows the same key
        "181f10493468": "failed",
        "c9d4e5f6a7b8": "failed",  # UNIQUE is put back over rows that were allowed since
        "c8d9e0f1a2b3": "failed",  # writes into a generated column
        "1b5f0d9ad7c1": "residue",  # UNIQUE (name) of registered_models is not put back
        "dc11669786a5": "lossy",  # jobs that were running stay cancelled
    },
    in_the_way=_MLFLOW_IN_THE_WAY,
    settings={"baseline": "mlflow.store.tracking.dbmodels.initial_models:Base.metadata.create_all"},
)

PROJECTS = (OPTUNA, MELTANO, IHATEMONEY, MLFLOW)
