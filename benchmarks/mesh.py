"""What the mesh costs and how far it errs: PyBaMM's default beside particles refined towards their surface.

    python benchmarks/mesh.py [--rounds 9]

Chen2020, 1C for 3400 s, 681 outputs, tolerances as in fits. Errors are of the voltage, against 80 points in each
particle, refined, and 60 in each electrode at a tolerance of 1e-8. All benchmarks beside PyBOP have the default.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cellwright.models.simulate import build
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.testing.cells import published

END = 3400.0
TIMES = np.linspace(0.0, END, 681)
PARTICLES = ("negative particle", "positive particle")


def refined(points: int, stretch: float = 2.3) -> dict[str, Any]:
    """Return settings with so many points in each particle, closer to each other towards the surface."""
    mesh = {"class": "Exponential1DSubMesh", "submesh_params": {"side": "right", "stretch": stretch}}
    return {"var_pts": {"r_n": points, "r_p": points}, "submesh_types": dict.fromkeys(PARTICLES, mesh)}


def electrodes(points: int) -> dict[str, int]:
    """Return so many points in each electrode and the separator."""
    return dict.fromkeys(("x_n", "x_s", "x_p"), points)


def solved(model: str, settings: dict[str, Any], rounds: int = 1) -> tuple[Any, float]:
    """Return the voltage [V], and the median time of a solve [s]."""
    constant = np.full(len(TIMES), 5.0)
    spec = ModelSpec(model, settings=settings)
    simulation = build(SimulationProblem(spec, published(), TIMES, constant, TIMES, ("Voltage [V]",)))
    simulation.solve({})
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = simulation.solve({})
        times.append(time.perf_counter() - began)
    return answer.outputs["Voltage [V]"], statistics.median(times)


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=9)
    rounds = given.parse_args().rounds
    tight = {"rtol": 1e-8, "atol": 1e-8}
    table = Table("model", "mesh", "largest error [mV]", "RMS error [mV]", "a solve [ms]", "× default")
    for model in ("SPM", "SPMe", "DFN"):
        fine = refined(80)
        reference, _ = solved(model, {**fine, "var_pts": {**fine["var_pts"], **electrodes(60)}, "solver": tight})
        base = 0.0
        meshes = {"default: 20 points": {}, "10 points, refined": refined(10), "20 points, refined": refined(20)}
        for name, settings in meshes.items():
            voltage, seconds = solved(model, settings, rounds)
            base = base or seconds
            error = 1e3 * (voltage - reference)
            table.add_row(
                model,
                name,
                f"{np.max(np.abs(error)):.2f}",
                f"{np.sqrt(np.mean(error**2)):.3f}",
                f"{1e3 * seconds:.2f}",
                f"{seconds / base:.2f}",
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
