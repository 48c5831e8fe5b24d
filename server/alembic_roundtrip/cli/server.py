"""Serve editors: the language server, over standard input and output or a local port."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace

_LAST_PORT = 65535


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument("--stdio", action="store_true", help="the default; editors may say so")
    parser.add_argument(
        "--tcp", type=_address, metavar="HOST:PORT", help="listen there instead of on stdio"
    )


def run(arguments: Namespace) -> int:
    """Serve until the editor goes away."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # At INFO pygls writes every message it gets.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    from alembic_roundtrip.lsp.features import server

    if arguments.tcp is not None:
        try:
            server.start_tcp(*arguments.tcp)
        except OSError as error:
            host, port = arguments.tcp
            sys.stderr.write(f"cannot listen on {host}:{port}: {error.strerror or error}\n")
            return 2
        return 0
    # What prints would corrupt the protocol, so printing goes to stderr from here on.
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server.start_io(stdout=protocol)
    logging.shutdown()
    sys.stderr.flush()
    # Taking thousands of migrations apart, one by one, would outlive the editor by a second.
    os._exit(0)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:2087")
    return host or "127.0.0.1", int(port)
