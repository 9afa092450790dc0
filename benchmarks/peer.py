"""How long fits take: Cellwright beside PyBOP on the same data, model, mesh, bounds and starts, in one run.

    python benchmarks/peer.py [--rounds 3] [--cases local rates dfn noisy population multistart] [--json PATH]

The data come from plain PyBaMM at a tolerance of 1e-8 with 1 mV of noise (Chen2020, LG M50, 681 rows a curve); each
round has noise and a start of its own. Everyone searches in the logarithm within a factor 10 about the truth.

    local        two particle diffusivities, SPMe, one 1C discharge; starts a factor 3 off
    rates        four parameters (and both active material fractions), SPMe, C/2, 1C and 1.5C at once
    dfn          two diffusivities, DFN, one 1C discharge
    noisy        as local, with 2 mA of noise on the current that the model follows
    population   as local, by CMA-ES, twelve points a generation, each until it is within 1 % of the truth's cost
    multistart   as local, from 20 starts all over the bounds

first: everything but imports, on a machine that has never seen the model: check, build, search, statistics, overlay,
intervals. again: the same once more with new data, as from the second fit on; the model comes from the shelf, compiled.
PyBOP's `first` is build and search, its `again` the search alone on what is built. Ours does the search and all the
rest in both. × is the median over the rounds of how many times as long the other takes as the first row.

cost: the sum of squares on the data by a tight simulation of plain PyBaMM, as a multiple of that of the true values,
for everyone. found: ends within 1 %. error: the largest of the parameters' errors. PyBOP runs with its own tolerances
(rtol 1e-6) and, as "our tol.", with ours (1e-4). Its gradients are of sensitivities, as it recommends; ours are of
differences, one batch.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"

import numpy as np
import pybamm
from rich.console import Console
from rich.table import Table

import cellwright as cw
from cellwright.testing.cells import published

try:
    import pybop
except ImportError as cause:
    pybop, WHY_NOT = None, f"PyBOP is left out: {cause}"

ROWS = 681
DIFFUSIVITIES = {"Negative particle diffusivity [m2.s-1]": 3.3e-14, "Positive particle diffusivity [m2.s-1]": 4e-15}
FRACTIONS = {
    "Negative electrode active material volume fraction": 0.75,
    "Positive electrode active material volume fraction": 0.665,
}
SPREAD = {**dict.fromkeys(DIFFUSIVITIES, 10.0), **dict.fromkeys(FRACTIONS, 1.2)}
"""The bounds lie this factor about the truth."""
OFF = {**dict.fromkeys(DIFFUSIVITIES, 3.0), **dict.fromkeys(FRACTIONS, 1.05)}
"""Starts lie this factor off."""
DIRECTIONS = ("↑↓", "↓↑", "↑↑", "↓↓")
FOUND = 1.01
POPULATION = 12
STARTS = 20
RTOL, ATOL = 1e-4, 1e-6


@dataclass(frozen=True)
class Case:
    """What is fitted to what."""

    model: str = "SPMe"
    truth: Mapping[str, float] = None
    curves: Mapping[str, tuple[float, float]] = None
    """By name: current [A] and duration [s]."""
    current_noise: float = 0.0
    how: str = "local"

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The bounds of each parameter."""
        return {name: (value / SPREAD[name], value * SPREAD[name]) for name, value in self.truth.items()}


ONE = {"1C": (5.0, 3400.0)}
CASES = {
    "local": Case(truth=DIFFUSIVITIES, curves=ONE),
    "rates": Case(truth=DIFFUSIVITIES | FRACTIONS, curves={"C/2": (2.5, 6900.0), **ONE, "1.5C": (7.5, 2100.0)}),
    "dfn": Case("DFN", DIFFUSIVITIES, ONE),
    "noisy": Case(truth=DIFFUSIVITIES, curves=ONE, current_noise=2e-3),
    "population": Case(truth=DIFFUSIVITIES, curves=ONE, how="population"),
    "multistart": Case(truth=DIFFUSIVITIES, curves=ONE, how="multistart"),
}


@dataclass(frozen=True)
class Study:
    """One round: noisy data, and where everybody starts."""

    case: Case
    data: Mapping[str, Mapping[str, Any]]
    starts: Sequence[Mapping[str, float]]
    cost_of_truth: float


