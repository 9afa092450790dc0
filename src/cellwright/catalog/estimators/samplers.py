"""Estimators that draw samples of the parameters' probability."""

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

import numpy as np

from cellwright.catalog.estimators.chains import METHODS, Chains, starts
from cellwright.catalog.estimators.log_posterior import LogPosterior, frame_at
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Estimator
from cellwright.schema.search import Draws, Evaluate, Found, SearchEndedError, Space
from cellwright.schema.variant import Example

PART = 10
"""The part of the draws of a chain that are its burn-in, unless said otherwise: one in so many."""


class PintsSampler(Estimator):
    """Markov chains whose draws are distributed as the parameters are, given the data: their posterior.

    Its density over the parameters, in their own units, is exp(-cost) between the bounds, and 0 where a solve fails.
    This is a probability where the cost is the negative logarithm of a likelihood (`GaussianLogLikelihood`), to which
    priors add theirs; a parameter without prior is uniform between its bounds, whatever transform it is searched in.
    Other costs are sampled as if they were one, and a warning says so.

    Each chain makes `max_iterations` draws. The first `burnin_iterations` (a tenth) are on the way and do not count. In
    the first `initial_phase_iterations` (the burn-in) DramACMC, HaarioBardenetACMC and PopulationMCMC keep the proposal
    that they have; then they adapt it. NoUTurnMCMC adapts in this phase, for 150 draws at least. The other methods do
    not adapt. PopulationMCMC moves one of ten tempered chains at a time and so needs ten times the iterations.

    There is a chain for each of `multistarts` or of a list of `initial_guesses`, else four: the first from the start of
    the fit, the others drawn from the `initial_guess_distribution` of each parameter, or for those without from around
    the start, twice as wide as the posterior is there. That width comes from differences around the start, 18 d + 1 and
    d (d + 1) evaluations more for d parameters, and the steps of all methods are in units of it: start at a point that
    a fit has found.

    The points of one step of all chains are one batch. HamiltonianMCMC, MALAMCMC, MonomialGammaHamiltonianMCMC,
    NoUTurnMCMC, RelativisticMCMC and SliceRankShrinkingMCMC need slopes: central differences over 0.2 of that width to
    either side, 2 d evaluations more for each point. The Hamiltonian, the monomial gamma and the relativistic methods
    make 10 points for a draw.

    The result has all draws, how well the chains agree (R-hat), how many independent draws theirs are worth, and the
    draw of the least cost, which goes to the elements after it. An array of fits keeps what is told of the draws alone.

    Source: Haario, Laine, Mira & Saksman, Stat. Comput. 16 (2006) 339, doi:10.1007/s11222-006-9438-0 (DramACMC); the
    other methods are those of pints, Clerx, Robinson, Lambert, Lei, Ghosh, Mirams & Gavaghan, J. Open Res. Softw. 7
    (2019) 23, doi:10.5334/jors.252.
    """

    positional = ("method", "log_to_screen", "max_iterations", "burnin_iterations", "initial_phase_iterations")
    samples: ClassVar[bool] = True
    chained: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"method": "HaarioBardenetACMC", "max_iterations": 500})

    type: Literal["PintsSampler"] = "PintsSampler"
    method: str = "DramACMC"
    log_to_screen: bool = False
    max_iterations: int = 1000
    burnin_iterations: int | None = None
    initial_phase_iterations: int | None = None

    @property
    def burnin(self) -> int:
        """How many draws of each chain are on the way."""
        return self.max_iterations // PART if self.burnin_iterations is None else self.burnin_iterations

    @property
    def initial_phase(self) -> int:
        """How many draws of each chain are made before the proposal is adapted."""
        return self.burnin if self.initial_phase_iterations is None else self.initial_phase_iterations

    def limited(self, iterations: int) -> Self:
        """Return the sampler with at most so many draws; a burn-in that leaves none of them is a tenth of them."""
        limited = super().limited(iterations)
        if limited.burnin < limited.max_iterations:
            return limited
        return limited.model_copy(update={"burnin_iterations": None, "initial_phase_iterations": None})

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the chains from this space: phases that do not follow one another, a method for several."""
        if self.method not in METHODS:
            hint = did_you_mean(self.method, METHODS) or f"there are {', '.join(METHODS)}"
            yield ConfigurationError(f"there is no method {self.method!r}", at=("method",), hint=hint)
        if self.max_iterations < 1:
            yield ConfigurationError(
                f"a chain makes 1 draw at least, not {self.max_iterations}", at=("max_iterations",)
            )
        elif not 0 <= self.burnin < self.max_iterations:
            said = f"a burn-in of {self.burnin} leaves nothing of {self.max_iterations} draws"
            yield ConfigurationError(
                said if self.burnin >= 0 else "a burn-in is 0 draws at least", at=("burnin_iterations",)
            )
        if not 0 <= self.initial_phase <= max(self.burnin, 0):
            said = f"the initial phase is a part of the burn-in of {self.burnin} draws, not {self.initial_phase}"
            yield ConfigurationError(said, at=("initial_phase_iterations",))
        if self.method == "RelativisticMCMC" and len(space.dimensions) == 1:
            yield ConfigurationError(
                "RelativisticMCMC of pints needs two parameters at least", at=("method",), hint="use HamiltonianMCMC"
            )

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the draw of the least cost, and all draws. A limit ends the chains, and what they have drawn stands.

        Raises: `SolverError` where a sampler breaks down.
        """
        target, message, success = LogPosterior(evaluate, space), "", True
        chains: Chains | None = None
        try:
            frame = frame_at(target, space.initial)
            if frame is None:
                return Found(space.initial, False, "the start could not be solved")
            chains = Chains(self.method, target, frame, starts(target, frame, rng), self.initial_phase, rng)
            chains.run(self.max_iterations, self.log_to_screen)
        except SearchEndedError as end:
            message, success = str(end), False
        draws = self._draws(chains) if chains is not None else None
        if draws is None:
            return Found(space.initial, False, message)
        count, length = draws.costs.shape
        said = f"{count} chain{'s' * (count > 1)} of {length} draws"
        return Found(draws.best, success, f"{message}, with {said}" if message else said, length, draws=draws)

    def _draws(self, chains: Chains) -> Draws | None:
        """Return what all chains have drawn, to the length of the shortest; None where that is nothing."""
        length = min(map(len, chains.draws))
        if not length:
            return None
        points = np.array([drawn[:length] for drawn in chains.draws])
        values = np.array([one[:length] for one in chains.values])
        stretch = np.array([chains.target.stretch(drawn) for drawn in points])
        burnin = self.burnin if self.burnin < length else length // 2
        return Draws(points, stretch - values, burnin, self.method)
