"""Objectives that simulate what was done to the cell: pulses and impedance."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cellwright.catalog.models import LiveFunction, SimulatedOptions
from cellwright.schema.families import FittingObjective
from cellwright.schema.variant import Example, InvalidDocumentError


class SimulationObjective(FittingObjective):
    """An objective that needs a model to simulate."""

    @model_validator(mode="after")
    def _with_model(self) -> Self:
        model, stored = (getattr(self.options, name, None) for name in ("model", "parameterized_model_id"))
        if model is None and not stored:
            raise InvalidDocumentError(
                f"{type(self).__name__} needs a model",
                at=("options", "model"),
                hint="for example options={'model': 'SPMe'}",
            )
        return self


class PulseOptions(SimulatedOptions):
    """The model, what is compared, and how closely the measured current is followed.

    `objective_variables` is a function that makes features of a pulse; it stays in the process that made it.
    """

    unwritten = frozenset({"objective_variables"})
    later = frozenset({"parameterized_model_id", "objective_variables"})

    parameterized_model_id: str | None = None
    simulation_kwargs: dict[str, Any] | None = None
    objective_variables: LiveFunction | None = Field(default=None, alias="objective variables")
    interpolant_atol: float | None = None
    interpolant_rtol: float | None = None
    interpolant_lossless: bool = False


class Pulse(SimulationObjective):
    """The model driven by measured pulses (GITT, HPPC, ICI), compared with the voltage or with features of each pulse.

    r = V_model(t_i) - V_data(t_i) at the measured times, or the differences of overpotential, resistance, relaxation
    time and slope over the square root of time, pulse by pulse.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """

    example: ClassVar = Example(
        fields={
            "data": {
                "Time [s]": [0.0, 10.0, 20.0],
                "Current [A]": [5.0, 5.0, 0.0],
                "Voltage [V]": [3.9, 3.8, 3.88],
                "Step count": [0.0, 0.0, 1.0],
            },
            "options": {"model": "SPM"},
        }
    )

    type: Literal["Pulse"] = "Pulse"
    options: PulseOptions | None = None
