"""How long a whole fit takes: Cellwright beside PyBOP on the same data, bounds, start and coordinates, in one run.

    python benchmarks/fit.py [--rounds 3] [--outputs 300] [--json PATH]

Two particle diffusivities of SPMe (Chen2020, LG M50) on one 1C discharge of 3400 s with 1 mV of noise, which plain
PyBaMM makes at a tolerance of 1e-8. The bounds are a factor 10 about the truth, everyone searches in the logarithm. The
start is a factor 3 off, and a round has all four such starts: D−, D+ each too high (↑) or too low (↓). From some of
them the modelled cell is empty before the data end, which is where searches go astray: our simulation ends early there,
PyBOP's goes on to absurd voltages. Contenders take turns, each time in another order, and have their defaults: a start
whose cost is huge makes PyBOP scale the cost by it, and SciPy's default tolerance for L-BFGS-B is then met at once.

A fit that ends elsewhere is not a fast fit: `found` counts, start by start, the fits whose RMSE is within 2 % of that
of the truth, and times, solves and ratios are of these alone. A ratio is the median over the studies that both found.
RMSE is against the noisy data, by the same tight PyBaMM simulation for everyone.

whole: build and fit from nothing but imports (those are done before). search: the same fit again on what has been
built, so without the set-up of model and solver. solves: of the model in the search, those with sensitivities in
brackets.

Cellwright: `DataFit` through `cellwright.run`, executor inline. PyBOP with its recommended solver (rtol 1e-6) and with
our tolerances (rtol 1e-4). Cellwright has least squares, which PyBOP has not; the pairs of L-BFGS-B and Nelder-Mead
are like for like, save that PyBOP's gradient is of sensitivities and ours of differences.
"""

import argparse
import json
import os
import statistics
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
from cellwright.compute.inline import InlinePool
from cellwright.schema.work import Answer, Job, Task
from cellwright.testing.cells import published

try:
    import pybop
except ImportError as cause:
    pybop, WHY_NOT = None, f"PyBOP is left out: {cause}"

END = 3400.0
TRUTH = {"Negative particle diffusivity [m2.s-1]": 3.3e-14, "Positive particle diffusivity [m2.s-1]": 4e-15}
BOUNDS = {name: (value / 10, value * 10) for name, value in TRUTH.items()}
OFF = 3.0
DIRECTIONS = ("↑↑", "↓↓", "↑↓", "↓↑")
FOUND = 1.02
"""An RMSE below this multiple of the truth's counts as found; NaN does not."""
RTOL, ATOL = 1e-4, 1e-6
OURS = "Cellwright, least squares"


@dataclass(frozen=True)
class Study:
    """One round: noisy data, and where everybody starts."""

    times: Any
    voltage: Any
    start: Mapping[str, float]
    direction: str
    rmse_of_truth: float

    @property
    def columns(self) -> dict[str, Any]:
        """The data as columns."""
        return {"Time [s]": self.times, "Current [A]": np.full(len(self.times), 5.0), "Voltage [V]": self.voltage}


@dataclass(frozen=True)
class Outcome:
    """What one contender did in one round."""

    whole: float
    search: float
    solves: int
    with_sensitivities: int
    values: dict[str, float]
    direction: str = ""
    rmse: float = float("nan")
    found: bool = False


class Reference:
    """The model at tight tolerances, which makes the data and judges everyone's values."""

    def __init__(self, times: Any) -> None:
        self.times = times
        values = pybamm.ParameterValues("Chen2020")
        values.update({"Current function [A]": 5.0, **dict.fromkeys(TRUTH, "[input]")})
        self._simulation = pybamm.Simulation(
            pybamm.lithium_ion.SPMe(), parameter_values=values, solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
        )

    def __call__(self, inputs: Mapping[str, float]) -> Any:
        """Return the voltage [V]."""
        solution = self._simulation.solve([0.0, END], inputs=dict(inputs), t_interp=self.times)
        return np.asarray(solution["Voltage [V]"](self.times))


class CountingPool(InlinePool):
    """The inline pool, which counts the solves and stops the clock when the model of the fit is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.solves = 0
        self.ready_at: float | None = None

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers."""
        if self.ready_at is None:
            super().map(job, [])
            self.ready_at = time.perf_counter()
        self.solves += len(tasks)
        return super().map(job, tasks, time_limit)


