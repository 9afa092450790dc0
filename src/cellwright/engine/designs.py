"""What designs came to: the metrics of each, before and after, and by how much they break their bounds."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cellwright.catalog.objectives.design import METRIC, PreparedDesign
from cellwright.errors import Problem
from cellwright.schema.actions import Action
from cellwright.schema.families import Array, Cost, Prepared
from cellwright.schema.results import Channels
from cellwright.schema.work import Answer

FEW = 20
"""Steps of an experiment up to which a check simulates the first design."""
KEPT = 1e-4
"""The fraction of its value up to which a bound counts as kept: the solver's tolerance lets metrics err by as much."""


def designs(ready: Mapping[str, Prepared]) -> dict[str, PreparedDesign]:
    """Return the designs among the objectives."""
    return {name: one for name, one in ready.items() if isinstance(one, PreparedDesign)}


def first_design(ready: Mapping[str, Prepared], start: Mapping[str, float], elsewhere: bool) -> Iterator[Problem]:
    """Yield what is wrong with the designs that a search begins with: they are simulated, where that takes few steps.

    Where the search goes `elsewhere` too it is a warning.
    """
    for name, one in designs(ready).items():
        solved = one.predict(start) if one.steps <= FEW else None
        if solved is not None and solved.status not in {"solved", "ended early"}:
            said = f"the design that the search begins with has no cost: {solved.message}"
            hint = "move the initial values of the fit, or change the experiment or the metrics"
            yield Problem("warning" if elsewhere else "error", said, ("objectives", name), hint)


def unweighed(ready: Mapping[str, Prepared], cost: Cost) -> Iterator[Problem]:
    """Yield a warning where goals in several units are added up and nobody has said how much each counts."""
    goals = [
        (name, action.metric.unit, action.weight)
        for one in designs(ready).values()
        for name, action in one.actions.items()
        if action.goal and action.weight
    ]
    weighed = any(weight != 1 for *_, weight in goals) or getattr(cost, "objective_weights", None)
    if len({unit for _, unit, _ in goals}) > 1 and not weighed:
        listed = ", ".join(f"{name!r} [{unit or '-'}]" for name, unit, _ in goals)
        said = f"the goals {listed} are added up as numbers, whatever their units"
        yield Problem("warning", said, ("objectives",), "give them weights: Maximize(metric, weight)")


def metrics_told(one: PreparedDesign, **columns: Answer) -> list[dict[str, Any]]:
    """Return a row for each action: name, what is asked, unit, the metric in each column, and what the last one breaks.

    A metric of several values has a list of them. `excess` is by how much the bound is broken, in the unit of the
    metric, None for a goal and where there is no value.
    """
    return [_row(name, action, columns) for name, action in one.actions.items()]


def design_statistics(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the metrics as the statistics of a validation: `energy [W.h]`, `time [s] (at most 1800)`."""
    found = []
    for row in rows:
        values = row["value"] if isinstance(row["value"], list) else [row["value"]]
        unit = f" [{row['unit']}]" if row["unit"] else ""
        bound = "" if row["kept"] is None else f" ({row['asked']})"
        for number, value in enumerate(values):
            which = f" {number}" if len(values) > 1 else ""
            found.append({"name": f"{row['name']}{which}{unit}{bound}", "value": value})
    return found


def _row(name: str, action: Action, columns: Mapping[str, Answer]) -> dict[str, Any]:
    values = {column: answer.predicted.get(f"{name}{METRIC}") for column, answer in columns.items()}
    last = list(values.values())[-1]
    excess = None if action.goal or last is None or np.isnan(last).any() else float(np.max(action.excess(last)))
    return {
        "name": name,
        "action": type(action).__name__,
        "asked": action.asked(),
        "unit": action.metric.unit,
        **{column: _plain(value) for column, value in values.items()},
        "excess": excess,
        "kept": None if excess is None else bool(excess <= KEPT * (abs(getattr(action, "value", 0.0)) or 1.0)),
    }


def _plain(values: Array | None) -> float | list[float | None] | None:
    """Return a number, or several, as JSON; None for what has no value."""
    if values is None:
        return None
    numbers = [float(value) if np.isfinite(value) else None for value in np.ravel(values)]
    return numbers[0] if len(numbers) == 1 else numbers


def bounds_told(objective: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each bound that is broken."""
    for row in rows:
        if row["kept"] is False:
            unit = f" {row['unit']}" if row["unit"] else ""
            yield (
                f"{objective}: {row['action']} is violated: {row['name']} is to be {row['asked']}{unit}, and is beyond "
                f"by {row['excess']:.3g}{unit}"
            )


def courses(before: Answer, after: Answer) -> Mapping[str, Channels]:
    """Return the series of a design: what was recorded of the best and of the first."""
    both = {"optimal": after, "baseline": before}
    return {kind: found for kind, answer in both.items() if (found := PreparedDesign.course(answer.predicted))}
