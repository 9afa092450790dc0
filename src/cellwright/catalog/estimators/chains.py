"""Markov chains that go side by side: one batch of points for each of their steps."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.catalog.estimators.bounds import folded
from cellwright.catalog.estimators.delayed_rejection import DelayedRejection
from cellwright.catalog.estimators.lent_random import LentRandom
from cellwright.catalog.estimators.log_posterior import Frame, LogPosterior
from cellwright.errors import SolverError
from cellwright.schema.families import Array
from cellwright.schema.search import Space

CHAINS = 4
"""Chains of a search that no starts are given for."""
SPREAD = 2.0
"""Standard deviation of these starts, in that of the posterior as seen from the first: chains that begin farther apart
than they end can be seen to agree."""
HALVINGS = 20
"""How often a start that cannot be solved is moved half the way to the first."""
SAID_EVERY = 100
"""Draws from one line on the screen to the next."""
LEAPS = 10
"""Steps of a trajectory that makes one draw."""
ADAPTED = 150
"""Draws over which the No-U-Turn sampler of pints has to adapt at least."""

METHODS = (
    "DramACMC",
    "HamiltonianMCMC",
    "HaarioBardenetACMC",
    "MALAMCMC",
    "MetropolisRandomWalkMCMC",
    "MonomialGammaHamiltonianMCMC",
    "NoUTurnMCMC",
    "PopulationMCMC",
    "RelativisticMCMC",
    "SliceDoublingMCMC",
    "SliceRankShrinkingMCMC",
    "SliceStepoutMCMC",
)
"""The methods, by the names that pints gives them."""
WALKS = frozenset({"DramACMC", "HaarioBardenetACMC", "MetropolisRandomWalkMCMC", "PopulationMCMC"})
"""The methods that walk at random, with proposals of the covariance 2.38²/d times that of the posterior.

Source: Roberts, Gelman & Gilks, Ann. Appl. Probab. 7 (1997) 110, doi:10.1214/aoap/1034625254.
"""


def sampler(method: str, start: Array, initial_phase: int, rng: np.random.Generator) -> Any:
    """Return a sampler at its start (d,), reaching as far as it should where the posterior is 1 wide."""
    d = len(start)
    covariance = np.eye(d) * (2.38**2 / d if method in WALKS else 1.0)
    if method == "DramACMC":
        return DelayedRejection(start, covariance, rng)
    import pints

    found = getattr(pints, method)(start, covariance)
    match method:
        case "HamiltonianMCMC" | "RelativisticMCMC":
            found.set_leapfrog_steps(LEAPS)
            found.set_leapfrog_step_size(2.0)
        case "MonomialGammaHamiltonianMCMC":
            found.set_leapfrog_steps(LEAPS)
            found.set_leapfrog_step_size(6.0)
        case "MALAMCMC":
            found.set_epsilon(np.full(d, 1.2 * d ** (-1 / 6)))
        case "SliceDoublingMCMC" | "SliceStepoutMCMC":
            found.set_width(2.0)
        case "NoUTurnMCMC":
            found.set_number_adaption_steps(max(initial_phase, ADAPTED))
    return found


def starts(target: LogPosterior, frame: Frame, rng: np.random.Generator) -> Array:
    """Return where the chains start (chain, d), in search coordinates; ln p is finite at each.

    Coordinates that the space gives no start for are drawn around the first start, which the first chain has.
    """
    space = target.space
    given = space.starts or ({},) * CHAINS
    drawn = frame.points(SPREAD * rng.standard_normal((len(given), len(frame.origin))))
    drawn[0] = frame.origin
    points = folded(np.array([_placed(space, start, rest) for start, rest in zip(given, drawn, strict=True)]), space)
    for _ in range(HALVINGS):
        failed = ~np.isfinite(target(points))
        if not failed.any():
            return points
        points[failed] = (points[failed] + frame.origin) / 2
    points[~np.isfinite(target(points))] = frame.origin
    return points


def _placed(space: Space, start: Any, rest: Array) -> Array:
    named = zip(space.dimensions, rest, strict=True)
    return np.array([one.coordinate(start[one.name]) if one.name in start else x for one, x in named])


@dataclass
class Chains:
    """Chains of one method, from their starts (chain, d), all in the coordinates of a frame.

    `draws` and `values` have for each chain what it has drawn so far, in search coordinates, and ln p there.
    """

    method: str
    target: LogPosterior
    frame: Frame
    begun: Array
    initial_phase: int
    rng: np.random.Generator
    draws: list[list[Array]] = field(init=False)
    values: list[list[float]] = field(init=False)

    def __post_init__(self) -> None:
        self.draws, self.values = [[] for _ in self.begun], [[] for _ in self.begun]
        self._lent = LentRandom(self.rng)
        with self._lent.lent():
            begun = self.frame.coordinates(self.begun)
            self._samplers = [sampler(self.method, start, self.initial_phase, self.rng) for start in begun]
        self._slopes = bool(self._samplers[0].needs_sensitivities())
        self._phased = bool(self._samplers[0].needs_initial_phase())
        for one in self._samplers if self._phased else ():
            one.set_initial_phase(self.initial_phase > 0)

    def run(self, count: int, log: bool) -> None:
        """Draw until every chain has so many; what a chain that is ahead would still draw is not asked for.

        Raises: `SolverError` where a sampler breaks down, and what ends the evaluation.
        """
        said = 0
        asked = self._next({}, count)
        while asked:
            asked = self._next(self._answers(asked), count)
            least = min(map(len, self.draws))
            if log and least >= said + SAID_EVERY:
                said = least
                print(f"{self.method}: {said} draws in each of {len(self.draws)} chains", file=sys.stderr)

    def _answers(self, asked: Mapping[int, Array]) -> dict[int, Any]:
        """Return ln p, or ln p and its slopes, of the points that chains have asked for."""
        points = self.frame.points(np.array(list(asked.values())))
        if not self._slopes:
            return dict(zip(asked, self.target(points).tolist(), strict=True))
        values, slopes = self.target.with_slopes(points, self.frame)
        return dict(zip(asked, zip(values.tolist(), slopes, strict=True), strict=True))

    def _next(self, answers: Mapping[int, Any], count: int) -> dict[int, Array]:
        """Tell chains what they have asked for; return what those ask for that have not drawn so many."""
        with self._lent.lent(), np.errstate(all="ignore"):
            for chain, answer in answers.items():
                self._note(chain, self._guarded(self._samplers[chain].tell, answer))
            active = [chain for chain, drawn in enumerate(self.draws) if len(drawn) < count]
            return {chain: self._guarded(self._samplers[chain].ask) for chain in active}

    def _note(self, chain: int, reply: Any) -> None:
        if reply is None:
            return
        z, value, _ = reply
        self.draws[chain].append(self.frame.points(np.array(z, dtype=float)[None])[0])
        self.values[chain].append(float(value[0] if isinstance(value, tuple) else value))
        if self._phased and len(self.draws[chain]) == self.initial_phase:
            self._samplers[chain].set_initial_phase(False)

    def _guarded(self, call: Callable[..., Any], *given: Any) -> Any:
        try:
            return call(*given)
        except (ValueError, ArithmeticError, AssertionError, np.linalg.LinAlgError) as cause:
            raise SolverError(
                f"{self.method} broke down after {min(map(len, self.draws))} draws: {cause}",
                hint="start at a fitted point, or use DramACMC",
            ) from cause
