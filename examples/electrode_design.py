"""How thick and how porous should an electrode be? Energy against power, the classical trade-off.

Thick, dense electrodes carry much lithium for each gram of foil and separator, but their pores starve at high currents.
For the LG M50 (Chen et al. 2020) the thickness and the porosity of the positive electrode are searched that give the
most energy per mass of the layers at C/5, while at 3C at least so much is delivered; the negative electrode keeps its
share of the capacity. Each such bound gives a point of the curve of best compromises (the epsilon-constraint method;
sums of both energies with weights would find its two ends alone, since it is not convex). Then three of the designs are
discharged at many rates: the Ragone plot.

Sources: Newman, J. Electrochem. Soc. 142 (1995) 97 (thickness and porosity by discharge time); Chen et al.,
J. Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050 (the cell); Marler & Arora, Struct. Multidiscip.
Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6 (the method). The densities are typical handbook values.

    python examples/electrode_design.py [folder for the picture]
"""

import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pybamm

import cellwright as cw

a, m = cw.actions, cw.metrics
L_N, L_P = "Negative electrode thickness [m]", "Positive electrode thickness [m]"
POROSITY, ACTIVE = "Positive electrode porosity", "Positive electrode active material volume fraction"
CAPACITY = "Nominal cell capacity [A.h]"

# What is known: the published cell without what is designed, and what its layers weigh.
chen = pybamm.ParameterValues("Chen2020")
START = {L_P: chen[L_P], POROSITY: chen[POROSITY]}
DESIGNED = {*START, ACTIVE, L_N, CAPACITY}
cell = cw.direct_entries.DirectEntry({name: chen[name] for name in chen if name not in DESIGNED})
weights = cw.direct_entries.DirectEntry(
    {
        "Electrolyte density [kg.m-3]": 1200.0,
        "Negative electrode active material density [kg.m-3]": 2260.0,
        "Negative electrode carbon-binder density [kg.m-3]": 1800.0,
        "Positive electrode active material density [kg.m-3]": 4780.0,
        "Positive electrode carbon-binder density [kg.m-3]": 1800.0,
        "Separator density [kg.m-3]": 900.0,
        "Negative current collector thickness [m]": 6e-6,  # half a foil: it is coated on both sides
        "Positive current collector thickness [m]": 8e-6,
    }
)
mass = cw.calculations.CellMass()  # stays an expression of what is designed

# What is designed, within what can be made, and what follows: solid is what is not pore; the capacity, and with it the
# C-rate, goes with the solid; the negative electrode keeps its share.
solid = START[L_P] * (1 - START[POROSITY])
followed = f"'{L_P}' * (1 - '{POROSITY}') / {solid!r}"
PARAMETERS = {
    L_P: cw.Parameter(L_P, initial_value=START[L_P], bounds=(25e-6, 200e-6)),
    POROSITY: cw.Parameter(POROSITY, initial_value=START[POROSITY], bounds=(0.15, 0.6)),
    ACTIVE: {"expression": f"1 - '{POROSITY}'"},
    L_N: {"expression": f"{chen[L_N]!r} * {followed}"},
    CAPACITY: {"expression": f"{chen[CAPACITY]!r} * {followed}"},
}
ENERGY = m.Last("Discharge energy [W.h]") / m.Parameter("Cell mass [kg]")
BOUNDS = (240, 180, 120, 60)
"""Energies [W.h.kg-1] that are to be there at 3C at least."""
RATES = (0.1, 0.5, 1, 2, 3, 4, 6)


# A coarse mesh for speed: the energy at 3C comes out 8 % lower than on the default one.
MESH = {"x_n": 8, "x_s": 4, "x_p": 8, "r_n": 10, "r_p": 10}


def discharged(rate, actions):
    """A full discharge at a C-rate, by the Doyle-Fuller-Newman model."""
    return cw.objectives.DesignObjective(
        actions,
        options={
            "model": "DFN",
            "experiment": [[f"Discharge at {rate:g}C until 2.5 V"]],
            "simulation_kwargs": {"var_pts": MESH},
        },
    )


def searched(at_5h, at_3C, optimizer, start=START):
    """The record of a search from a start, with what is asked of the energies at C/5 and at 3C."""
    free = {name: PARAMETERS[name].model_copy(update={"initial_value": start[name]}) for name in START}
    design = cw.DataFit(
        {"C/5": discharged(0.2, {"energy": at_5h}), "3C": discharged(3, {"energy": at_3C})},
        parameters={**PARAMETERS, **free},
        optimizer=optimizer,
        options={"seed": 1},
    )
    return cw.run(cw.Pipeline({"cell": cell, "weights": weights, "mass": mass, "design": design})).element("design")


