"""The seed of a fit."""

import numpy as np

from cellwright.engine.world import World
from cellwright.schema.search import Batch
from cellwright.schema.values import digest

SEEDS = 2**32
"""How many seeds there are."""


def seed_of(given: int | None, key: str, world: World) -> int:
    """Return the seed of a fit of this key: the given one, else one from the clock.

    One from the clock is kept in the journal before the search begins, as a batch of one point, so that a fit that was
    stopped goes on with it.
    """
    if given is not None:
        return given
    place = digest([key, "seed"])
    kept = world.journal.read(place)
    if kept:
        return int(kept[0].points[0, 0])
    seed = int(digest([world.now, world.clock(), key]), 16) % SEEDS
    world.journal.append(place, 0, Batch(np.array([[float(seed)]]), np.zeros(1), None, ("solved",)))
    return seed
