"""The open-circuit potentials of an LG M50 as formulas, their coefficients fitted to measured half cells.

The forms are those of Chen et al., J. Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050, the starts the
published coefficients, the data the half cells of the same authors in the direction of a discharge.

    python examples/ocp_function.py [folder for the picture]
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

import cellwright as cw

DATA = Path(__file__).parent / "data" / "lg_m50" / "ocp-gitt"
VOLTAGE = "Voltage [V]"
GRAPHITE = (
    "{0} * exp(-{1} * sto) + {2} - {3} * tanh({4} * (sto - {5}))"
    " - {6} * tanh({7} * (sto - {8})) - {9} * tanh({10} * (sto - {11}))"
)
NMC = "{0} - {1} * sto - {2} * tanh({3} * (sto - {4})) - {5} * tanh({6} * (sto - {7})) - {8} * tanh({9} * (sto - {10}))"
STARTS = {
    "negative": (1.9793, 39.3631, 0.2482, 0.0909, 29.8538, 0.1234, 0.04478, 14.9159, 0.2769, 0.0205, 30.4444, 0.6103),
    "positive": (4.4875, 0.8090, 0.03, 20.0, 0.4, 0.0428, 18.5138, 0.5542, 0.03, 20.0, 0.7),
}
CURVES = {"negative": (GRAPHITE, "anode_OCP_2_delit.csv"), "positive": (NMC, "cathode_OCP_2_lit.csv")}


def pipeline(electrode):
    """Return the pipeline that fits one electrode's formula."""
    form, file = CURVES[electrode]
    names = [f"{electrode.capitalize()} OCP coefficient {place}" for place in range(len(STARTS[electrode]))]
    # A half cell of 1 A.h: what it holds [A.h] is its stoichiometry.
    rows = pl.read_csv(DATA / file).rename({"Stoichiometry": "Capacity [A.h]"})
    potential = {"arguments": ["sto"], "expression": form.format(*(f"'{name}'" for name in names))}
    known = {
        f"{electrode.capitalize()} electrode OCP [V]": potential,
        f"{electrode.capitalize()} electrode capacity [A.h]": 1.0,
    }
    starts = zip(names, STARTS[electrode], strict=True)
    return cw.Pipeline(
        {
            "formula": cw.direct_entries.DirectEntry(known, source="Chen et al. 2020"),
            "fit": cw.DataFit(
                {
                    "half cell": cw.objectives.OCPHalfCell(
                        electrode, rows, options={"stoichiometry limits": (0.01, 0.99)}
                    )
                },
                parameters={name: cw.Parameter(name, initial_value=start) for name, start in starts},
                cost=cw.costs.SSE(normalization="identity"),
            ),
        },
        name=f"{electrode} electrode",
    )


def main(folder):
    for electrode in CURVES:
        result = cw.run(pipeline(electrode))
        record = result.element("fit")
        error = record.result["objectives"]["half cell"]["RMSE [mV] (Voltage [V])"]
        print(electrode, error, record.seconds, record.counts, record.result["message"])
        print(record)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("ocp-function"))
