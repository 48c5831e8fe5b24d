from __future__ import annotations

import socket

import pytest

from alembic_roundtrip.cli import main


def test_a_port_that_is_taken_is_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["server", "--tcp", f"127.0.0.1:{port}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test", "--rows", "many"], "--rows: 'many' is not a number of at least 1"),
        (["test", "--rows", "0"], "--rows: '0' is not a number of at least 1"),
        (["test", "--timeout", "x"], "--timeout: 'x' is not a number of seconds above 0"),
        (["test", "--timeout", "nan"], "--timeout: 'nan' is not a number of seconds above 0"),
        (["server", "--tcp", "h:99999"], "--tcp: 'h:99999' is not HOST:PORT, as in 127.0.0.1:2087"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith(f"{said}\n")
