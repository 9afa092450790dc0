"""How fast one evaluation is: Cellwright's simulation beside plain PyBaMM and PyBOP, in one run.

    python benchmarks/kernel.py [--rounds 15] [--models SPM SPMe DFN] [--outputs 300 681] [--json PATH]

Chen2020 (LG M50), 1C for 3400 s, the two particle diffusivities as inputs, a cost from the voltage at every evaluation
(sum of squares against data with 1 mV of noise). Every round gives each contender the same inputs, each round
in another order; the tables have medians and quartiles over the rounds, and ratios are medians of the ratios within a
round, so that another load of the machine touches all alike. `measured` is a current with 1 mA of noise instead of a
constant one. All have PyBaMM's default mesh. With a constant current PyBOP still interpolates it, as it always does.

In a search: as our searches solve, compiled, at the few times that give all others; all rows: compiled, at every
output time; C++ alone: the integrator with the compiled functions and the output variable at every output time, and
nothing around it. PyBaMM: `Simulation.solve([0, T], inputs=…)`, then `solution["Voltage [V]"](t)`, tolerances as ours.
PyBOP: its problem's cost on the same data, with its recommended solver (rtol 1e-6) and with our tolerances.
Both cores: a batch of 40 points, by the threads of both.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"

import numpy as np
import pybamm
from rich.console import Console
from rich.table import Table

from cellwright.models.simulate import build
from cellwright.models.simulation import BuiltSimulation
from cellwright.physics.timeseries import compress_current
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.testing.cells import published

try:
    import pybop
except ImportError as cause:
    pybop, WHY_NOT = None, f"PyBOP is left out: {cause}"

END = 3400.0
TRUTH = {"Negative particle diffusivity [m2.s-1]": 3.3e-14, "Positive particle diffusivity [m2.s-1]": 4e-15}
RTOL, ATOL = 1e-4, 1e-6
OURS = "in a search"
FOLDER = Path(tempfile.mkdtemp(prefix="cellwright-benchmark-"))
ALONE: list[float] = []
"""Seconds of the last solve of the integrator alone."""
Inputs = Mapping[str, float]
Contender = Callable[[Inputs], float]


@dataclass(frozen=True)
class Case:
    """What is simulated: the model, how many times are wanted, whether the current is a measured one."""

    model: str
    outputs: int
    measured: bool = False

    @property
    def times(self) -> Any:
        """Times of the data [s]."""
        return np.linspace(0.0, END, self.outputs)

    @property
    def current(self) -> Any:
        """Current at those times [A]."""
        noise = np.random.default_rng(0).normal(size=self.outputs)
        return 5.0 + (1e-3 * noise if self.measured else 0.0 * noise)

    def problem(self) -> SimulationProblem:
        """The case as our simulation takes it; the compression is that of `CurrentDriven`."""
        time_, current = compress_current(self.times, self.current, atol=1e-6, rtol=1e-4)
        return SimulationProblem(
            ModelSpec(self.model),
            published().without(TRUTH),
            time_,
            current,
            self.times,
            ("Voltage [V]",),
            tuple(TRUTH),
        )

    def voltage(self) -> Any:
        """Voltage data [V], with 1 mV of noise."""
        clean = build(self.problem()).solve(TRUTH).outputs["Voltage [V]"]
        return clean + 1e-3 * np.random.default_rng(1).normal(size=self.outputs)


def simulations(case: Case) -> tuple[BuiltSimulation, BuiltSimulation]:
    """Return our simulation, compiled, at all its output times and as searches have it."""
    whole = build(case.problem(), FOLDER)
    integrator = whole._integrator_at(())
    integrator._compilation.begin_if_worth(float("inf"))
    while not integrator.compiled:
        time.sleep(0.1)
        whole.solve(TRUTH)
    return whole, whole.thinned([TRUTH, *points(5, seed=11)])


def ours(simulation: BuiltSimulation, data: Any) -> Contender:
    """Cellwright's cost."""
    return lambda inputs: float(np.sum((simulation.solve(inputs).outputs["Voltage [V]"] - data) ** 2))