def ours(optimizer: Any) -> Callable[[Study], Outcome]:
    """Cellwright's fit."""
    cell = published()

    def fit(study: Study) -> Outcome:
        began = time.perf_counter()
        known = {name: value for name, value in cell.values_.items() if name not in TRUTH}
        element = cw.DataFit(
            cw.objectives.CurrentDriven(study.columns, options={"model": "SPMe"}),
            parameters={n: cw.transforms.Log10(cw.Parameter(n, study.start[n], BOUNDS[n])) for n in TRUTH},
            optimizer=optimizer,
        )
        pipeline = cw.Pipeline({"known": cw.direct_entries.DirectEntry(known, source="Chen2020"), "fit": element})
        pool = CountingPool()
        cw.run(pipeline, executor=pool)
        whole = time.perf_counter() - began
        pool.solves, pool.ready_at = 0, None
        record = cw.run(pipeline, executor=pool).element("fit")
        assert pool.ready_at is not None
        search = time.perf_counter() - pool.ready_at
        assert not record.cached
        assert not record.counts.get("replayed")
        return Outcome(whole, search, pool.solves, 0, dict(record.result["parameter_values"]))

    return fit


def theirs(optimiser: Callable[[Any], Any], tight: bool) -> Callable[[Study], Outcome]:
    """PyBOP's fit."""

    def fit(study: Study) -> Outcome:
        began = time.perf_counter()
        values = pybamm.ParameterValues("Chen2020")
        dataset = pybop.Dataset(study.columns)
        free = {
            name: pybop.Parameter(
                bounds=BOUNDS[name], initial_value=study.start[name], transformation=pybop.LogTransformation()
            )
            for name in TRUTH
        }
        values.update(free)
        simulator = pybop.pybamm.Simulator(
            pybamm.lithium_ion.SPMe(),
            parameter_values=values,
            protocol=dataset,
            solver=None if tight else pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL),
        )
        problem = pybop.Problem(simulator, pybop.SumSquaredError(dataset))
        counts = counted(problem)
        optimiser(problem).run()
        whole = time.perf_counter() - began
        counts.update(plain=0, sensitivities=0)
        began = time.perf_counter()
        result = optimiser(problem).run()
        search = time.perf_counter() - began
        found = dict(zip(problem.parameters.names, map(float, result.x), strict=True))
        return Outcome(whole, search, sum(counts.values()), counts["sensitivities"], found)

    return fit


def counted(problem: Any) -> dict[str, int]:
    """Return the counts of a problem's solves, which go on."""
    counts = {"plain": 0, "sensitivities": 0}
    solve = problem.simulator.solve_batch

    def solve_batch(inputs: list[Any], calculate_sensitivities: bool = False) -> Any:
        counts["sensitivities" if calculate_sensitivities else "plain"] += len(inputs)
        return solve(inputs=inputs, calculate_sensitivities=calculate_sensitivities)

    problem.simulator.solve_batch = solve_batch
    return counts


def contenders() -> dict[str, Callable[[Study], Outcome]]:
    """All that can be timed here, by name."""
    found = {
        OURS: ours(cw.optimizers.ScipyLeastSquares()),
        "Cellwright, L-BFGS-B": ours(cw.optimizers.ScipyMinimize()),
        "Cellwright, Nelder-Mead": ours(cw.optimizers.ScipyMinimize(method="Nelder-Mead")),
    }
    if pybop is None:
        return found

    def scipy(method: str) -> Callable[[Any], Any]:
        # jac left out means sensitivities wherever the problem has them, which Nelder-Mead would pay for in vain.
        jac = None if method == "L-BFGS-B" else False
        return lambda problem: pybop.SciPyMinimize(problem, pybop.SciPyMinimizeOptions(method=method, jac=jac))

    for tight in (True, False):
        tolerance = "" if tight else ", our tol."
        found[f"PyBOP, L-BFGS-B{tolerance}"] = theirs(scipy("L-BFGS-B"), tight)
        found[f"PyBOP, Nelder-Mead (SciPy){tolerance}"] = theirs(scipy("Nelder-Mead"), tight)
        found[f"PyBOP, Nelder-Mead (PINTS){tolerance}"] = theirs(pybop.NelderMead, tight)
        found[f"PyBOP, IRPropMin{tolerance}"] = theirs(pybop.IRPropMin, tight)
    return found


def study(number: int, direction: str, reference: Reference, clean: Any) -> Study:
    """Return data with noise of their own, and a start."""
    noise = 1e-3 * np.random.default_rng(number).normal(size=len(clean))
    start = {
        name: value * (OFF if arrow == "↑" else 1 / OFF)
        for (name, value), arrow in zip(TRUTH.items(), direction, strict=True)
    }
    return Study(reference.times, clean + noise, start, direction, float(np.sqrt(np.mean(noise**2))))


def judged(outcome: Outcome, now: Study, reference: Reference) -> Outcome:
    """Return the outcome with its RMSE, NaN where the reference does not last as long as the data."""
    error = float(np.sqrt(np.mean((reference(outcome.values) - now.voltage) ** 2)))
    return replace(outcome, direction=now.direction, rmse=error, found=error < FOUND * now.rmse_of_truth)


