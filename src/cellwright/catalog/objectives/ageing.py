"""Objectives of ageing: degradation modes over storage, and summaries over cycles."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from cellwright.catalog.models import SimulatedOptions
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.schema.values import settled
from cellwright.schema.variant import Example


class CalendarAgeingOptions(SimulatedOptions):
    """The model, and which degradation modes are compared (default: loss of lithium)."""

    parameterized_model_id: str | None = None
    modes: list[Literal["LLI [%]", "LAM_ne [%]", "LAM_pe [%]"]] | None = None
    simulation_kwargs: dict[str, Any] | None = None


class CalendarAgeing(SimulationObjective):
    """A cell in storage: the losses of lithium and of active material over time, compared with the measured ones.

    r = y_model(t_i) - y_data(t_i) for each of `modes`, in percent of the fresh cell.

    Source: Birkl, Roberts, McTurk, Bruce & Howey, J. Power Sources 341 (2017) 373, doi:10.1016/j.jpowsour.2016.12.011.
    """

    example: ClassVar = Example(
        fields={"data": {"Time [s]": [0.0, 1e7], "LLI [%]": [0.0, 2.0]}, "options": {"model": "SPM"}}
    )

    type: Literal["CalendarAgeing"] = "CalendarAgeing"
    options: CalendarAgeingOptions | None = None


class CycleAgeingOptions(SimulatedOptions):
    """The model, the cycling protocol, and what is compared of each cycle.

    `experiment` is a PyBaMM experiment, or "from data": it is made of the steps of the data, which end after their
    measured length (`termination` "duration") or at the value that they were to reach ("events").
    """

    parameterized_model_id: str | None = None
    experiment: Any = None
    termination: Literal["duration", "events"] | None = None
    use_cv: bool | None = None
    split_cc_cv: bool | None = None
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    metrics: dict[str, Any] | None = None
    simulation_kwargs: dict[str, Any] | None = None

    @field_validator("experiment", mode="before")
    @classmethod
    def _protocol(cls, given: Any) -> Any:
        protocol = settled(given)
        return {"from data": protocol} if type(given).__module__.split(".")[0] == "ionworksdata" else protocol

    @field_validator("metrics", mode="before")
    @classmethod
    def _metrics(cls, given: Any) -> Any:
        return settled(given)


class CycleAgeing(SimulationObjective):
    """A cell that is cycled: capacity, resistance and losses of each cycle, compared with the measured ones.

    r = y_model(n_i) - y_data(n_i) for each of `objective variables` at the cycles n_i that have a measured value.

    Source: O'Kane et al., Phys. Chem. Chem. Phys. 24 (2022) 7909, doi:10.1039/D2CP00417H.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Cycle number": [1.0, 100.0], "LLI [%]": [0.0, 3.0]},
            "options": {"model": "SPM", "experiment": "from data", "objective variables": ["LLI [%]"]},
        }
    )

    type: Literal["CycleAgeing"] = "CycleAgeing"
    options: CycleAgeingOptions | None = None
