"""Built models on disk, so that a problem that was built before needs no PyBaMM.

What is kept is what building found out: the parameters that the model needs, how it starts, its kernel. The key holds
everything that this follows from, the versions included. The files are Python pickles, made and read by this user's own
processes in their own folder, like Python's compiled modules; nothing that came over a network is ever read like this.
"""

import contextlib
import os
import pickle
import zlib
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from cellwright.models.impedance import BuiltImpedance
from cellwright.models.simulation import BuiltSimulation
from cellwright.models.trust import makers
from cellwright.schema.simulation import ImpedanceProblem, Problem, Simulation, SimulationProblem
from cellwright.schema.values import digest

ROOM = 300_000_000
"""Bytes that built models and their compiled functions may take; the ones used longest ago make room."""


def taken(problem: Problem, folder: Path) -> Simulation | None:
    """Return the built model of a problem as it was kept, or None."""
    if not isinstance(problem, SimulationProblem | ImpedanceProblem):
        return None
    file = _file(problem, folder)
    try:
        needed, start, kernel = pickle.loads(zlib.decompress(file.read_bytes()))  # noqa: S301
        if start.voltage is not None:
            start = replace(start, voltage=problem.initial_voltage)
        os.utime(file)
    except Exception:  # not there, or of another time: it is built again
        return None
    if isinstance(problem, ImpedanceProblem):
        return BuiltImpedance(problem, needed, start, (), kernel)
    return BuiltSimulation(problem, needed, start, (), kernel, folder)


def put(built: Simulation, folder: Path) -> None:
    """Keep a built model that has a kernel; where that is impossible the next process builds it again."""
    if not isinstance(built, BuiltSimulation | BuiltImpedance) or built.kernel is None:
        return
    content = zlib.compress(pickle.dumps((built.needed, built.start, built.kernel)), level=1)
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
            part.write(content)
        Path(part.name).replace(_file(built.problem, folder))
        _make_room(folder)


def _file(problem: Problem, folder: Path) -> Path:
    """Return where the model of a problem is kept: by all but the data, of which it asks whether they are there."""
    data = {"time", "current", "output_times", "frequencies", "initial_voltage", "initial_current", "voltage_window"}
    left_out = data | {"model", "parameters"}
    built_from = [
        type(problem).__name__,
        problem.model.said(),
        dict(problem.parameters.values_),
        {name: value for name, value in vars(problem).items() if name not in left_out},
        {name: value is None for name, value in vars(problem).items() if name in data},
        makers(),
    ]
    return folder / f"{digest(built_from)}.model"


def _make_room(folder: Path) -> None:
    kept = (*folder.glob("*.model"), *folder.glob("*.so"))
    files = sorted(kept, key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > ROOM:
            file.unlink(missing_ok=True)
