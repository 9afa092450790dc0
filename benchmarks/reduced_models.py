"""Time per solve of reduced models, beside PyBaMM's SPM and SPMe by the same kernel and by PyBaMM itself, turn by turn.

    python benchmarks/reduced_models.py

A discharge of the LG M50 at 1C for 3000 s, 301 output times, two parameters that change with every solve, one thread.
The kernel's functions are interpreted, not compiled. "First" is from the problem to the first solution, PyBaMM being
imported.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pybamm

from cellwright.catalog.named_models import spec_of
from cellwright.models.build import build
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import SimulationProblem
from cellwright.schema.values import Function
from cellwright.testing.cells import grouped, published

TIMES = np.linspace(0, 3000, 301)
ROUNDS = 60
PHYSICAL = ("Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]")
GROUPS = ("Negative particle diffusion time [s]", "Positive particle diffusion time [s]")
WHOLE = ("Particle diffusion time [s]", "Lumped electrode capacity [A.h]")
NUMBERS = {"Electrolyte diffusivity [m2.s-1]": 2e-10, "Electrolyte conductivity [S.m-1]": 0.9}
REST = {
    "Ohmic resistance [Ohm]": 0.02,
    "Lumped electrode OCP [V]": Function.trace(lambda sto: 4.2 - sto),
    "Lumped electrode capacity [A.h]": 5.0,
    "Particle diffusion time [s]": 3000.0,
    "Initial stoichiometry in lumped electrode": 0.05,
    "Contact resistance [Ohm]": 0.0,
}
CASES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "SPM": ("SPM", PHYSICAL),
    "GITTModel": ("GITTModel", PHYSICAL),
    "LumpedSPMR": ("LumpedSPMR", GROUPS),
    "SingleElectrodeLumpedSPMR": ("SingleElectrodeLumpedSPMR", WHOLE),
    "SPMe": ("SPMe", PHYSICAL),
    "LumpedSPMeR": ("LumpedSPMeR", GROUPS),
}


def kernel(model: Any, p: ParameterSet, free: tuple[str, ...]) -> Callable[[Mapping[str, float]], Any]:
    """Return the function from inputs to the voltage, by the kernel."""
    amps = np.full(TIMES.size, 5.0)
    built = build(SimulationProblem(spec_of(model), p.without(free), TIMES, amps, TIMES, ("Voltage [V]",), free))
    return lambda inputs: built.solve(inputs).outputs["Voltage [V]"]


def pybamms(model: str) -> Callable[[Mapping[str, float]], Any]:
    """Return the same by PyBaMM."""
    values = pybamm.ParameterValues("Chen2020")
    values.update({**NUMBERS, **dict.fromkeys(PHYSICAL, "[input]")})
    solver = pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6, output_variables=["Voltage [V]"])
    simulation = pybamm.Simulation(getattr(pybamm.lithium_ion, model)(), parameter_values=values, solver=solver)
    return lambda inputs: simulation.solve([0, 3000], t_interp=TIMES, inputs=dict(inputs))["Voltage [V]"].data


def main() -> None:
    """Print a table."""
    p = grouped(published().merge({**NUMBERS, **REST}, Origin("benchmark")))
    solvers: dict[str, tuple[Callable[[Mapping[str, float]], Any], tuple[str, ...]]] = {}
    first: dict[str, float] = {}

    def add(name: str, make: Callable[[], Callable[[Mapping[str, float]], Any]], free: tuple[str, ...]) -> None:
        began = time.perf_counter()
        solvers[name] = (make(), free)
        solvers[name][0]({one: p[one] for one in free})
        first[name] = 1e3 * (time.perf_counter() - began)

    for name, (model, free) in CASES.items():
        add(name, lambda model=model, free=free: kernel(model, p, free), free)
    for model in ("SPM", "SPMe"):
        add(f"{model} by PyBaMM", lambda model=model: pybamms(model), PHYSICAL)
    times: dict[str, list[float]] = {name: [] for name in solvers}
    for turn in range(ROUNDS):
        for name, (solve, free) in solvers.items():
            inputs = {one: p[one] * (1 + 0.002 * turn) for one in free}
            began = time.perf_counter()
            solve(inputs)
            times[name].append(1e3 * (time.perf_counter() - began))
    print(f"{'model':28} {'first [ms]':>11} {'solve [ms]':>11} {'of SPM by PyBaMM':>17}")
    for name, taken in times.items():
        share = statistics.median(a / b for a, b in zip(taken, times["SPM by PyBaMM"], strict=True))
        print(f"{name:28} {first[name]:11.0f} {statistics.median(taken):11.2f} {share:17.2f}")


if __name__ == "__main__":
    main()
