"""The certified problems of nonlinear regression of NIST, 27 models from two starts each, through the engine.

**As formulas** (`Resistance` takes any), whose predictions are known to rounding: all 54 fits reach the certified
parameters and standard errors, to the digits of `REACHED`. Two need patience from their first start: 8000 evaluations
of a sum of exponentials and of a power (MGH17, Bennett5).

**As simulations**, whose predictions carry errors of integration, so that slopes come from steps of 2e-3 and are 1e-3
of themselves off: the fit ends beside the certified values by less than a tenth of their standard errors. Where it does
not is said in `BEYOND`, with the reason; several starts are tried on those that have a wrong basin beside them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.schema.expressions import Expression
from cellwright.schema.simulation import SimulationProblem, Solved
from cellwright.schema.values import written

PROBLEMS = json.loads((Path(__file__).parent.parent / "data" / "nist_strd" / "problems.json").read_text())
BOTH = [(name, start) for name in PROBLEMS for start in (0, 1)]
V = "Voltage [V]"

REACHED = {
    "Chwirut1": (7, 7), "Chwirut2": (7, 7), "DanWood": (8, 8), "Gauss1": (7, 7), "Gauss2": (8, 7), "Lanczos3": (6, 6),
    "Misra1a": (8, 8), "Misra1b": (8, 8), "ENSO": (5, 6), "Gauss3": (7, 7), "Hahn1": (7, 8), "Kirby2": (6, 6),
    "Lanczos1": (9, 2), "Lanczos2": (7, 6), "MGH17": (8, 6), "Misra1c": (8, 8), "Misra1d": (8, 8), "Nelson": (6, 6),
    "Roszman1": (6, 6), "Bennett5": (6, 6), "BoxBOD": (7, 7), "Eckerle4": (8, 5), "MGH09": (6, 6), "MGH10": (7, 5),
    "Rat42": (7, 7), "Rat43": (6, 6), "Thurber": (6, 5),
}  # fmt: skip
"""Digits of parameters and of standard errors that are reached from both starts, about one less than here and today.

