"""Scratch folders."""

from __future__ import annotations

import threading

from alembic_roundtrip.rehearsal.folder import collect_leftovers, scratch_folder


def test_a_folder_that_is_just_being_made_is_not_taken_for_abandoned() -> None:
    over = threading.Event()

    def collect() -> None:
        while not over.is_set():
            collect_leftovers()

    collectors = [threading.Thread(target=collect) for _ in range(3)]
    for collector in collectors:
        collector.start()
    try:
        for _ in range(300):
            with scratch_folder() as folder:
                (folder / "1").mkdir()
    finally:
        over.set()
        for collector in collectors:
            collector.join()
