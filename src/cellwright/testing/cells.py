"""Synthetic cells with known truth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.models import simulate
from cellwright.models.published import published
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.simulation import ModelSpec, SimulationProblem

__all__ = ["discharge", "published"]


def discharge(
    p: ParameterSet,
    model: str = "SPM",
    current: float = 5.0,
    duration: float = 3000.0,
    points: int = 101,
    noise: float = 0.0,
    seed: int = 0,
    options: dict[str, Any] | None = None,
) -> dict[str, list[float]]:
    """Return the columns of a constant-current discharge: time [s], current [A], voltage [V] with noise [V] (1 σ)."""
    time = np.linspace(0.0, duration, points)
    problem = SimulationProblem(
        model=ModelSpec(model, options or {}),
        parameters=p,
        time=np.array([0.0, duration]),
        current=np.array([current, current]),
        output_times=time,
        variables=("Voltage [V]",),
    )
    solved = simulate.build(problem).solve({})
    if solved.status != "solved":
        raise ValueError(f"the synthetic cell could not be discharged: {solved.status} {solved.message}")
    voltage: NDArray[np.float64] = solved.outputs["Voltage [V]"]
    rng = np.random.default_rng(seed)
    return {
        "Time [s]": time.tolist(),
        "Current [A]": np.full(points, current).tolist(),
        "Voltage [V]": (voltage + noise * rng.normal(size=points)).tolist(),
    }
