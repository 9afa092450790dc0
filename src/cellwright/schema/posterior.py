"""What a sampler has found: draws of the parameters' probability, and what they say of each parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError, NotFoundError, did_you_mean

Array = NDArray[np.float64]
Stored = Mapping[str, Mapping[str, Array]]

CHAINS = "posterior chains"
"""The name under which the series of a record keep the draws."""
_DRAWS, _LOG_PDF = "draws", "log pdf"


def stored(names: tuple[str, ...], chains: Array, log_pdfs: Array) -> Stored:
    """Return the series of chains (chain, draw, parameter) and of the log density of each draw (chain, draw)."""
    return {_DRAWS: {name: chains[..., place] for place, name in enumerate(names)}, _LOG_PDF: {_LOG_PDF: log_pdfs}}


@dataclass(frozen=True)
class PosteriorResult:
    """Draws of the posterior of a fit's parameters, in their units.

    `chains` is (chain, draw, parameter) in the order of `parameter_names`, burn-in included; `log_pdfs` (chain, draw)
    is the logarithm of the density over the parameters up to a constant, -cost. `acceptance_rate` is the part of the
    draws after the burn-in that differ from the one before. `r_hat` and `ess` are None for a parameter that has not
    moved.
    """

    parameter_values: Mapping[str, Any]
    cost: float
    parameter_names: tuple[str, ...]
    chains: Array
    log_pdfs: Array
    burnin: int
    method: str
    acceptance_rate: float
    r_hat: Mapping[str, float | None]
    ess: Mapping[str, float | None]
    posterior_summary: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, result: Mapping[str, Any], series: Stored) -> "PosteriorResult":
        """Return the result of its wire form and the series that were kept beside it."""
        kept = ("parameter_values", "cost", "burnin", "method", "acceptance_rate", "r_hat", "ess", "posterior_summary")
        names = tuple(result["parameter_names"])
        chains = np.stack([np.asarray(series[_DRAWS][name]) for name in names], axis=-1)
        log_pdfs = np.asarray(series[_LOG_PDF][_LOG_PDF])
        return cls(parameter_names=names, chains=chains, log_pdfs=log_pdfs, **{name: result[name] for name in kept})

    @property
    def samples(self) -> Array:
        """All draws of all chains (n, parameter), burn-in included."""
        return self.chains.reshape(-1, len(self.parameter_names))

    @property
    def costs(self) -> Array:
        """The cost of each of the `samples` (n,)."""
        return -self.log_pdfs.reshape(-1)

    @property
    def x(self) -> Array:
        """The draw (parameter,) of the least cost."""
        return np.asarray(self.samples[int(np.argmin(self.costs))])

    def marginal(self, name: str) -> Array:
        """Return the draws (n,) of one parameter after the burn-in, chain after chain.

        Raises: `NotFoundError` with the nearest names.
        """
        if name not in self.parameter_names:
            known = f"there are {', '.join(map(repr, self.parameter_names))}"
            hint = did_you_mean(name, self.parameter_names) or known
            raise NotFoundError(f"the posterior has no parameter {name!r}", hint=hint)
        return self.chains[:, self.burnin :, self.parameter_names.index(name)].reshape(-1)

    def credible_interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the values between which one parameter lies with this probability, as likely above as below.

        Raises: `NotFoundError`, `ConfigurationError` for a level that is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ConfigurationError(f"the level of an interval lies between 0 and 1, and {level:g} does not")
        low, high = np.quantile(self.marginal(name), [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def posterior_mean(self) -> dict[str, float]:
        """Return the mean of each parameter after the burn-in."""
        return {name: float(row["mean"]) for name, row in self.posterior_summary.items()}
