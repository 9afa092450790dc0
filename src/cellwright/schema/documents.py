"""Documents as strict JSON: numbers that JSON lacks are tagged, long lists of numbers are kept as arrays."""

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
LONG = 1024
"""From this many numbers on, a list is kept as an array."""


def pack(value: Any, keep: Callable[[Array], str]) -> Any:
    """Return a value as strict JSON; `keep` puts an array away and returns its digest."""
    match value:
        case np.generic():
            return pack(value.item(), keep)
        case float():
            return value if math.isfinite(value) else {"$float": str(value)}
        case np.ndarray():
            return {"$array": keep(value)}
        case Mapping():
            return {str(key): pack(item, keep) for key, item in value.items()}
        case list() | tuple():
            array = _as_array(value)
            return {"$list": keep(array)} if array is not None else [pack(item, keep) for item in value]
        case _:
            return value


def unpack(value: Any, load: Callable[[str], Array]) -> Any:
    """Return what `pack` was given; `load` returns the array of a digest."""
    match value:
        case {"$float": text}:
            return float(text)
        case {"$array": digest}:
            return load(digest)
        case {"$list": digest}:
            return load(digest).tolist()
        case dict():
            return {key: unpack(item, load) for key, item in value.items()}
        case list():
            return [unpack(item, load) for item in value]
        case _:
            return value


def to_text(array: Array) -> str:
    """Return an array as text, to the bit: its `.npy` file in base 64."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return base64.b64encode(buffer.getvalue()).decode()


def from_text(text: str) -> Array:
    """Return the array that `to_text` was given."""
    array: Array = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return array


def _as_array(values: Sequence[Any]) -> Array | None:
    """Return a long list of numbers of one type as the array that gives it back to the bit, or None."""
    if len(values) < LONG or len(kinds := {type(value) for value in values}) > 1:
        return None
    if kinds == {float}:
        return np.array(values, dtype=np.float64)
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, dtype=np.int64)
    return None