def told(record):
    """What a search came to: thickness [um], porosity, energies [W.h.kg-1] at C/5 and 3C, evaluations."""
    found, metrics = record.result["parameter_values"], record.result["metrics"]
    energies = [metrics[rate][0]["fitted"] for rate in ("C/5", "3C")]
    return [found[L_P] * 1e6, found[POROSITY], *energies, record.result["evaluations"]]


def ragone(thickness, porosity):
    """Mean power [W.kg-1] and energy [W.h.kg-1] of a design at each rate."""
    names = {L_P: thickness * 1e-6, POROSITY: porosity}
    fixed = {n: PARAMETERS[n]["expression"] for n in (ACTIVE, L_N, CAPACITY)}
    design = cw.direct_entries.DirectEntry({**names, **{n: {"expression": text} for n, text in fixed.items()}})
    power = m.Mean("Power [W]") / m.Parameter("Cell mass [kg]")
    rates = {
        f"{rate:g}C": discharged(rate, {"power": a.Maximize(power), "energy": a.Maximize(ENERGY)}) for rate in RATES
    }
    pipeline = cw.Pipeline(
        {"cell": cell, "weights": weights, "design": design, "mass": mass, "rates": cw.Validation(rates)}
    )
    stats = cw.run(pipeline).element("rates").result["summary_stats"]
    return np.array([[row["value"] for row in rows] for rows in stats.values()]).T


def main(folder):
    """Sweep the bound from most power to most energy, print the table, draw the picture where a folder is given."""
    began, rows = time.perf_counter(), {}
    print(f"{'':22}{'thickness':>10}{'porosity':>10}{'E at C/5':>10}{'E at 3C':>10}{'designs':>9}")
    simplex = cw.optimizers.ScipyMinimize(method="Nelder-Mead", options={"xatol": 3e-3, "fatol": 0.05})
    power = searched(a.Minimize(ENERGY, 0.0), a.Maximize(ENERGY), simplex)
    metrics = power.result["metrics"]
    before = [metrics[rate][0]["initial"] for rate in ("C/5", "3C")]
    rows["as published"] = [START[L_P] * 1e6, START[POROSITY], *before, 1]
    rows["most at 3C"] = told(power)
    start = power.result["parameter_values"]
    for bound in BOUNDS:
        nearby = cw.optimizers.CMAES(max_iterations=18, sigma0=0.1)
        record = searched(a.Maximize(ENERGY), a.GreaterThan(ENERGY, bound), nearby, start)
        rows[f"at least {bound} at 3C"] = told(record)
        start = record.result["parameter_values"]
    rows["most at C/5"] = told(searched(a.Maximize(ENERGY), a.Minimize(ENERGY, 0.0), simplex))
    for label, (thickness, porosity, low, high, count) in rows.items():
        print(f"{label:22}{thickness:10.1f}{porosity:10.3f}{low:10.1f}{high:10.1f}{count:9d}")
    print("thickness in um, energies in W.h.kg-1;", f"{time.perf_counter() - began:.0f} s")
    if folder:
        draw(rows, folder / "design.png")


def draw(rows, path):
    """Draw the curve of best compromises, and the Ragone plot of three designs."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    curve = np.array([row for label, row in rows.items() if label != "as published"])
    left.plot(curve[:, 3], curve[:, 2], "o-", color="tab:blue", label="most at C/5 with so much at 3C")
    for thickness, porosity, low, high, _ in curve:
        left.annotate(
            f"{thickness:.0f} µm, {porosity:.2f}", (high, low), (6, 4), textcoords="offset points", fontsize=8
        )
    left.plot(*rows["as published"][3:1:-1], "s", color="black", label="as published")
    left.set(
        xlabel="energy at 3C [Wh/kg]",
        ylabel="energy at C/5 [Wh/kg]",
        title="The best compromises (thickness, porosity)",
        xlim=(-10, 320),
    )
    left.legend(fontsize=8, loc="lower left")
    for label, color in (("as published", "black"), ("most at C/5", "tab:orange"), ("most at 3C", "tab:green")):
        thickness, porosity = rows[label][:2]
        power, energy = ragone(thickness, porosity)
        right.loglog(
            power, energy, "o-", color=color, ms=4, label=f"{label}: {thickness:.0f} µm, porosity {porosity:.2f}"
        )
    right.set(xlabel="mean power [W/kg]", ylabel="energy [Wh/kg]", title=f"Ragone plot, C/10 to {RATES[-1]:g}C")
    right.legend(fontsize=8, loc="lower left")
    right.grid(which="both", alpha=0.3)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
