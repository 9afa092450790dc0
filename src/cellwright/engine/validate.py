"""The comparison of a `Validation`: simulated with what has been found, beside data no fit has seen."""

from typing import Any

import numpy as np

from cellwright.catalog.objectives.design import PreparedDesign
from cellwright.engine.designs import bounds_told, design_statistics, metrics_told
from cellwright.engine.doubts import told_by
from cellwright.engine.objectives import channels, prepared, statistics
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, SolverError
from cellwright.schema.elements import Validation
from cellwright.schema.families import Cost, Prepared
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import Channels, ElementRecord
from cellwright.schema.work import Answer

TIMELESS = "features of pulses are no time series: they are compared pulse by pulse"
"""What is said of an objective whose comparison has no course over time."""


def validate(name: str, element: Validation, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the validation; an objective that fails is told and does not sink the others.

    Raises: the first error where every objective fails.
    """
    began = world.clock()
    costs = judging(element, p)
    looked_up = [cost.reads for cost in element.summary_stats or []]
    ready, errors = prepared(element.objectives, p, (), world.simulate)
    failed: dict[str, str] = {error.at[1]: str(error) for error in errors}
    stats: dict[str, list[dict[str, Any]]] = {}
    series: dict[str, dict[str, Channels]] = {}
    outcomes: dict[str, dict[str, Any]] = {}
    bounds: list[str] = []
    for objective, one in ready.items():
        solved = one.predict({})
        if solved.status not in {"solved", "ended early"}:
            failed[objective] = solved.message or solved.status
            continue
        if isinstance(one, PreparedDesign):
            rows = metrics_told(one, value=Answer(solved.status, solved.outputs))
            stats[objective], bounds = design_statistics(rows), [*bounds, *bounds_told(objective, rows)]
            series[objective] = {"optimal": PreparedDesign.course(solved.outputs)}
            outcomes[objective] = {"status": solved.status, "points": len(rows), "compared": len(rows)}
            continue
        stats[objective] = _rows(costs, one, solved.outputs)
        series[objective] = {"optimal": channels(one, solved.outputs)}
        compared = min(int(np.isfinite(solved.outputs[variable]).sum()) for variable in one.observed)
        outcomes[objective] = {"status": solved.status, "points": len(one.x), "compared": compared}
    if not stats:
        raise _worst(errors, failed)
    early = [o for o, outcome in outcomes.items() if outcome["status"] == "ended early"]
    timeless = {o: TIMELESS for o in stats if not getattr(ready[o], "time_series", True)}
    return ElementRecord(
        name=name,
        element_type="validation",
        type="Validation",
        status="completed",
        seconds=world.clock() - began,
        result={
            "type": "ValidationResult",
            "parameter_values": {},
            "summary_stats": stats,
            "validation_results": outcomes,
            "failed_objectives": failed,
            **({"validation_not_supported": timeless} if timeless else {}),
        },
        reads=tuple(sorted(frozenset().union(*(one.reads for one in ready.values()), *looked_up))),
        series=series,
        counts={"solves": len(ready), "failed": len(ready) - len(stats)},
        warnings=(
            *(
                f"{o}: the simulation ended before the data; {outcomes[o]['compared']} of {outcomes[o]['points']} rows "
                "are compared"
                for o in early
            ),
            *bounds,
            *(f"{problem.at[-1]}: {problem.message}" for problem in told_by(ready, {})),
        ),
    )


def judging(element: Validation, p: ParameterSet) -> list[Cost] | None:
    """Return the costs of a validation with the parameters that they look up, such as a noise that a fit has found.

    Raises: `MissingParameterError` for one that no element before provides.
    """
    costs = element.summary_stats
    return None if costs is None else [cost.at({name: p.number(name) for name in cost.reads}) for cost in costs]


def _rows(costs: list[Cost] | None, one: Prepared, predicted: Any) -> list[dict[str, Any]]:
    return [
        {"name": statistic, "value": value if np.isfinite(value) else None}
        for variable, data in one.observed.items()
        for statistic, value in statistics(predicted[variable], data, variable, costs)
    ]


def _worst(errors: list[CellwrightError], failed: dict[str, str]) -> CellwrightError:
    if errors:
        return errors[0]
    objective, message = next(iter(failed.items()))
    return SolverError(f"no objective could be simulated; {objective!r}: {message}")
