"""The only place that imports PyBaMM: symbols, simulations, and our own models; here the public names of models.

Nothing in this file imports PyBaMM: models are named without it. The names are loaded on first use, since workers that
solve built models need none of them.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("cellwright.catalog.models"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
