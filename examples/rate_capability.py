"""A published parameter set of the LG M50 fitted to discharges at C/2 and 2C, and proved on one at 1C.

1. The set of Chen et al., J. Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050, as it stands.
2. What rates tell by themselves: the diffusivities of both electrodes and a contact resistance.
3. The same after the electrodes of this cell were balanced on its discharge at C/10.
4. The same with the volume fractions of the active materials free in place of that.

    python examples/rate_capability.py [folder for the picture]
"""

import sys
from importlib.resources import files
from pathlib import Path

import cellwright as cw

CELL = Path(str(files("cellwright"))) / "demo" / "lg_m50"
EVERY = {"0.5C": 120, "1C": 60, "2C": 30}
"""Seconds between the points that are compared."""
HELD_OUT, VOLTAGE, CONTACT = "1C", "Voltage [V]", "Contact resistance [Ohm]"
FRACTIONS = {
    f"{electrode} electrode active material volume fraction": (0.5, most)  # what the pores leave
    for electrode, most in (("Negative", 0.75), ("Positive", 0.665))
}
NAMES = {"columns": ["Stoichiometry", VOLTAGE]}
STATE = [f"Initial concentration in {electrode} electrode [mol.m-3]" for electrode in ("negative", "positive")]
OCP = {
    name: {"data": f"file:{CELL / f'{name}_LGM50_ocp_Chen2020.csv'}", "options": NAMES} for name in ("graphite", "nmc")
}


def measurements():
    """Return the discharges by their rates."""
    return {
        rate: {
            "data": f"file:{CELL / f'cycle_25degC_{rate}.csv'}",
            "options": {"first_step": 1, "last_step": 1, "transforms": {"interpolate": every}},
        }
        for rate, every in EVERY.items()
    }


def balanced(known):
    """Return the elements of a cell whose capacities are those of its slow discharge, with the rest of a set."""
    rest = {name: value for name, value in known.parameters.items() if name not in FRACTIONS and name not in STATE}
    return {
        "known": cw.direct_entries.DirectEntry(rest, source=known.source),
        **cw.pipelines.full_cell.balancing(
            {"data": f"file:{CELL / 'cycle_25degC_0.1C.csv'}", "options": {"first_step": 1, "last_step": 1}},
            OCP["graphite"],
            OCP["nmc"],
            voltage_limits=(2.5, 4.2),
        ),
        # What is missing of an electrode whose capacity is known: the volume fraction.
        "graphite": cw.calculations.ElectrodeCapacity("negative"),
        "NMC": cw.calculations.ElectrodeCapacity("positive"),
        "full": cw.calculations.InitialSOC(1.0),
    }


def fitted(known, beside=None):
    """Return the result of a fit with further free parameters, with the errors at all rates."""
    ready = cw.pipelines.full_cell.rate_capability(measurements(), HELD_OUT, known, "SPMe", beside)
    objectives = {**ready["rates"].objectives, **ready["held out"].objectives}
    return cw.run(cw.Pipeline({**ready, "all": cw.Validation(objectives)}))


def published(known):
    """Return the result of the set as it stands."""
    ready = cw.pipelines.full_cell.rate_capability(measurements(), params_to_fit={CONTACT: None})
    return cw.run(cw.Pipeline({"known": known, "all": cw.Validation(ready["rates"].objectives)}))


def errors(result):
    """Return the RMSE [mV] by rate."""
    stats = result.element("all").result["summary_stats"]
    return {rate: stats[rate][0]["value"] for rate in EVERY}


def main(folder):
    """Fit three times, print what comes out, and draw it where a folder is given."""
    known = cw.from_pybamm("Chen2020")
    free = {name: cw.Parameter(name, bounds=bounds) for name, bounds in FRACTIONS.items()}
    results = {
        "as published": published(known),
        "rates alone": fitted(known),
        "balanced before": fitted(balanced(known)),
        "volume fractions free": fitted(known, free),
    }
    print(f"{'RMSE [mV]':24} {'0.5C':>7} {'2C':>7} {'1C, held out':>14}")
    for label, result in results.items():
        row = errors(result)
        print(f"{label:24} {row['0.5C']:7.1f} {row['2C']:7.1f} {row['1C']:14.1f}")
    for label, result in list(results.items())[1:]:
        record = result.element("rates")
        print(f"\n{label}: {record.result['evaluations']} evaluations, {record.seconds:.1f} s")
        for row in record.result["parameters"]:
            width = "not determined" if row["interval"] is None else "{:.3g} to {:.3g}".format(*row["interval"])
            print(f"  {row['name']:52} {row['value']:10.3g}   {width}{'   at a bound' if row['at_bound'] else ''}")
    if folder:
        draw(results, folder / "rate-capability.png")


def draw(results, path):
    """Draw the discharges as measured, published and fitted, and the errors of the one that was held out."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", width_ratios=(1.2, 1))
    shown = {"as published": ":", "volume fractions free": "-"}
    for label, style in shown.items():
        for rate, colour in zip(EVERY, ("C0", "C3", "C2"), strict=True):
            curve = results[label].element("all").series[rate]["optimal"]
            share = curve["Time [s]"] / 3600 * float(rate.rstrip("C"))
            if style == ":":
                left.plot(share, curve[f"{VOLTAGE} (data)"], ".", color="black", ms=3)
            left.plot(share, curve[f"{VOLTAGE} (model)"], style, color=colour, lw=1.3, label=f"{rate}, {label}")
    left.set(xlabel="hours times C-rate", ylabel="voltage [V]", ylim=(2.4, 4.25), title="Discharges at 25 °C")
    left.legend(frameon=False, fontsize=8, ncols=2, loc="lower left")
    for colour, (label, result) in zip(("black", "C1", "C4", "C0"), results.items(), strict=True):
        curve = result.element("all").series[HELD_OUT]["optimal"]
        error = 1e3 * (curve[f"{VOLTAGE} (model)"] - curve[f"{VOLTAGE} (data)"])
        style = ":" if label == "as published" else "-"
        label = f"{label}: {errors(result)[HELD_OUT]:.0f} mV"
        right.plot(curve["Time [s]"] / 3600, error, style, color=colour, lw=1.3, label=label)
    right.axhline(0, color="grey", lw=0.6)
    right.set(xlabel="hours", ylabel="model - data [mV]", ylim=(-60, 220), title="1C, which no fit has seen (RMSE)")
    right.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=95)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
