"""Objectives: what a fit or a validation compares (`cw.objectives`)."""

from cellwright.catalog.objectives.ageing import (
    CalendarAgeing,
    CalendarAgeingOptions,
    CycleAgeing,
    CycleAgeingOptions,
)
from cellwright.catalog.objectives.current_driven import CurrentDriven, CurrentDrivenOptions
from cellwright.catalog.objectives.design import DesignObjective
from cellwright.catalog.objectives.impedance import EIS, EISOptions
from cellwright.catalog.objectives.open_circuit import (
    ElectrodeBalancing,
    ElectrodeBalancingHalfCell,
    ElectrodeBalancingHalfCellOptions,
    ElectrodeBalancingOptions,
    MSMRFullCell,
    MSMRFullCellOptions,
    MSMRHalfCell,
    MSMRHalfCellOptions,
    Objective,
    OCPHalfCell,
    OCPHalfCellOptions,
)
from cellwright.catalog.objectives.resistance import Resistance, ResistanceOptions
from cellwright.catalog.objectives.simulated import Pulse, PulseOptions

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
    "MSMRFullCell",
    "MSMRFullCellOptions",
    "MSMRHalfCell",
    "MSMRHalfCellOptions",
    "OCPHalfCell",
    "OCPHalfCellOptions",
    "Objective",
    "Pulse",
    "PulseOptions",
    "Resistance",
    "ResistanceOptions",
]
