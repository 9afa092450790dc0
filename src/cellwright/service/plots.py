"""Measured and modelled curves of a fit or a validation, as plots and as columns of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import NotFoundError, did_you_mean
from cellwright.report.nyquist import IMAGINARY, REAL, is_spectrum
from cellwright.schema.results import Channels, ElementRecord

Array = NDArray[np.float64]
DATA, MODEL = " (data)", " (model)"


@dataclass(frozen=True)
class Window:
    """What is asked of a curve: a stretch of x, and how many points at most."""

    x_min: float | None = None
    x_max: float | None = None
    most: int = 2000

    def rows(self, x: Array) -> NDArray[np.intp]:
        """Return the rows to show: evenly spaced ones where there are too many."""
        low = -np.inf if self.x_min is None else self.x_min
        high = np.inf if self.x_max is None else self.x_max
        rows = np.flatnonzero((x >= low) & (x <= high))
        if len(rows) <= self.most:
            return rows
        chosen: NDArray[np.intp] = np.unique(np.linspace(0, len(rows) - 1, max(self.most, 2)).round().astype(int))
        return rows[chosen]


def x_channel(channels: Channels) -> str:
    """Return the name of the independent variable: the channel that is neither data nor model."""
    return next(name for name in channels if not name.endswith((DATA, MODEL)))


def variables(channels: Channels) -> list[str]:
    """Return the names of the variables that are compared, or of a design's, which has no data."""
    kind = DATA if any(name.endswith(DATA) for name in channels) else MODEL
    return [name.removesuffix(kind) for name in channels if name.endswith(kind)]


def curves(record: ElementRecord, objective: str, source: str = "optimal") -> Channels:
    """Return the channels of an objective.

    Raises: `NotFoundError` with the nearest names.
    """
    sources = record.curves.get(objective)
    if sources is None:
        raise NotFoundError(
            f"{record.name!r} has no curves of {objective!r}", hint=did_you_mean(objective, record.curves)
        )
    if source not in sources:
        raise NotFoundError(f"{objective!r} has no {source!r} curves, but {' and '.join(map(repr, sources))}")
    return sources[source]


def metadata(record: ElementRecord) -> dict[str, Any]:
    """Return what clients ask about a job: its plots, and the improvements of its search."""
    shown = {objective: sources["optimal"] for objective, sources in record.curves.items() if "optimal" in sources}
    return {
        "validation_plot_config": {
            "objectives": {
                objective: {
                    "plot_count": 1 if is_spectrum(channels) else len(variables(channels)),
                    "type": "EIS" if is_spectrum(channels) else record.type,
                }
                for objective, channels in shown.items()
            }
        },
        "intermediate_results": [
            {**row, "inputs": row.get("inputs_unscaled", {}), "multistart_job_id": row.get("multistart_job_id", 0)}
            for row in record.trace
        ],
        **samples(record),
    }


def samples(record: ElementRecord) -> dict[str, Any]:
    """Return what a sampler drew, burn-in included: for each parameter a list for each chain, or one list of points."""
    found, result = record.posterior, record.result
    burnin: int | None
    if found is not None:
        names, burnin = list(found.parameter_names), found.burnin
        drawn: Any = {name: found.chains[..., place] for place, name in enumerate(names)}
        costs: Any = -found.log_pdfs
    elif result.get("type") == "EnsembleResult":
        names, burnin = [row["name"] for row in result["parameters"]], None
        drawn = dict(zip(names, zip(*result["samples"], strict=True), strict=True))
        costs = result["costs"]
    else:
        return {}
    return {"samples": drawn, "sample_costs": costs, "sample_param_names": names, "sample_burnin": burnin}


def plot(record: ElementRecord, objective: str, index: int, window: Window) -> dict[str, Any]:
    """Return one plot of an objective: data and model over the independent variable.

    Of impedance there is one plot: negative imaginary parts over real ones, which clients draw on equal axes.

    Raises: `NotFoundError` where there are not so many.
    """
    channels = curves(record, objective)
    spectrum = is_spectrum(channels)
    names = [f"-{IMAGINARY}"] if spectrum else variables(channels)
    if not 0 <= index < len(names):
        raise NotFoundError(f"{objective!r} has {len(names)} plots, there is no number {index}")
    fitted = "Fit" if record.element_type == "data_fit" else "Model"
    kinds = (("Data", DATA), (fitted, MODEL))
    x_name, name = REAL if spectrum else x_channel(channels), names[index]
    if spectrum:
        x = channels[REAL + DATA]
        found = {label: (channels[REAL + kind], -channels[IMAGINARY + kind]) for label, kind in kinds}
    else:
        x = channels[x_name]
        found = {label: (x, channels[name + kind]) for label, kind in kinds if name + kind in channels}
    rows = window.rows(x)
    traces = [{"name": label, "x": across[rows], "y": up[rows]} for label, (across, up) in found.items()]
    return {
        "traces": traces,
        "layout": {"xaxis": {"title": {"text": x_name}}, "yaxis": {"title": {"text": name}}},
        "x_full_min": float(x.min()) if x.size else None,
        "x_full_max": float(x.max()) if x.size else None,
    }


def channel_names(record: ElementRecord) -> dict[str, dict[str, list[str]]]:
    """Return objective → source → names of its channels."""
    return {
        objective: {source: list(channels) for source, channels in sources.items()}
        for objective, sources in record.curves.items()
    }


def columns(channels: Channels, names: Sequence[str], x_name: str | None, window: Window) -> dict[str, Array]:
    """Return the named channels, all where none is named, always with the independent variable.

    Raises: `NotFoundError` with the nearest names.
    """
    x_name = x_name or x_channel(channels)
    wanted = [x_name, *(name for name in (names or list(channels)) if name != x_name)]
    for name in wanted:
        if name not in channels:
            raise NotFoundError(f"there is no channel {name!r}", hint=did_you_mean(name, channels))
    rows = window.rows(channels[x_name])
    return {name: channels[name][rows] for name in wanted}
