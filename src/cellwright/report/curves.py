"""What the page plots: curves thinned to what an eye can see, as plain data for the browser."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.report.notation import as_float, unit_text
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.results import Channels, ElementRecord
from cellwright.schema.values import Function

Array = NDArray[np.float64]
Role = Literal["data", "initial", "fitted", "tried", "best", "curve", "chain"]

POINTS = 2000
"""The points that a trace may always have: two for every pixel of a wide screen's plot."""
MOST_POINTS = 8000
"""The points that a trace may have where the page has room, so that zooming in shows more."""
ROOM = 24_000
"""The points that the traces of a page share beyond that."""
DATA, MODEL = " (data)", " (model)"

_LONG = 2 * 3600.0
_ROOM = 298.15
_DOMAINS: dict[str, tuple[str, float, float]] = {
    **dict.fromkeys(("sto", "x", "stoichiometry", "theta", "soc"), ("Stoichiometry", 0.005, 0.995)),
    **dict.fromkeys(("c_e", "ce"), ("Electrolyte concentration [mol.m-3]", 50.0, 2500.0)),
}


@dataclass(frozen=True)
class Line:
    """One curve of a panel: what it is called, what it stands for (which decides how it is drawn), its values."""

    label: str
    role: Role
    values: Array
    hidden: bool = False


@dataclass(frozen=True)
class Panel:
    """Curves that share a vertical axis."""

    label: str
    lines: tuple[Line, ...]
    log: bool = False
    zero: bool = False


@dataclass(frozen=True)
class Plot:
    """Panels one below the other that share a horizontal axis, whose values never decrease."""

    title: str
    x_label: str
    x: Array
    panels: tuple[Panel, ...]
    log_x: bool = False
    small: bool = False

    def to_json(self, points: int = POINTS) -> dict[str, Any]:
        """Return the plot as the page's script takes it, thinned to so many points."""
        rows = np.array([line.values for panel in self.panels for line in panel.lines])
        kept = decimate(rows, points)
        return {
            "title": self.title,
            "small": self.small,
            "x": {"label": label_of(self.x_label), "log": self.log_x, "values": plain(self.x[kept], 8)},
            "panels": [
                {
                    "label": label_of(panel.label),
                    "log": panel.log,
                    "zero": panel.zero,
                    "lines": [
                        {
                            "label": line.label,
                            "role": line.role,
                            "hidden": line.hidden,
                            "values": plain(line.values[kept], 6),
                        }
                        for line in panel.lines
                    ],
                }
                for panel in self.panels
            ],
        }


class Drawn(Protocol):
    """What stands on the page as a plot."""

    @property
    def x(self) -> Array:
        """The values of its horizontal axis."""
        ...


