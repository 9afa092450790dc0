"""Objectives at open circuit: potentials of electrodes, voltages of cells, and how the electrodes are balanced."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from cellwright.catalog.models import SimulatedOptions
from cellwright.schema.families import FittingObjective
from cellwright.schema.variant import Example

Limits = tuple[float, float]
Cutoff = Literal["none"] | float


class MSMRHalfCellOptions(SimulatedOptions):
    """The model of the electrode, what is compared and on which points, and what is asked of its species."""

    dudq_cutoff: Cutoff | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: Cutoff | None = Field(default=None, alias="dQdU cutoff")
    voltage_limits: Limits | None = Field(default=None, alias="voltage limits")
    gitt: bool = Field(default=False, alias="GITT")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    constrain_xj_method: Literal["project", "explicit", "reformulate"] = Field(
        default="project", alias="constrain Xj method"
    )
    penalize_xj_complement_bounds: bool = Field(default=False, alias="penalize Xj complement bounds")
    preserve_u0j_order: bool = Field(default=False, alias="preserve U0j order")


class MSMRHalfCell(FittingObjective):
    """The capacity of an electrode over its potential by an MSMR model, compared with a half cell's.

    r = q_model(U_i) - q_i [A.h], and the difference of the slopes dU/dq [V.A-1.h-1]. The capacity is compared as it is
    measured; its origin is the lower excess capacity of the electrode.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"model": {"electrode": "positive"}},
        }
    )

    type: Literal["MSMRHalfCell"] = "MSMRHalfCell"
    options: MSMRHalfCellOptions | None = None


class MSMRFullCellOptions(SimulatedOptions):
    """The models of the electrodes, what is compared, and on which points."""

    dudq_cutoff: Cutoff | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: Cutoff | None = Field(default=None, alias="dQdU cutoff")
    negative_voltage_limits: Limits | None = Field(default=None, alias="negative voltage limits")
    positive_voltage_limits: Limits | None = Field(default=None, alias="positive voltage limits")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class MSMRFullCell(FittingObjective):
    """The open-circuit voltage of a cell by MSMR models of its electrodes, compared with the measured one.

    r of the voltage over the capacity and of its slope dV/dq [V.A-1.h-1]; both together say more of the electrodes than
    the voltage alone.

    Source: Hu & Schwartz, J. Electrochem. Soc. 169 (2022) 030539.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 2.5, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]},
            "options": {"negative voltage limits": [0.005, 1.5], "positive voltage limits": [3.0, 4.3]},
        }
    )

    type: Literal["MSMRFullCell"] = "MSMRFullCell"
    options: MSMRFullCellOptions | None = None


class Objective(FittingObjective):
    """Older name of what all objectives with data share; it compares nothing of its own.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the comparison of a model with data).
    """

    example: ClassVar = Example(fields={"data": {"Time [s]": [0.0, 1.0], "Voltage [V]": [4.1, 4.0]}})

    type: Literal["Objective"] = "Objective"
    options: dict[str, Any] | None = None
