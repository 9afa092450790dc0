"""Where the electrodes of an LG M50 work on their potentials, found from the voltage of the cell alone.

1. A titration of a three-electrode cell: the electrodes' half-cell curves are balanced against the rests of the cell,
   and the reference electrode, which no fit has seen, says whether it is right.
2. A discharge of the 5 A.h cell at C/10, from the same half-cell curves: balance, windows, lithium inventory, and the
   windows between the voltage cut-offs.
3. What the direction of a potential with hysteresis does to the result.

    python examples/electrode_balancing.py [folder for the picture]
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

import cellwright as cw

CELL = Path(str(files("cellwright"))) / "demo" / "lg_m50"
ELECTRODES = Path(__file__).parent / "data" / "lg_m50" / "ocp-gitt"
VOLTAGE, CURRENT, TIME = "Voltage [V]", "Current [A]", "Time [s]"
SLOPE = "Differential voltage [V/Ah]"
NAMES = ("Stoichiometry", VOLTAGE)


def half_cell(electrode, path, direction=None, columns=None):
    """Return the element that makes an open-circuit potential of a measured half-cell curve."""
    options = {"direction": direction} if direction else None
    data = {"data": f"file:{path}", "options": {"columns": list(columns)}} if columns else f"file:{path}"
    return cw.calculations.OCPDataInterpolant(electrode, data, options=options)


def published_curves():
    """Return the elements that make the potentials of both electrodes without a direction."""
    return {
        "graphite": half_cell("negative", CELL / "graphite_LGM50_ocp_Chen2020.csv", columns=NAMES),
        "NMC": half_cell("positive", CELL / "nmc_LGM50_ocp_Chen2020.csv", columns=NAMES),
    }


def titration():
    """Return the 40 files of the titration as one measurement, its current positive on discharge."""
    paths = [ELECTRODES / "GITT" / f"pulse_{number}.csv" for number in range(1, 41)]
    rows = pl.concat([pl.read_csv(path) for path in paths]).unique(subset=TIME, keep="first", maintain_order=True)
    return rows.with_columns(-pl.col(CURRENT))


def discharge():
    """Return the discharge at C/10, with the ohmic drop with which it begins given back."""
    rows = pl.read_csv(CELL / "cycle_25degC_0.1C.csv")
    drop = rows[VOLTAGE][0] - rows[VOLTAGE][1]
    end = int(np.flatnonzero(rows[CURRENT].to_numpy() > 0)[-1])
    return rows[1 : end + 1].with_columns(pl.col(VOLTAGE) + drop)


def balancing(data, capacity, before, **options):
    """Return the elements that balance both electrodes against a cell of a capacity [A.h]."""
    starts = {
        "Negative electrode lower excess capacity [A.h]": (0.03, 0.0, 0.3),
        "Negative electrode upper excess capacity [A.h]": (0.1, 0.0, 0.6),
        "Positive electrode lower excess capacity [A.h]": (0.3, 0.0, 0.9),
        "Positive electrode upper excess capacity [A.h]": (0.1, 0.0, 0.6),
    }
    free = {
        name: cw.Parameter(name, initial_value=capacity * start, bounds=(capacity * low, capacity * high))
        for name, (start, low, high) in starts.items()
    }
    measured = data.select(TIME, CURRENT, VOLTAGE)
    objective = cw.objectives.ElectrodeBalancing(measured, options={"direction": "discharge", **options})
    # Voltage and slope count by the error that is expected of the curves: 5 mV, and 5 mV over a hundredth of the cell.
    cost = cw.costs.ChiSquare(variable_standard_deviations={VOLTAGE: 5e-3, SLOPE: 100 * 5e-3 / capacity})
    return {
        **before,
        "balance": cw.DataFit({"cell": objective}, parameters=free, cost=cost),
        "capacities": cw.calculations.MSMRFullCellCapacities(measured, method="upper excess capacity"),
        "windows": cw.calculations.StoichiometryLimitsFromCapacity(),
    }


def reference_electrode(rows):
    """Return the comparison with the potentials of both electrodes, which the reference electrode has measured."""
    objectives = {}
    for electrode, direction in (("negative", "delithiation"), ("positive", "lithiation")):
        potential = f"{electrode.capitalize()} electrode potential [V]"
        data = rows.select(TIME, CURRENT, pl.col(potential).alias(VOLTAGE))
        options = {"GITT": True, "direction": direction, "objective variables": [VOLTAGE]}
        objectives[electrode] = cw.objectives.ElectrodeBalancingHalfCell(electrode, data, options=options)
    return {"reference electrode": cw.Validation(objectives)}


def inventory():
    """Return the elements from the windows of the data to those between the voltage cut-offs."""
    known = {"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2, "Nominal cell capacity [A.h]": 5.0}
    full = cw.calculations.InitialSOCfromMaximumStoichiometry(options={"include concentration": "false"})
    return {
        "cell": cw.direct_entries.DirectEntry({**known, "Initial SOC [%]": 100.0}),
        "full cell": full,
        "lithium": cw.calculations.CyclableLithium(),
        "between the cut-offs": cw.calculations.ElectrodeSOH(),
    }


def inner_error(result, element="balance", objective="cell"):
    """Return the RMSE of the voltage [mV] between 5 and 95 % of the capacity."""
    curves = result.element(element).series[objective]["optimal"]
    capacity = curves["Capacity [A.h]"]
    share = (capacity - capacity[0]) / np.ptp(capacity)
    inner = (share > 0.05) & (share < 0.95)
    return 1e3 * np.sqrt(np.mean((curves[f"{VOLTAGE} (model)"] - curves[f"{VOLTAGE} (data)"])[inner] ** 2))


def windows_of(result):
    """Return the stoichiometries at 0 and 100 % state of charge of both electrodes."""
    names = [f"{one} electrode stoichiometry at {soc}% SOC" for one in ("Negative", "Positive") for soc in (0, 100)]
    return [result.parameters.number(name) for name in names]


def branches():
    """Return the half-cell curves of both directions, and the mean of the two as the potential without a direction."""
    both = {
        f"{name} {direction}": half_cell(electrode, ELECTRODES / f"{file}_OCP_2_{short}.csv", direction)
        for electrode, name, file in (("negative", "graphite", "anode"), ("positive", "NMC", "cathode"))
        for direction, short in (("lithiation", "lit"), ("delithiation", "delit"))
    }
    means = {f"mean of {one}": cw.direct_entries.average_ocp(electrode=one) for one in ("negative", "positive")}
    return {**both, **means}


def carried_on():
    """Return the branches of a discharge, that of NMC carried on beyond its data by sites that are fitted to them.

    The half cell is one of 1 A.h, whose capacity is its stoichiometry; where it is full its potential falls off a
    cliff, which is left out.
    """
    rows = pl.read_csv(ELECTRODES / "cathode_OCP_2_lit.csv").filter(pl.col("Stoichiometry") < 0.995)
    least = float(rows["Stoichiometry"].min())
    data = rows.select((pl.col("Stoichiometry") - least).alias("Capacity [A.h]"), VOLTAGE)
    known = {"Positive electrode capacity [A.h]": 1.0, "Positive electrode lower excess capacity [A.h]": least}
    published = cw.Material.from_library("NMC - Verbrugge 2017").parameter_values
    bounds = {"standard potential": (3.3, 4.6), "occupancy fraction": (0.0, 1.0), "ideality factor": (0.2, 20.0)}
    sites = {}
    for name, starts in published.items():
        quantity = next(one for one in bounds if one in name)
        for number, start in enumerate(starts):
            unit = " [V]" if quantity == "standard potential" else ""
            full = f"Positive electrode lithiation host site {quantity} ({number}){unit}"
            sites[full] = cw.Parameter(full, initial_value=start, bounds=bounds[quantity])
    model = {
        "type": "MSMRHalfCellModel",
        "electrode": "positive",
        "options": {"species format": "Xj", "direction": "lithiation"},
    }
    objective = cw.objectives.MSMRHalfCell(data, options={"model": model, "objective variables": [VOLTAGE]})
    limits, direction = (3.0, 4.6), {"direction": "lithiation"}
    return {
        "graphite delithiation": half_cell("negative", ELECTRODES / "anode_OCP_2_delit.csv", "delithiation"),
        "half cell": cw.direct_entries.DirectEntry(known),
        "sites": cw.DataFit({"half cell": objective}, parameters=sites),
        "NMC lithiation": cw.calculations.OCPDataInterpolantMSMRExtrapolation("positive", data, limits, direction),
    }


def tell(title, result):
    """Print the error of a balance and the windows it has found."""
    n0, n100, p0, p100 = windows_of(result)
    found = f"negative {n0:.3f} to {n100:.3f}    positive {p0:.3f} to {p100:.3f}"
    print(f"{title:34} {inner_error(result):6.1f} mV    {found}")


def picture(first, second, path):
    """Draw the discharge with its error and its slope, and where the electrodes of the titration work."""
    import matplotlib.pyplot as plt

    layout = [["voltage", "slope"], ["voltage", "slope"], ["error", "slope"], ["positive"] * 2, ["negative"] * 2]
    figure, axes = plt.subplot_mosaic(layout, figsize=(9, 8.5), layout="constrained")
    blue, red, grey = "#0b62c4", "#d1242f", "#9aa3ad"
    curves = second.element("balance").series["cell"]["optimal"]
    capacity = curves["Capacity [A.h]"]
    for name, axis, scale in ((VOLTAGE, axes["voltage"], 1.0), (SLOPE, axes["slope"], -1.0)):
        axis.plot(capacity, scale * curves[f"{name} (data)"], ".", color="black", ms=2.5, label="measured at C/10")
        axis.plot(capacity, scale * curves[f"{name} (model)"], color=red, lw=1.2, label="balanced")
    axes["voltage"].set(ylabel="Voltage [V]", title="5 A.h cell")
    axes["voltage"].legend(frameon=False)
    axes["slope"].set(ylabel="-dV/dQ [V/Ah]", xlabel="Discharged [A.h]", ylim=(0, 0.8), title="Slope")
    axes["error"].plot(capacity, 1e3 * (curves[f"{VOLTAGE} (model)"] - curves[f"{VOLTAGE} (data)"]), color=red, lw=1)
    axes["error"].axhline(0, color="black", lw=0.6)
    axes["error"].set(ylabel="Error [mV]", xlabel="Discharged [A.h]", ylim=(-30, 30))
    n0, n100, p0, p100 = windows_of(first)
    for electrode, empty, full in (("positive", p0, p100), ("negative", n0, n100)):
        axis = axes[electrode]
        potential = first.parameters.function(f"{electrode.capitalize()} electrode OCP [V]")
        theta = np.linspace(*potential.ends, 600)
        soc = 100 * (theta - empty) / (full - empty)
        inside = (soc >= 0) & (soc <= 100)
        axis.plot(soc, potential(theta), color=grey, lw=1.5, label="half-cell curve")
        axis.plot(soc[inside], potential(theta[inside]), color=blue, lw=2.5, label="in use, by the voltage of the cell")
        known = first.element("reference electrode").series[electrode]["optimal"]
        place = known["Capacity [A.h]"] / known["Capacity [A.h]"][-1]
        label = "measured by a reference electrode, never fitted"
        axis.plot(100 * (1 - place), known[f"{VOLTAGE} (data)"], "o", color="black", ms=3, label=label)
        axis.axvspan(0, 100, color=blue, alpha=0.05)
        ends = f"stoichiometry {empty:.3f} at 0 %, {full:.3f} at 100 %"
        axis.set(xlim=(-12, 125), ylabel=f"{electrode.capitalize()} [V]")
        axis.text(0.99, 0.06 if electrode == "positive" else 0.5, ends, transform=axis.transAxes, ha="right")
    axes["positive"].set_title("Three-electrode cell: where the electrodes work")
    axes["positive"].legend(frameon=False, loc="upper left")
    axes["negative"].set(xlabel="State of charge [%]", ylim=(0, 1.2))
    figure.savefig(path, dpi=95)


def main(folder):
    """Run everything, print the tables and draw the picture where a folder is given."""
    rows, capacity = titration(), 11.5e-3
    balanced = balancing(rows, capacity, published_curves(), GITT=True)
    first = cw.run(cw.Pipeline(balanced | reference_electrode(rows), name="Titration"))
    print(f"{'':34} {'RMSE':>9}    stoichiometry at 0 and 100 %")
    tell("rests of the titration", first)
    for electrode, statistics in first.element("reference electrode").result["summary_stats"].items():
        error = next(one["value"] for one in statistics if one["name"].startswith("RMSE"))
        print(f"{f'  {electrode} electrode, never fitted':34} {error:6.1f} mV")

    balanced = balancing(discharge(), 5.0, published_curves())
    tell("5 A.h cell at C/10", cw.run(cw.Pipeline(balanced)))
    second = cw.run(cw.Pipeline(balanced | inventory(), name="LG M50 at C/10"))
    tell("the same from 2.5 to 4.2 V", second)
    print(f"  cyclable lithium {second.parameters.number('Cyclable lithium capacity [A.h]'):.2f} A.h")

    print("\nPotentials with hysteresis, on the rests of the titration")
    for title, curves, direction in (
        ("the branches of a discharge", branches(), "discharge"),
        ("NMC carried on by its sites", carried_on(), "discharge"),
        ("the mean of both directions", branches(), None),
    ):
        third = cw.run(cw.Pipeline(balancing(rows, capacity, curves, GITT=True, direction=direction)))
        tell(title, third)
        for warning in third.element("balance").warnings:
            print(f"  {warning}")

    print("\nWhat the data leave open, 5 A.h cell")
    for sentence in second.element("balance").result["identifiability"]["words"]:
        print(f"  {sentence}")
    if folder:
        picture(first, second, folder / "electrode-balancing.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
