"""What data leave open, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellwright.engine.search import TotalCost
from cellwright.physics.identifiability import STRONG
from cellwright.schema.names import base_of

ALIKE = 0.1
"""Departure up to which two changes count as the same."""
FOLLOWING = 0.5
"""Correlation of neighbouring differences from which they are told as a model's error rather than noise. Independent
noise on 100 points stays below 0.3 (3/√100)."""
PAIRS = 4
"""How many pairs that are hard to tell apart are named, those of the strongest correlation."""
FAR = 2.0
"""Ratio of what the model leaves to the given noise from which one of them is told as wrong."""


def verdicts(result: Mapping[str, Any]) -> list[str]:
    """Return the sentences on what a fit's data leave open; `result` as in `identifiability`."""
    return [*_idle(result), *_open(result), *_alike(result), *_noise(result)]


def remarks(result: Mapping[str, Any], cost: TotalCost) -> list[str]:
    """Return the sentences on how the intervals are meant."""
    return [*_bounds(result), *_basis(result, cost)]


def _idle(result: Mapping[str, Any]) -> Iterator[str]:
    for name in result["without_effect"]:
        yield f"{base_of(name)} has no effect on these data"


def _open(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["undetermined"]:
        names = [base_of(name) for name in one["parameters"]]
        if len(names) == 1:
            yield f"these data do not determine {names[0]} within its range"
            continue
        said = f"{listed(names)} cannot be told apart by these data"
        if len(names) == 2:
            combined = _combined(list(one["direction"].values()))
            yield f"{said}: only their {combined} is determined" if combined else said
        else:
            yield f"{said}: they can change together while the model stays the same"


def _combined(changes: list[Mapping[str, float]]) -> str | None:
    """Return which combination of two parameters stays the same along a direction, the one that does so best."""
    found: list[tuple[float, str]] = []
    for kind, same, opposite in (("relative", "ratio", "product"), ("change", "difference", "sum")):
        first, second = (one[kind] for one in changes)
        size = max(abs(first), abs(second))
        if size:
            found += [(abs(first - second) / size, same), (abs(first + second) / size, opposite)]
    departure, combination = min(found, key=lambda one: one[0], default=(ALIKE, ""))
    return combination if departure < ALIKE else None


def _alike(result: Mapping[str, Any]) -> Iterator[str]:
    names, told = result["names"], [set(one["parameters"]) for one in result["undetermined"]]
    pairs = [
        (value, names[j], names[i])
        for i, row in enumerate(result["correlation"])
        for j, value in enumerate(row[:i])
        if value is not None and abs(value) >= STRONG and not any({names[i], names[j]} <= one for one in told)
    ]
    pairs.sort(key=lambda pair: -abs(pair[0]))
    for value, first, second in pairs[:PAIRS]:
        yield f"{base_of(first)} and {base_of(second)} are hard to tell apart by these data (correlation {value:.3f})"
    if len(pairs) > PAIRS:
        more = len(pairs) - PAIRS
        yield f"{more} more pair{'s are' if more > 1 else ' is'} hard to tell apart: look at the correlations"


def _bounds(result: Mapping[str, Any]) -> Iterator[str]:
    for name, side in result["at_bounds"].items():
        yield f"{base_of(name)} is at its {side} bound, where its interval says little"


def _noise(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["noise"]:
        where = f"{base_of(one['variable'])} of {one['objective']}"
        if one["given"] and one["left"] > FAR * one["sigma"]:
            yield (
                f"what the model leaves of {where} is {one['left'] / one['sigma']:.1f} times the noise given: "
                "the intervals are too narrow"
            )
        if one["memory"] > max(FOLLOWING, 3 / one["points"] ** 0.5):
            yield (
                f"what the model leaves of {where} is an error of the model rather than noise (neighbours correlate by "
                f"{one['memory']:.2f}): the intervals are too narrow"
            )


def _basis(result: Mapping[str, Any], cost: TotalCost) -> Iterator[str]:
    if result["residuals"] == "plain differences":
        kinds = " and ".join(sorted({type(one).__name__ for one in (cost.whole, *cost.own.values())}))
        yield f"{kinds} is no sum of squares: the intervals are those of the plain differences of model and data"
    if cost.terms.terms:
        yield "priors, constraints and penalties are not in the intervals, which tell what the data say alone"


def listed(names: list[str]) -> str:
    """Return names as a sentence has them: `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
