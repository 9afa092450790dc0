"""The cache of elements: a record is found again by what its element read."""

from dataclasses import replace

from cellwright.engine.world import World
from cellwright.schema.document import kind_of
from cellwright.schema.elements import AnyElement
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.values import digest
from cellwright.schema.variant import without_live

WORTH_KEEPING = 0.02
"""Seconds of work below which computing again is as quick as looking up."""


def element_digest(element: AnyElement, world: World) -> str:
    """Return the digest of an element's configuration and data, and of the versions that run it."""
    return digest({"kind": kind_of(element), "element": element.digest(), "versions": dict(world.versions)})


def recall(name: str, element: AnyElement, p: ParameterSet, world: World) -> ElementRecord | None:
    """Return the record of an earlier run of the same element on the same values, or None.

    An element with functions of Python in it is done anew, so that they are called.
    """
    if without_live(element) is not element:
        return None
    base = element_digest(element, world)
    for reads in world.cache.reads_of(base):
        record = world.cache.load(_key(base, reads, p))
        if record is not None:
            return replace(record, name=name, cached=True)
    return None


def remember(element: AnyElement, p: ParameterSet, record: ElementRecord, world: World) -> None:
    """Keep a finished record under the digest of what its element read."""
    lasting = without_live(element) is element
    if lasting and record.element_type != "entry" and record.seconds >= WORTH_KEEPING:
        base, reads = element_digest(element, world), frozenset(record.reads)
        world.cache.save(base, reads, _key(base, reads, p), record)


def _key(base: str, reads: frozenset[str], p: ParameterSet) -> str:
    return digest([base, p.digest_of(reads)])
