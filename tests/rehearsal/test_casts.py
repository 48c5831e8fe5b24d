"""What is said of types that change, held against what the databases do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from alembic_roundtrip.comparison.casting import Narrowing, casts_itself, narrowing
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.rehearsal.databases import cluster, daemon

VALUES = {
    "sa.SmallInteger()": ["-32768"],
    "sa.Integer()": ["2147483647"],
    "sa.BigInteger()": ["9007199254740993", "-9223372036854775808"],
    "sa.Numeric(10, 2)": ["1.25", "-12345678.91"],
    "sa.Numeric(4)": ["-9999"],
    "sa.Float()": ["0.1234", "1e30"],
    "sa.Boolean()": ["true"],
    "sa.String(10)": ["'0123456789'", "'x'"],
    "sa.Text()": ["'longer than ten'"],
    "sa.Date()": ["'2024-01-31'"],
    "sa.Time()": ["'12:34:56'"],
    "sa.DateTime()": ["'2024-01-31 12:34:56'"],
}
OF_POSTGRESQL = {
    "sa.Numeric()": ["1.23456", "12345678901234567890.5"],
    "sa.DateTime(timezone=True)": ["'2024-01-31 12:34:56+03'"],
    "sa.Interval()": ["'3 days 04:05'"],
    "sa.JSON()": ["'{\"a\": 1}'"],
    "postgresql.JSONB()": ["'{\"a\": 1}'"],
    "sa.UUID()": ["'123e4567-e89b-12d3-a456-426614174000'"],
    "sa.LargeBinary()": ["'\\x00ff'"],
}
NOT_SAID = {
    *("sa.Numeric() to sa.String(10)", "sa.Interval() to sa.String(10)"),  # few are that long
    *("sa.Boolean() to sa.Date()", "sa.Boolean() to sa.DateTime()"),  # nobody means that
    "sa.Float() to sa.BigInteger()",  # MariaDB gives the largest number
}


class Server:
    """Tables of one column on a database, and what becomes of its values."""

    def __init__(self, run: Callable[[str], Any], dialect: sa.Dialect, alter: str) -> None:
        self.run = run
        self.dialect = dialect
        self.alter = alter

    def named(self, text: str) -> str:
        kind = eval(text, {"sa": sa, "postgresql": postgresql})  # noqa: S307 - our own text
        return kind.compile(dialect=self.dialect)

    def altered(self, before: str, after: str, value: str | None) -> str:
        """What a change of the type does to a value: keeps, changes or refuses it."""
        old, new = map(self.named, (before, after))
        self.run("DROP TABLE IF EXISTS t")
        self.run(f"CREATE TABLE t (x {old})")
        if value is not None:
            self.run(f"INSERT INTO t VALUES ({value})")  # noqa: S608 - our own text
        was = self.run("SELECT x FROM t")
        try:
            self.run(self.alter.format(type=new))
        except (psycopg.Error, pymysql.Error):
            return "refused"
        # What comes back is the same only where nothing was lost on the way.
        back = self.alter.format(type=old)
        try:
            self.run(f"{back} USING x::{old}" if self.dialect.name == "postgresql" else back)
        except (psycopg.Error, pymysql.Error):
            return "changed"
        return "kept" if self.run("SELECT x FROM t") == was else "changed"


@pytest.fixture
def postgresql_server(server: None) -> Iterator[Server]:
    del server
    with cluster.running() as running:
        place = {"host": running.socket, "port": running.port, "user": "postgres"}
        with psycopg.connect(
            **place, dbname="postgres", autocommit=True, prepare_threshold=None
        ) as connection:
            connection.execute("CREATE SCHEMA casts")
            connection.execute("SET search_path TO casts")

            def run(sql: str) -> Any:
                cursor = connection.execute(sql)
                return cursor.fetchall() if cursor.description else None

            yield Server(run, postgresql.dialect(), "ALTER TABLE t ALTER x TYPE {type}")
            connection.execute("DROP SCHEMA casts CASCADE")


@pytest.fixture
def mariadb_server(mariadb: None) -> Iterator[Server]:
    del mariadb
    with daemon.running() as running:
        place = {"unix_socket": str(running.socket), "user": "root"}
        connection = pymysql.connect(**place, autocommit=True)
        cursor = connection.cursor()

        def run(sql: str) -> Any:
            cursor.execute(sql)
            return cursor.fetchall()

        run("CREATE DATABASE casts")
        run("USE casts")
        yield Server(run, mysql.dialect(), "ALTER TABLE t MODIFY x {type}")
        run("DROP DATABASE casts")
        connection.close()


def said(before: str, after: str, dialect: str) -> Narrowing | None:
    return narrowing(Expression(before), Expression(after), dialect)


def test_postgresql_casts_by_itself_what_is_said(postgresql_server: Server) -> None:
    for before, after in permutations({**VALUES, **OF_POSTGRESQL}, 2):
        told = casts_itself(Expression(before), Expression(after))
        real = postgresql_server.altered(before, after, None) != "refused"
        assert told in {None, real}, (before, after)


def compared(server: Server, values: dict[str, list[str]], dialect: str) -> list[str]:
    """Where what is said of values is not what becomes of them."""
    wrong = []
    for before, after in permutations(values, 2):
        pair = f"{before} to {after}"
        if dialect == "postgresql" and not casts_itself(Expression(before), Expression(after)):
            continue
        # Of numbers that become flags in MySQL, which are numbers, most were flags.
        if pair in NOT_SAID or (dialect == "mysql" and after == "sa.Boolean()"):
            continue
        narrowed = said(before, after, dialect)
        found = {server.altered(before, after, value) for value in values[before]}
        refused = "refused" in found
        changing = narrowed not in {None, Narrowing.LARGER, Narrowing.LONGER}
        refusing = narrowed is not None and narrowed.refuses
        if refusing != refused or ("changed" in found and not changing):
            wrong.append(f"{pair}: {narrowed} is said, but values are {found}")
    return wrong


def test_postgresql_does_to_values_what_is_said(postgresql_server: Server) -> None:
    wrong = compared(postgresql_server, {**VALUES, **OF_POSTGRESQL}, "postgresql")
    assert not wrong, "\n".join(wrong)


def test_mariadb_does_to_values_what_is_said(mariadb_server: Server) -> None:
    wrong = compared(mariadb_server, VALUES, "mysql")
    assert not wrong, "\n".join(wrong)
