"""What one more design costs: thickness and radius as inputs of a model that is built once, beside a model for each.

    python benchmarks/designs.py [--rounds 7]

A full discharge of Chen2020 at 1C; each round takes a new thickness and a new radius, ours and PyBaMM's in turns, at
the same tolerances. PyBaMM's time is that of `Simulation(…).solve()`, which is how a model of another length is solved.
"""

import argparse
import statistics
import time

import pybamm
from rich.console import Console
from rich.table import Table

import cellwright as cw
from cellwright.models.build import build
from cellwright.testing.cells import published

THICKNESS, RADIUS = "Positive electrode thickness [m]", "Negative particle radius [m]"
STEPS = [["Discharge at 1C until 2.5 V"]]


def theirs(model: str, values: dict[str, float]) -> float:
    """Return the time [s] to the end of the discharge, of a model that PyBaMM builds for these values."""
    p = pybamm.ParameterValues("Chen2020")
    p.update(values)
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(),
        parameter_values=p,
        experiment=pybamm.Experiment([tuple(cycle) for cycle in STEPS]),
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
    )
    return float(simulation.solve(calc_esoh=False)["Time [s]"].entries[-1])


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=7)
    rounds = given.parse_args().rounds
    table = Table("model", "built once [ms]", "built for each [ms]", "ratio", "largest difference of the time [s]")
    for model in ("SPM", "SPMe", "DFN"):
        lasting = cw.actions.Maximize(cw.metrics.Last("Time [s]"))
        one = cw.objectives.DesignObjective({"t": lasting}, options={"model": model, "experiment": STEPS})
        free = (THICKNESS, RADIUS)
        ready = one.prepare(published().without(free), free, build).thinned([])
        ready.predict({THICKNESS: 70e-6, RADIUS: 6e-6})
        ours, plain, apart = [], [], []
        for number in range(rounds):
            values = {THICKNESS: 60e-6 + 4e-6 * number, RADIUS: 5e-6 + 0.3e-6 * number}
            began = time.perf_counter()
            found = ready.predict(values).outputs["t (metric)"][0]
            between = time.perf_counter()
            apart.append(abs(found - theirs(model, values)))
            ours.append(between - began)
            plain.append(time.perf_counter() - between)
        ratio = statistics.median(b / a for a, b in zip(ours, plain, strict=True))
        medians = (f"{1e3 * statistics.median(times):.0f}" for times in (ours, plain))
        table.add_row(model, *medians, f"{ratio:.0f}", f"{max(apart):.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
