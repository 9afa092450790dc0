"""Entries: known values."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Entry
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import normalise
from cellwright.schema.variant import Example, Schema


class ProvenanceRecord(Schema):
    """Where a value was read: the path there, the value as written there and its unit."""

    path: str
    value: float
    unit: str = ""


class DirectEntry(Entry):
    """Known values, with the source they come from.

    Values are numbers, strings, arrays, DataFrames, functions (a Python function of NumPy arithmetic) or expressions;
    each parameter's name carries its unit in brackets. Exactly one of `parameters`, `pipeline_id` and `cell_spec_id`
    says where the values are.

    With `pipeline_id` they are the merged parameters of an earlier run that has completed, or those alone that `keep`
    names. With `cell_spec_id` and `mapping` (parameter name → path, `anode.properties.thickness`) they are read from a
    cell specification, whose quantities (`{"value": 72.225, "unit": "um"}`) are converted to the unit in the name:
    7.2225e-05 for `[m]`; a quantity without unit does for a parameter without unit alone. Both are read once, when the
    pipeline is submitted: from then on the entry holds values, with `source` and `provenance` telling where from.

    Source: what the user writes in `source`; it is kept with every value.
    """

    tag: ClassVar[str] = "name"
    positional = ("parameters", "source", "pipeline_id", "keep", "cell_spec_id", "mapping")

    name: Literal["direct_entry"] = "direct_entry"
    parameters: dict[str, Any] | None = None
    pipeline_id: str | None = None
    keep: list[str] | None = None
    cell_spec_id: str | None = None
    mapping: dict[str, str] | None = None
    provenance: dict[str, ProvenanceRecord] | None = None

    example: ClassVar = Example(
        fields={"parameters": {"Ambient temperature [K]": 298.15}, "source": "datasheet"},
        gives={"Ambient temperature [K]": 298.15},
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _normalised(cls, given: Any) -> Any:
        if given is None:
            return None
        if not isinstance(given, Mapping) and hasattr(given, "items"):
            given = {name: value for name, value in given.items() if name != "citations"}
        if not isinstance(given, Mapping):
            raise ConfigurationError(f"the parameters of an entry are a dict of names and values, not {given!r}")
        result = {}
        for name, value in given.items():
            try:
                if value is None:
                    raise ConfigurationError("the value is None", hint="give it a value, or leave the name out")
                result[str(name)] = normalise(value)
            except ConfigurationError as error:
                raise error.within(str(name)) from None
        return result

    @model_validator(mode="after")
    def _one_origin(self) -> "DirectEntry":
        origins = ("parameters", "pipeline_id", "cell_spec_id")
        given = [name for name in origins if getattr(self, name) not in (None, {})]
        if len(given) > 1:
            raise ConfigurationError(
                f"an entry has one of parameters, pipeline_id and cell_spec_id, not {' and '.join(given)}",
                hint="keep the one you meant",
            )
        if self.keep is not None and (self.pipeline_id is None or not self.keep):
            raise ConfigurationError("keep names parameters of the pipeline in pipeline_id", at=("keep",))
        if (self.cell_spec_id is None) != (not self.mapping):
            raise ConfigurationError("cell_spec_id and mapping need each other", at=("mapping",))
        return self

    @property
    def is_elsewhere(self) -> bool:
        """Whether the entry only says where its values lie: in an earlier run or a cell specification."""
        return self.pipeline_id is not None or self.cell_spec_id is not None

    def compute(self, p: ParameterSet) -> Values:
        """Return the values as given.

        Raises: `ConfigurationError` for values that lie elsewhere: they are read when the pipeline is submitted.
        """
        if self.is_elsewhere:
            where = (
                f"pipeline {self.pipeline_id!r}" if self.pipeline_id else f"cell specification {self.cell_spec_id!r}"
            )
            raise ConfigurationError(
                f"the values of {where} have not been read", hint="submit the pipeline, or run it with `cellwright.run`"
            )
        return self.parameters or {}

    def _dump(self, leaf: Any) -> dict[str, Any]:
        config = super()._dump(leaf)
        config.pop("name")
        values = config.pop("parameters", {})
        return config if self.is_elsewhere else {**config, "values": values}

    @classmethod
    def from_values(cls, config: Mapping[str, Any]) -> "DirectEntry":
        """Return the entry of a wire form, where the parameters are called `values`."""
        fields = dict(config)
        if "values" in fields:
            fields["parameters"] = fields.pop("values")
        return cls(**fields)