@dataclass(frozen=True)
class Outcome:
    """What one contender did in one round."""

    first: float
    again: float
    solves: int
    values: dict[str, float]
    cost: float = float("nan")
    error: float = float("nan")

    @property
    def found(self) -> bool:
        """Whether the fit ended where it should."""
        return self.cost < FOUND


class Reference:
    """The model at tight tolerances, which makes the data and judges everyone's values."""

    def __init__(self, case: Case, current: Mapping[str, Any], times: Mapping[str, Any]) -> None:
        self._times, self._simulations = times, {}
        for name in case.curves:
            values = pybamm.ParameterValues("Chen2020")
            amps = current[name]
            given = float(amps[0]) if np.ptp(amps) == 0 else pybamm.Interpolant(times[name], amps, pybamm.t)
            values.update({"Current function [A]": given, **dict.fromkeys(case.truth, "[input]")})
            values["Lower voltage cut-off [V]"] = 1.5
            model = getattr(pybamm.lithium_ion, case.model)()
            solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
            self._simulations[name] = pybamm.Simulation(model, parameter_values=values, solver=solver)

    def __call__(self, inputs: Mapping[str, float]) -> dict[str, Any]:
        """Return the voltages [V]; NaN behind an early end."""
        return {name: self._voltage(name, dict(inputs)) for name in self._simulations}

    def _voltage(self, name: str, inputs: dict[str, float]) -> Any:
        times = self._times[name]
        solution = self._simulations[name].solve([0.0, times[-1]], inputs=inputs, t_interp=times)
        there = times <= solution.t[-1]
        return np.where(there, solution["Voltage [V]"](np.minimum(times, solution.t[-1])), np.nan)


def study(case: Case, number: int) -> tuple[Study, Reference]:
    """Return data with noise of their own, the starts, and who judges."""
    rng = np.random.default_rng(number)
    times = {name: np.linspace(0.0, duration, ROWS) for name, (_, duration) in case.curves.items()}
    current = {name: np.full(ROWS, amps) for name, (amps, _) in case.curves.items()}
    if case.current_noise:
        current = {name: amps + case.current_noise * rng.normal(size=ROWS) for name, amps in current.items()}
    reference = Reference(case, current, times)
    clean = reference(case.truth)
    voltage = {name: volts + 1e-3 * rng.normal(size=ROWS) for name, volts in clean.items()}
    data = {
        name: {"Time [s]": times[name], "Current [A]": current[name], "Voltage [V]": voltage[name]} for name in voltage
    }
    cost = sum(float(np.sum((voltage[name] - clean[name]) ** 2)) for name in voltage)
    return Study(case, data, starts(case, number, rng), cost), reference


