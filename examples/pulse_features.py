"""Resistance and relaxation of the LG M50 against its state of charge, from pulses of 10 s, beside a published model.

python examples/pulse_features.py [folder for the picture]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import cellwright as cw

HERE = Path(__file__).parent
DATA = HERE / "data" / "lg_m50"
RESISTANCES = {"type": "resistances", "times": [1, 10]}
RELAXATION = {"type": "ici features", "rest_window": [1.0, 5.0]}


def main(folder: Path | None) -> None:
    """Measure the pulses, simulate them with the published set, and tell both."""
    # One measurement in nine files. The rests after the pulses last 10 s alone, of which `split_pulses` warns.
    pulses = cw.split_pulses(sorted((DATA / "pulses").glob("pulse_25degC_SoC*_Cell1.csv")))

    # The state of charge is that at which the measured open-circuit voltage is the one before the pulse.
    soc_of, ocv = np.loadtxt(DATA / "ocv_25degC.csv", delimiter=",", skiprows=1, usecols=(0, 1), unpack=True)
    soc = np.interp([one.voltages[0] for one in pulses], ocv, soc_of)
    resistance, relaxation = pulses.features(RESISTANCES), pulses.features(RELAXATION)

    # The same pulses by the single particle model with electrolyte of Chen et al. (2020), from the measured voltages.
    checks = {
        str(one.number): cw.objectives.Pulse(
            one.source,
            options={"model": "SPMe", "objective variables": RESISTANCES},
            parameters={"Initial voltage [V]": one.voltages[0]},
        )
        for one in pulses
    }
    result = cw.run(cw.Pipeline({"published": cw.from_pybamm("Chen2020"), "check": cw.Validation(checks)}))
    series = result.element("check").series
    model = {
        name: np.array([series[number]["optimal"][f"{name} (model)"][0] for number in checks]) for name in resistance
    }

    print(" SOC      R instant  R 1 s   R 10 s   Chen2020 10 s   slope in rest   relaxed in 10 s")
    for k, z in enumerate(soc):
        print(
            f"{z:5.2f}  {1e3 * resistance['Instantaneous resistance [Ohm]'][k]:9.2f}"
            f"  {1e3 * resistance['Resistance after 1 s [Ohm]'][k]:7.2f}"
            f"  {1e3 * resistance['Resistance after 10 s [Ohm]'][k]:7.2f} mΩ"
            f"  {1e3 * model['Resistance after 10 s [Ohm]'][k]:9.2f} mΩ"
            f"  {1e3 * relaxation['ICI slope [V.s-0.5]'][k]:8.2f} mV/√s"
            f"  {-1e3 * relaxation['Concentration overpotential [V]'][k]:9.1f} mV"
        )
    if folder:
        draw(soc, resistance, model, relaxation, folder / "pulses.png")


def draw(
    soc: np.ndarray,
    resistance: dict[str, np.ndarray],
    model: dict[str, np.ndarray],
    relaxation: dict[str, np.ndarray],
    path: Path,
) -> None:
    """Draw resistances and relaxation against the state of charge."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    shown = (("Resistance after 10 s [Ohm]", "10 s", "C3"), ("Instantaneous resistance [Ohm]", "instantaneous", "C0"))
    for name, label, colour in shown:
        left.plot(100 * soc, 1e3 * resistance[name], "o-", color=colour, label=f"measured, {label}")
        left.plot(100 * soc, 1e3 * model[name], "--", color=colour, label=f"SPMe, Chen2020, {label}")
    left.set(
        xlabel="state of charge [%]", ylabel="resistance [mΩ]", ylim=(18, 56), title="Discharge pulses, 10 s at 1.5C"
    )
    left.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")
    right.plot(100 * soc, 1e3 * relaxation["ICI slope [V.s-0.5]"], "o-", color="C2")
    right.set(xlabel="state of charge [%]", ylabel="slope in the rest [mV s$^{-1/2}$]", ylim=(0, 13))
    right.set_title("Relaxation, 1 to 5 s after the pulse")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
