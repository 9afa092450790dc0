"""The older name of objectives with data."""

from typing import Any, ClassVar, Literal

from cellwright.schema.families import FittingObjective
from cellwright.schema.variant import Example


class Objective(FittingObjective):
    """Older name of what all objectives with data share; it compares nothing of its own.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the comparison of a model with data).
    """

    example: ClassVar = Example(fields={"data": {"Time [s]": [0.0, 1.0], "Voltage [V]": [4.1, 4.0]}})

    type: Literal["Objective"] = "Objective"
    options: dict[str, Any] | None = None
