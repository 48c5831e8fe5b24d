"""What the name of a column says about its text."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import uuid
from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Sequence, Tuple

Make = Callable[[int], str]


@dataclass(frozen=True)
class Texts:
    """Texts of one kind, each made from a number."""

    plain: Make
    odd: Sequence[Make] = ()
    """As people write them: in capitals, with other marks, between blanks."""
    lengthen: Optional[Callable[[str, int], str]] = None
    """Of a text, one that goes on to a length, before it or behind it."""

    def longest(self, length: int, number: int = 0) -> Iterator[str]:
        """The text of a number that is as long as it may be, if there are long ones."""
        if self.lengthen is not None:
            yield self.lengthen(self.plain(number), length)

    @property
    def differs(self) -> bool:
        """Whether there is another text for every number."""
        return self.plain(0) not in {self.plain(number) for number in (3, 4)}


def texts(name: str) -> Optional[Texts]:
    """The texts that a column of this name holds; None where it says nothing."""
    return next((kind for said, kind in _KINDS if re.search(said, name.lower())), None)


def random_uuid(number: int) -> uuid.UUID:
    """The same for the same number."""
    return uuid.UUID(int=random.Random(f"uuid {number}").getrandbits(128), version=4)  # noqa: S311


def moment(number: int) -> dt.datetime:
    """A moment, later for greater numbers."""
    return dt.datetime(2001, 2, 3, 4, 5, 6) + dt.timedelta(days=number, seconds=number)  # noqa: DTZ001


def _longer_behind(text: str, length: int) -> str:
    return text.ljust(length, "z")


_KINDS: Tuple[Tuple[str, Texts], ...] = (
    (r"e_?mail", Texts(
        lambda n: f"name{n}@example.org",
        (lambda n: f"First_Last-{n}@Example.ORG", lambda n: f" Name{n}@example.org "),
        lambda text, length: text.rjust(length, "n"),
    )),
    (r"url|uri|link|website|endpoint|webhook|homepage", Texts(
        lambda n: f"https://example.org/ö/{n}?a=%20",
        (lambda n: f"https://Example.ORG/A_b-c/{n}", lambda n: f"https://example.org/a b/{n} "),
        _longer_behind,
    )),
    (r"uuid|guid", Texts(
        lambda n: str(random_uuid(n)),
        (lambda n: str(random_uuid(n)).upper(), lambda n: random_uuid(n).hex),
    )),
    (r"json|^(meta|metadata|params|parameters|settings|config|configuration|payload|extra|attrs|attributes|options|properties)$",
     Texts(lambda n: json.dumps({"n": n, "é": [n, None, True]}))),
    (r"(^|_)(ip|ip_?address|addr)$", Texts(
        lambda n: f"192.0.2.{n % 256}",
        (lambda n: f"2001:DB8::{n:x}", lambda n: f" 192.0.2.{n % 256}"),
    )),
    (r"phone|mobile|^fax", Texts(
        lambda n: f"+49 30 {n:07d}",
        (lambda n: f"(030) {n:04d}-12 ", lambda n: f"0049-30/{n:07d}", lambda n: f"030{n} ext. 5"),
    )),
    (r"(^|_)colou?r$", Texts(
        lambda n: f"#{n % 0x1000000:06x}", (lambda n: f"#{n % 0x1000000:06X}", lambda _: "#FFF"),
    )),
    (r"currency", Texts(lambda n: ("EUR", "USD", "JPY", "CHF")[n % 4], (lambda _: "eur",))),
    (r"(^|_)(locale|language|lang)(_code)?$", Texts(
        lambda n: ("en", "pt-BR", "ja", "zh_TW")[n % 4], (lambda _: "EN",),
    )),
    (r"country(_code)?$", Texts(
        lambda n: ("DE", "US", "JP", "BR")[n % 4], (lambda _: "de", lambda _: "UK"),
    )),
    (r"time_?zone|^tz$", Texts(
        lambda n: ("Europe/Berlin", "UTC", "Asia/Tokyo")[n % 3], (lambda _: "utc",),
    )),
    (r"(^|_)slug$", Texts(
        lambda n: f"slug-{n}",
        (lambda n: f"Slug_of-{n}", lambda n: f" slug {n} "),
        _longer_behind,
    )),
    (r"(^|_)(hash|sha\d*|md5|digest|checksum|fingerprint)$", Texts(
        lambda n: random_uuid(n).hex, (lambda n: random_uuid(n).hex.upper(),),
    )),
    (r"(_at|_on|_date|_time|timestamp)$", Texts(lambda n: moment(n).isoformat(" "))),
    (r"(^|_)(path|file|filename|folder|directory)$", Texts(
        lambda n: f"/srv/über/{n}.txt",
        (lambda n: f"/srv/A_b-c/{n}.TXT", lambda n: f" srv/a b/{n}.txt "),
        _longer_behind,
    )),
)  # fmt: skip
