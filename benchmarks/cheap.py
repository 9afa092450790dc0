"""How long a pipeline of cheap elements takes: thirty of them to check and to run, after import.

Prints milliseconds, the best and the median of the rounds. Each element is another: entries and calculations as they
stand in a parameterisation from a datasheet.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import cellwright as cw

ROUNDS = 20
KNOWN = {
    "Electrode height [m]": 0.065,
    "Electrode width [m]": 1.58,
    "Lower voltage cut-off [V]": 2.5,
    "Upper voltage cut-off [V]": 4.2,
    "Negative electrode thickness [m]": 85.2e-6,
    "Positive electrode thickness [m]": 75.6e-6,
    "Negative electrode active material volume fraction": 0.75,
    "Positive electrode active material volume fraction": 0.665,
    "Negative particle radius [m]": 5.86e-6,
    "Positive particle radius [m]": 5.22e-6,
    "Maximum concentration in negative electrode [mol.m-3]": 33133.0,
    "Maximum concentration in positive electrode [mol.m-3]": 63104.0,
    "Cyclable lithium capacity [A.h]": 7.5,
    "Separator thickness [m]": 12e-6,
    "Separator porosity": 0.47,
    "Separator density [kg.m-3]": 397.0,
    "Electrolyte density [kg.m-3]": 1200.0,
    "Negative electrode active material density [kg.m-3]": 2260.0,
    "Positive electrode active material density [kg.m-3]": 4870.0,
    "Negative electrode carbon-binder density [kg.m-3]": 1800.0,
    "Positive electrode carbon-binder density [kg.m-3]": 1800.0,
    "Negative current collector thickness [m]": 12e-6,
    "Positive current collector thickness [m]": 16e-6,
    "Negative current collector density [kg.m-3]": 8960.0,
    "Positive current collector density [kg.m-3]": 2700.0,
    "Pouch height [m]": 0.065,
    "Pouch width [m]": 0.1,
    "Pouch thickness [m]": 0.004,
    "Cell heat capacity [J.K-1]": 70.0,
    "Contact resistance at SOC 0 [Ohm]": 0.01,
    "Contact resistance slope from SOC 0 to 0.5 [Ohm]": -0.01,
    "Contact resistance slope from SOC 0.5 to 1 [Ohm]": 0.0,
}
"""A cell after Chen et al., J. Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050."""


def elements() -> dict[str, Any]:
    """Return thirty elements of a cell's parameterisation, by name."""
    sto = np.linspace(0.005, 0.995, 100)
    graphite = 1.9793 * np.exp(-39.3631 * sto) + 0.2482 - 0.0909 * np.tanh(29.8538 * (sto - 0.1234))
    nickel = -0.8090 * sto + 4.4875 - 0.0428 * np.tanh(18.5138 * (sto - 0.5542))
    entries: dict[str, dict[str, Any]] = {
        "datasheet": {"values": KNOWN, "source": "Chen et al. 2020"},
        "temperatures": {"name": "temperatures"},
        "electrolyte": {"name": "nyman_electrolyte", "c_e": 1000},
        "tortuosity": {"name": "bruggeman"},
        "cells": {"name": "standard_defaults"},
        "entropy": {"name": "zero_entropic_change"},
        "activation": {"name": "zero_activation_energy"},
        "sei": {"name": "sei_defaults"},
    }
    calculations: dict[str, dict[str, Any]] = {
        "voltages": {"type": "OpenCircuitLimits"},
        "volume": {"type": "PouchCellThermalDimensions"},
        "mass": {"type": "CellMass"},
        "density": {"type": "DensityFromVolumeAndMass"},
        "heat": {"type": "SpecificHeatCapacity"},
        "layers": {"type": "LumpedHeatCapacityAndDensity"},
        "window": {"type": "ElectrodeSOH"},
        "start": {"type": "InitialSOC", "soc": 0.8},
        "knots": {
            "type": "SlopesToKnots",
            "base_parameter_name": "Contact resistance [Ohm]",
            "breakpoint_values": [0, 0.5, 1],
            "breakpoint_parameter_name": "SOC",
        },
    }
    for electrode, potential in (("negative", graphite), ("positive", nickel)):
        curve = {"Stoichiometry": sto.tolist(), "Voltage [V]": potential.tolist()}
        own = {
            "porosity": {"type": "PorosityFromElectrodeVolumeFraction"},
            "capacity": {"type": "ElectrodeCapacity"},
            "surface": {"type": "SurfaceAreaToVolumeRatio"},
            "potential": {"type": "OCPDataInterpolant", "data": curve},
        }
        calculations = {
            **{f"{electrode} {name}": {**one, "electrode": electrode} for name, one in own.items()},
            **calculations,
        }
        entries[f"{electrode} diffusivity"] = {"name": "arrhenius_particle_diffusivity", "electrode": electrode}
        entries[f"{electrode} kinetics"] = {
            "name": "arrhenius_butler_volmer_exchange_current_density",
            "electrode": electrode,
        }
    entries["voltage"] = {"values": {"Nominal cell capacity [A.h]": 5.0}}
    return {name: {"element_type": "entry", **one} for name, one in entries.items()} | {
        name: {"element_type": "calculation", **one} for name, one in calculations.items()
    }


def measured(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the best and the median time [ms] of the rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return min(times), statistics.median(times)


def main() -> None:
    """Print the table."""
    document = {"elements": elements()}
    pipeline = cw.Pipeline.from_config(document)
    work = {
        "read": lambda: cw.Pipeline.from_config(document),
        "check": lambda: cw.check(pipeline),
        "run (with its check)": lambda: cw.run(pipeline),
    }
    print(f"{len(pipeline.elements)} elements, {ROUNDS} rounds")
    for name, one in work.items():
        best, median = measured(one)
        print(f"{name:22} best {best:6.1f} ms   median {median:6.1f} ms")


if __name__ == "__main__":
    main()
