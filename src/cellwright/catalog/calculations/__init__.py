"""Calculations: parameters derived from others (`cw.calculations`)."""

from cellwright.catalog.calculations.arrhenius import ArrheniusLogLinear
from cellwright.catalog.calculations.balance import (
    CyclableLithium,
    CyclableLithiumOptions,
    ElectrodeBalanceFromFirstCycleEfficiency,
    MSMRFullCellCapacities,
    OpenCircuitLimits,
    StoichiometryAtMinimumSOC,
    StoichiometryLimitsFromCapacity,
    StoichiometryLimitsFromCapacityOptions,
)
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
from cellwright.catalog.calculations.initial_state import (
    InitialConcentrationFromInitialStoichiometryHalfCell,
    InitialConcentrationFromInitialStoichiometryHalfCellOptions,
    InitialSOCfromMaximumStoichiometry,
    InitialSOCfromMaximumStoichiometryOptions,
    InitialSOCHalfCell,
    InitialSOCHalfCellOptions,
    InitialStoichiometryFromVoltageHalfCell,
    InitialStoichiometryFromVoltageHalfCellOptions,
    InitialStoichiometryFromVoltageMSMRHalfCell,
    InitialVoltageFromConcentration,
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
from cellwright.catalog.calculations.windows import (
    ElectrodeSOH,
    ElectrodeSOHHalfCell,
    ElectrodeSOHHalfCellOptions,
    ElectrodeSOHOptions,
    InitialSOC,
    MSMRElectrodeSOHHalfCell,
)

__all__ = [
    "AreaToSquareWidthHeight",
    "ArrheniusLogLinear",
    "CellMass",
    "CyclableLithium",
    "CyclableLithiumOptions",
    "DensityFromVolumeAndMass",
    "DiameterToSquareWidthHeight",
    "ElectrodeBalanceFromFirstCycleEfficiency",
    "ElectrodeCapacity",
    "ElectrodeGeometryFromLoading",
    "ElectrodeSOH",
    "ElectrodeSOHHalfCell",
    "ElectrodeSOHHalfCellOptions",
    "ElectrodeSOHOptions",
    "ElectrodeVolumeFractionFromLoading",
    "ElectrodeVolumeFractionFromPorosity",
    "HalfCellNominalCapacity",
    "InitialConcentrationFromInitialStoichiometryHalfCell",
    "InitialConcentrationFromInitialStoichiometryHalfCellOptions",
    "InitialSOC",
    "InitialSOCHalfCell",
    "InitialSOCHalfCellOptions",
    "InitialSOCfromMaximumStoichiometry",
    "InitialSOCfromMaximumStoichiometryOptions",
    "InitialStoichiometryFromVoltageHalfCell",
    "InitialStoichiometryFromVoltageHalfCellOptions",
    "InitialStoichiometryFromVoltageMSMRHalfCell",
    "InitialVoltageFromConcentration",
    "JellyRollThermalDimensions",
    "LumpedHeatCapacityAndDensity",
    "MSMRElectrodeSOHHalfCell",
    "MSMRFullCellCapacities",
    "OCPDataInterpolant",
    "OCPDataInterpolantOptions",
    "OpenCircuitLimits",
    "PorosityFromElectrodeVolumeFraction",
    "PouchCellThermalDimensions",
    "SlopesToKnots",
    "SlopesToKnots2D",
    "SpecificHeatCapacity",
    "StoichiometryAtMinimumSOC",
    "StoichiometryLimitsFromCapacity",
    "StoichiometryLimitsFromCapacityOptions",
    "SurfaceAreaToVolumeRatio",
]