def starts(case: Case, number: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return where everybody starts."""
    if case.how == "multistart":
        place = rng.uniform(-1, 1, size=(STARTS, len(case.truth)))
        names = list(case.truth)
        return [{n: case.truth[n] * SPREAD[n] ** x for n, x in zip(names, row, strict=True)} for row in 0.95 * place]
    arrows = DIRECTIONS[number % len(DIRECTIONS)] * 2
    return [
        {
            name: value * (OFF[name] if arrow == "↑" else 1 / OFF[name])
            for (name, value), arrow in zip(case.truth.items(), arrows, strict=False)
        }
    ]


def ours(optimizer: Callable[[Study], Any]) -> Callable[[Study], Outcome]:
    """Cellwright's fit."""

    def pipeline(study: Study) -> Any:
        case = study.case
        known = {name: value for name, value in published().values_.items() if name not in case.truth}
        element = cw.DataFit(
            {
                name: cw.objectives.CurrentDriven(data, options={"model": case.model})
                for name, data in study.data.items()
            },
            parameters={
                name: cw.transforms.Log10(cw.Parameter(name, study.starts[0][name], case.bounds[name]))
                for name in case.truth
            },
            cost=cw.costs.SSE(normalization="identity"),  # volts squared, as PyBOP's
            optimizer=optimizer(study),
            initial_guesses=list(study.starts) if len(study.starts) > 1 else None,
        )
        return cw.Pipeline({"known": cw.direct_entries.DirectEntry(known, source="Chen2020"), "fit": element})

    def timed(study: Study, home: str) -> tuple[float, Any]:
        os.environ["CELLWRIGHT_HOME"] = home
        began = time.perf_counter()
        record = cw.run(pipeline(study)).element("fit")
        return time.perf_counter() - began, record

    def fit(study: Study) -> Outcome:
        with tempfile.TemporaryDirectory() as never_seen:
            first, _ = timed(study, never_seen)
        again, record = timed(study, HOME)
        values = {name: float(record.result["parameter_values"][name]) for name in study.case.truth}
        return Outcome(first, again, record.counts["solves"], values)

    return fit


HOME = tempfile.mkdtemp(prefix="cellwright-benchmark-")


def compile_now(study: Study, fit: Callable[[Study], Outcome]) -> None:
    """Fit until the compiled model of this case is there, which takes over by itself once it pays."""
    deadline, before = time.monotonic() + 120, libraries()
    fit(study)
    while libraries() == before and time.monotonic() < deadline:
        if study.case.model == CASES["local"].model and before:
            break  # that of an earlier case
        fit(study)
    while list(Path(HOME, "kernels").glob("*.begun")) and time.monotonic() < deadline:
        time.sleep(0.2)


def libraries() -> set[Path]:
    """Return the compiled models that are there."""
    return set(Path(HOME, "kernels").glob("*.so"))


def theirs(optimiser: Callable[[Any, Study], Any], tight: bool) -> Callable[[Study], Outcome]:
    """PyBOP's fit."""

    def built(study: Study) -> tuple[Any, dict[str, int]]:
        problems, counts = [], {"solves": 0}
        for data in study.data.values():
            values = pybamm.ParameterValues("Chen2020")
            values["Lower voltage cut-off [V]"] = 1.5
            dataset = pybop.Dataset({name: np.asarray(column) for name, column in data.items()})
            values.update(
                {
                    name: pybop.Parameter(
                        bounds=study.case.bounds[name],
                        initial_value=study.starts[0][name],
                        transformation=pybop.LogTransformation(),
                    )
                    for name in study.case.truth
                }
            )
            simulator = pybop.pybamm.Simulator(
                getattr(pybamm.lithium_ion, study.case.model)(),
                parameter_values=values,
                protocol=dataset,
                solver=None if tight else pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL),
            )
            problems.append(pybop.Problem(simulator, pybop.SumSquaredError(dataset)))
            count(problems[-1], counts)
        return (problems[0] if len(problems) == 1 else pybop.MetaProblem(*problems)), counts

    def searched(problem: Any, study: Study) -> dict[str, float]:
        best, cost = None, float("inf")
        for start in study.starts:
            names = problem.parameters.names
            problem.parameters.update(initial_values=np.array([start[name] for name in names]))
            try:
                result = optimiser(problem, study).run()
            except ValueError:  # it raises where a search ends at a point that cannot be simulated
                continue
            if best is None or result.best_cost < cost:
                best, cost = dict(zip(names, map(float, result.x), strict=True)), float(result.best_cost)
        return best or dict(study.starts[0])

    def fit(study: Study) -> Outcome:
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):  # it tells of parameters that problems share
            problem, counts = built(study)
            values = searched(problem, study)
            first = time.perf_counter() - began
            counts["solves"] = 0
            began = time.perf_counter()
            values = searched(problem, study)
        return Outcome(first, time.perf_counter() - began, counts["solves"], values)

    return fit


def count(problem: Any, counts: dict[str, int]) -> None:
    """Count a problem's solves from now on."""
    solve = problem.simulator.solve_batch

    def solve_batch(inputs: list[Any], calculate_sensitivities: bool = False) -> Any:
        counts["solves"] += len(inputs)
        return solve(inputs=inputs, calculate_sensitivities=calculate_sensitivities)

    problem.simulator.solve_batch = solve_batch


