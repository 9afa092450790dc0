"""Calculations: parameters derived from others (`cw.calculations`)."""

from cellwright.catalog.calculations.capacity import ElectrodeCapacity, SurfaceAreaToVolumeRatio
from cellwright.catalog.calculations.open_circuit import OCPDataInterpolant, OCPDataInterpolantOptions
from cellwright.catalog.calculations.windows import ElectrodeSOH, ElectrodeSOHOptions, InitialSOC

__all__ = [
    "ElectrodeCapacity",
    "ElectrodeSOH",
    "ElectrodeSOHOptions",
    "InitialSOC",
    "OCPDataInterpolant",
    "OCPDataInterpolantOptions",
    "SurfaceAreaToVolumeRatio",
]
