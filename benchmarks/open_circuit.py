"""How long an MSMR fit of a half cell takes beside the same fit by SciPy with differences.

The electrode is the graphite-SiOx of an LG M50, 236 measured points (Chen et al. 2020), fitted by its potential: six
kinds of sites, 20 free numbers. Both start at the same points, take turns, and stop at the same tolerances; what is
written by hand is `scipy.optimize.least_squares`, whose Jacobian is by forward differences, over the potential that
`np.interp` finds in a table of 2,000 capacities, with fractions that are divided by their sum. Prints, for each, the
median of a fit, how many curves it evaluates, from how many starts it comes to the best error and what that makes a fit
until it is there, the ratio of the rounds, and how long a fit from 20 starts around the published set takes as a
pipeline does it, set-up, check and intervals included.
"""

import statistics
import time
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit
from threadpoolctl import threadpool_limits

import cellwright as cw
from cellwright.catalog.costs import SSE
from cellwright.catalog.estimators import ScipyLeastSquares
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.run import run
from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.world import World
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.search import Space

Array = NDArray[np.float64]
ROUNDS, STARTS, SITES = 20, 20, 6
NEAR = 1.05
"""Error, in units of the best, up to which a start counts as having led there."""
SIDE = "Negative electrode"
VOLTAGE = "Voltage [V]"
RATE = 96485.33212331001 / (8.31446261815324 * 298.15)
TOLERANCES = {"xtol": 1e-10, "ftol": 1e-9}


def measured() -> tuple[Array, Array]:
    """Return capacity [A.h] and potential [V] of the measured points."""
    text = (files("cellwright") / "demo/lg_m50/graphite_LGM50_ocp_Chen2020.csv").read_text(encoding="utf-8")
    block = text.split("# experimentally measured data\n")[1].split("# extra points")[0]
    x, U = np.loadtxt(block.splitlines(), delimiter=",").T
    return 5.0 * (x - x[0]), U


def published() -> Array:
    """Return the published set: potentials, fractions, logarithms of ideality factors."""
    values = cw.Material.from_library("Graphite - Verbrugge 2017").parameter_values
    U0, X, w = (
        np.array(values[f"{SIDE} host site {quantity}"])
        for quantity in ("standard potential [V]", "occupancy fraction", "ideality factor")
    )
    return np.concatenate([U0, X / X.sum(), np.log(w)])


def names() -> list[str]:
    """Return the names of the free parameters, in the order of the points."""
    quantities = ("standard potential ({}) [V]", "occupancy fraction ({})", "ideality factor ({})")
    found = [f"{SIDE} host site {one.format(site)}" for one in quantities for site in range(SITES)]
    return [*found, f"{SIDE} capacity [A.h]", f"{SIDE} lower excess capacity [A.h]"]


def bounds(span: float) -> tuple[Array, Array]:
    """Return the bounds of the points, ideality factors in their logarithms."""
    low = np.concatenate([np.zeros(6), np.zeros(6), np.full(6, np.log(0.02)), [span, 0.0]])
    return low, np.concatenate([np.full(6, 1.5), np.ones(6), np.full(6, np.log(40.0)), [2 * span, span]])


def by_hand(q: Array, U: Array, start: Array, ends: tuple[Array, Array]) -> tuple[float, int]:
    """Return the error [mV] and the number of curves of a fit as one writes it in an afternoon."""
    grid = np.linspace(-0.5, 1.6, 2000)

    def residuals(x: Array) -> Array:
        U0, X, w = x[:6], x[6:12], np.exp(x[12:18])
        held = x[18] * expit(-(grid[:, None] - U0) * RATE / w) @ (X / X.sum()) - x[19]
        return np.asarray(np.interp(q, held[::-1], grid[::-1]) - U) / np.mean(U)

    found = least_squares(residuals, start, bounds=ends, x_scale="jac", max_nfev=2000, gtol=None, **TOLERANCES)
    error = 1e3 * float(np.sqrt(np.mean((found.fun * np.mean(U)) ** 2)))
    return error, int(found.nfev) + len(start) * int(found.njev)


def parameters(start: Array, ends: tuple[Array, Array]) -> dict[str, object]:
    """Return a start and its bounds as free parameters."""
    found: dict[str, object] = {}
    for name, value, low, high in zip(names(), start, *ends, strict=True):
        if "ideality" in name:
            limits = (float(np.exp(low)), float(np.exp(high)))
            found[name] = cw.transforms.Log(cw.Parameter(name, float(np.exp(value)), limits))
        else:
            found[name] = cw.Parameter(name, float(value), (float(low), float(high)))
    return found


