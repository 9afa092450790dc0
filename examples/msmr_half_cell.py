"""MSMR sets of the electrodes of an LG M50, fitted to measured half cells from published sets.

U(q) is the inverse of q(U) = Q Σ_j X_j / (1 + exp(f (U - U_j)/ω_j)) - Q_low. Graphite-SiOx has six kinds of sites and
starts from three sets of the library; NMC has four and starts from one. The data are half cells of Chen et al., J.
Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050, taken as electrodes of 5 A.h.

At the end both sets make a cell: its capacities follow from the voltage of a discharge at C/10.

    python examples/msmr_half_cell.py [folder for the picture]
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

import cellwright as cw

CAPACITY, VOLTAGE, SLOPE = "Capacity [A.h]", "Voltage [V]", "Differential voltage [V/Ah]"
NOMINAL = 5.0
OHMIC = 0.017
"""Drop of the voltage [V] at C/10, with which the discharge begins."""
CURVES = {"negative": "graphite", "positive": "nmc"}
STARTS = {
    "negative": [
        "Graphite - Verbrugge 2017",
        "Graphite (Commercial) - Paul 2024",
        "Graphite (Coal derived) - Paul 2024",
    ],
    "positive": ["NMC - Verbrugge 2017"],
}
POTENTIALS = {"negative": (0.0, 1.5), "positive": (3.1, 4.6)}
QUANTITIES = {"U": "standard potential", "X": "occupancy fraction", "w": "ideality factor"}


def measured(electrode):
    """Return the measured points of a half cell, without those that were added beyond them."""
    path = files("cellwright") / f"demo/lg_m50/{CURVES[electrode]}_LGM50_ocp_Chen2020.csv"
    block = path.read_text(encoding="utf-8").split("# experimentally measured data\n")[1].split("# extra points")[0]
    x, U = np.loadtxt(block.splitlines(), delimiter=",").T
    return {CAPACITY: NOMINAL * (x - x[0]), VOLTAGE: U}


def named(electrode, quantity, site):
    """Return the name of a quantity of one kind of sites."""
    unit = " [V]" if quantity == "U" else ""
    return f"{electrode.capitalize()} electrode host site {QUANTITIES[quantity]} ({site}){unit}"


def start(electrode, title, span):
    """Return a published set, from the highest potential down, and a guess of the two capacities."""
    published = cw.Material.from_library(title).parameter_values
    sets = {quantity: np.array(published[named(electrode, quantity, 0).replace(" (0)", "")]) for quantity in QUANTITIES}
    order = np.argsort(-sets["U"])
    guess = {
        named(electrode, quantity, site): float(values[order][site])
        for quantity, values in sets.items()
        for site in range(len(order))
    }
    side = electrode.capitalize()
    capacities = {
        f"{side} electrode capacity [A.h]": 1.1 * span,
        f"{side} electrode lower excess capacity [A.h]": 0.03 * span,  # the data begin with a little lithium
    }
    return guess | capacities


def free(electrode, guess, span):
    """Return the free parameters with their bounds; ideality factors are searched in their logarithms."""
    found = {}
    for name, value in guess.items():
        if "ideality" in name:
            found[name] = cw.transforms.Log(cw.Parameter(name, initial_value=value, bounds=(0.02, 40.0)))
        elif "potential" in name:
            found[name] = cw.Parameter(name, initial_value=value, bounds=POTENTIALS[electrode])
        elif "fraction" in name:
            found[name] = cw.Parameter(name, initial_value=value, bounds=(0.0, 1.0))
        else:
            bounds = (0.0, span) if "excess" in name else (span, 2 * span)
            found[name] = cw.Parameter(name, initial_value=value, bounds=bounds)
    return found


def pipeline(electrode):
    """Return the pipeline: the fit, its slopes beside the measured ones, and the potential as a function."""
    data = measured(electrode)
    span = float(data[CAPACITY][-1])
    guesses = [start(electrode, title, span) for title in STARTS[electrode]]
    model = cw.models.MSMRHalfCellModel(electrode, {"species format": "Xj"})

    def half_cell(*variables):
        return cw.objectives.MSMRHalfCell(data, options={"model": model, "objective variables": list(variables)})

    return cw.Pipeline(
        {
            "fit": cw.DataFit(
                {"half cell": half_cell(VOLTAGE)},
                parameters=free(electrode, guesses[0], span),
                initial_guesses=guesses,
            ),
            "slopes": cw.Validation({"half cell": half_cell(VOLTAGE, SLOPE)}),
            "potential": cw.calculations.OCPMSMRInterpolant(electrode, (min(data[VOLTAGE]), max(data[VOLTAGE]))),
        },
        name=f"{electrode.capitalize()} electrode",
    )


def cell(results):
    """Return the pipeline that fits how much of both electrodes a cell of 5 A.h uses on a discharge at C/10."""
    sites = {
        name: value
        for result in results.values()
        for name, value in result.element("fit").result["parameter_values"].items()
        if "host site" in name
    }
    folder = files("cellwright") / "demo" / "lg_m50"
    table = np.genfromtxt(str(folder / "cycle_25degC_0.1C.csv"), delimiter=",", skip_header=1)
    time, current, voltage = table[table[:, 1] > 0.1 * table[:, 1].max()].T[:3]
    charge = np.append(0.0, np.cumsum(0.5 * (current[1:] + current[:-1]) * np.diff(time))) / 3600
    late = charge > 0.02 * charge[-1]  # the first minutes polarise the cell
    data = {CAPACITY: charge[late], VOLTAGE: voltage[late] + OHMIC}
    capacities = {}
    for side in ("Negative", "Positive"):
        for name, value, bounds in (("capacity", 6.0, (4.5, 12.0)), ("lower excess capacity", 0.2, (0.0, 3.0))):
            full = f"{side} electrode {name} [A.h]"
            capacities[full] = cw.Parameter(full, initial_value=value, bounds=bounds)
    return cw.Pipeline(
        {
            "sites": cw.direct_entries.DirectEntry(sites, source="the half cells"),
            "fit": cw.DataFit(
                {"cell": cw.objectives.MSMRFullCell(data)},
                parameters=capacities,
                cost=cw.costs.ChiSquare(variable_standard_deviations={VOLTAGE: 5e-3, SLOPE: 0.1}),
            ),
        },
        name="Cell",
    )


def picture(results, path):
    """Draw both potentials, what is left of them, and their slopes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 2, figsize=(9, 7), layout="constrained", height_ratios=(3, 1.3, 2), sharex="col")
    for (electrode, result), (curve, error, slope) in zip(results.items(), axes.T, strict=True):
        fit, both = result.element("fit").series["half cell"], result.element("slopes").series["half cell"]["optimal"]
        q, U = both[CAPACITY], both[f"{VOLTAGE} (data)"]
        curve.plot(q, U, ".", color="black", ms=3, label="measured")
        curve.plot(q, fit["baseline"][f"{VOLTAGE} (model)"], color="#9aa3ad", lw=1.2, label="published set", zorder=1)
        curve.plot(q, fit["optimal"][f"{VOLTAGE} (model)"], color="#d1242f", lw=1.3, label="fitted")
        curve.set(
            title=f"{electrode.capitalize()} electrode", ylabel="Potential [V]", ylim=(min(U) - 0.1, max(U) + 0.1)
        )
        curve.legend(frameon=False)
        error.plot(q, 1e3 * (fit["optimal"][f"{VOLTAGE} (model)"] - U), color="#d1242f", lw=1)
        error.axhline(0, color="black", lw=0.6)
        error.set(ylabel="Error [mV]", ylim=(-8, 8))
        measured_slope = -both[f"{SLOPE} (data)"]
        slope.plot(q, measured_slope, ".", color="black", ms=3)
        slope.plot(q, -both[f"{SLOPE} (model)"], color="#d1242f", lw=1.2)
        slope.set(
            xlabel="Capacity [A.h]", ylabel="-dU/dQ [V/(A.h)]", ylim=(0, 1.15 * np.nanquantile(measured_slope, 0.97))
        )
    figure.savefig(path, dpi=95)


