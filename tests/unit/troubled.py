"""A model with troubles, for tests in which it is sent to worker processes: the line V = a + b t."""

import os
import time
from dataclasses import dataclass

import numpy as np

from cellwright.schema.simulation import SimulationProblem, Solved

DIES, HANGS, FAILS, ENDS = 2.0, 3.0, 4.0, 5.0
"""Values of a around which a solve kills its process, hangs, fails, and ends at 1.5 s."""


@dataclass(frozen=True)
class Troubled:
    """V = a + b t; b is 2 unless it is free."""

    problem: SimulationProblem
    doubts = ()
    portable = False

    @property
    def reads(self):
        return frozenset({"a", "b"} & {*self.problem.free, *self.problem.parameters})

    @property
    def used(self):
        return self.reads & set(self.problem.free)

    def solve(self, inputs):
        a, b, t = inputs["a"], inputs.get("b", 2.0), self.problem.output_times
        if abs(a - DIES) < 0.4:
            os.abort()
        if abs(a - HANGS) < 0.4:
            time.sleep(600)
        if abs(a - FAILS) < 0.4:
            return Solved("failed", message="a is near 4")
        values = a + b * t
        if abs(a - ENDS) < 0.4:
            return Solved("ended early", {"Voltage [V]": np.where(t < 1.6, values, np.nan)}, "event: a is near 5")
        return Solved("solved", {"Voltage [V]": values})

    def solve_many(self, points):
        return [self.solve(point) for point in points]

    def thinned(self, points):
        return self
