"""The messages an agent sends, one JSON object a line; the only file both processes read."""

from __future__ import annotations

from json import dumps, loads  # by name: a project may put another in its place
from typing import Any, Dict, Optional

Message = Dict[str, Any]

STARTING = "starting"
"""What the agent is about to do that no revision is to blame for: `loading`, `env.py`."""
STARTED = "started"
"""The revisions to rehearse, the guard's level, the versions in use."""
STEP_STARTED = "step-started"
MARK = b"\x1e"
"""Before what a step prints, which comes by another way than messages."""
STEP_FINISHED = "step-finished"
FINISHED = "revision-finished"
"""The evidence of a revision, and which table it missed, if that is why it failed."""
SQL = "revision-sql"
"""What the downgrade of a revision would send, or why that cannot be said without a database."""
WAY_BACK = "way-back"
"""Which statements lead from an upgraded revision back to its parent, as far as was found."""
KEPT = "kept"
"""The state before the first revision to rehearse was copied, and what it was made from."""
UNUSABLE = "unusable"
"""A state that was kept cannot be used; says why. Nothing was rehearsed."""
NOWHERE = "nowhere"
"""A table or schema is missing in an empty database; which, and those that models have."""
UNHELD = "unheld"
"""Something ended the transaction that held all steps: to be done again, with commits."""
BEAT = "beat"
"""The agent lives; says at which line of the project it is."""
CANNOT = "cannot"
"""Nothing could be rehearsed; says why in one sentence, and which dialect env.py wants instead."""
DONE = "done"
"""Everything was said. The stream ending without this is a failure."""


def encode(kind: str, **fields: Any) -> bytes:
    """One message as a line; what JSON cannot hold is given as its `repr`."""
    text = dumps({"event": kind, **fields}, default=repr, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def decode(line: bytes) -> Optional[Message]:
    """The message in a line; None where the line is something else (a print before our start)."""
    try:
        message = loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "event" in message else None
