"""Which kinds of models have been found to be solved by their kernel as PyBaMM itself solves them.

A kind is a model with its options and settings, the variables that are looked at and the versions of what solves it.
It is remembered in this process and, as an empty file, in the folder of compiled functions.
"""

import contextlib
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from cellwright.schema.simulation import SimulationProblem
from cellwright.schema.values import digest

_trusted: set[str] = set()


def is_trusted(problem: SimulationProblem, folder: Path | None) -> bool:
    """Return whether the kernel of this kind of model has been compared with PyBaMM's solver."""
    kind = _kind(problem)
    return kind in _trusted or (folder is not None and (folder / f"{kind}.trusted").exists())


def trust(problem: SimulationProblem, folder: Path | None) -> None:
    """Remember that the kernel of this kind of model agrees with PyBaMM's solver."""
    kind = _kind(problem)
    _trusted.add(kind)
    if folder is not None:
        with contextlib.suppress(OSError):  # it is compared again by the next process
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{kind}.trusted").touch()


def _kind(problem: SimulationProblem) -> str:
    return digest([problem.model.said(), sorted(problem.variables), list(problem.free), makers()])


@lru_cache(maxsize=1)
def makers() -> dict[str, str]:
    """Return what decides how a model is built and solved: versions, and the code of this package."""
    code = sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.rglob("*.py")))).hexdigest()
    return {"code": code} | {
        name: version(name) for name in ("cellwright", "pybamm", "pybammsolvers", "casadi", "numpy")
    }