def integrator_alone(simulation: BuiltSimulation, data: Any) -> Contender:
    """The C++ integrator with the output variable, compiled: nothing around it, not even the initial state."""
    integrator = simulation._integrator_at(())

    def prepared(inputs: Inputs) -> list[Any]:
        _, row = simulation.settled(inputs)
        given = integrator._arguments(np.array([row]))
        state, slope = integrator._functions["start"](given[0])
        return [np.ravel(state.full())[None], np.ravel(slope.full())[None], given]

    group, stops, times = integrator._group(1), simulation._stops, simulation.problem.output_times

    def cost(inputs: Inputs) -> float:
        state, slope, given = prepared(inputs)
        began = time.perf_counter()
        (solution,) = group.solve(stops, times, state, slope, given, logger=None, pbar=np.empty((0, 0)))
        ALONE.append(time.perf_counter() - began)
        return float(np.sum((np.ravel(solution.y) - data) ** 2))

    return cost


def plain(case: Case, data: Any) -> Contender:
    """PyBaMM's, without knowing its traps but one: data times are not given as `t_eval`."""
    values = pybamm.ParameterValues("Chen2020")
    current = pybamm.Interpolant(case.times, case.current, pybamm.t) if case.measured else 5.0
    values.update({"Current function [A]": current, **dict.fromkeys(TRUTH, "[input]")})
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, case.model)(),
        parameter_values=values,
        solver=pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL),
    )

    def cost(inputs: Inputs) -> float:
        voltage = simulation.solve([0.0, END], inputs=dict(inputs))["Voltage [V]"](case.times)
        return float(np.sum((voltage - data) ** 2))

    return cost


def pybop_problem(case: Case, data: Any, solver: Any = None) -> Any:
    """PyBOP's problem."""
    values = pybamm.ParameterValues("Chen2020")
    columns = {"Time [s]": case.times, "Current [A]": case.current, "Voltage [V]": data}
    dataset = pybop.Dataset(columns)
    bounds = {name: pybop.Parameter(bounds=(value / 3, value * 3)) for name, value in TRUTH.items()}
    values.update(bounds)
    simulator = pybop.pybamm.Simulator(
        getattr(pybamm.lithium_ion, case.model)(), parameter_values=values, protocol=dataset, solver=solver
    )
    return pybop.Problem(simulator, pybop.SumSquaredError(dataset))


def contenders(case: Case, data: Any) -> dict[str, Contender]:
    """All that can be timed here, by name."""
    whole, few = simulations(case)
    found = {
        OURS: ours(few, data),
        "all rows": ours(whole, data),
        "C++ alone": integrator_alone(whole, data),
        "PyBaMM": plain(case, data),
    }
    if pybop is None:
        return found
    for name, solver in {"PyBOP": None, "PyBOP, our tol.": pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL)}.items():
        problem = pybop_problem(case, data, solver)
        found[name] = lambda inputs, problem=problem: float(problem(dict(inputs)))
    return found


def points(count: int, seed: int) -> list[dict[str, float]]:
    """Inputs about the truth, within a factor of two."""
    factors = np.exp(np.random.default_rng(seed).uniform(-np.log(2), np.log(2), (count, len(TRUTH))))
    return [dict(zip(TRUTH, np.array(list(TRUTH.values())) * row, strict=True)) for row in factors.tolist()]


