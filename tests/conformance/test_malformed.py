"""Whatever stands in a document, what is wrong with it is told: no other error leaves the reading of it."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import test_contract as contract

import cellwright as cw
from cellwright.errors import CellwrightError

WRONG: list[Any] = [
    None, True, -1, float("nan"), float("inf"), 10**30, "x", "", [], {}, [1, "a"], {"type": "SSE"},
    {"$type": "pybamm.nope"}, "file:nowhere.csv", {"a": {"b": [{}]}},
]  # fmt: skip
BROKEN = 4000
"""Documents that are tried, each with one or two places broken."""


def documents() -> Iterator[dict[str, Any]]:
    """Yield the documents of all constructions that the contract's package makes in `test_contract`."""
    groups = [group for name, group in vars(contract).items() if name.isupper() and isinstance(group, dict)]
    for build in (build for group in groups for build in group.values() if callable(build)):
        try:
            config = contract.over_the_wire(contract.config_of(contract.THEIRS, build))
        except Exception:  # a construction that is there to be refused
            continue
        if "elements" in config:
            yield config


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places in a document."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


def broken(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a document with a value replaced, a key removed or one misspelt."""
    document = copy.deepcopy(document)
    *above, last = rng.choice(list(places(document)))
    holder: Any = document
    for key in above:
        holder = holder[key]
    how = rng.random()
    if how < 0.7 or isinstance(holder, list):
        holder[last] = copy.deepcopy(rng.choice(WRONG))
    elif how < 0.85:
        holder.pop(last)
    else:
        holder[f"zz {last}"] = holder.pop(last)
    return document


@pytest.mark.filterwarnings("ignore")
def test_broken_documents_are_told_and_nothing_else_happens() -> None:
    rng = random.Random(1)
    corpus = list(documents())
    assert len(corpus) > 300
    read = 0
    for _ in range(BROKEN):
        document = broken(rng.choice(corpus), rng)
        try:
            json.dumps(cw.Pipeline.from_config(document).to_config())
        except CellwrightError:
            continue
        read += 1
    assert 0 < read < BROKEN
