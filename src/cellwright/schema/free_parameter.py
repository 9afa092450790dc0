"""The free parameters of a fit."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import decode_float
from cellwright.schema.families import Distribution, Regularizer
from cellwright.schema.variant import Leaf, Schema


class Parameter(Schema):
    """A free parameter: where to start, between which bounds, how to draw starts, what is known of it (`prior`).

    Without `initial_value` the middle of finite bounds is taken (in the transform's variable, where there is one),
    else 1. A bound may be None or infinite.
    """

    positional = (
        "name", "initial_value", "bounds", "prior", "normalize", "check_bounds", "check_initial_value",
        "initial_guess_distribution",
    )  # fmt: skip
    unwritten = frozenset({"name"})

    name: str
    initial_value: int | float | None = None
    bounds: tuple[int | float | None, int | float | None] | None = None
    prior: Distribution | Regularizer | None = None
    normalize: bool | None = None
    check_bounds: bool | None = None
    check_initial_value: bool | None = None
    initial_guess_distribution: Distribution | None = None

    @field_validator("prior", mode="plain")
    @classmethod
    def _known_before(cls, given: Any, info: ValidationInfo) -> Distribution | Regularizer | None:
        if given is None or isinstance(given, Distribution):
            return given
        fields = dict(given) if isinstance(given, Mapping) else {}
        if fields and fields.get("type") != "Prior" and not {"regularizer_weight", "distribution"} <= fields.keys():
            inner = fields.get("distribution", fields.get("type"))
            if not isinstance(inner, Mapping) and fields.get("type") not in Regularizer.registry:
                return Distribution.parse(given)
        return Regularizer.prior(given, str(info.data.get("name", "")))

    @field_validator("initial_guess_distribution")
    @classmethod
    def _of_one(cls, given: Distribution | None) -> Distribution | None:
        if given is not None and given.dimensions > 1:
            raise ConfigurationError(
                f"{type(given).__name__} is of several parameters, and the start is one number",
                hint="use Uniform or PointMass",
            )
        return given

    @field_validator("bounds", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        return [decode_float(end) if isinstance(end, Mapping) else end for end in given]

    @model_validator(mode="after")
    def _upright(self) -> "Parameter":
        low, high = self.limits
        if not low < high:
            raise ConfigurationError(f"the bounds of {self.name!r} are upside down: {low} is not below {high}")
        start = self.initial_value
        if start is not None and not low <= start <= high and self.check_initial_value is not False:
            raise ConfigurationError(
                f"the initial value {start} of {self.name!r} is outside its bounds {low} to {high}",
                hint="move the initial value or widen the bounds",
            )
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """The bounds, infinite where there is none."""
        low, high = self.bounds or (None, None)
        return (float("-inf") if low is None else float(low)), (float("inf") if high is None else float(high))

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = super()._dump(leaf)
        if self.bounds is not None:
            config["bounds"] = [None if end is None or math.isinf(end) else end for end in self.bounds]
        return config
