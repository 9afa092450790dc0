"""The objective of design: to make a cell better, without data."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from cellwright.schema.families import Objective, Regularizer
from cellwright.schema.values import settled
from cellwright.schema.variant import Example, Leaf


class DesignObjective(Objective):
    """Metrics of a simulated cell that are to be large, small, above or below a value.

    `actions` are the metrics with what is asked of them, by name; in a document they stand in `options`. `constraints`
    are further actions, or conditions on the parameters.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    positional = (
        "actions", "constraints", "options", "callbacks", "custom_parameters", "cost",
        "validate_against_experiment_steps", "output_variables_full", "save_at_cycles", "penalties", "parameters",
    )  # fmt: skip
    example: ClassVar = Example(
        fields={"actions": {"energy": {"type": "Maximize"}}, "options": {"model": "SPM"}},
    )

    type: Literal["DesignObjective"] = "DesignObjective"
    actions: dict[str, Any]
    constraints: dict[str, Any] | list[Regularizer] | None = None
    options: dict[str, Any] | None = None
    validate_against_experiment_steps: bool = True
    output_variables_full: list[str] | None = None
    save_at_cycles: list[int] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_options(cls, given: Any) -> Any:
        options = given.get("options") if isinstance(given, Mapping) else None
        if not isinstance(options, Mapping) or "actions" not in options or "actions" in given:
            return given
        rest = {name: value for name, value in options.items() if name != "actions"}
        return {**given, "actions": options["actions"], "options": rest or None}

    @field_validator("actions", "options", mode="before")
    @classmethod
    def _settled(cls, given: Any) -> Any:
        return settled(given)

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = super()._dump(leaf)
        actions = config.pop("actions")
        return {**config, "options": {**config.get("options", {}), "actions": actions}}
