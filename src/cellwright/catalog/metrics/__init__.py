"""Metrics: numbers read from a simulated experiment (`cw.metrics`).

A metric reads a variable of the model over the whole experiment, or over one of its steps (`step`, counted from 0).
`by_cycle()` reads it in each cycle, there with `step` a step of the cycle; `by_step()` in each step. Metrics are added,
subtracted, multiplied, divided and made positive (`abs`) like numbers. The resistance of a pulse, in each cycle:

    dV = abs(cw.metrics.Time("Voltage [V]", 1.0) - cw.metrics.First("Voltage [V]"))
    (dV / abs(cw.metrics.Mean("Current [A]"))).by_cycle(step=2)

`cw.metrics.Parameter` reads a parameter: the energy per mass is `Last("Discharge energy [W.h]") /
Parameter("Cell mass [kg]")`. Steps and cycles count from 0.
"""

from cellwright.catalog.metrics.composed import AfterCycles, ComposedMetric, CyclewiseMetric, StepwiseMetric
from cellwright.catalog.metrics.variables import (
    SOC,
    First,
    Last,
    Maximum,
    Mean,
    Minimum,
    Parameter,
    Sum,
    Time,
    Voltage,
)
from cellwright.schema.metrics import Metric

__all__ = [
    "SOC",
    "AfterCycles",
    "ComposedMetric",
    "CyclewiseMetric",
    "First",
    "Last",
    "Maximum",
    "Mean",
    "Metric",
    "Minimum",
    "Parameter",
    "StepwiseMetric",
    "Sum",
    "Time",
    "Voltage",
]
