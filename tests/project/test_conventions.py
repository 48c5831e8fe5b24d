from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from alembic_roundtrip.project.conventions import naming_convention

FOUND = {"uq": "uq_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
LITERAL = '{"uq": "uq_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}'


def convention(folder: Path, env: str, **modules: str) -> Mapping[str, str] | None:
    """Of a project with this env.py and these modules in a package `shop`."""
    (folder / "migrations").mkdir()
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    env += "\ncontext.configure(connection=c, target_metadata=target_metadata)\n"
    (folder / "migrations" / "env.py").write_text(textwrap.dedent(env), encoding="utf-8")
    for name, text in modules.items():
        path = folder / "shop" / f"{name}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return naming_convention(folder / "migrations" / "env.py", folder)


CLASS = f"""
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
class Base(DeclarativeBase):
    metadata = MetaData(schema="x", naming_convention={LITERAL})
"""


@pytest.mark.parametrize(
    ("env", "modules"),
    [
        (f"target_metadata = MetaData(naming_convention={LITERAL})", {}),
        (f"names = {LITERAL}\ntarget_metadata = MetaData(naming_convention=names)", {}),
        ("from shop.models import Base\ntarget_metadata = Base.metadata", {"models": CLASS}),
        ("import shop.models\ntarget_metadata = shop.models.Base.metadata", {"models": CLASS}),
        ("from shop import models as m\ntarget_metadata = m.Base.metadata", {"models": CLASS}),
        (
            "from shop.models import User\ntarget_metadata = User.metadata",
            {"base": CLASS, "models": "from .base import Base\nclass User(Base):\n    pass"},
        ),
        (
            "from shop.models import Base\ntarget_metadata = Base.metadata",
            {
                "models": "from .base import metadata\nBase = declarative_base(metadata=metadata)",
                "base": f"metadata = MetaData(naming_convention={LITERAL})",
            },
        ),
        (
            (
                "from flask import current_app\n"
                'target_metadata = current_app.extensions["migrate"].db.metadata'
            ),
            {"app": f"db = SQLAlchemy(metadata=MetaData(naming_convention={LITERAL}))"},
        ),
        (
            (
                "from flask import current_app\n"
                "target_db = current_app.extensions['migrate'].db\n"
                "def get_metadata():\n"
                "    if hasattr(target_db, 'metadatas'):\n"
                "        return target_db.metadatas[None]\n"
                "    return target_db.metadata\n"
                "target_metadata = get_metadata()"
            ),
            {
                "app": "class Database(SQLAlchemy):\n    pass\n"
                f"db = Database(app, metadata=MetaData(naming_convention={LITERAL}))"
            },
        ),
        (
            (
                "from sqlmodel import SQLModel\n"
                f"SQLModel.metadata.naming_convention = {LITERAL}\n"
                "target_metadata = SQLModel.metadata"
            ),
            {},
        ),
    ],
)
def test_a_literal_convention_is_found(tmp_path: Path, env: str, modules: dict[str, str]) -> None:
    assert convention(tmp_path, env, **modules) == FOUND


@pytest.mark.parametrize(
    ("env", "modules"),
    [
        ("target_metadata = None", {}),
        ("from shop.models import Base\ntarget_metadata = [Base.metadata]", {"models": CLASS}),
        (
            "from shop.models import Base\ntarget_metadata = Base.metadata",
            {"models": "Base = declarative_base()"},
        ),
        ("from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata", {}),
    ],
)
def test_a_project_without_a_convention_has_none(
    tmp_path: Path, env: str, modules: dict[str, str]
) -> None:
    assert convention(tmp_path, env, **modules) == {}


@pytest.mark.parametrize(
    ("env", "modules"),
    [
        ("from elsewhere import Base\ntarget_metadata = Base.metadata", {}),
        ("target_metadata = MetaData(naming_convention=load())", {}),
        ('target_metadata = MetaData(naming_convention={"uq": make_name()})', {}),
        (
            "from shop.models import Base\ntarget_metadata = Base.metadata",
            {"models": "from .models import Base"},
        ),
        (
            'target_metadata = current_app.extensions["migrate"].db.metadata',
            {
                "app": f"db = SQLAlchemy(metadata=MetaData(naming_convention={LITERAL}))",
                "other": "db = SQLAlchemy()",
            },
        ),
    ],
)
def test_what_is_not_a_literal_of_the_project_is_not_known(
    tmp_path: Path, env: str, modules: dict[str, str]
) -> None:
    assert convention(tmp_path, env, **modules) is None


def test_without_an_env_py_nothing_is_known(tmp_path: Path) -> None:
    assert naming_convention(None, tmp_path) is None
