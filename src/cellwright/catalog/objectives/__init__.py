"""Objectives: what a fit or a validation compares (`cw.objectives`)."""

from cellwright.catalog.objectives.ageing import (
    CalendarAgeing,
    CalendarAgeingOptions,
    CycleAgeing,
    CycleAgeingOptions,
)
from cellwright.catalog.objectives.balancing import (
    ElectrodeBalancing,
    ElectrodeBalancingHalfCell,
    ElectrodeBalancingHalfCellOptions,
    ElectrodeBalancingOptions,
)
from cellwright.catalog.objectives.current_driven import CurrentDriven, CurrentDrivenOptions
from cellwright.catalog.objectives.design import DesignObjective
from cellwright.catalog.objectives.general import Objective
from cellwright.catalog.objectives.impedance import EIS, EISOptions
from cellwright.catalog.objectives.msmr import MSMRFullCell, MSMRFullCellOptions, MSMRHalfCell, MSMRHalfCellOptions
from cellwright.catalog.objectives.ocp_half_cell import OCPHalfCell, OCPHalfCellOptions
from cellwright.catalog.objectives.pulse import (
    GITTFeatures,
    ICIFeatures,
    Overpotential,
    Pulse,
    PulseOptions,
    Resistances,
)
from cellwright.catalog.objectives.resistance import Resistance, ResistanceOptions

__all__ = [
    "EIS",
    "CalendarAgeing",
    "CalendarAgeingOptions",
    "CurrentDriven",
    "CurrentDrivenOptions",
    "CycleAgeing",
    "CycleAgeingOptions",
    "DesignObjective",
    "EISOptions",
    "ElectrodeBalancing",
    "ElectrodeBalancingHalfCell",
    "ElectrodeBalancingHalfCellOptions",
    "ElectrodeBalancingOptions",
    "GITTFeatures",
    "ICIFeatures",
    "MSMRFullCell",
    "MSMRFullCellOptions",
    "MSMRHalfCell",
    "MSMRHalfCellOptions",
    "OCPHalfCell",
    "OCPHalfCellOptions",
    "Objective",
    "Overpotential",
    "Pulse",
    "PulseOptions",
    "Resistance",
    "ResistanceOptions",
    "Resistances",
]
