"""From the shell to the answer: a script with a two-parameter fit, imports included, Cellwright beside PyBOP.

    python benchmarks/shell.py [--rounds 5]

Two diffusivities of SPMe on one 1C discharge of 681 rows with 1 mV of noise; the pipeline and the data are files. Each
round starts each script anew: ours on a machine that has never seen the model, ours again, and PyBOP's with L-BFGS-B
and sensitivities at our tolerances. The start is one from which all find the optimum.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

TRUTH = {"Negative particle diffusivity [m2.s-1]": 3.3e-14, "Positive particle diffusivity [m2.s-1]": 4e-15}
START = {name: 3 * value for name, value in TRUTH.items()}
OURS = """
import cellwright as cw
fit = cw.run(cw.Pipeline.from_file("fit.json")).element("fit")
print(*fit.result["x"])
"""
THEIRS = """
import json
import numpy, pybamm, pybop
given = json.load(open("start.json"))
data = numpy.loadtxt("data.csv", delimiter=",", skiprows=1)
columns = dict(zip(["Time [s]", "Current [A]", "Voltage [V]"], data.T))
values = pybamm.ParameterValues("Chen2020")
values["Lower voltage cut-off [V]"] = 1.5
values.update({
    name: pybop.Parameter(bounds=[x / 30, x * 10 / 3], initial_value=x, transformation=pybop.LogTransformation())
    for name, x in given.items()
})
dataset = pybop.Dataset(columns)
solver = pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6)
model = pybamm.lithium_ion.SPMe()
simulator = pybop.pybamm.Simulator(model, parameter_values=values, protocol=dataset, solver=solver)
problem = pybop.Problem(simulator, pybop.SumSquaredError(dataset))
result = pybop.SciPyMinimize(problem, pybop.SciPyMinimizeOptions(method="L-BFGS-B")).run()
print(*[dict(zip(problem.parameters.names, result.x))[name] for name in given])
"""


def prepare(folder: Path) -> None:
    """Write pipeline, data and start."""
    import cellwright as cw
    from cellwright.testing.cells import discharge, published

    columns = discharge(published(), "SPMe", duration=3400.0, points=681, noise=1e-3)
    rows = np.column_stack([columns[name] for name in ("Time [s]", "Current [A]", "Voltage [V]")])
    np.savetxt(folder / "data.csv", rows, delimiter=",", header="Time [s],Current [A],Voltage [V]", comments="")
    known = {name: value for name, value in published().values_.items() if name not in TRUTH}
    element = cw.DataFit(
        cw.objectives.CurrentDriven(data_input="file:data.csv", options={"model": "SPMe"}),
        parameters={
            name: cw.transforms.Log10(cw.Parameter(name, value, (value / 30, value * 10 / 3)))
            for name, value in START.items()
        },
    )
    pipeline = cw.Pipeline({"known": cw.direct_entries.DirectEntry(known, source="Chen2020"), "fit": element})
    (folder / "fit.json").write_text(json.dumps(pipeline.to_config()), encoding="utf-8")
    (folder / "start.json").write_text(json.dumps(START), encoding="utf-8")


def timed(script: str, folder: Path, home: str) -> tuple[float, float]:
    """Return the seconds that a script takes, and the largest error of its answer."""
    began = time.perf_counter()
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"CELLWRIGHT_HOME": home, "PYBAMM_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    found = map(float, said.stdout.split()[-len(TRUTH) :])
    return seconds, max(abs(x / true - 1) for x, true in zip(found, TRUTH.values(), strict=True))


def row(name: str, times: Sequence[tuple[float, float]], base: float) -> list[str]:
    """Return a row of the table."""
    seconds = [one for one, _ in times]
    middle = statistics.median(seconds)
    error = statistics.median(error for _, error in times)
    return [name, f"{middle:.2f} ({min(seconds):.2f}–{max(seconds):.2f})", f"{middle / base:.2f}", f"{100 * error:.1f}"]


def main() -> None:
    """Run all rounds and print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=5)
    rounds = given.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        known = str(folder / "home")
        scripts = {"Cellwright, first": OURS, "Cellwright, again": OURS, "PyBOP, L-BFGS-B, our tol.": THEIRS}
        times: dict[str, list[tuple[float, float]]] = {contender: [] for contender in scripts}
        timed(OURS, folder, known)
        for number in range(rounds):
            for contender, script in scripts.items():
                home = str(folder / f"home{number}") if contender.endswith("first") else known
                times[contender].append(timed(script, folder, home))
    table = Table("script", "shell to answer [s]", "×", "error [%]", title=f"{rounds} rounds")
    base = statistics.median(one for one, _ in times["Cellwright, again"])
    for contender, measured in times.items():
        table.add_row(*row(contender, measured, base))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
