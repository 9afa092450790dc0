"""A world without PyBaMM for tests of what data say: models that are formulas of the parameters a to d and the time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.schema.simulation import SimulationProblem, Solved

V = "Voltage [V]"
TIME = np.linspace(0.0, 3.0, 31)
X = np.column_stack([np.ones_like(TIME), TIME])
"""The design of a line through the times."""


def ishigami(p: Mapping[str, float], x: Any) -> Any:
    """Ishigami & Homma (1990), eq. 9 with A = 7 and B = 0.1, at every time."""
    return np.sin(p["a"]) + 7 * np.sin(p["b"]) ** 2 + 0.1 * p["c"] ** 4 * np.sin(p["a"]) + 0 * x


@dataclass(frozen=True)
class Curve:
    """A stand-in for a model: its type names a formula of the parameters and the time. The line fails above d."""

    problem: SimulationProblem
    doubts = ()
    portable = False
    formulas: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "line": lambda p, x: p["a"] + p["b"] * x,
        "decay": lambda p, x: p["a"] * np.exp(-p["b"] * x),
        "product": lambda p, x: p["c"] + p["a"] * p["b"] * x,
        "ratio": lambda p, x: p["c"] + p["a"] / p["b"] * x,
        "sum": lambda p, x: p["c"] + (p["a"] + p["b"]) * x,
        "two pairs": lambda p, x: p["a"] * p["b"] + p["c"] * p["d"] * x,
        "idle": lambda p, x: p["a"] + p["b"] * x + 0.0 * p["c"],
        "nearly": lambda p, x: p["a"] * x + p["b"] * (x + 1e-2 * x**2) + p["c"],
        "ishigami": ishigami,
    }

    @property
    def reads(self) -> frozenset[str]:
        return frozenset("abcd") & {*self.problem.free, *self.problem.parameters}

    @property
    def used(self) -> frozenset[str]:
        return self.reads & set(self.problem.free)

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        p = {name: inputs.get(name, self.problem.parameters.get(name)) for name in "abcd"}
        if p["d"] is not None and self.problem.model.type == "line" and p["a"] > p["d"]:
            return Solved("failed", message="a is above d")
        return Solved("solved", {V: self.formulas[self.problem.model.type](p, self.problem.output_times)})

    def solve_many(self, points: Any) -> list[Solved]:
        return [self.solve(point) for point in points]

    def thinned(self, points: Any) -> "Curve":
        return self


def world(**changes: Any) -> World:
    return World(**{"simulate": Curve, "worker_simulate": Curve, "pool": InlinePool(), "load": settle} | changes)


def measured(model: str, noise: float = 0.05, seed: int = 0, **truth: float) -> Any:
    """Return measured values with noise, and the objective that has them."""
    y = Curve.formulas[model](truth, TIME) + noise * np.random.default_rng(seed).normal(size=len(TIME))
    data = {"Time [s]": TIME.tolist(), "Current [A]": [1.0] * len(TIME), V: y.tolist()}
    return y, cw.objectives.CurrentDriven(data, options={"model": model})


def free(log: bool = False, **starts: tuple[float, float, float]) -> dict[str, Any]:
    """Return free parameters from start, lower and upper bound of each, in their logarithms if asked for."""
    plain = {name: cw.Parameter(name, start, bounds) for name, (start, *bounds) in starts.items()}
    return {name: cw.transforms.Log10(one) for name, one in plain.items()} if log else plain


LINE = free(a=(0.5, -5, 5), b=(1, -5, 5))


def done(where: World | None = None, given: Mapping[str, float] | None = None, **elements: Any) -> Any:
    """Return the result of a pipeline of these elements, behind the values that are given."""
    entry = {"given": cw.direct_entries.DirectEntry(given, source="given")} if given else {}
    return run(cw.Pipeline({**entry, **elements}), where or world())
