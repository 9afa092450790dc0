"""How long the balancing of a cell takes beside the same fit by SciPy with slopes by differences.

The cell is an LG M50, 760 points of a discharge at C/10, from half-cell tables of about 240 points: the voltage and its
slope by four excess capacities. Both start at the same ten points, take turns, and stop at the same tolerances; what is
written by hand is `scipy.optimize.least_squares` over a vectorised residual with straight lines between the points of
the tables, whose slopes by neighbours hold the noise of the tables. Prints, for each, the median of a fit, how many
points it evaluates, the best cost (of each in its own measure), from how many starts it is reached and what that makes
a fit until it is, and the ratio of the rounds.
"""

import statistics
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cellwright.catalog.costs import ChiSquare
from cellwright.catalog.estimators import ScipyLeastSquares
from cellwright.catalog.objectives import ElectrodeBalancing
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import read_file, settle
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.world import World
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.search import Dimension, Space
from cellwright.schema.tables import Columns
from cellwright.schema.values import Function

Array = NDArray[np.float64]
ROUNDS = 10
NEAR = 1.05
"""Cost, in units of the best, up to which a start counts as having led there."""
CELL = Path(str(files("cellwright"))) / "demo" / "lg_m50"
VOLTAGE, SLOPE = "Voltage [V]", "Differential voltage [V/Ah]"
SIGMA = {VOLTAGE: 5e-3, SLOPE: 0.1}
NAMES = tuple(
    f"{electrode} electrode {part} excess capacity [A.h]"
    for electrode in ("Negative", "Positive")
    for part in ("lower", "upper")
)
LOW, HIGH = np.zeros(4), np.array([1.5, 3.0, 4.5, 3.0])


def same(x: float) -> float:
    """Return the value itself: there is no transform."""
    return x


def curve(name: str) -> Array:
    """Return the points (n, 2) of a half-cell table: stoichiometry and potential [V]."""
    return np.loadtxt(CELL / f"{name}_LGM50_ocp_Chen2020.csv", delimiter=",", comments="#")


def discharge() -> Columns:
    """Return the rows of the discharge."""
    table = read_file(CELL / "cycle_25degC_0.1C.csv")
    return table.take(np.flatnonzero(table["Current [A]"] > 0))


def by_hand(q: Array, V: Array, negative: Array, positive: Array, start: Array) -> tuple[Array, float, int]:
    """Return point, cost and number of evaluations of a fit as one writes it in an afternoon."""
    span, slope = q[-1], np.gradient(V, q)

    def residuals(x: Array) -> Array:
        theta_n = (x[0] + span - q) / (x[0] + span + x[1])
        theta_p = (x[2] + q) / (x[2] + span + x[3])
        model = np.interp(theta_p, *positive.T) - np.interp(theta_n, *negative.T)
        return np.concatenate([(model - V) / SIGMA[VOLTAGE], (np.gradient(model, q) - slope) / SIGMA[SLOPE]])

    found = least_squares(residuals, start, bounds=(LOW, HIGH), xtol=1e-10, ftol=1e-14, gtol=None)
    return found.x, 2 * float(found.cost), int(found.nfev) + 4 * int(found.njev)


def ours(objective: ElectrodeBalancing, p: ParameterSet, start: Array) -> tuple[Array, float, int]:
    """Return the same of a search as a pipeline does it, made ready anew."""
    dimensions = [Dimension(*each, same, same, False) for each in zip(NAMES, start, LOW, HIGH, strict=True)]
    space = Space(tuple(dimensions), closed_form=True)
    ready = {"cell": objective.prepare(p, NAMES, None)}
    job = ObjectiveJob.of(ready, {"cell": objective}, p, NAMES, None)
    question = Question("fit", space, ready, job, TotalCost(ChiSquare(variable_standard_deviations=SIGMA)), True)
    world = World(simulate=None, worker_simulate=None, pool=InlinePool(), load=settle)
    evaluation = Evaluation(question, world, "fit")
    found = ScipyLeastSquares().search(evaluation, space, np.random.default_rng(0))
    return space_values(space, found.point), evaluation.best_cost, evaluation.counts["evaluations"]


def space_values(space: Space, point: Array) -> Array:
    """Return the values of the parameters at a point of the search."""
    return np.array(list(space.values(point).values()))


def main() -> None:
    """Time both, round by round."""
    table, negative, positive = discharge(), curve("graphite"), curve("nmc")
    p = ParameterSet(
        {
            "Negative electrode OCP [V]": Function.table("sto", *negative.T),
            "Positive electrode OCP [V]": Function.table("sto", *positive.T),
        }
    )
    objective = ElectrodeBalancing(dict(table))
    ready = objective.prepare(p, NAMES, None)
    q, V = ready.x - ready.x[0], ready.observed[VOLTAGE]
    rng = np.random.default_rng(1)
    starts = LOW + (0.1 + 0.5 * rng.random((ROUNDS, 4))) * (HIGH - LOW)
    rows: dict[str, list[tuple[float, float, int]]] = {"by hand": [], "ours": []}
    for start in starts:
        for name, fit in (
            ("by hand", lambda x: by_hand(q, V, negative, positive, x)),
            ("ours", lambda x: ours(objective, p, x)),
        ):
            began = time.perf_counter()
            _, cost, evaluations = fit(start)
            rows[name].append((1e3 * (time.perf_counter() - began), cost, evaluations))
    for name, found in rows.items():
        times, costs, counts = zip(*found, strict=True)
        near = sum(cost < NEAR * min(costs) for cost in costs)
        until = sum(times) / near
        print(
            f"{name:8} {statistics.median(times):7.1f} ms    {statistics.median(counts):5.0f} points evaluated    "
            f"best cost {min(costs):.5g}, reached within 5 % from {near} of {ROUNDS} starts: "
            f"{until:.0f} ms until it is"
        )
    ratios = [one[0] / other[0] for one, other in zip(rows["by hand"], rows["ours"], strict=True)]
    print(f"by hand takes {statistics.median(ratios):.2f} times as long ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