def points_each(plots: Iterable[Drawn]) -> int:
    """Return how many points each trace of a page may have: the fewer, the more long ones there are."""
    long = sum(len(plot.x) > POINTS for plot in plots)
    return min(max(ROOM // max(long, 1), POINTS), MOST_POINTS)


def decimate(rows: Array, points: int) -> NDArray[np.intp]:
    """Return which columns of `rows` to keep, at most `points` of them (never fewer than 2 k + 2 of k rows).

    The columns are cut into stretches of equal length; each keeps its smallest and largest value of every row, so no
    extreme is lost. The first and the last column are kept too.
    """
    count, length = rows.shape
    if length <= points:
        return np.arange(length)
    size = -(-length // max((points - 2) // (2 * count), 1))
    bins = -(-length // size)
    padded = np.full((2, count, bins * size), np.inf)
    padded[0, :, :length] = np.where(np.isfinite(rows), rows, np.inf)
    padded[1, :, :length] = np.where(np.isfinite(rows), -rows, np.inf)
    extremes = padded.reshape(2, count, bins, size).argmin(axis=-1) + size * np.arange(bins)
    return np.unique(np.append(extremes, [0, length - 1]))


def comparisons(title: str, series: Mapping[str, Channels], fitted: bool) -> Iterator[Plot]:
    """Yield a plot for each variable of an objective: measured against model, and below it the error of the model.

    Of a design, which has no data, the variable alone. `fitted` tells whether the model was fitted to these data, and
    is drawn with where it stood before.
    """
    best = series.get("optimal") or series.get("baseline") or {}
    before = series.get("baseline", {}) if "optimal" in series else {}
    x_name = _abscissa(best)
    if x_name is None:
        return
    x = np.asarray(best[x_name], dtype=float)
    if not any(name.endswith(DATA) for name in best):
        yield from _courses(title, x_name, x, best, before, fitted)
    for variable in _variables(best):
        measured = np.asarray(best[variable + DATA], dtype=float)
        models: list[tuple[str, Role, Array]] = []
        earlier = _on(x, before, x_name, variable + MODEL)
        if earlier is not None:
            models.append(("Model, initial", "initial", earlier))
        label = "Model, fitted" if fitted else "Model"
        models.append((label, "fitted", np.asarray(best[variable + MODEL], dtype=float)))
        yield _comparison(title, x_name, x, variable, measured, models)


def _courses(title: str, x_name: str, x: Array, best: Channels, before: Channels, fitted: bool) -> Iterator[Plot]:
    """Yield a plot for each variable of a design: the first one and the best, each as long as it lasted."""
    for name in best:
        if not name.endswith(MODEL):
            continue
        variable, own = name.removesuffix(MODEL), before.get(x_name, np.zeros(0))
        times = np.union1d(x, own) if len(own) else x
        kinds: list[tuple[str, Role, Channels]] = [("Best design" if fitted else "Design", "fitted", best)]
        kinds = [("First design", "initial", before), *kinds] if name in before else kinds
        lines = tuple(
            Line(label, role, found)
            for label, role, channels in kinds
            if (found := _on(times, channels, x_name, name)) is not None
        )
        yield _in_hours(Plot(f"{title}: {base_of(variable)}", x_name, times, (Panel(variable, lines),)))


def _comparison(
    title: str, x_name: str, x: Array, variable: str, measured: Array, models: list[tuple[str, Role, Array]]
) -> Plot:
    unit, scale = ("mV", 1e3) if unit_of(variable) == "V" else (unit_of(variable), 1.0)
    values = Panel(variable, (Line("Data", "data", measured), *(Line(*model) for model in models)))
    errors = Panel(
        f"Error [{unit}]" if unit else "Error",
        tuple(
            Line(f"{label}: error", role, scale * (model - measured), hidden=role == "initial")
            for label, role, model in models
        ),
        zero=True,
    )
    plot = Plot(f"{title}: {base_of(variable)}", x_name, x, (values, errors), log_x=_is_frequency(x_name, x))
    return _in_order(_in_hours(plot))


def convergence(record: ElementRecord) -> Plot | None:
    """Return the costs that a fit met against the evaluations it took, or None where it kept no trace."""
    rows = _trace(record)
    if not rows:
        return None
    evaluations, best, cost = (_column(rows, name) for name in ("evaluations", "best_cost", "cost"))
    tried = () if np.array_equal(best, cost, equal_nan=True) else (Line("Cost", "tried", cost),)
    lines = (*tried, Line("Best cost", "best", best))
    log = bool((best[np.isfinite(best)] > 0).all() and (cost[np.isfinite(cost)] > 0).all())
    return Plot(f"{record.name}: cost", "Evaluations", evaluations, (Panel("Cost", lines, log),))


def parameter_traces(record: ElementRecord) -> Iterator[Plot]:
    """Yield a plot for each fitted parameter: its value against the evaluations."""
    rows = _trace(record)
    evaluations = _column(rows, "evaluations")
    inputs = [row.get("inputs_unscaled") or {} for row in rows]
    for name in dict.fromkeys(name for row in inputs for name in row):
        values = _column(inputs, name)
        log = bool((values > 0).all() and values.max() > 30 * values.min())
        panel = Panel(f"Value [{unit_of(name)}]" if unit_of(name) else "Value", (Line("Value", "best", values),), log)
        yield Plot(base_of(name), "Evaluations", evaluations, (panel,), small=True)


def parameter_curve(name: str, value: Any) -> Plot | None:
    """Return the curve of a parameter that is a function of one variable or a table of two rows, or None."""
    drawn = _table_of(value) if isinstance(value, np.ndarray) else _sampled(value)
    if drawn is None:
        return None
    x_label, x, y, condition = drawn
    panel = Panel(f"Value [{unit_of(name)}]" if unit_of(name) else "Value", (Line("Value", "curve", y),))
    return _in_order(Plot(base_of(name) + condition, x_label, x, (panel,), small=True))


def _table_of(array: NDArray[Any]) -> tuple[str, Array, Array, str] | None:
    if array.dtype == object or array.ndim != 2 or array.shape[0] != 2 or array.shape[1] < 2:
        return None
    return "First row", array[0].astype(float), array[1].astype(float), ""


def _sampled(function: Any) -> tuple[str, Array, Array, str] | None:
    if not isinstance(function, Function) or function.names or not function.arguments:
        return None
    argument, *others = function.arguments
    label, low, high = _DOMAINS.get(argument, (argument, np.nan, np.nan))
    knots = {
        node.payload
        for node in function.body.walk()
        if node.op == "interpolant" and len(node.children) == 1 and node.children[0].names == {argument}
    }
    if len(knots) == 1 and function.body.op == "interpolant":
        (table,) = knots
        return label, np.array(table.x), np.array(table.y), ""
    if knots:
        low, high = max(table.x[0] for table in knots), min(table.x[-1] for table in knots)
    if not low < high or others not in ([], ["T"]):
        return None
    x = np.linspace(low, high, 201)
    with np.errstate(all="ignore"):
        y = np.broadcast_to(np.asarray(function(x, *(_ROOM for _ in others)), dtype=float), x.shape)
    return label, x, y, f" at {_ROOM} K" if others else ""


def _abscissa(channels: Channels) -> str | None:
    free = [name for name in channels if not name.endswith((DATA, MODEL))]
    return next((name for name in ("Time [s]", *free) if name in channels), None)


def _variables(channels: Channels) -> list[str]:
    named = [name.removesuffix(DATA) for name in channels if name.endswith(DATA)]
    return [name for name in named if name + MODEL in channels]


def _on(x: Array, channels: Channels, x_name: str, name: str) -> Array | None:
    """Return a channel at the points `x`, straight between its own; None where it is not there."""
    if name not in channels or x_name not in channels:
        return None
    own, values = (np.asarray(channels[key], dtype=float) for key in (x_name, name))
    return values if np.array_equal(own, x) else np.interp(x, own, values, left=np.nan, right=np.nan)


def _in_hours(plot: Plot) -> Plot:
    if plot.x_label != "Time [s]" or not len(plot.x) or np.nanmax(plot.x) - np.nanmin(plot.x) < _LONG:
        return plot
    return replace(plot, x_label="Time [h]", x=plot.x / 3600)


def _in_order(plot: Plot) -> Plot:
    if not (np.diff(plot.x) < 0).any():
        return plot
    order = np.argsort(plot.x, kind="stable")
    panels = tuple(
        replace(panel, lines=tuple(replace(line, values=line.values[order]) for line in panel.lines))
        for panel in plot.panels
    )
    return replace(plot, x=plot.x[order], panels=panels)


def _is_frequency(name: str, x: Array) -> bool:
    return unit_of(name) == "Hz" and bool((x > 0).all())


def _trace(record: ElementRecord) -> list[Mapping[str, Any]]:
    """Return the rows of a fit's trace, the last one drawn on to the evaluation at which a single search ended."""
    rows = list(record.trace)
    end = as_float(record.result.get("evaluations"))
    if rows and end is not None and end > rows[-1].get("evaluations", end) and not record.result.get("children"):
        rows.append({**rows[-1], "evaluations": end})
    return rows


def _column(rows: Iterable[Mapping[str, Any]], name: str) -> Array:
    found = (as_float(row.get(name)) for row in rows)
    return np.array([np.nan if value is None else value for value in found])


def label_of(name: str) -> str:
    """Return a name with its unit as people write it."""
    unit = unit_of(name)
    return f"{base_of(name)} [{unit_text(unit)}]" if unit else name


def plain(values: Array, digits: int) -> list[float | None]:
    """Return the values as JSON numbers of so many digits, None where there is none."""
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values.tolist()]
