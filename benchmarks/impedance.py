"""Time per spectrum of 30 frequencies, ours beside `pybamm.EISSimulation`, turn by turn.

    python benchmarks/impedance.py

Two parameters are inputs that change with every spectrum. "First" is from the problem to the first spectrum, PyBaMM
being imported.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pybamm

from cellwright.models.build import build
from cellwright.models.published import published
from cellwright.schema.simulation import IMPEDANCE, ImpedanceProblem, ModelSpec

FREQUENCIES = np.logspace(-2, 4, 30)
FREE = ("Positive electrode double-layer capacity [F.m-2]", "Positive particle diffusivity [m2.s-1]")
ROUNDS = 60


def ours(model: str) -> Callable[[dict[str, float]], Any]:
    """Return the function from inputs to the spectrum of a built model."""
    built = build(ImpedanceProblem(ModelSpec(model), published().without(FREE), FREQUENCIES, FREE))

    def solve(inputs: dict[str, float]) -> Any:
        outputs = built.solve(inputs).outputs
        return outputs[IMPEDANCE[0]] + 1j * outputs[IMPEDANCE[1]]

    return solve


def theirs(model: str) -> Callable[[dict[str, float]], Any]:
    """Return the same by PyBaMM."""
    values = pybamm.ParameterValues("Chen2020")
    values.update(dict.fromkeys(FREE, "[input]"))
    kind = getattr(pybamm.lithium_ion, model)({"surface form": "differential"})
    simulation = pybamm.EISSimulation(kind, parameter_values=values)
    return lambda inputs: simulation.solve(FREQUENCIES, inputs=inputs).impedance


def main() -> None:
    """Print a table."""
    print(f"{'model':6} {'first [ms]':>22} {'spectrum [ms]':>22} {'ratio':>6} {'difference':>11}")
    for model in ("SPM", "SPMe", "DFN"):
        solvers, first = {}, {}
        for name, make in (("ours", ours), ("pybamm", theirs)):
            began = time.perf_counter()
            solvers[name] = make(model)
            solvers[name](dict(zip(FREE, (0.2, 4e-15), strict=True)))
            first[name] = 1e3 * (time.perf_counter() - began)
        times: dict[str, list[float]] = {name: [] for name in solvers}
        apart = 0.0
        for turn in range(ROUNDS):
            inputs = dict(zip(FREE, (0.2 + 0.001 * turn, 4e-15 * 1.01**turn), strict=True))
            found = {}
            for name, solve in solvers.items():
                began = time.perf_counter()
                found[name] = solve(inputs)
                times[name].append(1e3 * (time.perf_counter() - began))
            apart = max(apart, float(np.abs(found["ours"] / found["pybamm"] - 1).max()))
        middle = {name: statistics.median(taken) for name, taken in times.items()}
        ratio = statistics.median(b / a for a, b in zip(times["ours"], times["pybamm"], strict=True))
        both = "{ours:9.1f} | {pybamm:8.1f}".format
        print(f"{model:6} {both(**first):>22} {both(**middle):>22} {ratio:6.1f} {apart:11.1e}")


if __name__ == "__main__":
    main()
