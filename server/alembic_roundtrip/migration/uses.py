"""Which calls reach outside of a migration."""

from __future__ import annotations

_ROOTS = frozenset(
    "requests httpx urllib aiohttp subprocess socket smtplib ftplib paramiko boto3 shutil "
    "random secrets command".split()
)
_NAMES = frozenset(
    "open os.system os.popen os.getenv os.environ.get datetime.now datetime.utcnow datetime.today "
    "datetime.datetime.now datetime.datetime.utcnow date.today datetime.date.today time.time "
    "uuid.uuid1 uuid.uuid4 uuid1 uuid4 getenv environ.get".split()
)


def reaches_outside(name: str) -> bool:
    """Whether a call of that dotted name depends on or changes something outside."""
    root = name.partition(".")[0]
    return name in _NAMES or (root in _ROOTS and root != name) or name.startswith("alembic.command")
