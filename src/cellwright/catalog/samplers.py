"""Samplers: where the starts of a fit lie."""

from typing import Literal

import numpy as np

from cellwright.schema.families import Array, Sampler


class LatinHypercube(Sampler):
    """Latin hypercube: each parameter's range is cut into as many slices as there are points, one point in each.

    Source: McKay, Beckman & Conover, Technometrics 21 (1979) 239, doi:10.2307/1268522.
    """

    type: Literal["LatinHypercube"] = "LatinHypercube"

    def draw(self, count: int, dimensions: int, rng: np.random.Generator) -> Array:
        """Return the points of `scipy.stats.qmc.LatinHypercube` (count, dimensions)."""
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(d=dimensions, rng=rng).random(count))


class Uniform(Sampler):
    """Independent uniform points.

    Source: Knuth, The Art of Computer Programming vol. 2 (1997), section 3.1.
    """

    type: Literal["Uniform"] = "Uniform"

    def draw(self, count: int, dimensions: int, rng: np.random.Generator) -> Array:
        """Return uniform random points (count, dimensions)."""
        return rng.random((count, dimensions))
