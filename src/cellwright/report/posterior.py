"""What a sampler found, as people read it: a table, the distribution of each parameter, the ways of its chains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.report.curves import Line, Panel, Plot
from cellwright.report.notation import number, unit_text
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.results import ElementRecord

FEWEST, MOST = 10, 60
"""Bars of a distribution."""


@dataclass(frozen=True)
class PosteriorRow:
    """A parameter after the burn-in: moments, quantiles, R-hat, and how many independent draws its draws are worth."""

    base: str
    unit: str
    mean: str
    std: str
    median: str
    low: str
    high: str
    r_hat: str
    ess: str


def posterior_rows(record: ElementRecord) -> list[PosteriorRow]:
    """Return a row for each parameter of a posterior; none where the element has none."""
    result = record.result
    return [
        PosteriorRow(
            base=base_of(name),
            unit=unit_text(unit_of(name)),
            mean=number(row["mean"]),
            std=number(row["std"], 3),
            median=number(row["median"]),
            low=number(row["q05"]),
            high=number(row["q95"]),
            r_hat=_diagnostic(result["r_hat"][name], 3),
            ess=_diagnostic(result["ess"][name], 0),
        )
        for name, row in (result.get("posterior_summary") or {}).items()
    ]


def _diagnostic(value: Any, decimals: int) -> str:
    return "none" if value is None else f"{value:.{decimals}f}"


def posterior_facts(record: ElementRecord) -> str:
    """Return in one line how a posterior was drawn; empty where there is none."""
    result = record.result
    if "posterior_summary" not in result:
        return ""
    part = number(100 * result["acceptance_rate"], 3)
    drawn = result.get("message") or ""
    return f"{result['method']}: {drawn}, the first {result['burnin']} left out; {part} % of the draws are new."


def marginals(record: ElementRecord) -> Iterator[Plot]:
    """Yield a plot for each parameter of a posterior: the density of its draws after the burn-in, in bars."""
    found = record.posterior
    for name in found.parameter_names if found is not None else ():
        assert found is not None
        draws, unit = found.marginal(name), unit_of(name)
        count = len(np.histogram_bin_edges(draws, "fd")) - 1 if np.ptp(draws) else 1
        heights, edges = np.histogram(draws, min(max(count, FEWEST), MOST), density=True)
        line = Line("Density", "best", np.append(heights, 0.0))
        panel = Panel(f"Density [1/({unit})]" if unit else "Density", (line,))
        yield Plot(base_of(name), f"Value [{unit}]" if unit else "Value", edges, (panel,), small=True)


def ways(record: ElementRecord) -> Iterator[Plot]:
    """Yield a plot for each parameter of a posterior: the draws of its chains, one after the other."""
    found = record.posterior
    for place, name in enumerate(found.parameter_names if found is not None else ()):
        assert found is not None
        chains = found.chains[..., place]
        lines = tuple(Line(f"Chain {number + 1}", "chain", draws) for number, draws in enumerate(chains))
        panel = Panel(f"Value [{unit_of(name)}]" if unit_of(name) else "Value", lines)
        yield Plot(base_of(name), "Draw", np.arange(1.0, chains.shape[1] + 1), (panel,), small=True)