def spread(values: Sequence[float]) -> str:
    """Return the median of the values, with the least and the largest."""
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def ratio(mine: Sequence[Outcome], others: Sequence[Outcome], what: Callable[[Outcome], float]) -> float | None:
    """Return the median of how much longer another took, over the studies that both found."""
    ratios = [what(b) / what(a) for a, b in zip(mine, others, strict=True) if a.found and b.found]
    return statistics.median(ratios) if ratios else None


def summary(rows: Sequence[Outcome], mine: Sequence[Outcome]) -> dict[str, Any]:
    """Return what goes into the table of one contender."""
    good = [row for row in rows if row.found]

    def median(of: Callable[[Outcome], float]) -> float | None:
        return statistics.median(map(of, good)) if good else None

    return {
        "found": {d: sum(row.found for row in rows if row.direction == d) for d in DIRECTIONS},
        "fits": {d: sum(row.direction == d for row in rows) for d in DIRECTIONS},
        "whole": [row.whole for row in good],
        "search": [row.search for row in good],
        "pairs": sum(a.found and b.found for a, b in zip(mine, rows, strict=True)),
        "whole_ratio": ratio(mine, rows, lambda row: row.whole),
        "search_ratio": ratio(mine, rows, lambda row: row.search),
        "solves": median(lambda row: row.solves),
        "with_sensitivities": median(lambda row: row.with_sensitivities),
        "rmse_mV": median(lambda row: 1e3 * row.rmse),
        "values": {name: median(lambda row, name=name: row.values[name]) for name in TRUTH},
    }


def shown(value: float | None, form: str) -> str:
    """Return a number, or a dash."""
    return "–" if value is None else f"{value:{form}}"


def finite(value: Any) -> Any:
    """Return the value with None for NaN and infinity, which JSON has not."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def main() -> None:
    """Run all rounds and print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--outputs", type=int, default=300)
    given.add_argument("--json", type=Path)
    asked = given.parse_args()
    console = Console(width=170)

    reference = Reference(np.linspace(0.0, END, asked.outputs))
    clean = reference(TRUTH)
    found = contenders()
    names = list(found)
    warm_up = study(10_000, "↓↑", reference, clean)
    for name in (OURS, next((name for name in names if name.startswith("PyBOP")), OURS)):
        found[name](warm_up)  # first calls of PyBaMM, CasADi and SciPy, for both sides
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    for number in range(asked.rounds * len(DIRECTIONS)):
        now = study(number, DIRECTIONS[number % len(DIRECTIONS)], reference, clean)
        for place in range(len(names)):
            name = names[(place + number) % len(names)]
            outcomes[name].append(judged(found[name](now), now, reference))

    rows = {name: summary(all_, outcomes[OURS]) for name, all_ in outcomes.items()}
    other = f", PyBOP {pybop.__version__}" if pybop else ""
    versions = f"PyBaMM {pybamm.__version__}{other}, NumPy {np.__version__}, {os.cpu_count()} cores"
    title = f"two diffusivities, SPMe, {asked.outputs} outputs, {asked.rounds} rounds: median (min–max)\n{versions}"
    columns = ("whole [s]", "×", "search [s]", "×", "pairs", "solves", "RMSE [mV]", "D−, D+ [m2/s]")
    table = Table("contender", f"found {' '.join(DIRECTIONS)}", *columns, title=title)
    for name, row in rows.items():
        sensitivities = f" ({row['with_sensitivities']:.0f})" if row["with_sensitivities"] else ""
        table.add_row(
            name,
            " ".join(f"{row['found'][d]}/{row['fits'][d]}" for d in DIRECTIONS),
            spread(row["whole"]),
            shown(row["whole_ratio"], ".2f"),
            spread(row["search"]),
            shown(row["search_ratio"], ".2f"),
            str(row["pairs"]),
            shown(row["solves"], ".0f") + sensitivities,
            shown(row["rmse_mV"], ".4f"),
            ", ".join(shown(value, ".3g") for value in row["values"].values()),
        )
    console.print(table)
    console.print(
        "×: times Cellwright's least squares, over the pairs of fits that both found; all else: found fits alone."
    )
    console.print(f"The truth: {', '.join(f'{value:.3g}' for value in TRUTH.values())}.")
    for name, all_ in outcomes.items():
        for direction in DIRECTIONS:
            astray = [row for row in all_ if row.direction == direction and not row.found]
            if astray:
                ends = "; ".join(", ".join(f"{value:.3g}" for value in row.values.values()) for row in astray)
                console.print(f"Not found by {name} from {direction}: it ended at {ends}.")
    if pybop is None:
        console.print(WHY_NOT)
    if asked.json:
        kept = {
            "versions": versions,
            "summary": rows,
            "rounds": {n: [asdict(row) for row in all_] for n, all_ in outcomes.items()},
        }
        asked.json.write_text(json.dumps(finite(kept), indent=1, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
