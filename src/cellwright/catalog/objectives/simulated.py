"""What objectives share that simulate what was done to the cell."""

from typing import Self

from pydantic import model_validator

from cellwright.schema.families import FittingObjective
from cellwright.schema.variant import InvalidDocumentError


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
