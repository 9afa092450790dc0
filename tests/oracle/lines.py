"""A world without PyBaMM for tests of fits: the model is the line V = a + b t."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.schema.simulation import SimulationProblem, Solved
from cellwright.schema.values import free_names

V = "Voltage [V]"
WIDE = (-50.0, 50.0)


@dataclass(frozen=True)
class Line:
    """V = a + b t of the parameters `a` and `b`; where `b` is a function, b = b(t)."""

    problem: SimulationProblem
    doubts = ()
    portable = True

    @property
    def reads(self):
        found, open_names = set(), {"a", "b"}
        while open_names:
            name = open_names.pop()
            found.add(name)
            open_names |= free_names(self.problem.parameters.definitions.get(name)) - found
        return frozenset(found)

    @property
    def used(self):
        return self.reads & set(self.problem.free)

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        p, t = self.problem.parameters, self.problem.output_times
        a, b = (inputs[name] if name in inputs else p[name] for name in ("a", "b"))
        a, b = (value.substitute(inputs) if free_names(value) else value for value in (a, b))
        return Solved("solved", {V: a + (b(t) if callable(b) else b) * t})

    def solve_many(self, points) -> list[Solved]:
        return [self.solve(point) for point in points]

    def thinned(self, points) -> "Line":
        return self


def world(**changes) -> World:
    """A world whose clock ticks at each look."""
    ticks = iter(range(10**6))
    given = {"simulate": Line, "worker_simulate": Line, "pool": InlinePool(), "load": settle}
    return World(**given | {"clock": lambda: float(next(ticks))} | changes)


def objective(time, voltage, **fields):
    data = {"Time [s]": list(map(float, time)), "Current [A]": [1.0] * len(time), V: list(map(float, voltage))}
    return cw.objectives.CurrentDriven(data, options={"model": "line"}, **fields)


def free(**starts):
    return {name: cw.Parameter(name, start, WIDE) for name, start in starts.items()}


def fitted(element, known=None, within=None):
    """The record of a fit after an entry of known values."""
    elements = {"known": cw.direct_entries.DirectEntry(known or {"c": 1.0}, source="given"), "fit": element}
    return run(cw.Pipeline(elements), within or world()).element("fit")


def problems(element, known=None):
    """What the check tells of a fit, as place and text."""
    from cellwright.engine.check import check

    elements = {"known": cw.direct_entries.DirectEntry(known or {"c": 1.0}, source="given"), "fit": element}
    found = [one for one in check(cw.Pipeline(elements), world()).problems if one.at[0] == "fit"]
    return [(one.at[1:], f"{one.message} ({one.hint})") for one in found]


def values(record):
    return np.array([record.result["parameter_values"][name] for name in sorted(record.result["parameter_values"])])
