from __future__ import annotations

import random

import pytest

from alembic_roundtrip.layers import Layers

_LETTERS = "abcdefgh"


def letters(value: str) -> str:
    return value


def changed_at_random(layers: Layers[int, str], entries: dict[int, str], chance: random.Random):
    for _ in range(chance.randrange(1, 90)):
        key = chance.randrange(60)
        if chance.random() < 0.3:
            layers = layers.without(key)
            entries.pop(key, None)
        else:
            value = "".join(chance.choices(_LETTERS, k=3))
            entries[key] = value
            layers = layers.set(key, value)
    return layers


@pytest.mark.parametrize("seed", range(20))
def test_layers_are_what_a_dictionary_is(seed: int) -> None:
    chance = random.Random(seed)
    entries: dict[int, str] = {}
    before: Layers[int, str] = Layers()
    for _ in range(6):
        layers = changed_at_random(before, entries, chance)
        assert dict(layers) == entries
        assert len(layers) == len(entries)
        for letter in _LETTERS:
            having = [key for key, value in layers.items() if letter in value]
            assert layers.having(letters, letter) == having
        changed = [key for key, value in before.items() if layers.get(key) is not value]
        assert before.changed(layers) == changed
        before = layers
