"""Delayed rejection with an adaptive proposal.

The sampler is our own: the first adaptation of `pints.DramACMC` has the weight 1, which replaces the proposal that it
was given by one without width, and its second stage leaves out the density of the first proposal.
"""

import numpy as np

from cellwright.schema.families import Array

NARROWER = 0.2
"""Width of the second proposal, in units of the first."""
WANTED = 0.234
"""Acceptance at the first stage that the width of the proposal is adapted to."""
FADING = 0.6
"""Power of the number of draws with which adaptation fades."""
FIRM = 10
"""Draws for each parameter that the first proposal counts as."""


class DelayedRejection:
    """One chain; it asks for a point, is told ln p there, and then returns a draw or None.

    A rejected proposal y₁ of N(x, C) is followed by y₂ of N(x, C/25), accepted with the probability
    min(1, p(y₂) q(y₁|y₂) (1 - α(y₂, y₁)) / (p(x) q(y₁|x) (1 - α(x, y₁)))), α(x, y) = min(1, p(y)/p(x)) and q(·|x) the
    density of N(x, C). After the initial phase C follows the covariance of the draws, and its size the acceptance of
    the first stage, in steps that fade.

    Source: Haario, Laine, Mira & Saksman, Stat. Comput. 16 (2006) 339, doi:10.1007/s11222-006-9438-0 (delayed
    rejection, adaptation); Andrieu & Thoms, Stat. Comput. 18 (2008) 343, doi:10.1007/s11222-008-9110-y (size).
    """

    def __init__(self, start: Array, covariance: Array, rng: np.random.Generator) -> None:
        self.rng = rng
        self.covariance, self.log_size = covariance, 0.0
        self.current, self.value = start, float("nan")
        self.mean = start
        self.proposed: Array | None = start
        self.first: tuple[Array, float] | None = None
        self.adapted = 0
        self.initial_phase = False

    def needs_sensitivities(self) -> bool:
        """Return False: it needs no slopes."""
        return False

    def needs_initial_phase(self) -> bool:
        """Return True: it starts with a phase without adaptation."""
        return True

    def set_initial_phase(self, initial: bool) -> None:
        """Begin or end the phase without adaptation."""
        self.initial_phase = initial

    def ask(self) -> Array:
        """Return the point (d,) at which ln p is to be told."""
        if self.proposed is None:
            width = 1.0 if self.first is None else NARROWER
            self.proposed = self.current + width * self._root() @ self.rng.standard_normal(len(self.current))
        return self.proposed

    def tell(self, value: float) -> tuple[Array, float, bool] | None:
        """Take ln p of the point; return the draw, its ln p and whether it is new, or None before the second stage."""
        point, self.proposed = self.proposed, None
        assert point is not None
        if np.isnan(self.value):
            self.current, self.value = point, value
            return point, value, True
        if self.first is None:
            accepted = self._accepts(value - self.value)
            if not accepted:
                self.first = point, value
                return None
            stage = value
        else:
            accepted = self._accepts(self._second(point, value))
            stage, self.first = self.first[1], None
        probability = float(np.exp(min(0.0, stage - self.value)))
        if accepted:
            self.current, self.value = point, value
        if not self.initial_phase:
            self._adapt(probability)
        return self.current, self.value, accepted

    def _accepts(self, log_ratio: float) -> bool:
        return bool(np.log(self.rng.uniform()) < log_ratio)

    def _second(self, point: Array, value: float) -> float:
        """Return the logarithm of the ratio by which a second proposal is accepted."""
        assert self.first is not None
        refused, there = self.first
        if not np.isfinite(value) or there >= value:
            return -np.inf
        root = self._root()
        to, fro = (np.linalg.solve(root, refused - one) for one in (point, self.current))
        back, onward = np.log1p(-np.exp(there - value)), np.log1p(-np.exp(there - self.value))
        return float(value - self.value - 0.5 * (to @ to - fro @ fro) + back - onward)

    def _root(self) -> Array:
        return np.asarray(np.exp(0.5 * self.log_size) * np.linalg.cholesky(self.covariance))

    def _adapt(self, probability: float) -> None:
        """Move the proposal towards the draws, and its size by the first stage's probability of acceptance."""
        self.adapted += 1
        weight = (self.adapted + FIRM * len(self.mean)) ** -FADING
        away = self.current - self.mean
        d = len(away)
        self.mean = self.mean + weight * away
        self.covariance = self.covariance + weight * (2.38**2 / d * np.outer(away, away) - self.covariance)
        self.log_size += weight * (probability - WANTED)
