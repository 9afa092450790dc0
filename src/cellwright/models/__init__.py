"""The only place that imports PyBaMM: symbols, simulations, and our own models; here the public names of models.

Nothing in this file imports PyBaMM: models are named without it.
"""

import os

from cellwright.catalog.models import (
    ECM,
    CustomModel,
    ECMOptions,
    GITTModel,
    GITTModelOptions,
    LumpedSPMeR,
    LumpedSPMR,
    LumpedSPMROptions,
    MSMRFullCellModel,
    MSMRHalfCellModel,
    MSMRHalfCellModelOptions,
    PyBaMMModel,
    SimulationSettings,
    SingleElectrodeLumpedSPMR,
    SingleElectrodeLumpedSPMROptions,
)

__all__ = [
    "ECM",
    "CustomModel",
    "ECMOptions",
    "GITTModel",
    "GITTModelOptions",
    "LumpedSPMR",
    "LumpedSPMROptions",
    "LumpedSPMeR",
    "MSMRFullCellModel",
    "MSMRHalfCellModel",
    "MSMRHalfCellModelOptions",
    "PyBaMMModel",
    "SimulationSettings",
    "SingleElectrodeLumpedSPMR",
    "SingleElectrodeLumpedSPMROptions",
]

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
