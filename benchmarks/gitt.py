"""Diffusivity and resistance at each pulse of a titration: an `ArrayDataFit` beside SciPy on `pybamm.Simulation`.

    python benchmarks/gitt.py [pulses]

Both fit the same model (`GITTModel`, a half cell) to the same pulses of the LG M50's positive electrode, from the same
start and between the same bounds. The naive way builds a simulation for each pulse, with the two parameters as inputs,
and leaves the rest to `scipy.optimize.least_squares`; it does every fifth pulse. Ours is timed with everything from the
check to the intervals, in this process and with processes, twice: the second time the model is known.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pybamm
from scipy.optimize import brentq, least_squares

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.compute.processes import ProcessPool
from cellwright.models.reduced.gitt import GITTModel
from cellwright.schema.values import normalise

DATA = Path(__file__).parents[1] / "examples" / "data" / "lg_m50" / "gitt"
D, OHM = "Positive particle diffusivity [m2.s-1]", "Ohmic resistance [Ohm]"
START, CAPACITY = 0.2794, 0.017548
MAXIMUM = 63104.0
CELL = {
    "Positive particle radius [m]": 5.22e-6,
    "Maximum concentration in positive electrode [mol.m-3]": MAXIMUM,
    "Positive electrode active material volume fraction": 0.665,
    "Positive electrode thickness [m]": 75.6e-6,
    "Electrode cross-sectional area [m2]": 2.064e-4,
    "Nominal cell capacity [A.h]": CAPACITY,
    "Initial temperature [K]": 298.15,
    "Lower voltage cut-off [V]": 2.0,
    "Upper voltage cut-off [V]": 5.0,
}
LOW, HIGH, GUESS = (-17.0, 0.0), (-12.0, 50.0), (np.log10(5e-15), 5.0)


def titration(count: int):
    """The first pulses, and the potential of the rests."""
    files = [pl.read_csv(DATA / f"pulse_{number}.csv") for number in range(1, count + 1)]
    pulses = cw.split_pulses(
        [
            {
                "Time [s]": one["Time [s]"],
                "Current [A]": -one["Current [A]"],
                "Voltage [V]": one["Positive electrode potential [V]"],
            }
            for one in files
        ]
    )
    points = pulses.open_circuit(START, CAPACITY)
    return pulses, cw.calculations.OCPDataInterpolant("positive", points, options={"interpolator": "pchip"})


def pipeline(pulses, ocp):
    """Our way."""
    model = cw.models.GITTModel(options={"working electrode": "positive"})
    fit = cw.ArrayDataFit(
        {
            sto: cw.objectives.Pulse(pulse, options={"model": model})
            for sto, pulse in pulses.by_stoichiometry(START, CAPACITY).items()
        },
        parameters={
            D: cw.transforms.Log10(cw.Parameter(D, 10 ** GUESS[0], (10 ** LOW[0], 10 ** HIGH[0]))),
            OHM: cw.Parameter(OHM, GUESS[1], (LOW[1], HIGH[1])),
        },
    )
    return cw.Pipeline({"cell": cw.direct_entries.DirectEntry(CELL), "ocp": ocp, "fit": fit})


def naive(pulse, potential) -> float:
    """The other way: the diffusivity of one pulse."""
    time_, current, voltage = (pulse.table[name] for name in ("Time [s]", "Current [A]", "Voltage [V]"))
    rows = np.append(True, np.diff(time_) > 0)
    time_, current, voltage = time_[rows], current[rows], voltage[rows]
    sto = brentq(lambda x: float(potential(x)) - voltage[0], START - 0.005, 0.95)
    values = cw.parameter_values(cw.ParameterSet({**CELL, "Positive electrode OCP [V]": potential}))
    values.update(
        {
            D: "[input]",
            OHM: "[input]",
            "Initial concentration in positive electrode [mol.m-3]": sto * MAXIMUM,
            "Current function [A]": pybamm.Interpolant(time_, current, pybamm.t),
        },
        check_already_exists=False,
    )
    model = GITTModel({"working electrode": "positive"})
    model.events = []
    solver = pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6, output_variables=["Voltage [V]"])
    simulation = pybamm.Simulation(model, parameter_values=values, solver=solver)
    switches = np.unique(np.append(time_[[0, -1]], time_[:-1][np.abs(np.diff(current)) > 1e-5]))

    def residuals(x):
        solution = simulation.solve(switches, t_interp=time_, inputs={D: 10 ** x[0], OHM: x[1]})
        return np.interp(time_, solution.t, solution["Voltage [V]"].data) - voltage

    return 10 ** least_squares(residuals, GUESS, bounds=(LOW, HIGH), x_scale=(1.0, 10.0)).x[0]


def main() -> None:
    """Print a table."""
    warnings.simplefilter("ignore")
    pulses, ocp = titration(int(sys.argv[1]) if len(sys.argv) > 1 else 38)
    pool = ProcessPool(warm="cellwright.models.simulation")
    time.sleep(3.0)  # until its workers have started
    taken = {}
    for turn in ("first", "again"):
        for name, executor in (("inline", InlinePool()), ("processes", pool)):
            began = time.perf_counter()
            record = cw.run(pipeline(pulses, ocp), executor=executor).element("fit")
            taken[name, turn] = time.perf_counter() - began
    pool.close()
    found = normalise(record.result["parameter_values"][D])[1]
    potential = cw.run(cw.Pipeline({"ocp": ocp})).parameters["Positive electrode OCP [V]"]
    some = range(0, len(pulses), 5)
    began = time.perf_counter()
    theirs = np.array([naive(pulses[place], potential) for place in some])
    each = (time.perf_counter() - began) / len(some)
    print(f"{len(pulses)} pulses, {record.counts['solves']} solves; naive on {len(some)} of them: {each:.2f} s a pulse")
    for (name, turn), seconds in taken.items():
        print(f"{name:10} {turn:6} {seconds:6.2f} s, {1e3 * seconds / len(pulses):6.0f} ms a pulse", end="")
        print(f", naive / ours {each * len(pulses) / seconds:5.1f}")
    print(f"diffusivities differ by at most {np.abs(found[list(some)] / theirs - 1).max():.2%}")


if __name__ == "__main__":
    main()
