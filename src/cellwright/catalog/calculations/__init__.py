"""Calculations: parameters derived from others (`cw.calculations`)."""

from cellwright.catalog.calculations.arrhenius import ArrheniusLogLinear
from cellwright.catalog.calculations.capacity import (
    ElectrodeCapacity,
    HalfCellNominalCapacity,
    SurfaceAreaToVolumeRatio,
)
from cellwright.catalog.calculations.geometry import (
    AreaToSquareWidthHeight,
    DiameterToSquareWidthHeight,
    ElectrodeGeometryFromLoading,
    JellyRollThermalDimensions,
    PouchCellThermalDimensions,
)
from cellwright.catalog.calculations.mass import CellMass, DensityFromVolumeAndMass
from cellwright.catalog.calculations.microstructure import (
    ElectrodeVolumeFractionFromLoading,
    ElectrodeVolumeFractionFromPorosity,
    PorosityFromElectrodeVolumeFraction,
)
from cellwright.catalog.calculations.open_circuit import OCPDataInterpolant, OCPDataInterpolantOptions
from cellwright.catalog.calculations.piecewise import SlopesToKnots, SlopesToKnots2D
from cellwright.catalog.calculations.thermal import LumpedHeatCapacityAndDensity, SpecificHeatCapacity
from cellwright.catalog.calculations.windows import ElectrodeSOH, ElectrodeSOHOptions, InitialSOC

__all__ = [
    "AreaToSquareWidthHeight",
    "ArrheniusLogLinear",
    "CellMass",
    "DensityFromVolumeAndMass",
    "DiameterToSquareWidthHeight",
    "ElectrodeCapacity",
    "ElectrodeGeometryFromLoading",
    "ElectrodeSOH",
    "ElectrodeSOHOptions",
    "ElectrodeVolumeFractionFromLoading",
    "ElectrodeVolumeFractionFromPorosity",
    "HalfCellNominalCapacity",
    "InitialSOC",
    "JellyRollThermalDimensions",
    "LumpedHeatCapacityAndDensity",
    "OCPDataInterpolant",
    "OCPDataInterpolantOptions",
    "PorosityFromElectrodeVolumeFraction",
    "PouchCellThermalDimensions",
    "SlopesToKnots",
    "SlopesToKnots2D",
    "SpecificHeatCapacity",
    "SurfaceAreaToVolumeRatio",
]
