"""Folders of a user, the Alembic environments in them, and what is known of each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_roundtrip import config
from alembic_roundtrip.config import Mistake, Settings, SettingsFile
from alembic_roundtrip.index.store import store_of
from alembic_roundtrip.project import Environment, ProjectError, environment_of, find_environments
from alembic_roundtrip.repository import Commit, GitError, NothingSharedError, deployed_commit
from alembic_roundtrip.rulenames import check_names, mistaken_names
from alembic_roundtrip.scripts import Scripts
from alembic_roundtrip.textfile import (
    MARKS,
    TextFile,
    files_with,
    kind_of,
    matches,
    read_text,
)

if TYPE_CHECKING:
    # Loaded where the first migration is read, as in `scripts`.
    from alembic_roundtrip.context import Context
    from alembic_roundtrip.deployed import DeployedScripts
    from alembic_roundtrip.diagnostic import Diagnostic
    from alembic_roundtrip.evidence import RevisionEvidence
    from alembic_roundtrip.migration.model import Migration
    from alembic_roundtrip.schema import Schema

_NAMING = ("config", "name")
"""The settings that name environments."""
_NAME_IT = "fetch it with its history, or name what is deployed in the setting `deployed-ref`"


@dataclass(frozen=True)
class Surroundings:
    """What git and the disk have around the migrations."""

    deployed: Mapping[Environment, DeployedScripts] = field(default_factory=dict)
    """The migrations that the deployed ref has, where there is one."""
    refused: Mapping[Environment, str] = field(default_factory=dict)
    """Why git could not answer."""
    uncompared: Mapping[Environment, str] = field(default_factory=dict)
    """Why nothing is known to be deployed, in a repository, with what to do."""
    files: tuple[Path, ...] | None = ()
    """Files beside the migrations that may have something for rules; None before one looked."""


class Workspace:
    """What the doors ask: environments, migrations, diagnostics; open buffers go before the disk.

    `overrides` are settings that win over the project's own, named as in `pyproject.toml`.
    `surroundings` are looked up when they are first needed, unless they are given: whoever must not
    wait gives empty ones, and takes over what `look_around` finds in another thread.
    With `remember`, what is known of files is kept in the user's cache, and taken from there.
    `named` are paths that somebody has asked for by name. Raises `SettingsError` or `ProjectError`
    where the settings name something that cannot be used.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        overrides: Mapping[str, Any] | None = None,
        surroundings: Surroundings | None = None,
        *,
        remember: bool = False,
        named: Sequence[Path] = (),
    ) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)
        self._overrides = dict(overrides or {})
        self._texts: dict[Path, str] = {}
        self._settings: dict[Path, Settings] = {}
        self._settings_files: dict[Path, SettingsFile] = {}
        self._scripts: dict[Environment, Scripts] = {}
        self._environments: tuple[Environment, ...] | None = None
        self._astray: dict[Path, tuple[Mistake, ...]] = {}
        self._homes: dict[Path, Environment | None] = {}
        self._surroundings = surroundings
        self._remember = remember
        self._named = tuple(named)

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Every Alembic environment in the folders."""
        if self._environments is None:
            found = [env for folder in self.folders for env in self._find(folder)]
            self._environments = tuple(_distinct(found))
        return self._environments

    def _find(self, folder: Path) -> Iterator[Environment]:
        for environment in self._environments_at(folder):
            try:
                dialects = self.settings_of(environment).dialects
            except config.SettingsError:  # told to whoever asks for its diagnostics
                dialects = ()
            # A project in a folder below may have settings of its own.
            yield environment.set_to(dialects) if dialects else environment

    def _environments_at(self, folder: Path) -> tuple[Environment, ...]:
        """Those that the settings name; one that names nothing there is, is left out and reported.

        What the command line or an editor names is what was asked for, and nothing else is taken.
        """
        settings, own = self._settings_at(folder), self._settings_file(folder).table
        self._astray.pop(folder, None)
        while True:
            try:
                return find_environments(folder, settings, self._named)
            except ProjectError as error:
                if error.setting not in own or not self._overrides.keys().isdisjoint(_NAMING):
                    raise
                mistake = Mistake((error.setting,), str(error), error.near)
                self._astray[folder] = (*self._astray.get(folder, ()), mistake)
                default = getattr(Settings(), error.setting)
                settings = replace(settings, **{error.setting: default})

    def _astray_in(self, path: Path | None) -> Iterator[Mistake]:
        """What a settings file names of environments that is not there."""
        assert self.environments is not None
        for folder, mistakes in self._astray.items():
            if self._settings_file(folder).path == path:
                yield from mistakes

    def _settings_at(self, folder: Path) -> Settings:
        """The settings of a folder, without what cannot be used: a rule reports that."""
        if folder not in self._settings:
            file = self._settings_file(folder)
            base, _ = config.usable(file.table)
            settings = config.from_mapping(self._overrides, "settings", base)
            check_names(config.from_mapping(self._overrides, "settings"))
            self._settings[folder] = settings
        return self._settings[folder]

    def _settings_file(self, folder: Path) -> SettingsFile:
        if folder not in self._settings_files:
            self._settings_files[folder] = config.find(folder)
        return self._settings_files[folder]

    def settings_of(self, environment: Environment) -> Settings:
        """The settings in force for an environment."""
        return self._settings_at(environment.folder)

    def environment_of(self, path: Path) -> Environment | None:
        """The environment a migration belongs to; None for any other file."""
        environments = self.environments
        if path not in self._homes:
            script = path.suffix == ".py"
            self._homes[path] = environment_of(path, environments) if script else None
        return self._homes[path]

    def look_around(self, known: Surroundings | None = None) -> Surroundings:
        """Ask git and the disk what lies around the migrations; takes nothing over.

        With what is `known` from before, only what another commit is deployed for is asked again.
        """
        files = None if known is None else known.files
        return replace(self._ask_git(known), files=self._near() if files is None else files)

    def _ask_git(self, known: Surroundings | None = None) -> Surroundings:
        deployed: dict[Environment, DeployedScripts] = {}
        refused, uncompared = {}, {}
        for environment in self.environments:
            ref = self.settings_of(environment).deployed_ref
            try:
                commit = deployed_commit(environment.script_location, ref)
                found = self._deployed(environment, commit, known) if commit else None
            except GitError as error:
                refused[environment] = str(error)
                if isinstance(error, NothingSharedError):
                    uncompared[environment] = f"{error}; {_NAME_IT}"
                continue
            if commit is None:
                uncompared[environment] = f"no default branch is known here; {_NAME_IT}"
            elif found is not None:
                deployed[environment] = found
        return Surroundings(deployed, refused, uncompared, None)

    def _deployed(
        self, environment: Environment, commit: Commit, known: Surroundings | None
    ) -> DeployedScripts | None:
        before = known.deployed.get(environment) if known else None
        if before is not None and before.commit == commit:
            return before
        from alembic_roundtrip.deployed import DeployedScripts

        found = DeployedScripts(commit, environment)
        found.fetch(self._texts)
        # A ref without any migration of it tells nothing of old and new: git may be told to leave
        # the folder out, as one of installed packages.
        return None if found.empty else found

    def _near(self) -> tuple[Path, ...]:
        versions = {location for env in self.environments for location in env.version_locations}
        found = (p for folder in self.folders for p in files_with(folder, MARKS, but=versions))
        return tuple(dict.fromkeys(path for path in found if self.environment_of(path) is None))

    def fetch(self, path: Path) -> None:
        """Get what git has of a migration before it is asked for; may wait."""
        environment = self.environment_of(path)
        deployed = self.surroundings.deployed.get(environment) if environment else None
        if deployed is not None:
            deployed.fetch([path])

    def take(self, surroundings: Surroundings) -> None:
        """Take over what was found around the migrations."""
        self._surroundings = surroundings
        for environment, scripts in self._scripts.items():
            scripts.set_deployed(surroundings.deployed.get(environment))

    @property
    def surroundings(self) -> Surroundings:
        """What lies around the migrations, as it was when somebody looked; files if asked for."""
        if self._surroundings is None:
            self._surroundings = self._ask_git()
        return self._surroundings

    @property
    def _files_near(self) -> tuple[Path, ...]:
        files = self.surroundings.files
        if files is None:
            files = self._near()
            self._surroundings = replace(self.surroundings, files=files)
        return files

    def scripts(self, environment: Environment) -> Scripts:
        """The migrations of an environment."""
        known = self._scripts.get(environment)
        if known is None:
            mine = {
                path: text
                for path, text in self._texts.items()
                if environment.location_of(path) is not None
            }
            deployed = self.surroundings.deployed.get(environment)
            store = store_of(environment) if self._remember else None
            known = self._scripts[environment] = Scripts(environment, mine, deployed, store)
        return known

    def set_text(self, path: Path, text: str | None) -> None:
        """Take an editor's text for a file; None goes back to the disk's."""
        if text is None:
            self._texts.pop(path, None)
        else:
            self._texts[path] = text
        environment = self.environment_of(path)
        if environment is not None and environment in self._scripts:
            self._scripts[environment].set_text(path, text)

    def changed_on_disk(self, path: Path) -> None:
        """A file changed, came or went; a configuration file makes everything look again."""
        if path.suffix in {".ini", ".toml"} or path.name == "env.py":
            self._environments = None
            self._homes.clear()
            self._settings.clear()
            self._settings_files.clear()
            self._scripts.clear()
            return
        if path.suffix == ".sql":
            # Which migrations read it is known only by reading them.
            self._scripts = {e: s for e, s in self._scripts.items() if not e.has_beside(path)}
            return
        self._homes.pop(path, None)  # it may have become a link
        environment = self.environment_of(path)
        if environment is not None and environment in self._scripts and path not in self._texts:
            self._scripts[environment].reread(path)
        around = self._surroundings
        known = around.files if around is not None else None
        if environment is None and around and known is not None and matches(path, MARKS):
            near = dict.fromkeys((*known, path))
            self._surroundings = replace(around, files=tuple(near))

    def migration(self, path: Path) -> Migration | None:
        """A migration, read; None for a file that is none."""
        environment = self.environment_of(path)
        return None if environment is None else self.scripts(environment).migration(path)

    def document(self, path: Path) -> Migration | TextFile | None:
        """A migration, or another file that rules read; None for what they do not."""
        migration = self.migration(path)
        if migration is not None or not kind_of(path):
            return migration
        folder = next((folder for folder in self.folders if folder in path.parents), None)
        if folder is None and path not in self.files:
            return None
        text = self._texts[path] if path in self._texts else read_text(path)
        return None if text is None else TextFile(path, text, folder)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files beside the migrations that may have something for rules."""
        told = filter(None, (env.told_at for env in self.environments))
        settings = filter(None, (file.path for file in self._all_settings()))
        return tuple(dict.fromkeys((*settings, *told, *self._files_near)))

    def _all_settings(self) -> list[SettingsFile]:
        folders = (*self.folders, *(env.folder for env in self.environments))
        found = {file.path: file for file in map(self._settings_file, folders)}
        return list(found.values())

    @property
    def mistakes(self) -> tuple[str, ...]:
        """What cannot be used of the settings, a sentence each."""
        found = []
        for file in self._all_settings():
            if file.problem:
                found.append(f"{file.path}: {file.problem}; its migrations are not checked")
            settings, mistakes = config.usable(file.table)
            wrong = (*mistakes, *mistaken_names(settings), *self._astray_in(file.path))
            found += [f"{file.path}: {mistake.sentence}" for mistake in wrong]
        return tuple(found)

    def context(self, path: Path) -> Context | None:
        """Everything rules may know about a migration; None for a file that is none."""
        environment = self.environment_of(path)
        if environment is None:
            return None
        from alembic_roundtrip.context import Context, in_same_letters

        scripts = self.scripts(environment)
        migration = scripts.migration(path)
        evidence, current = self.evidence(migration) or (None, False)
        parents, engines = _parents(scripts, migration)
        return Context(
            in_same_letters(migration, parents),
            scripts.history,
            parents,
            engines,
            evidence if current else None,
            None if current else evidence,
            upgrade_only=scripts.upgrade_only,
            in_transaction=scripts.in_transaction,
            deployed=scripts.deployed_state(migration),
            deletions=scripts.deletions(migration.id),
            unread=bool(environment.compiled),
            reader=partial(scripts.read_as, path),
        )

    def prepare(self, path: Path) -> Iterator[None]:
        """Do what `diagnostics` would do first, a little between any two yields."""
        environment = self.environment_of(path)
        if environment is not None:
            yield from self.scripts(environment).prepare(path)

    def diagnostics(self, path: Path) -> tuple[Diagnostic, ...]:
        """What the rules find in a migration, or in a file beside them."""
        from alembic_roundtrip.checker import check

        environment = self.environment_of(path)
        context = self.context(path)
        if environment is None or context is None:
            return self._file_diagnostics(path)
        settings = self.settings_of(environment)
        if self._settings_file(environment.folder).problem:
            return ()  # what is to be ignored is not known
        if settings.since and context.migration.id in self.scripts(environment).up_to(
            settings.since
        ):
            return ()
        found = check(context, settings)
        self.scripts(environment).take_after(context.migration, context.after_upgrade)
        return found

    def _file_diagnostics(self, path: Path) -> tuple[Diagnostic, ...]:
        from alembic_roundtrip.checker import check_file
        from alembic_roundtrip.filecontext import FileContext

        file = self.document(path)
        if not isinstance(file, TextFile):
            return ()
        told = [env for env in self.environments if env.told_at == path]
        set_here = [e for e in self.environments if self._settings_file(e.folder).path == path]
        refused = map(self.surroundings.refused.get, set_here)
        context = FileContext(
            file,
            deletions=tuple(d for env in told for d in self.scripts(env).deletions(None)),
            problems=tuple(problem for env in told for problem in env.problems),
            histories=tuple(self.scripts(env).history for env in set_here),
            refused=tuple(filter(None, refused)),
            mistakes=tuple(self._astray_in(path)),
            absent=tuple(self._absent(set_here)),
        )
        return check_file(context, self._settings_at(path.parent))

    def _absent(self, environments: Sequence[Environment]) -> Iterator[Mistake]:
        for folder in dict.fromkeys(environment.folder for environment in environments):
            settings, _ = config.usable(self._settings_file(folder).table)
            yield from config.absent(settings, folder)

    def evidence(self, migration: Migration) -> tuple[RevisionEvidence, bool] | None:
        """What the last rehearsal measured of a migration, and whether that is still current."""
        environment = self.environment_of(migration.path)
        if environment is None or not migration.id:
            return None
        scripts = self.scripts(environment)
        kept = scripts.evidence_store.load(migration.id)
        if kept is None:
            return None
        key, evidence = kept
        return evidence, key == scripts.evidence_key(migration.id)


