"""The open-circuit potentials of an LG M50 as formulas, their coefficients fitted to measured half cells.

U(x) = level - slope x + rise exp(-decay x) - Σ height tanh(steepness (x - place)), for graphite-SiOx without a slope
and for NMC without a rise, each with three steps. The starts for graphite are the coefficients of Chen et al., J.
Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050; the data are half cells of the same authors, in the
direction of a discharge.

    python examples/ocp_function.py [folder for the picture]
"""

import sys
from pathlib import Path

import polars as pl

import cellwright as cw

DATA = Path(__file__).parent / "data" / "lg_m50" / "ocp-gitt"
VOLTAGE = "Voltage [V]"
FILES = {"negative": "anode_OCP_2_delit.csv", "positive": "cathode_OCP_2_lit.csv"}
LINES = {
    "negative": {"level [V]": 0.2482, "rise [V]": 1.9793, "decay": 39.3631},
    "positive": {"level [V]": 4.4875, "slope [V]": 0.8090},
}
STEPS = {  # height [V], steepness, place
    "negative": [(0.0909, 29.8538, 0.1234), (0.04478, 14.9159, 0.2769), (0.0205, 30.4444, 0.6103)],
    "positive": [(0.03, 20.0, 0.4), (0.0428, 18.5138, 0.5542), (0.03, 20.0, 0.7)],
}
BOUNDS = {"height [V]": (0.0, 0.3), "steepness": (1.0, 100.0), "place": (0.0, 1.0)}


def potential(electrode):
    """Return the formula of an electrode's potential, and the coefficients in it that are free."""
    free, terms = {}, {}
    for name, start in LINES[electrode].items():
        full = f"{electrode.capitalize()} OCP {name}"
        free[full], terms[name] = cw.Parameter(full, initial_value=start), f"'{full}'"
    text = terms["level [V]"]
    text += f" - {terms['slope [V]']} * sto" if "slope [V]" in terms else ""
    text += f" + {terms['rise [V]']} * exp(-{terms['decay']} * sto)" if "rise [V]" in terms else ""
    for number, starts in enumerate(STEPS[electrode], start=1):
        names = [f"{electrode.capitalize()} OCP step {number} {what}" for what in BOUNDS]
        for name, start, bounds in zip(names, starts, BOUNDS.values(), strict=True):
            free[name] = cw.Parameter(name, initial_value=start, bounds=bounds)
        text += " - '{}' * tanh('{}' * (sto - '{}'))".format(*names)
    return {"arguments": ["sto"], "expression": text}, free


def pipeline(electrode):
    """Return the pipeline that fits one electrode's formula to its half cell."""
    formula, free = potential(electrode)
    title = electrode.capitalize()
    # The half cell as one of 1 A.h: what it holds [A.h] is its stoichiometry.
    rows = pl.read_csv(DATA / FILES[electrode]).rename({"Stoichiometry": "Capacity [A.h]"})
    known = {f"{title} electrode OCP [V]": formula, f"{title} electrode capacity [A.h]": 1.0}
    half_cell = cw.objectives.OCPHalfCell(electrode, rows, options={"stoichiometry limits": (0.01, 0.99)})
    return cw.Pipeline(
        {
            "formula": cw.direct_entries.DirectEntry(known, source="form of Chen et al. 2020"),
            "fit": cw.DataFit({"half cell": half_cell}, parameters=free),
        },
        name=f"{title} electrode",
    )


def picture(results, path):
    """Draw both potentials with what is left of them."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 5), layout="constrained", height_ratios=(3, 1.4), sharex="col")
    for (electrode, result), (upper, lower) in zip(results.items(), axes.T, strict=True):
        curves = result.element("fit").series["half cell"]
        x = curves["optimal"]["Capacity [A.h]"]
        data = curves["optimal"][f"{VOLTAGE} (data)"]
        upper.plot(x, data, ".", color="black", ms=3, label="measured")
        for name, colour, label in (("baseline", "#9aa3ad", "start"), ("optimal", "#d1242f", "fitted")):
            model = curves[name][f"{VOLTAGE} (model)"]
            upper.plot(x, model, color=colour, lw=1.3, label=label, zorder=1 if name == "baseline" else 3)
            if name == "optimal":
                lower.plot(x, 1e3 * (model - data), color=colour, lw=1)
        lower.axhline(0, color="black", lw=0.6)
        upper.set(title=f"{electrode.capitalize()} electrode", ylabel="Potential [V]")
        lower.set(xlabel="Stoichiometry", ylabel="Error [mV]", ylim=(-12, 12))
        upper.legend(frameon=False)
    figure.savefig(path, dpi=95)


def main(folder):
    """Fit both electrodes, print what comes out and draw it where a folder is given."""
    results = {electrode: cw.run(pipeline(electrode)) for electrode in FILES}
    for electrode, result in results.items():
        record = result.element("fit")
        error = record.result["objectives"]["half cell"]["RMSE [mV] (Voltage [V])"]
        print(
            f"{electrode} electrode: {error['initial']:.1f} → {error['fitted']:.1f} mV, {len(record.result['x'])} "
            f"coefficients, {record.result['evaluations']} evaluations, {record.seconds:.2f} s"
        )
        for row in record.result["parameters"]:
            width = "not determined" if row["interval"] is None else f"± {row['std_error']:.2g}"
            print(f"  {row['name']:40} {row['value']:9.4g}  {width}")
        for sentence in record.result["identifiability"]["words"]:
            print(f"  {sentence}")
    if folder:
        picture(results, folder / "ocp-functions.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
