"""What a writer hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.schema.expressions import Expression
from cellwright.schema.values import Function


@dataclass(frozen=True)
class Written:
    """Parameters in the form of another program.

    `left_out` says, by parameter, why the form cannot hold it or a part of it; `notes` tell what else became of the
    parameters on the way: tables in place of functions, values that were worked out.
    """

    text: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def no_quantity(value: Any) -> str:
    """Return why a value is nothing that a model computes with, or an empty string."""
    if isinstance(value, np.ndarray):
        return "" if value.dtype != object and value.dtype.kind in "fiu" else no_quantity(value.tolist())
    if isinstance(value, list):
        return next((reason for reason in map(no_quantity, value) if reason), "")
    if isinstance(value, bool) or not isinstance(value, int | float | Expression | Function):
        return f"it is {'text' if isinstance(value, str) else f'a {type(value).__name__}'}, no quantity"
    return ""
