"""Objectives at open circuit: potentials of electrodes, voltages of cells, and how the electrodes are balanced."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from cellwright.catalog.models import SimulatedOptions
from cellwright.schema.families import FittingObjective
from cellwright.schema.variant import Example, Schema

HalfCell = Literal["negative", "positive"]
Direction = Literal["lithiation", "delithiation"]
Limits = tuple[float, float]
Cutoff = Literal["none"] | float
BY_ELECTRODE = (
    "electrode", "data_input", "options", "callbacks", "custom_parameters", "constraints", "penalties", "parameters",
)  # fmt: skip


class OCPHalfCellOptions(Schema):
    """Which part of the data is compared, and what the lithiation of the last point is."""

    only_set = True

    theta_ref: float | None = None
    stoichiometry_limits: Limits | None = Field(default=None, alias="stoichiometry limits")
    voltage_limits: Limits | None = Field(default=None, alias="voltage limits")
    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: float | None = Field(default=None, alias="dQdU cutoff")
    direction: Direction | None = None


class OCPHalfCell(FittingObjective):
    """The open-circuit potential of an electrode as a function with free coefficients, compared with a half cell's.

    r = U(θ_i) - U_i at the stoichiometries θ_i that the measured capacities and the capacity of the electrode make.

    Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 3.
    """

    positional = BY_ELECTRODE
    example: ClassVar = Example(
        fields={
            "electrode": "positive",
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"stoichiometry limits": [0.02, 0.98]},
        }
    )

    type: Literal["OCPHalfCell"] = "OCPHalfCell"
    electrode: HalfCell
    options: OCPHalfCellOptions | None = None


class ElectrodeBalancingOptions(Schema):
    """What is compared of the voltage of a cell at rest, and on which points."""

    only_set = True

    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: float | None = Field(default=None, alias="dQdU cutoff")
    direction: Literal["charge", "discharge"] | None = None
    gitt: bool = Field(default=False, alias="GITT")
    dqdu_model_axis: bool = Field(default=False, alias="dQdU model axis")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class ElectrodeBalancing(FittingObjective):
    """The open-circuit voltage of a cell from the known potentials of its electrodes, compared with the measured one.

    V(q) = U_p(θ_p) - U_n(θ_n) with θ_k = (Q_k,0 ± q) / Q_k, where Q_k [A.h] is the capacity of an electrode and Q_k,0
    its excess capacity at the start of the data; beside V its slope dV/dq [V.A-1.h-1] is compared.

    Source: Dahn, Smith, Burns, Stevens & Dahn, J. Electrochem. Soc. 159 (2012) A1405, doi:10.1149/2.013209jes.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 2.5, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]},
            "options": {"direction": "discharge"},
        }
    )

    type: Literal["ElectrodeBalancing"] = "ElectrodeBalancing"
    options: ElectrodeBalancingOptions | None = None


class ElectrodeBalancingHalfCellOptions(Schema):
    """What is compared of the potential of an electrode at rest, and on which points."""

    only_set = True

    direction: Direction | None = None
    gitt: bool = Field(default=False, alias="GITT")
    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class ElectrodeBalancingHalfCell(FittingObjective):
    """Data of a half cell laid on a known open-circuit potential, by moving and stretching them in stoichiometry.

    r = U((Q_0 ± q_i) / Q) - U_i, with q_i the measured capacity [A.h], Q the capacity of the electrode and Q_0 its
    excess capacity at the start of the data.

    Source: Dahn, Smith, Burns, Stevens & Dahn, J. Electrochem. Soc. 159 (2012) A1405, doi:10.1149/2.013209jes.
    """

    positional = BY_ELECTRODE
    example: ClassVar = Example(
        fields={
            "electrode": "positive",
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"GITT": True},
        }
    )

    type: Literal["ElectrodeBalancingHalfCell"] = "ElectrodeBalancingHalfCell"
    electrode: HalfCell
    options: ElectrodeBalancingHalfCellOptions | None = None


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
