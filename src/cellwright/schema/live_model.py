"""A PyBaMM model that lives in this process: told apart by its content, made ready for other processes if it can be."""

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from cellwright.errors import ConfigurationError

EQUATIONS = ("rhs", "algebraic", "initial_conditions", "boundary_conditions", "variables", "events")
RECIPE = ("default_geometry", "default_var_pts", "default_submesh_types", "default_spatial_methods")
DETAILS = (
    *("value", "entries_string", "x", "y", "function", "interpolator", "extrapolate"),
    *("bounds", "scale", "reference", "coord_sys", "side", "direction"),
)
"""What symbols hold beside their class, name, domains and children."""
Seen = dict[int, tuple[str, Any]]
"""The digests of symbols that were met before, with the symbols, so that their places in memory stay theirs."""


@dataclass(frozen=True)
class LiveModel:
    """A snapshot of a live model, with the SHA-256 of its equations, variables, events and mesh.

    Two of the same content are equal. A copy in another process is read from bytes at its first use, so that a worker
    whose models come built needs no PyBaMM.
    """

    digest: str
    content: "Content" = field(compare=False, repr=False)

    @classmethod
    def of(cls, model: Any) -> "LiveModel":
        """Return a model as it stands now; what becomes of the model later changes nothing."""
        return cls(content_digest(model), Content(model.new_copy()))

    def fresh(self) -> Any:
        """Return a copy of the model, to use up.

        Raises: `ConfigurationError` in a process that the model could not be sent to.
        """
        return self.content.model().new_copy()


class Content:
    """The model itself, or its bytes on the way to another process."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._bytes = b""

    def model(self) -> Any:
        """Return the model. Raises: `ConfigurationError` where it did not survive the way."""
        if self._model is None:
            try:
                self._model = pickle.loads(self._bytes)  # noqa: S301
            except Exception as cause:  # whatever the classes of a user raise
                raise ConfigurationError(
                    "the PyBaMM model object cannot be sent to another process",
                    at=("options", "model"),
                    hint="define its class at the top of a module, or run with executor='inline'",
                ) from cause
        return self._model

    def __getstate__(self) -> bytes:
        if not self._bytes:
            try:
                self._bytes = pickle.dumps(self._model)
            except Exception:  # told where the model is used, if it is
                self._bytes = b"\0"
        return self._bytes

    def __setstate__(self, state: bytes) -> None:
        self._model, self._bytes = None, state


def content_digest(model: Any) -> str:
    """Return the SHA-256 of all that a simulation takes from a model; the same in every process."""
    seen: Seen = {}
    parts: dict[str, Any] = {name: getattr(model, name) for name in EQUATIONS}
    for name in RECIPE:
        parts[name] = getattr(model, name, None)
    return _hashed([type(model).__name__, *(f"{name}:{part}" for name, part in _entries(parts, seen))])


def _said(value: Any, seen: Seen) -> str:
    if id(value) in seen:
        return seen[id(value)][0]
    if isinstance(value, Mapping):
        return _hashed(sorted(f"{name}:{item}" for name, item in _entries(value, seen)))
    if isinstance(value, list | tuple):
        return _hashed([_said(item, seen) for item in value])
    if isinstance(value, np.ndarray):
        return _hashed([str(value.shape), str(value.dtype), value.tobytes().hex()])
    if isinstance(value, type) or value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        return _hashed([_named(value) if isinstance(value, type) else f"{type(value).__name__} {value!r}"])
    if callable(value) and hasattr(value, "__name__"):
        return _hashed(list(_function(value, seen)))
    if hasattr(value, "children") and hasattr(value, "domains"):
        held = [_said(getattr(value, name, None), seen) for name in DETAILS]
        said = [_named(type(value)), str(value.name), repr(value.domains), *held]
        seen[id(value)] = (_hashed([*said, *(_said(child, seen) for child in value.children)]), value)
        return seen[id(value)][0]
    fields = {name: item for name, item in getattr(value, "__dict__", {}).items() if not name.startswith("_")}
    rest = _said(fields, seen) if fields or hasattr(value, "__dict__") else repr(value)
    return _hashed([_named(type(value)), str(getattr(value, "name", "")), _event(value, seen), rest])


def _event(value: Any, seen: Seen) -> str:
    expression = getattr(value, "expression", None)
    return "" if expression is None else f"{value.event_type} {_said(expression, seen)}"


def _entries(mapping: Mapping[Any, Any], seen: Seen) -> Iterator[tuple[str, str]]:
    for key, item in mapping.items():
        yield key if isinstance(key, str) else _said(key, seen), _said(item, seen)


def _function(given: Callable[..., Any], seen: Seen) -> Iterator[str]:
    """Yield what tells a function from others: its name, its code, and what it holds of its surroundings."""
    yield _named(given)
    code = getattr(given, "__code__", None)
    if code is not None:
        cells = [cell.cell_contents for cell in getattr(given, "__closure__", None) or ()]
        yield code.co_code.hex()
        yield repr([one for one in code.co_consts if not hasattr(one, "co_code")])
        yield _said([getattr(given, "__defaults__", None), cells], seen)


def _named(given: Any) -> str:
    return f"{getattr(given, '__module__', '')}.{getattr(given, '__qualname__', cast(Any, given).__name__)}"


def _hashed(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
