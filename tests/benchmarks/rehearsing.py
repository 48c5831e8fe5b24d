"""How fast rehearsals are, as ratios to peers in one run: `python tests/benchmarks/rehearsing.py`.

Numbers of revisions can be named (default: 50 200 1000). For each, on SQLite and on PostgreSQL,
every revision of a made-up history goes up, down and up. Peers take turns, so that a busy machine
is busy for all; costs are per revision, without what starting takes.

- floor: the same statements, recorded before, on the bare driver
- Alembic alone: the same steps in one run of env.py, without looking at anything; for orientation
- pytest-alembic, pytest-mrt: their own runners, in an environment of theirs; the later half of the
  history, as far as they come in three minutes
- alembic.command, alembic: from a few revisions in the middle, as nobody would wait for all
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from alembic_roundtrip.rehearsal import folder as scratch
from alembic_roundtrip.rehearsal.databases import cluster
from alembic_roundtrip.rehearsal.process import AGENT
from benchmarks import histories
from benchmarks.costs import Cost, say
from benchmarks.peers import clock

_PEERS = Path(__file__).with_name("peers")
_CACHE = Path(__file__).parents[2] / ".cache" / "benchmarks"
_PEERS_WANTED = ("pytest-alembic==0.13.1", "pytest-mrt==1.9.1")
_SECONDS = "180"
_TABLES = 100
_ROUNDS = 3
_SAMPLES = {"alembic.command": 5, "alembic": 2}
_OURS, _ROWS, _FLOOR = "schema only", "with rows", "floor"
_PLUGINS = {"pytest-alembic": "stairway.py", "pytest-mrt": "reversible.py"}
_GOALS = (
    # of what, over what, from how many revisions on, at most
    *((_OURS, plugin, 200, 1 / 5) for plugin in _PLUGINS),
    (_OURS, "alembic.command", 1000, 1 / 30),
    (_OURS, "alembic", 1000, 1 / 100),
    (_OURS, _FLOOR, 50, 4),
)
_GROWTH = {"sqlite": 2.0, "postgresql": 1.5}


@dataclass
class PerRevision:
    """Seconds a revision, one for each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    revisions: int = 0
    """How many the last round was of."""

    def add(self, cost: dict[str, float]) -> None:
        """One more round."""
        self.revisions = int(cost["revisions"])
        self.wall.append(cost["wall"] / cost["revisions"])
        self.cpu.append(cost["cpu"] / cost["revisions"])

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.wall), statistics.median(self.cpu)


def main() -> int:
    """Print costs and ratios; the ones that miss their goal are marked."""
    counts = [int(word) for word in sys.argv[1:]] or [50, 200, 1000]
    python = _environment_of_peers()
    with tempfile.TemporaryDirectory(dir=scratch.place()) as place:
        for kind in ("sqlite", "postgresql"):
            with _server(kind) as server:
                bench = Bench(Path(place) / kind, kind, server, python)
                found = {count: bench.compare(count) for count in counts}
                bench.growth(found)
                bench.one_revision(min(counts), max(counts))
                bench.jobs(min(counts, key=lambda count: abs(count - 200)))
                bench.rows()
                bench.comparing()
    return 0


@dataclass(frozen=True)
class Server:
    """Where databases are made; the process number is 0 where there is no server."""

    url: str
    process: int = 0

    def cpu(self) -> float:
        return clock.server(self.process)


@contextmanager
def _server(kind: str) -> Iterator[Server]:
    with cluster.running() if kind == "postgresql" else nullcontext() as running:
        if running is None:
            yield Server("sqlite://")
            return
        pid = Path(running.socket).with_name("data") / "postmaster.pid"
        url = f"postgresql+psycopg://postgres@/NAME?host={running.socket}&port={running.port}"
        yield Server(url, int(pid.read_text().split()[0]))


