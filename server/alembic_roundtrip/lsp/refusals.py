"""Commands that are not carried out, and the sentences that say why."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcException


class Refused(JsonRpcException):
    """A command that cannot be carried out; the editor shows the sentence."""

    CODE = types.LSPErrorCodes.RequestFailed.value
    MESSAGE = "the command cannot be carried out"


class Cancelled(Refused):
    """A command that somebody cancelled: nothing to worry about."""

    CODE = types.LSPErrorCodes.RequestCancelled.value
