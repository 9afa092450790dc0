"""What makes the cost vary between the bounds: Sobol's indices."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.engine.analysis import LEAST, Standing, record_of, standing
from cellwright.engine.fit import looked_at
from cellwright.engine.search import Evaluation
from cellwright.engine.seeds import seed_of
from cellwright.engine.world import World
from cellwright.errors import SolverError
from cellwright.schema.elements import SobolSensitivity
from cellwright.schema.families import Array
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Dimension, Space
from cellwright.schema.values import digest

BATCH = 256
"""Points of a batch: a stopped analysis loses no more than these."""
LEVEL = 0.95
"""The confidence of the intervals, by resampling."""
TOO_MANY = 0.05
"""Share of failed solves from which the indices are told as doubtful."""


def sensitivity(name: str, element: SobolSensitivity, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the sensitivity of the cost between the bounds.

    A base point of which one solve failed is left out whole.

    Raises: the first error of the set-up, `SolverError` where too few points can be solved or the cost is the same at
    all, `CanceledError`.
    """
    began = world.clock()
    stood = standing(name, element, p, world)
    seed = seed_of((element.options.seed if element.options else None), stood.key, world)
    cube = _design(element, len(stood.point), seed)
    costs, counts = _costs(stood, _points(element, stood.question.space, cube), world)
    group = len(costs) // element.n_samples
    solved = np.isfinite(costs.reshape(-1, group)).all(axis=1)
    kept = costs.reshape(-1, group)[solved].ravel()
    if solved.sum() < LEAST:
        raise SolverError(
            f"{int(np.isinf(costs).sum())} of {len(costs)} points between the bounds could not be solved",
            hint="tighten the bounds around the fit",
        )
    if np.ptp(kept) == 0:
        raise SolverError("the cost is the same at all points between the bounds, so nothing has a share in it")
    indices = _indices(element, stood.question.space.names, kept, seed)
    failed = int((~np.isfinite(costs)).sum())
    result = {
        "type": "SensitivityResult",
        "method": "sobol",
        **indices,
        "evaluation_stats": {
            "evaluations": len(costs),
            "failed": failed,
            "base_points_left_out": int((~solved).sum()),
        },
        "seed": seed,
        "n_samples": element.n_samples,
        "log_transformed": element.use_log_transform,
    }
    return record_of(
        element, stood, result, counts, world.clock() - began, tuple(_warnings(element, len(costs), failed))
    )


def _warnings(element: SobolSensitivity, points: int, failed: int) -> list[str]:
    found = []
    if element.n_samples & (element.n_samples - 1):
        found.append(f"{element.n_samples} base points are no power of 2, at which a Sobol sequence is even")
    if failed > TOO_MANY * points:
        found.append(
            f"{100 * failed / points:.0f} % of the points could not be solved, so that the indices are those of the "
            "rest; tighten the bounds around the fit"
        )
    return found


def _problem(names: tuple[str, ...] | int) -> dict[str, Any]:
    size = names if isinstance(names, int) else len(names)
    labels = [f"x{place}" for place in range(size)] if isinstance(names, int) else list(names)
    return {"num_vars": size, "names": labels, "bounds": [[0.0, 1.0]] * size}


def _design(element: SobolSensitivity, size: int, seed: int) -> Array:
    """Return the points of Saltelli's design in the unit cube."""
    import warnings

    from SALib.sample import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of base points that are no power of 2, which the record tells
        points = sobol.sample(_problem(size), element.n_samples, calc_second_order=element.calc_second_order, seed=seed)
    return np.asarray(points, dtype=float)


def _points(element: SobolSensitivity, space: Space, cube: Array) -> Array:
    """Return the points (n, d) in search coordinates: even between the bounds, in the logarithm if asked for."""
    columns = [
        _spread(dimension, fractions, element.use_log_transform)
        for dimension, fractions in zip(space.dimensions, cube.T, strict=True)
    ]
    return np.column_stack(columns)


def _spread(dimension: Dimension, fractions: Array, log: bool) -> Array:
    low, high = dimension.lower, dimension.upper
    values = low * (high / low) ** fractions if log else low + fractions * (high - low)
    return np.array([dimension.coordinate(min(max(float(value), low), high)) for value in values])


def _costs(stood: Standing, points: Array, world: World) -> tuple[Array, Counter[str]]:
    question = replace(stood.question, job=stood.question.job.thinned(looked_at(stood.question.space)))
    evaluation = Evaluation(question, world, digest([stood.key, "sobol"]))
    costs = [evaluation(points[start : start + BATCH]).costs for start in range(0, len(points), BATCH)]
    evaluation.tell()
    return np.concatenate(costs), evaluation.counts


def _indices(element: SobolSensitivity, names: tuple[str, ...], costs: Array, seed: int) -> dict[str, Any]:
    """Return the indices and half the widths of their intervals, by the names of the parameters."""
    from SALib.analyze import sobol

    found = sobol.analyze(
        _problem(names),
        (costs - costs.mean()) / costs.std(),
        calc_second_order=element.calc_second_order,
        conf_level=LEVEL,
        seed=seed,
    )

    def named(key: str) -> dict[str, float]:
        return {name: float(value) for name, value in zip(names, found[key], strict=True)}

    indices: dict[str, Any] = {
        "first_order": named("S1"),
        "total_order": named("ST"),
        "first_order_ci": named("S1_conf"),
        "total_order_ci": named("ST_conf"),
        "second_order": None,
        "second_order_ci": None,
    }
    if element.calc_second_order:
        indices["second_order"] = _pairs(names, found["S2"])
        indices["second_order_ci"] = _pairs(names, found["S2_conf"])
    return indices


def _pairs(names: tuple[str, ...], matrix: NDArray[Any]) -> dict[str, dict[str, float]]:
    """Return the upper triangle of a matrix (d, d) by the names of its rows and columns."""
    return {
        name: {other: float(matrix[i, j]) for j, other in enumerate(names) if j > i}
        for i, name in enumerate(names[:-1])
    }