def stopped(what: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return how long a call takes [s], and what it returns."""
    began = time.perf_counter()
    result = what(*arguments)
    return time.perf_counter() - began, result


def timed(case: Case, rounds: int) -> tuple[dict[str, list[float]], float]:
    """Return seconds of every round by contender, and the largest difference of two costs, relative."""
    data = case.voltage()
    found = contenders(case, data)
    for cost in found.values():
        cost(TRUTH)
    apart = 0.0
    times: dict[str, list[float]] = {name: [] for name in found}
    names = list(found)
    for number, inputs in enumerate(points(rounds, seed=2)):
        costs = []
        for place in range(len(names)):
            name = names[(place + number) % len(names)]
            duration, value = stopped(found[name], inputs)
            duration = ALONE.pop() if name == "C++ alone" else duration
            times[name].append(duration)
            costs.append(value)
        apart = max(apart, (max(costs) - min(costs)) / max(costs))
    return times, apart


def both_cores(case: Case, size: int = 40, rounds: int = 5) -> dict[str, list[float]]:
    """Return seconds per point of batches."""
    data = case.voltage()
    batch = points(size, seed=3)
    _, few = simulations(case)
    found: dict[str, Callable[[], Any]] = {OURS: lambda: few.solve_many(batch)}
    if pybop is not None:
        solver = pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL, options={"num_threads": os.cpu_count()})
        problem = pybop_problem(case, data, solver)
        found["PyBOP, our tol."] = lambda: problem(batch)
    for what in found.values():
        what()
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, what in found.items():
            times[name].append(stopped(what)[0] / size)
    return times


CONTENDERS = (OURS, "all rows", "C++ alone", "PyBaMM", "PyBOP", "PyBOP, our tol.")


def row(times: Mapping[str, list[float]]) -> list[str]:
    """Return each contender's solves per second with quartiles, and how much faster ours is."""
    cells = []
    for name in CONTENDERS:
        if name not in times:
            cells.append("–")
            continue
        low, middle, high = statistics.quantiles([1 / seconds for seconds in times[name]], n=4, method="inclusive")
        ratio = statistics.median(b / a for a, b in zip(times[OURS], times[name], strict=True))
        shown = f"{middle:.0f} ({low:.0f}–{high:.0f})"
        cells.append(shown if name == OURS else f"{shown} ×{ratio:.2f}")
    return cells


def main() -> None:
    """Run all cases and print the tables."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=15)
    given.add_argument("--models", nargs="+", default=["SPM", "SPMe", "DFN"])
    given.add_argument("--outputs", nargs="+", type=int, default=[300, 681])
    given.add_argument("--json", type=Path)
    asked = given.parse_args()
    console = Console(width=150)
    kept: dict[str, Any] = {"seconds": {}, "seconds_both_cores": {}, "costs_differ_by": {}}
    cases = [Case(model, outputs) for model in asked.models for outputs in asked.outputs]
    cases += [Case(model, asked.outputs[-1], measured=True) for model in asked.models]
    versions = f"PyBaMM {pybamm.__version__}, NumPy {np.__version__}, {os.cpu_count()} cores"
    kept["versions"] = versions

    one = Table(
        "case",
        *CONTENDERS,
        "costs differ by",
        title=f"solves per second, one at a time, {asked.rounds} rounds\n{versions}",
    )
    for case in cases:
        times, apart = timed(case, asked.rounds)
        current = "measured" if case.measured else "constant"
        label = f"{case.model}, {case.outputs} outputs, {current}"
        one.add_row(label, *row(times), f"{100 * apart:.2f} %")
        kept["seconds"][label], kept["costs_differ_by"][label] = times, apart
    console.print(one)

    two = Table("case", *CONTENDERS, title="solves per second, batches of 40 on both cores, 5 rounds")
    for model in asked.models:
        case = Case(model, asked.outputs[0])
        label, times = f"{case.model}, {case.outputs} outputs, constant", both_cores(case)
        two.add_row(label, *row(times))
        kept["seconds_both_cores"][label] = times
    console.print(two)
    console.print(
        "Median (quartiles); ×: how many times longer it takes than Cellwright, median of the ratios in a round."
    )
    if asked.json:
        asked.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    if pybop is None:
        console.print(WHY_NOT)


if __name__ == "__main__":
    main()