def objective(q: Array, U: Array) -> cw.objectives.MSMRHalfCell:
    """Return the objective: the potential of an electrode with fractions."""
    model = {"electrode": "negative", "options": {"species format": "Xj"}}
    options = {"model": model, "objective variables": [VOLTAGE]}
    return cw.objectives.MSMRHalfCell({"Capacity [A.h]": q, VOLTAGE: U}, options=options)


def ours(q: Array, U: Array, start: Array, ends: tuple[Array, Array]) -> tuple[float, int]:
    """Return the same of a search as a pipeline does it, made ready anew."""
    one, p = objective(q, U), ParameterSet()
    fit = cw.DataFit({"o": one}, parameters=parameters(start, ends))
    bare = Space(fit.dimensions, closed_form=True)
    space = Space(fit.dimensions, closed_form=True, groups=tuple(one.groups(p, bare)))
    ready = {"o": one.prepare(p, space.names, None)}
    job = ObjectiveJob.of(ready, {"o": one}, p, space.names, None)
    question = Question("fit", space, ready, job, TotalCost(SSE()), True, terse=True)
    evaluation = Evaluation(question, _world(), "fit")
    ScipyLeastSquares(**TOLERANCES).search(evaluation, space, np.random.default_rng(0))
    return 1e3 * float(np.sqrt(evaluation.best_cost * np.mean(U) ** 2 / len(U))), evaluation.counts["evaluations"]


def _world() -> World:
    return World(simulate=None, worker_simulate=None, pool=InlinePool(), load=settle)


def main() -> None:
    """Time both, round by round, and a fit from many starts."""
    q, U = measured()
    ends = bounds(float(q[-1]))
    first = np.concatenate([published(), [1.1 * q[-1], 0.03 * q[-1]]])
    rng = np.random.default_rng(1)
    scatter = np.concatenate([np.full(6, 0.02), np.full(6, 0.05), np.full(6, 0.2), [0.1, 0.02]])
    starts = [np.clip(first + scatter * rng.uniform(-1, 1, 20), *ends) for _ in range(ROUNDS)]
    rows: dict[str, list[tuple[float, float, int]]] = {"by hand": [], "ours": []}
    for start in starts:
        for name, fit in (("by hand", by_hand), ("ours", ours)):
            with threadpool_limits(limits=1, user_api="blas"):
                began = time.perf_counter()
                error, curves = fit(q, U, start, ends)
                rows[name].append((1e3 * (time.perf_counter() - began), error, curves))
    best = min(error for found in rows.values() for _, error, _ in found)
    for name, found in rows.items():
        times, errors, counts = zip(*found, strict=True)
        near = sum(error < NEAR * best for error in errors)
        print(
            f"{name:8} {statistics.median(times):7.1f} ms    {statistics.median(counts):6.0f} curves    "
            f"{best:.2f} mV from {near} of {ROUNDS} starts: {sum(times) / max(near, 1):.0f} ms until it is"
        )
    ratios = [one[0] / other[0] for one, other in zip(rows["by hand"], rows["ours"], strict=True)]
    print(f"by hand takes {statistics.median(ratios):.1f} times as long ({min(ratios):.1f} to {max(ratios):.1f})")
    reach = np.concatenate([np.full(6, 0.1), np.full(6, 0.3), np.full(6, np.log(5.0)), np.full(2, np.inf)])
    around = (np.maximum(ends[0], first - reach), np.minimum(ends[1], first + reach))
    fit = cw.DataFit(objective(q, U), parameters=parameters(first, around), multistarts=STARTS, options={"seed": 1})
    began, used = time.perf_counter(), time.process_time()
    record = run(cw.Pipeline({"fit": fit}), _world()).element("fit")
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    error = record.result["objectives"]["MSMRHalfCell"]["RMSE [mV] (Voltage [V])"]["fitted"]
    print(
        f"{STARTS} starts, 0.1 V and a factor of 5 around: {seconds:.2f} s ({processor:.2f} s of processor), "
        f"{record.result['evaluations']} curves, error {error:.2f} mV"
    )


if __name__ == "__main__":
    main()
