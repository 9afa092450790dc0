"""An equivalent circuit of an LG M50 cell from nine pulses and a discharge, and how it follows what it has not seen.

1. A fit to pulses of 10 s at nine states of charge and a cycle at C/2: open-circuit voltage, series resistance and two
   RC pairs over the state of charge, and what of them the data do not determine.
2. Validation on cycles at 1C and 2C.
3. The same circuit as a PyBaMM model, in a pipeline.

    python examples/equivalent_circuit.py [folder for the picture]
"""

import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

import cellwright as cw

CELL = Path(str(files("cellwright"))) / "demo" / "lg_m50"
DATA = Path(__file__).parent / "data" / "lg_m50"
CAPACITY = 4.945
"""What the cell gives at C/10 [A.h] (cycle_25degC_0.1C.csv)."""


def measurement(path):
    """Return a measurement that begins at rest, with its state of charge by the measured open-circuit voltage."""
    known = pl.read_csv(DATA / "ocv_25degC.csv")
    rested = pl.read_csv(path)["Voltage [V]"][0]
    soc = np.interp(rested, known["Voltage [V]"], known["SOC"])
    return cw.ecm.ECMMeasurement(f"file:{path}", initial_soc=float(soc))


def cycle(rate):
    """Return the path of a cycle."""
    return CELL / f"cycle_25degC_{rate}.csv"


def discharge_rmse(validation):
    """Return the error of a validation up to the end of the discharge [mV]."""
    end = int(np.argmin(validation.data_voltage)) + 1
    return float(np.sqrt(np.mean(validation.residual_mV[:end] ** 2)))


def in_pipeline(fit, path):
    """Return the error [mV] of the circuit as a PyBaMM model, driven by the current of a measurement."""
    objective = cw.objectives.CurrentDriven(f"file:{path}", options={"model": fit.model()})
    validation = cw.Validation({"held out": objective}, summary_stats=[cw.costs.RMSE()])
    result = cw.run(cw.Pipeline({"circuit": fit.entry(), "validation": validation}))
    return result.element("validation").result["summary_stats"]["held out"][0]["value"]


def main(folder):
    """Fit, print what came of it, draw it where a folder is given."""
    pulses = [measurement(DATA / "pulses" / f"pulse_25degC_SoC{number}_Cell1.csv") for number in range(1, 10)]
    began = time.perf_counter()
    fit = cw.ecm.fit([*pulses, measurement(cycle("0.5C"))], capacity=CAPACITY)
    print(f"{fit}\n  in {time.perf_counter() - began:.2f} s\n")

    heads = ("OCV [V]", "R0 [mOhm]", "R1 [mOhm]", "tau1 [s]", "R2 [mOhm]", "tau2 [s]")
    print(f"{'SOC':>5} {' '.join(f'{head:>10}' for head in heads)}")
    for soc in np.arange(0.1, 1.0, 0.1):
        row = [np.interp(soc, fit.soc, fit.ocv), 1e3 * np.interp(soc, fit.soc, fit.r0)]
        for pair in fit.rc_pairs:
            row += [1e3 * np.interp(soc, fit.soc, pair.r), np.interp(soc, fit.soc, pair.tau)]
        print(f"{soc:5.1f} {' '.join(f'{value:10.4g}' for value in row)}")

    print("\nheld out:")
    validations = {rate: fit.validate(f"file:{cycle(rate)}") for rate in ("1C", "2C")}
    for rate, validation in validations.items():
        print(f"  {rate}: {validation}; discharge alone {discharge_rmse(validation):.1f} mV")
    print(f"  1C in PyBaMM: {in_pipeline(fit, cycle('1C')):.1f} mV")
    if folder:
        draw(fit, validations["1C"], folder / "equivalent-circuit.png")


def draw(fit, validation, path):
    """Draw the curves of the circuit with their standard errors, and the held-out cycle with its residual."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6), constrained_layout=True, height_ratios=(1.15, 1))
    ocv, resistances, trace, residual = axes.flat
    ocv.plot(fit.soc, fit.ocv, color="C0")
    ocv.fill_between(fit.soc, fit.ocv - 2 * fit.ocv_error, fit.ocv + 2 * fit.ocv_error, color="C0", alpha=0.25, lw=0)
    measured = pl.read_csv(DATA / "ocv_25degC.csv")
    ocv.plot(measured["SOC"], measured["Voltage [V]"], ":", color="0.3", label="measured by slow cycles")
    ocv.set(xlabel="state of charge", ylabel="open-circuit voltage [V]", ylim=(2.7, 4.25))
    ocv.legend(frameon=False, loc="lower right")

    curves = {"R0": (fit.r0, fit.r0_error)}
    curves |= {f"R{number}": (pair.r, pair.r_error) for number, pair in enumerate(fit.rc_pairs, start=1)}
    for number, (name, (values, error)) in enumerate(curves.items()):
        known = np.where(error < 0.5, 1e3 * values, np.nan)
        resistances.semilogy(fit.soc, 1e3 * values, color=f"C{number}", lw=0.8, ls=":")
        resistances.semilogy(fit.soc, known, color=f"C{number}", lw=1.8, label=name)
        error = np.minimum(error, 3.0)
        low, high = 1e3 * values * np.exp(-error), 1e3 * values * np.exp(error)
        resistances.fill_between(fit.soc, low, high, color=f"C{number}", alpha=0.18, lw=0)
    resistances.set(xlabel="state of charge", ylabel="resistance [mΩ]", ylim=(0.5, 300))
    resistances.legend(frameon=False, ncols=3, loc="upper right")
    resistances.set_title("dotted: not determined by these data", fontsize=9)

    hours = validation.time / 3600
    trace.plot(hours, validation.data_voltage, color="0.3", lw=1.6, label="1C, measured")
    trace.plot(hours, validation.model_voltage, color="C3", lw=1, label="circuit, not fitted to it")
    trace.set(xlabel="time [h]", ylabel="voltage [V]")
    trace.legend(frameon=False)
    residual.plot(hours, validation.residual_mV, color="C3", lw=0.8)
    residual.axhline(0, color="0.6", lw=0.6)
    residual.set(xlabel="time [h]", ylabel="model - data [mV]", ylim=(-190, 60))
    residual.set_title(f"RMSE {validation.rmse_mV:.1f} mV, largest {validation.max_mV:.0f} mV", fontsize=9)
    figure.savefig(path, dpi=110)
    print(f"picture: {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
