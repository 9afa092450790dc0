"""Entries: known values."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError, NotImplementedYetError
from cellwright.schema.families import Entry
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import normalise
from cellwright.schema.variant import Example


class DirectEntry(Entry):
    """Known values, with the source they come from.

    Values are numbers, strings, arrays, DataFrames, functions (a Python function of NumPy arithmetic) or expressions;
    each parameter's name carries its unit in brackets. Exactly one of `parameters`, `pipeline_id` and `cell_spec_id`
    says where the values are.

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
    provenance: dict[str, dict[str, Any]] | None = None

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
                result[str(name)] = normalise(value)
            except ConfigurationError as error:
                raise error.within(str(name)) from None
        return result

    @model_validator(mode="after")
    def _one_origin(self) -> "DirectEntry":
        given = [name for name in ("parameters", "pipeline_id", "cell_spec_id") if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ConfigurationError(
                f"an entry has exactly one of parameters, pipeline_id and cell_spec_id, not {said}"
            )
        return self

    def compute(self, p: ParameterSet) -> Values:  # noqa: ARG002
        """Return the values as given. Raises: `NotImplementedYetError` for those that lie in a store."""
        if self.parameters is None:
            raise NotImplementedYetError("values from another pipeline or a cell specification cannot be read yet")
        return self.parameters

    def _dump(self, leaf: Any) -> dict[str, Any]:
        config = super()._dump(leaf)
        config.pop("name")
        if self.parameters is not None:
            config["values"] = config.pop("parameters")
        return config

    @classmethod
    def from_values(cls, config: Mapping[str, Any]) -> "DirectEntry":
        """Return the entry of a wire form, where the parameters are called `values`."""
        fields = dict(config)
        if "values" in fields:
            fields["parameters"] = fields.pop("values")
        return cls(**fields)
