"""What a sampler's draws come to: the wire form of a posterior, and in words how far to trust it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellwright.engine.search import TotalCost
from cellwright.errors import Problem
from cellwright.schema.families import Array, Cost, Estimator
from cellwright.schema.posterior import CHAINS, PosteriorResult, stored
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Draws, Space

AGREE = 1.01
"""R-hat above which chains do not agree.

Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Anal. 16 (2021) 667, doi:10.1214/20-BA1221.
"""
ENOUGH = 100
"""Independent draws for each chain below which quantiles and R-hat itself are unsure (the same source)."""
STUCK = 0.01
"""Part of the draws that are new, below which a chain stands rather than walks."""
LEVEL = 0.95
"""The probability between the ends of the intervals that are told."""


def unlikely(estimator: Estimator, cost: TotalCost, objectives: Iterable[str]) -> Iterator[Problem]:
    """Yield a warning for each cost from which a posterior is drawn and that is no likelihood.

    It is none that keeps a fit from running: the contract allows any cost, and where its minimum lies is right.
    """
    rest = set(objectives) - cost.own.keys()
    places: list[tuple[tuple[str, ...], Cost]] = [(("cost",), cost.whole)] if rest else []
    places += [(("objectives", name, "cost"), own) for name, own in cost.own.items()]
    for at, one in places if estimator.chained else ():
        if not one.is_likelihood:
            yield Problem(
                "warning",
                f"{type(estimator).__name__} draws from exp(-cost), and {type(one).__name__} is not the negative "
                "logarithm of a likelihood: how far the draws spread says nothing of what is known",
                at,
                "use GaussianLogLikelihood(sigma={variable: its noise}), or free the noise in the fit",
            )


@dataclass(frozen=True)
class Posterior:
    """Draws in the parameters' units: `chains` (chain, draw, parameter) and -cost (chain, draw)."""

    names: tuple[str, ...]
    chains: Array
    log_pdfs: Array
    burnin: int
    method: str

    @classmethod
    def of(cls, space: Space, draws: Draws) -> "Posterior":
        """Return the draws of a search in units."""
        columns = zip(space.dimensions, np.moveaxis(draws.points, -1, 0), strict=True)
        chains = np.stack([np.vectorize(one.value, otypes=[float])(column) for one, column in columns], axis=-1)
        return cls(space.names, chains, -draws.costs, draws.burnin, draws.method)

    @property
    def kept(self) -> Array:
        """The draws after the burn-in (chain, draw, parameter)."""
        return self.chains[:, self.burnin :]

    @property
    def acceptance_rate(self) -> float:
        """The part of the draws after the burn-in that differ from the one before."""
        moved = (np.diff(self.kept, axis=1) != 0).any(axis=-1)
        return float(moved.mean()) if moved.size else 0.0

    def to_wire(self) -> dict[str, Any]:
        """Return the wire form, whose chains lie in the series beside it."""
        r_hat, ess = self._diagnostics()
        return {
            "type": "PosteriorResult",
            "chains": None,
            "chains_storage_ref": "the metadata of the job",
            "log_pdfs": None,
            "parameter_names": list(self.names),
            "burnin": self.burnin,
            "method": self.method,
            "acceptance_rate": self.acceptance_rate,
            "r_hat": r_hat,
            "ess": ess,
            "posterior_summary": {name: _summary(self.kept[..., place]) for place, name in enumerate(self.names)},
        }

    def _diagnostics(self) -> tuple[dict[str, float | None], dict[str, float | None]]:
        """Return rank-normalised R-hat and the effective number of draws of each parameter, None for one that stays.

        The R-hat of one chain alone is that of its halves.
        """
        from arviz_stats.base.array import array_stats

        stats: Any = array_stats
        r_hat: dict[str, float | None] = {}
        ess: dict[str, float | None] = {}
        for name, draws in zip(self.names, np.moveaxis(self.kept, -1, 0), strict=True):
            moves = draws.shape[1] >= 4 and bool((draws != draws[:, :1]).any(axis=1).all())
            halves = draws if len(draws) > 1 else draws[:, : 2 * (draws.shape[1] // 2)].reshape(2, -1)
            r_hat[name] = _finite(stats.rhat(halves)) if moves else None
            ess[name] = _finite(stats.ess(draws)) if moves else None
        return r_hat, ess


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _summary(draws: Array) -> dict[str, float]:
    low, middle, high = (float(value) for value in np.quantile(draws, [0.05, 0.5, 0.95]))
    deviation = float(np.std(draws, ddof=1)) if draws.size > 1 else 0.0
    return {"mean": float(draws.mean()), "std": deviation, "median": middle, "q05": low, "q95": high}


def with_posterior(record: ElementRecord, space: Space, draws: Draws) -> ElementRecord:
    """Return the record of a fit with the posterior of its draws.

    Its chains are among the series; the intervals of the parameters are those of the posterior.
    """
    posterior = Posterior.of(space, draws)
    result = {**record.result, **posterior.to_wire()}
    series = {**record.series, CHAINS: stored(posterior.names, posterior.chains, posterior.log_pdfs)}
    found = PosteriorResult.of(result, series[CHAINS])
    rows = [_row(row, found) for row in result["parameters"]]
    warnings = (*record.warnings, *doubts(result, len(posterior.chains)))
    return replace(record, result={**result, "parameters": rows}, series=series, warnings=warnings)


def _row(row: Mapping[str, Any], found: PosteriorResult) -> dict[str, Any]:
    name = str(row["name"])
    interval = list(found.credible_interval(name, LEVEL))
    return {**row, "std_error": found.posterior_summary[name]["std"], "interval": interval}


def doubts(result: Mapping[str, Any], chains: int) -> Iterator[str]:
    """Yield in words what keeps one from trusting a posterior."""
    if result["acceptance_rate"] < STUCK:
        part = 100 * result["acceptance_rate"]
        yield f"the chains hardly move, only {part:.2g} % of the draws are new: start at a fitted point"
    r_hat, ess, enough = result["r_hat"], result["ess"], ENOUGH * chains
    apart = [name for name, value in r_hat.items() if value is None or value > AGREE]
    if apart:
        known = [r_hat[name] for name in apart if r_hat[name] is not None]
        how = f"R-hat is {max(known):.3f}" if known else "there is no R-hat"
        yield (
            f"the chains do not agree yet on {_listed(apart)} ({how}, and {AGREE} at most where they do): "
            "raise max_iterations, or start at a fitted point"
        )
    few = [name for name, value in ess.items() if value is None or value < enough]
    if few:
        least = min(ess[name] or 0.0 for name in few)
        yield (
            f"the draws of {_listed(few)} are worth {least:.0f} independent ones, and {enough} are needed: the ends of "
            "the intervals are unsure, raise max_iterations"
        )
    if chains == 1:
        yield "one chain alone cannot show that it has missed a part of the posterior: use several"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(map(repr, names[:-1])), repr(names[-1])] if len(names) > 1 else map(repr, names))
