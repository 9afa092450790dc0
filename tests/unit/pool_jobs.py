"""Jobs for the tests of pools; spawned workers import them. As a script: a parent for the tests to end."""

import os
import sys
from dataclasses import dataclass

import numpy as np

from cellwright.errors import ConfigurationError, SolverError
from cellwright.schema.work import Answer, Task

DIES, HANGS, FAULTY, REFUSES, EXITS = -1, -2, -3, -4, -5
"""Inputs `x` at which `Squares` misbehaves."""
BUILT: list[str] = []
"""The digests of what this process has built."""


@dataclass(frozen=True)
class Squares:
    """Squares the input `x`, and tells the worker's process and how often it has built the job."""

    digest: str = "squares"

    def __call__(self):
        BUILT.append(self.digest)

        def one(task: Task) -> Answer:
            x = task.inputs["x"]
            if x == DIES:
                os.kill(os.getpid(), 9)
            if x == HANGS:
                sum(range(10**10))  # one bytecode: holds the interpreter's lock
            if x == FAULTY:
                raise ZeroDivisionError("fault")
            if x == REFUSES:
                raise SolverError("cannot be solved", at=("objectives", task.objective))
            if x == EXITS:
                os._exit(1)
            return Answer("solved", {"y": np.array([x**2, os.getpid(), len(BUILT)])})

        return lambda tasks: [one(task) for task in tasks]


@dataclass(frozen=True)
class Surroundings:
    """Tells a worker's threads of linear algebra and whether a module is loaded there."""

    module: str
    digest: str = "surroundings"

    def __call__(self):
        threads = float(os.environ["OMP_NUM_THREADS"])
        answer = Answer("solved", {"y": np.array([threads, self.module in sys.modules])})
        return lambda tasks: [answer] * len(tasks)


@dataclass(frozen=True)
class CannotBeBuilt:
    digest: str = "cannot"

    def __call__(self):
        raise ConfigurationError("no such model", at=("objectives", "a"))


@dataclass(frozen=True)
class CannotBeSent:
    digest: str = "unsendable"
    held: object = lambda: None

    def __call__(self):
        return self.held


if __name__ == "__main__":
    from cellwright.compute.processes import ProcessPool

    pool = ProcessPool(2)
    answers = pool.map(Squares(), [Task("a", {"x": float(i)}) for i in range(20)])
    print(*{int(answer.predicted["y"][1]) for answer in answers}, flush=True)
    if sys.argv[1] == "hang":
        pool.map(Squares(), [Task("a", {"x": float(HANGS)})] * 2)