def contenders(case: Case) -> dict[str, Callable[[Study], Outcome]]:
    """All that can be timed here, by name; the first is what the others are compared with."""
    if case.how == "population":
        found = {
            "Cellwright, CMA-ES": ours(
                lambda study: cw.optimizers.CMAES(
                    population_size=POPULATION, threshold=FOUND * study.cost_of_truth, sigma0=0.2, max_iterations=200
                )
            )
        }
    else:
        found = {"Cellwright, least squares": ours(lambda _: cw.optimizers.ScipyLeastSquares())}
    if case.how == "local":
        found["Cellwright, L-BFGS-B"] = ours(lambda _: cw.optimizers.ScipyMinimize())
    if pybop is None:
        return found

    def gradient(problem: Any, _: Study) -> Any:
        return pybop.SciPyMinimize(problem, pybop.SciPyMinimizeOptions(method="L-BFGS-B"))

    def irprop(problem: Any, _: Study) -> Any:
        return pybop.IRPropMin(problem)

    def evolution(problem: Any, study: Study) -> Any:
        options = pybop.PintsOptions(
            threshold=FOUND * study.cost_of_truth, max_iterations=200, max_unchanged_iterations=200
        )
        search = pybop.CMAES(problem, options)
        search.set_population_size(POPULATION)
        return search

    for tight in (True, False):
        tolerance = "" if tight else ", our tol."
        if case.how == "population":
            found[f"PyBOP, CMA-ES{tolerance}"] = theirs(evolution, tight)
        else:
            found[f"PyBOP, L-BFGS-B{tolerance}"] = theirs(gradient, tight)
        if case.how == "local" and (len(case.curves) == 1 or not tight):
            found[f"PyBOP, IRPropMin{tolerance}"] = theirs(irprop, tight)
    return found


def judged(outcome: Outcome, now: Study, reference: Reference) -> Outcome:
    """Return the outcome with its cost and error; the cost is infinite where the model does not last."""
    voltage = reference(outcome.values)
    cost = sum(float(np.sum((voltage[name] - now.data[name]["Voltage [V]"]) ** 2)) for name in voltage)
    error = max(abs(outcome.values[name] / value - 1) for name, value in now.case.truth.items())
    return replace(outcome, cost=cost / now.cost_of_truth if np.isfinite(cost) else float("inf"), error=error)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median of the values, with the least and the largest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def times_as_long(mine: Sequence[Outcome], others: Sequence[Outcome], what: Callable[[Outcome], float]) -> str:
    """Return the median of how many times as long another took; of the studies that both found, if any."""
    pairs = [(a, b) for a, b in zip(mine, others, strict=True) if a.found and b.found]
    return f"{statistics.median(what(b) / what(a) for a, b in pairs):.2f}" if pairs else "–"


def shown(name: str, outcomes: Mapping[str, Sequence[Outcome]], versions: str) -> Table:
    """Return the table of a case."""
    columns = ("found", "first [s]", "×", "again [s]", "×", "solves", "ms/solve", "cost", "error [%]")
    table = Table("contender", *columns, title=f"{name}: {len(next(iter(outcomes.values())))} rounds\n{versions}")
    mine = next(iter(outcomes.values()))
    for contender, rows in outcomes.items():
        solves = statistics.median(row.solves for row in rows)
        table.add_row(
            contender,
            f"{sum(row.found for row in rows)}/{len(rows)}",
            spread([row.first for row in rows]),
            times_as_long(mine, rows, lambda row: row.first),
            spread([row.again for row in rows]),
            times_as_long(mine, rows, lambda row: row.again),
            f"{solves:.0f}",
            f"{1e3 * statistics.median(row.again / row.solves for row in rows):.2f}",
            f"{statistics.median(row.cost for row in rows):.4f}",
            f"{100 * statistics.median(row.error for row in rows):.1f}",
        )
    return table


def main() -> None:
    """Run all rounds of all cases and print the tables."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    given.add_argument("--json", type=Path)
    asked = given.parse_args()
    console = Console(width=150)
    other = f", PyBOP {pybop.__version__}" if pybop else ""
    versions = f"PyBaMM {pybamm.__version__}{other}, NumPy {np.__version__}, {os.cpu_count()} cores"
    kept = {}
    for name in asked.cases:
        case, found = CASES[name], contenders(CASES[name])
        warm_up, _ = study(case, 10_001)
        names = list(found)
        compile_now(warm_up, found[names[0]])
        for contender in names[-1:]:
            found[contender](warm_up)
        outcomes: dict[str, list[Outcome]] = {contender: [] for contender in names}
        for number in range(asked.rounds):
            now, reference = study(case, number)
            for place in range(len(names)):
                contender = names[(place + number) % len(names)]
                outcomes[contender].append(judged(found[contender](now), now, reference))
        console.print(shown(name, outcomes, versions))
        kept[name] = {contender: [asdict(row) for row in rows] for contender, rows in outcomes.items()}
    if pybop is None:
        console.print(WHY_NOT)
    if asked.json:
        asked.json.write_text(json.dumps({"versions": versions, "cases": kept}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
