"""Free parameters that keep a condition together at every point of a search: shares of a whole, values in an order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError

Array = NDArray[np.float64]
ROUNDED = 1e-14
"""By how much a share may be beyond its bounds by rounding."""


class Group(Protocol):
    """Several free parameters whose values are moved to where they keep a condition; those that do stay."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters."""
        ...

    def kept(self, values: Array) -> Array:
        """Return values (n,) that keep the condition, for any that are given."""
        ...

    def slopes(self, values: Array) -> Array:
        """Return the derivatives (n, n) of `kept`."""
        ...

    def fixed(self, values: Array) -> Array:
        """Return the rows (k, n) whose products with a change of values that keep the condition are 0."""
        ...


@dataclass(frozen=True)
class Shares:
    """Values between bounds that add up to 1.

    `kept` are the values over their sum. Where one of these would leave its bounds, they are those of the Euclidean
    projection on the simplex within the bounds: x_j = min(max(y_j - λ, l_j), u_j), with λ such that Σ x_j = 1. That
    alone would leave a small share at 0, where nothing tells a search that it might grow.

    Source: Held, Wolfe & Crowder, Math. Program. 6 (1974) 62, doi:10.1007/BF01580223 (projection).
    """

    names: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def __post_init__(self) -> None:
        if not sum(self.lower) <= 1 <= sum(self.upper):
            raise ConfigurationError(
                f"{self.names[0]!r} and its like are shares of 1, and their bounds allow sums from "
                f"{sum(self.lower):.4g} to {sum(self.upper):.4g}",
                hint="widen the bounds",
            )

    def kept(self, values: Array) -> Array:
        """Return values between the bounds that add up to 1."""
        scaled = self._scaled(values)
        return scaled if self._allowed(scaled) else self._projected(scaled)

    def slopes(self, values: Array) -> Array:
        """Return (I - x 1ᵀ)/Σ y, times I - 1 1ᵀ/k among the k shares at no bound where there is a projection."""
        scaled, total, one = self._scaled(values), float(values.sum()), np.eye(len(values))
        by_sum = (one - np.outer(scaled, np.ones(len(values)))) / total if total > 0 else one
        if self._allowed(scaled):
            return np.asarray(by_sum)
        kept = self._projected(scaled)
        inside = (kept > np.array(self.lower)) & (kept < np.array(self.upper))
        among = np.diag(inside.astype(float)) - np.outer(inside, inside) / max(int(inside.sum()), 1)
        return np.asarray(among @ by_sum)

    def fixed(self, values: Array) -> Array:
        """Return the row of the sum."""
        return np.ones((1, len(values)))

    def _scaled(self, values: Array) -> Array:
        total = values.sum()
        return np.asarray(values / total) if total > 0 else values

    def _allowed(self, scaled: Array) -> bool:
        inside = (scaled >= np.array(self.lower) - ROUNDED) & (scaled <= np.array(self.upper) + ROUNDED)
        return bool(inside.all() and abs(scaled.sum() - 1) < ROUNDED)

    def _projected(self, values: Array) -> Array:
        low, high = np.array(self.lower), np.array(self.upper)
        # The sum falls with λ, in straight lines between the values of λ at which a share meets a bound.
        places = np.sort(np.concatenate([values - low, values - high]))
        sums = np.clip(values - places[:, None], low, high).sum(axis=1)
        behind = min(max(int(np.searchsorted(-sums, -1.0)), 1), len(places) - 1)
        over, under = sums[behind - 1], sums[behind]
        part = (over - 1.0) / (over - under) if over > under else 0.0
        shift = places[behind - 1] + part * (places[behind] - places[behind - 1])
        return np.asarray(np.clip(values - shift, low, high))


@dataclass(frozen=True)
class Descending:
    """Values that do not rise along the group.

    `kept` is the isotonic regression: neighbours that rise are replaced by their mean, in blocks.

    Source: Barlow, Bartholomew, Bremner & Brunk, Statistical Inference under Order Restrictions (1972), ch. 1.
    """

    names: tuple[str, ...]

    def kept(self, values: Array) -> Array:
        """Return the nearest values that do not rise."""
        if (np.diff(values) <= 0).all():
            return values
        blocks = self._blocks(values)
        return np.concatenate([np.full(stop - start, values[start:stop].mean()) for start, stop in blocks])

    def slopes(self, values: Array) -> Array:
        """Return the matrix of the means of the blocks."""
        result = np.zeros((len(values), len(values)))
        for start, stop in self._blocks(values):
            result[start:stop, start:stop] = 1 / (stop - start)
        return result

    def fixed(self, values: Array) -> Array:
        """Return the differences within blocks."""
        rows = []
        for start, stop in self._blocks(values):
            for place in range(start, stop - 1):
                row = np.zeros(len(values))
                row[[place, place + 1]] = 1.0, -1.0
                rows.append(row)
        return np.array(rows).reshape(-1, len(values))

    def _blocks(self, values: Array) -> list[tuple[int, int]]:
        """Return the blocks of values that have one mean: start and end of each."""
        blocks: list[tuple[float, int]] = []
        for value in values:
            total, count = float(value), 1
            while blocks and blocks[-1][0] / blocks[-1][1] < total / count:
                before = blocks.pop()
                total, count = total + before[0], count + before[1]
            blocks.append((total, count))
        ends = np.cumsum([count for _, count in blocks])
        return [(int(end) - count, int(end)) for end, (_, count) in zip(ends, blocks, strict=True)]


def kept(groups: tuple[Group, ...], values: Mapping[str, float]) -> dict[str, float]:
    """Return the values by name, those of each group where they keep its condition."""
    found = dict(values)
    for group in groups:
        moved = group.kept(np.array([found[name] for name in group.names]))
        found |= dict(zip(group.names, map(float, moved), strict=True))
    return found
