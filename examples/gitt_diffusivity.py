"""Diffusivity of both electrodes of the LG M50 against their stoichiometry, from a titration with three electrodes.

python examples/gitt_diffusivity.py [folder for the picture]
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import pybamm

import cellwright as cw

HERE = Path(__file__).parent
DATA = HERE / "data" / "lg_m50" / "gitt"
OCP = HERE.parent / "src" / "cellwright" / "demo" / "lg_m50"

# Each electrode is taken as a half cell, whose electrode is called positive whatever it is.
Q, LOWER = "Positive electrode capacity [A.h]", "Positive electrode lower excess capacity [A.h]"
D, OHM = "Positive particle diffusivity [m2.s-1]", "Ohmic resistance [Ohm]"
FARADAY = 96485.33212


@dataclass(frozen=True)
class Material:
    """An electrode: geometry of Chen et al. (2020), doi:10.1149/1945-7111/ab9050, and their diffusivity."""

    label: str
    electrode: str
    ocp: str
    concentration: float
    fraction: float
    thickness: float
    radius: float
    published: float
    correction: float
    """The correcting factor of O'Regan et al., by which PyBaMM's function multiplies what they measured."""


NMC = Material("NMC 811", "Positive", "nmc_LGM50_ocp_Chen2020.csv", 63104.0, 0.665, 75.6e-6, 5.22e-6, 4e-15, 2.7)
GRAPHITE = Material(
    "graphite-SiOx", "Negative", "graphite_LGM50_ocp_Chen2020.csv", 33133.0, 0.75, 85.2e-6, 5.86e-6, 3.3e-14, 3.0321
)


@dataclass(frozen=True)
class Found:
    """What was found of an electrode; `known` is where the data determine the diffusivity within a factor of 2."""

    stoichiometry: np.ndarray
    diffusivity: np.ndarray
    known: np.ndarray
    rmse: np.ndarray
    formula: dict[float, float]


def main(folder: Path | None) -> None:
    """Find the diffusivities of both electrodes, and tell them; draw them where a folder is given."""
    found = {material: diffusivity(material) for material in (NMC, GRAPHITE)}
    for material, one in found.items():
        print(f"\n{material.label}: stoichiometry, diffusivity [m2.s-1], RMSE [mV], by the formula")
        for x, value, known, rmse in zip(one.stoichiometry, one.diffusivity, one.known, one.rmse, strict=True):
            said = f"{value:.2e}" if known else "not determined"
            print(f"  {x:.3f}  {said:>14}  {rmse:5.2f}  {one.formula.get(x, float('nan')):.2e}")
    if folder:
        draw(found, folder / "gitt-diffusivity.png")


def diffusivity(material: Material) -> Found:
    """Return the diffusivity of an electrode at each pulse, by fits of a model and by the formula."""
    pulses = cw.split_pulses([half_cell(material, number) for number in range(1, 39)])

    # Where the electrode works: its rests laid on the published open-circuit potential.
    points = {"data": f"file:{OCP / material.ocp}", "options": {"columns": ["Stoichiometry", "Voltage [V]"]}}
    balance = cw.DataFit(
        cw.objectives.ElectrodeBalancingHalfCell(
            "positive", pulses.rests, options={"GITT": True, "objective variables": ["Voltage [V]"]}
        ),
        parameters={Q: cw.Parameter(Q, 0.017, (0.012, 0.03)), LOWER: cw.Parameter(LOWER, 0.003, (0.0, 0.01))},
    )
    laid = cw.run(cw.Pipeline({"ocp": cw.calculations.OCPDataInterpolant("positive", points), "balance": balance}))
    capacity, lower = laid.parameters.number(Q), laid.parameters.number(LOWER)
    entered = pulses.rests["Capacity [A.h]"]
    start = (lower - entered.min()) / capacity
    (shift,) = (
        row["RMSE [mV] (Voltage [V])"]["fitted"] for row in laid.element("balance").result["objectives"].values()
    )
    print(
        f"{material.label}: {1e3 * capacity:.2f} mA.h, from {start:.3f} to {start + entered[-1] / capacity:.3f}", end=""
    )
    print(f", rests {shift:.1f} mV from the published potential")

    # A model of diffusion and a resistance at each pulse, with the rests themselves as the open-circuit potential.
    area = capacity * 3600 / (FARADAY * material.concentration * material.fraction * material.thickness)
    known = {
        "Positive particle radius [m]": material.radius,
        "Maximum concentration in positive electrode [mol.m-3]": material.concentration,
        "Positive electrode active material volume fraction": material.fraction,
        "Positive electrode thickness [m]": material.thickness,
        "Electrode cross-sectional area [m2]": area,
        "Nominal cell capacity [A.h]": capacity,
        "Initial temperature [K]": 298.15,
    }
    model = cw.models.GITTModel(options={"working electrode": "positive"})
    named = pulses.by_stoichiometry(start, capacity)
    fit = cw.ArrayDataFit(
        {sto: cw.objectives.Pulse(pulse, options={"model": model}) for sto, pulse in named.items()},
        parameters={
            D: cw.transforms.Log10(cw.Parameter(D, 5e-15, (1e-17, 1e-12))),
            OHM: cw.Parameter(OHM, 5.0, (0.0, 50.0)),
        },
    )
    pipeline = cw.Pipeline(
        {
            "cell": cw.direct_entries.DirectEntry(known, source="Chen et al. 2020, doi:10.1149/1945-7111/ab9050"),
            "ocp": cw.calculations.OCPDataInterpolant(
                "positive", pulses.open_circuit(start, capacity), options={"interpolator": "pchip"}
            ),
            "pulses": fit,
            "diffusivity": cw.calculations.DiffusivityDataInterpolant(
                "positive", f"table:{D}", options={"transformation": "log"}
            ),
        }
    )
    result = cw.run(pipeline).element("pulses").result
    fits = {float(sto): one for sto, one in result["fits"].items()}
    rmse = [result["objectives"][sto]["RMSE [mV] (Voltage [V])"]["fitted"] for sto in result["fits"]]

    # The formula of Weppner and Huggins between 5 and 60 s, where the pulse is short against R²/D.
    formula = {}
    for sto, pulse in named.items():
        options = {"dt_IR": 5.0, "dt_pulse": 60.0}
        calculation = cw.calculations.DiffusivityFromPulse("positive", pulse, options=options)
        try:
            formula[sto] = calculation.compute(cw.ParameterSet(known))[D]
        except cw.CellwrightError:  # a plateau: the rests have not moved, or the other way
            continue
    return Found(
        stoichiometry=np.array(list(fits)),
        diffusivity=np.array([one["parameter_values"][D] for one in fits.values()]),
        known=np.array([determined(one) for one in fits.values()]),
        rmse=np.array(rmse),
        formula=formula,
    )


def half_cell(material: Material, number: int) -> dict[str, np.ndarray]:
    """Return a pulse of one electrode against the reference.

    The file counts a discharge of the cell as negative. It fills the positive electrode, which is the discharge of a
    half cell, and empties the negative one, which is a charge of its half cell.
    """
    table = pl.read_csv(DATA / f"pulse_{number}.csv")
    sign = -1.0 if material.electrode == "Positive" else 1.0
    return {
        "Time [s]": table["Time [s]"].to_numpy(),
        "Current [A]": sign * table["Current [A]"].to_numpy(),
        "Voltage [V]": table[f"{material.electrode} electrode potential [V]"].to_numpy(),
    }


def determined(fit: dict) -> bool:
    """Return whether the 95 % interval of the diffusivity of a fit is narrower than a factor of 2 to both sides."""
    interval = fit["identifiability"]["parameters"].get(D, {}).get("interval")
    return interval is not None and fit["parameter_values"][D] / interval[0] < 2 and interval[1] < 9e-13


def draw(found: dict[Material, Found], path: Path) -> None:
    """Draw the diffusivities beside those that others have published."""
    figure, panels = plt.subplots(1, 2, figsize=(10.0, 4.2), layout="constrained", sharey=True)
    for axes, (material, one) in zip(panels, found.items(), strict=True):
        x, known = one.stoichiometry, one.known
        values = pybamm.ParameterValues("ORegan2022")[f"{material.electrode} particle diffusivity [m2.s-1]"]
        at = np.linspace(0.02, 0.97, 300)
        theirs = [float(values(pybamm.Scalar(sto), pybamm.Scalar(298.15)).evaluate()) for sto in at]
        axes.semilogy(at, theirs, "k-", lw=1, label="O'Regan et al. 2022")
        axes.semilogy(at, np.array(theirs) / material.correction, "k--", lw=1, label="the same, as measured")
        axes.axhline(material.published, color="k", ls=":", lw=1, label="Chen et al. 2020")
        axes.semilogy(x[known], one.diffusivity[known], "o", color="C0", label="GITTModel fitted to each pulse")
        inside = ~known & (one.diffusivity < 2e-13)
        axes.semilogy(x[inside], one.diffusivity[inside], "o", mfc="none", color="C0", label="the same, not determined")
        axes.semilogy(list(one.formula), list(one.formula.values()), "x", color="C1", ms=5, label="formula, 5 to 60 s")
        axes.set(xlabel="stoichiometry", title=material.label, xlim=(0, 1), ylim=(1e-17, 1e-13))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("diffusivity [m$^2$ s$^{-1}$]")
    panels[0].legend(frameon=False, fontsize=8, loc="lower left")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    warnings.filterwarnings(
        "ignore", message="the voltage still moves"
    )  # it does; see docs/workflows/gitt-diffusivity.md
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