What is left are differences of 1e-10. The data of Lanczos1 are rounded at 1e-13: there the residuals, and with them the
errors, are the last digits of the data.
"""
STANDARD_ERRORS = 0.1
"""How far a fit of simulations may end beside the certified values, in their standard errors: that widens what is said
of a parameter by half a percent."""


def observed(name):
    y = np.array(PROBLEMS[name]["data"]["y"], dtype=float)
    return np.log(y) if name == "Nelson" else y


def columns(name):
    return {key: np.array(x, dtype=float) for key, x in PROBLEMS[name]["data"].items() if key != "y"}


@cache
def formula(name) -> Expression:
    return written(PROBLEMS[name]["formula"])


@dataclass(frozen=True)
class Regression:
    """A stand-in for a model that is integrated: its type names a problem."""

    problem: SimulationProblem
    doubts = ()
    portable = False

    @property
    def reads(self):
        return frozenset(self.problem.free)

    used = reads

    def solve(self, inputs):
        name = self.problem.model.type
        with np.errstate(all="ignore"):
            values = formula(name).substitute({**inputs, **columns(name)})
        return Solved("solved", {V: values}) if np.isfinite(values).all() else Solved("failed", message="no value")

    def solve_many(self, points):
        return [self.solve(point) for point in points]

    def thinned(self, points):
        return self


def as_formula(name):
    y = observed(name)
    data = {"SOC": np.linspace(0, 1, len(y)), "Resistance [Ohm]": y, **columns(name)}
    return cw.objectives.Resistance(data, options={"model": PROBLEMS[name]["formula"]})


def as_simulation(name):
    y = observed(name)
    data = {"Time [s]": np.arange(len(y), dtype=float), "Current [A]": np.ones(len(y)), V: y}
    return cw.objectives.CurrentDriven(data, options={"model": name})


def fitted(objective, start, bounds=None, **fields):
    names = [f"b{i + 1}" for i in range(len(start))]
    parameters = {
        one: cw.Parameter(one, value, bounds[i] if bounds else None)
        for i, (one, value) in enumerate(zip(names, start, strict=True))
    }
    element = cw.DataFit(objective, parameters=parameters, cost=cw.costs.SSE(normalization="identity"), **fields)
    world = World(simulate=Regression, worker_simulate=Regression, pool=InlinePool(), load=settle)
    return run(cw.Pipeline({"fit": element}), world).element("fit")


def digits(values, certified):
    error = np.abs(np.array(values, dtype=float) / np.array(certified) - 1)
    return float(-np.log10(max(error.max(), 1e-12)))


def off(record, name):
    """The largest distance from the certified parameters, in certified standard errors."""
    one = PROBLEMS[name]
    return float(np.max(np.abs(np.array(record.result["x"]) - one["certified"]) / one["standard_errors"]))


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_data_and_the_formula_give_the_certified_sum_of_squares(name):
    one = PROBLEMS[name]
    names = [f"b{i + 1}" for i in range(len(one["certified"]))]
    r = formula(name).substitute(dict(zip(names, one["certified"], strict=True)) | columns(name)) - observed(name)
    # Parameters of 11 digits; the residuals of Lanczos1 are smaller than what these leave open.
    expected, tolerance = (one["sum_of_squares"], 1e-9) if name != "Lanczos1" else (0.0, 1e-18)
    assert r @ r == pytest.approx(expected, rel=tolerance, abs=tolerance if name == "Lanczos1" else 0)
    assert one["deviation"] == pytest.approx(np.sqrt(one["sum_of_squares"] / (len(r) - len(names))), rel=1e-9)


@pytest.mark.oracle("ScipyLeastSquares", "Resistance")
@pytest.mark.parametrize(("name", "start"), BOTH, ids=lambda value: str(value))
def test_formulas_reach_the_certified_parameters_and_errors(name, start):
    one = PROBLEMS[name]
    record = fitted(as_formula(name), one["starts"][start])
    parameters, errors = REACHED[name]
    assert record.result["success"]
    assert digits(record.result["x"], one["certified"]) > parameters
    found = [row["std_error"] for row in record.result["parameters"]]
    assert digits(found, one["standard_errors"]) > errors


BEYOND = {
    ("Lanczos1", 0): "the noise of the data is 1e-13, less than slopes by steps of 2e-3 see",
    ("Lanczos1", 1): "likewise",
    ("Bennett5", 0): "parameters that make up for each other up to 1 part in 60000 need sharper slopes",
    ("Bennett5", 1): "likewise",
    ("MGH10", 0): "likewise, and the way leads over costs 1e7 times the best",
    ("MGH10", 1): "likewise",
    ("MGH09", 0): "ends in another basin, beside a pole of the fraction",
    ("MGH17", 0): "is on its way still after 2700 solves, along exponentials that are nearly equal",
}
"""Fits of simulations that do not end at the certified values, and why."""


@pytest.mark.parametrize(("name", "start"), [one for one in BOTH if one not in BEYOND], ids=lambda value: str(value))
def test_simulations_end_beside_the_certified_parameters(name, start):
    record = fitted(as_simulation(name), PROBLEMS[name]["starts"][start])
    assert record.result["success"]
    assert off(record, name) < STANDARD_ERRORS


@pytest.mark.parametrize(("name", "start"), BEYOND, ids=lambda value: str(value))
def test_simulations_that_do_not_are_no_better_than_the_certified(name, start):
    record = fitted(as_simulation(name), PROBLEMS[name]["starts"][start])
    assert record.result["cost"] > PROBLEMS[name]["sum_of_squares"]
    assert off(record, name) > STANDARD_ERRORS, "it is reached now: take it off the list"


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("MGH09", [(0, 1)] * 4),
        ("MGH17", [(0, 5), (0, 10), (-10, 0), (1e-3, 0.1), (1e-3, 0.1)]),
    ],
)
def test_of_several_starts_most_miss_the_wrong_basin(name, bounds):
    middle = [sum(pair) / 2 for pair in bounds]
    record = fitted(as_simulation(name), middle, bounds, multistarts=6, options={"seed": 0})
    assert off(record, name) < STANDARD_ERRORS
