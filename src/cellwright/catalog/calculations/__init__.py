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
from cellwright.catalog.calculations.diffusivity import (
    ArrheniusDiffusivityFromMSMRData,
    ArrheniusDiffusivityFromMSMRFunction,
    DiffusivityDataInterpolant,
    DiffusivityDataInterpolantOptions,
    DiffusivityFromMSMRData,
    DiffusivityFromMSMRFunction,
    MSMRDiffusivityOptions,
)
from cellwright.catalog.calculations.entropic import (
    EntropicChangeDataInterpolant,
    EntropicChangeFromMSMRFunction,
    EntropicChangeInterpolantOptions,
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
from cellwright.catalog.calculations.msmr import (
    AverageMSMRParameters,
    AverageMSMRParametersOptions,
    MSMRFunction,
    OCPDataInterpolantMSMRExtrapolation,
    OCPMSMRInterpolant,
    OCPMSMRInterpolantOptions,
)
from cellwright.catalog.calculations.open_circuit import OCPDataInterpolant, OCPDataInterpolantOptions
from cellwright.catalog.calculations.piecewise import SlopesToKnots, SlopesToKnots2D
from cellwright.catalog.calculations.pulse_diffusivity import DiffusivityFromPulse, DiffusivityFromPulseOptions
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
    "ArrheniusDiffusivityFromMSMRData",
    "ArrheniusDiffusivityFromMSMRFunction",
    "ArrheniusLogLinear",
    "AverageMSMRParameters",
    "AverageMSMRParametersOptions",
    "CellMass",
    "CyclableLithium",
    "CyclableLithiumOptions",
    "DensityFromVolumeAndMass",
    "DiameterToSquareWidthHeight",
    "DiffusivityDataInterpolant",
    "DiffusivityDataInterpolantOptions",
    "DiffusivityFromMSMRData",
    "DiffusivityFromMSMRFunction",
    "DiffusivityFromPulse",
    "DiffusivityFromPulseOptions",
    "ElectrodeBalanceFromFirstCycleEfficiency",
    "ElectrodeCapacity",
    "ElectrodeGeometryFromLoading",
    "ElectrodeSOH",
    "ElectrodeSOHHalfCell",
    "ElectrodeSOHHalfCellOptions",
    "ElectrodeSOHOptions",
    "ElectrodeVolumeFractionFromLoading",
    "ElectrodeVolumeFractionFromPorosity",
    "EntropicChangeDataInterpolant",
    "EntropicChangeFromMSMRFunction",
    "EntropicChangeInterpolantOptions",
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
    "MSMRDiffusivityOptions",
    "MSMRElectrodeSOHHalfCell",
    "MSMRFullCellCapacities",
    "MSMRFunction",
    "OCPDataInterpolant",
    "OCPDataInterpolantMSMRExtrapolation",
    "OCPDataInterpolantOptions",
    "OCPMSMRInterpolant",
    "OCPMSMRInterpolantOptions",
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
