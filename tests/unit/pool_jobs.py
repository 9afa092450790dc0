"""Jobs for the tests of pools; spawned workers import them."""

import os
import time
from dataclasses import dataclass

import numpy as np

from cellwright.errors import ConfigurationError
from cellwright.schema.work import Answer, Task


@dataclass(frozen=True)
class Squares:
    """Squares the input `x`; negative inputs misbehave: -1 dies, -2 hangs with the lock held, -3 is at fault."""

    digest: str = "squares"

    def __call__(self):
        def work(task: Task) -> Answer:
            x = task.inputs["x"]
            if x == -1:
                os.kill(os.getpid(), 9)
            if x == -2:
                sum(range(10**10))  # one bytecode: holds the interpreter's lock
            if x == -3:
                raise ZeroDivisionError("fault")
            return Answer("solved", {"y": np.array([x**2, os.getpid()])})

        return work


@dataclass(frozen=True)
class CannotBeBuilt:
    digest: str = "cannot"

    def __call__(self):
        raise ConfigurationError("no such model", at=("objectives", "a"))


if __name__ == "__main__":
    from cellwright.compute.processes import ProcessPool

    pool = ProcessPool(2)
    answers = pool.map(Squares(), [Task("a", {"x": float(i)}) for i in range(20)])
    print(*{int(answer.predicted["y"][1]) for answer in answers}, flush=True)
    time.sleep(60)