def main(folder):
    """Fit both electrodes, print what comes out and draw it where a folder is given."""
    results = {electrode: cw.run(pipeline(electrode)) for electrode in CURVES}
    for electrode, result in results.items():
        record = result.element("fit")
        error = record.result["objectives"]["half cell"]["RMSE [mV] (Voltage [V])"]["fitted"]
        print(
            f"{electrode} electrode: {error:.2f} mV from {len(STARTS[electrode])} published sets, "
            f"{record.result['evaluations']} evaluations, {record.seconds:.2f} s"
        )
        rows = {row["name"]: row for row in record.result["parameters"]}
        print("  site   U_j [V]             X_j                 ω_j")
        for site in range(len(rows) // 3):
            cells = [rows[named(electrode, quantity, site)] for quantity in QUANTITIES]
            print(f"  {site}      " + "   ".join(f"{one['value']:7.4f} {_width(one):9}" for one in cells))
        for name, row in rows.items():
            if "capacity" in name:
                print(f"  {name}: {row['value']:.4f} {_width(row)}")
        words = record.result["identifiability"]["words"]
        pairs = [sentence for sentence in words if "hard to tell apart" in sentence]
        for sentence in words:
            if sentence not in pairs:
                print(f"  {sentence}")
        print(f"  of the pairs of parameters {len(pairs)} are hard to tell apart")
    record = cw.run(cell(results)).element("fit")
    error = record.result["objectives"]["cell"]["RMSE [mV] (Voltage [V])"]["fitted"]
    print(f"cell of both electrodes, discharge at C/10: {error:.1f} mV, {record.seconds:.2f} s")
    for row in record.result["parameters"]:
        print(f"  {row['name']}: {row['value']:.3f} {_width(row)}")
    if folder:
        picture(results, folder / "half-cell-ocp.png")


def _width(row):
    return "(open)" if row["std_error"] is None else f"± {row['std_error']:.1g}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