class Bench:
    """Everything on one kind of database."""

    def __init__(self, place: Path, kind: str, server: Server, python: Path) -> None:
        self._place = place
        self._kind = kind
        self._server = server
        self._python = python
        self._databases = 0
        place.mkdir()
        self._env = os.environ | {"XDG_CACHE_HOME": str(place / "cache")}
        if kind == "postgresql":
            # The server is found by its locks, which are in the cache.
            self._env["XDG_CACHE_HOME"] = os.environ.get(
                "XDG_CACHE_HOME", str(Path("~/.cache").expanduser())
            )

    # --- every revision of a history

    def compare(self, count: int) -> dict[str, PerRevision]:
        """All peers on a history of so many revisions."""
        project, revisions = self._project(f"history-{count}", count)
        one, _ = self._project(f"one-{count}", 1)
        statements = self._place / f"statements-{count}.json"
        self._run(project, "record.py", "SERVER", str(statements))
        found: dict[str, PerRevision] = {}
        rounds = _ROUNDS if count <= 50 else 1
        for _ in range(rounds):
            for name, arguments in (
                (_OURS, ("--rows", "0")),
                (_ROWS, ()),
            ):
                whole, start = Cost(), Cost()
                self._test(whole, project, *arguments)
                self._test(start, one, *arguments)
                found.setdefault(name, PerRevision()).add(
                    {
                        "revisions": count - 1,
                        "wall": whole.wall[0] - start.wall[0],
                        "cpu": whole.cpu[0] - start.cpu[0],
                    }
                )
            peers = {
                _FLOOR: lambda: self._run(project, "floor.py", str(statements), "URL", "SERVER"),
                "Alembic alone": lambda: self._run(project, "record.py", "SERVER"),
                **{
                    name: lambda test=test: self._plugin(project, test)
                    for name, test in _PLUGINS.items()
                },
                **{
                    name: lambda name=name, size=size: self._run(
                        project,
                        "commands.py" if name == "alembic.command" else "processes.py",
                        "SERVER",
                        *revisions[count // 2 :][: size + 1],
                    )
                    for name, size in _SAMPLES.items()
                },
            }
            for name, peer in peers.items():
                found.setdefault(name, PerRevision()).add(peer())
        self._print(count, found)
        return found

    def _print(self, count: int, found: dict[str, PerRevision]) -> None:
        say(f"\n{self._kind}, {count} revisions: ms a revision (up, down, up)")
        for name, cost in found.items():
            wall, cpu = cost.medians
            note = "" if cost.revisions >= count - 1 else f"  (from {cost.revisions} revisions)"
            say(f"  {name:<18}{wall * 1000:10.2f} {cpu * 1000:10.2f} CPU{note}")
        for one, other, least, most in _GOALS:
            if count >= least:
                _judge(f"{one} : {other}", found[one].medians, found[other].medians, most)

    def growth(self, found: dict[int, dict[str, PerRevision]]) -> None:
        """What a long history costs more per revision than a short one."""
        short, long = min(found), max(found)
        if short != long:
            _judge(
                f"{self._kind}: {long} revisions : {short} revisions",
                found[long][_OURS].medians,
                found[short][_OURS].medians,
                _GROWTH[self._kind],
            )

    def rows(self) -> None:
        """With rows against without, where there are many tables but few are touched."""
        project, revisions = self._project("tables", 51, tables=_TABLES)
        costs = {_OURS: PerRevision(), _ROWS: PerRevision()}
        for _ in range(_ROUNDS):
            for name, arguments in ((_OURS, ("--rows", "0")), (_ROWS, ())):
                whole, start = Cost(), Cost()
                self._test(whole, project, f"{revisions[1]}:", *arguments)
                self._test(start, project, revisions[1], *arguments)
                costs[name].add(
                    {
                        "revisions": 49,
                        "wall": whole.wall[0] - start.wall[0],
                        "cpu": whole.cpu[0] - start.cpu[0],
                    }
                )
        say(f"\n{self._kind}, {_TABLES} tables, 100 rows in each that is touched")
        _judge(f"{_ROWS} : {_OURS}", costs[_ROWS].medians, costs[_OURS].medians, 4)

    def one_revision(self, *counts: int) -> None:
        """One revision near the end of a history: the first time, and when it was edited since."""
        for count in sorted(set(counts)):
            project, revisions = self._project(f"edited-{count}", count)
            (script,) = project.glob(f"migrations/versions/{revisions[-3]}_*.py")
            first, again = Cost(), Cost()
            self._test(first, project, revisions[-3])
            for number in range(_ROUNDS):
                with script.open("a", encoding="utf-8") as file:
                    file.write(f"\nEDITED = {number}\n")
                self._test(again, project, revisions[-3])
            say(f"\n{self._kind}, one revision of {count}: the whole command")
            say(first.line("the first time"))
            say(again.line("edited since"))
            told = (self._kind, revisions[-3], str(script))
            say("from a process that stays, behind a waiting agent, ms")
            for name, seconds in self._told(project, "waiting.py", *told).items():
                say(f"  {name:<32}{seconds * 1000:8.0f}")
            found = self._told(project, "editing.py", *told)
            say("from an editor, ms")
            say(f"  {'to the answer':<32}{found['answer'] * 1000:8.0f}")
            say(f"  {'to the new diagnostics':<32}{found['shown'] * 1000:8.0f}")

    def jobs(self, count: int) -> None:
        """Two agents at a time against one."""
        project, _ = self._project(f"jobs-{count}", count)
        one, two = Cost(), Cost()
        for _ in range(_ROUNDS):
            self._test(one, project)
            self._test(two, project, "--jobs", "2")
        wall = statistics.median(a / b for a, b in zip(one.wall, two.wall, strict=True))
        cpu = statistics.median(b / a for a, b in zip(one.cpu, two.cpu, strict=True))
        say(f"\n{self._kind}, {count} revisions with rows: --jobs 2")
        say(f"  {wall:.2f} times as fast as one agent, for {cpu:.2f} times the CPU time")

    def comparing(self) -> None:
        """Looking at a schema."""
        output = self._output(
            Path.cwd(), sys.executable, "comparing.py", self._url(), str(AGENT.parent), str(_TABLES)
        )
        found = json.loads(output)
        say(f"\n{self._kind}, {_TABLES} tables: snapshot and difference")
        _judge("ours : reflect and compare_metadata", found["ours"], found["theirs"], 1 / 10)

    # --- running

    def _project(self, name: str, count: int, tables: int = 0) -> tuple[Path, list[str]]:
        project = self._place / name
        return project, histories.write(project, count, self._url(), tables)

    def _url(self) -> str:
        """A new database."""
        self._databases += 1
        if self._kind == "sqlite":
            return f"sqlite:///{self._place}/database-{self._databases}.sqlite"
        name = f"benchmark_{os.getpid()}_{self._databases}"
        self._administer(f"CREATE DATABASE {name}")
        return self._server.url.replace("NAME", name)

    def _administer(self, statement: str) -> None:
        import psycopg

        query = self._server.url.partition("?")[2].split("&")
        options = dict(word.split("=") for word in query)
        with psycopg.connect(
            user="postgres", dbname="postgres", autocommit=True, **options
        ) as connection:
            connection.execute(statement.encode())

    def _test(self, cost: Cost, project: Path, *arguments: str) -> None:
        command = (sys.executable, "-m", "alembic_roundtrip", "test", "--database", self._kind)
        cost.add((*command, *arguments), project, self._env, self._server.cpu)

    def _run(self, project: Path, script: str, *arguments: str) -> dict[str, float]:
        url = self._renew(project)
        words = [{"URL": url, "SERVER": str(self._server.process)}.get(w, w) for w in arguments]
        output = self._output(project, sys.executable, script, *words).strip()
        return json.loads(output.splitlines()[-1]) if output else {}

    def _renew(self, project: Path) -> str:
        """Have the project's database be a new one."""
        url = self._url()
        ini = project / "alembic.ini"
        lines = ini.read_text(encoding="utf-8").splitlines()
        lines[-1] = f"sqlalchemy.url = {url.replace('%', '%%')}"
        ini.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return url

    def _plugin(self, project: Path, name: str) -> dict[str, float]:
        url = self._renew(project)
        test = project / f"test_{name}"
        test.write_bytes((_PEERS / name).read_bytes())
        output = self._output(
            project,
            str(self._python),
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", test.name),
            URL=url,
            SERVER=str(self._server.process),
            SECONDS=_SECONDS,
        )
        return json.loads(next(line for line in output.splitlines() if line.startswith("{")))

    def _told(self, folder: Path, script: str, *arguments: str) -> dict[str, float]:
        """What a script of ours says in its last line."""
        output = self._output(folder, sys.executable, script, *arguments)
        told: dict[str, float] = json.loads(output.splitlines()[-1])
        return told

    def _output(self, folder: Path, python: str, script: str, *arguments: str, **env: str) -> str:
        program = script if script == "-m" else str(_PEERS / script)
        done = subprocess.run(
            [python, program, *arguments],
            cwd=folder,
            env={**self._env, "PYTHONPATH": str(_PEERS), **env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def _judge(what: str, one: Sequence[float], other: Sequence[float], most: float) -> None:
    """Print a ratio of times and of CPU times, and how it stands to its goal."""
    ratios = [mine / its for mine, its in zip(one, other, strict=True)]
    goal = f"goal: at most {most:g}" if most >= 1 else f"goal: at most 1 : {1 / most:g}"
    shown = (
        "{:.2f} (time), {:.2f} (CPU)".format(*ratios)
        if most >= 1
        else "1 : {:.1f} (time), 1 : {:.1f} (CPU)".format(*(1 / ratio for ratio in ratios))
    )
    say(f"  {what} = {shown}; {goal}{'' if max(ratios) <= most else '  MISSED'}")


def _environment_of_peers() -> Path:
    """A Python with the plugins of others and the versions that everything else here runs with."""
    wanted = [
        *_PEERS_WANTED,
        *(f"{name}=={version(name)}" for name in ("alembic", "sqlalchemy", "pytest")),
        f"psycopg[binary]=={version('psycopg')}",
    ]
    key = hashlib.sha256("\0".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    environment = _CACHE / key
    python = environment / "bin" / "python"
    if not (environment / "installed").exists():
        venv.create(environment, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        (environment / "installed").touch()
    return python


if __name__ == "__main__":
    sys.exit(main())