def _distinct(found: Sequence[Environment]) -> Iterator[Environment]:
    """Each environment once, also where folders lie in each other; with its configuration."""
    configured = {(env.config, env.section): env for env in reversed(found) if env.config}
    known = {place for env in configured.values() for place in env.places}
    seen: set[frozenset[Path]] = set()
    for env in found:
        if env.config:
            if configured.get((env.config, env.section)) is env:
                yield env
        elif known.isdisjoint(env.places) and env.places not in seen:
            seen.add(env.places)
            yield env


def _parents(
    scripts: Scripts, migration: Migration
) -> tuple[dict[str | None, Schema], dict[str, dict[str | None, Schema]]]:
    """The schemas at the parent by dialect, and those of each engine where there are several."""
    from alembic_roundtrip.schema import Schema

    engines: dict[str, dict[str | None, Schema]] = {}
    parents: dict[str | None, Schema] = {}
    for database in scripts.databases_of(migration):
        dialect, engine = database
        schema = scripts.schema_before(migration.id, dialect, engine)
        if engine is None:
            parents[dialect] = schema
        else:
            engines.setdefault(engine, {})[dialect] = schema
            # Of all of them together nothing is known.
            parents.setdefault(dialect, Schema(opaque=True, dialect=dialect))
    return parents, engines
