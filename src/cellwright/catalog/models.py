"""Models, as documents name them."""

from collections.abc import Mapping
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.schema.families import SimulationSettings
from cellwright.schema.simulation import ModelSpec
from cellwright.schema.variant import InvalidDocumentError

_FIELDS = frozenset({"type", "options", "module", "simulation_settings"})


def as_config(given: Any) -> Any:
    """Return the wire form of a model: a name, an object with `type` and `options`, or a live PyBaMM model.

    Raises: `InvalidDocumentError` for anything else.
    """
    if isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - _FIELDS)
        if unknown or not isinstance(given.get("type"), str):
            said = f"a model has no field {unknown[0]!r}" if unknown else "a model needs a 'type'"
            raise InvalidDocumentError(said, hint="for example {'type': 'SPMe', 'options': {'thermal': 'lumped'}}")
        return dict(given)
    kind = type(given)
    if kind.__module__.split(".")[0] == "pybamm":
        return {"type": kind.__name__, "module": _module(kind), "options": _plain(dict(given.options))}
    if hasattr(given, "to_config"):
        return given.to_config()
    raise InvalidDocumentError(
        f"a model cannot be of type {kind.__name__}",
        hint="give a name such as 'SPMe', an object with 'type', or a PyBaMM model",
    )


def model_spec(config: Any, settings: Mapping[str, Any] | None = None) -> ModelSpec:
    """Return the model that a wire form stands for, with further simulation settings merged over its own."""
    if isinstance(config, str):
        return ModelSpec(config, settings=dict(settings or {}))
    own = config.get("simulation_settings") or {}
    own = own.to_config() if isinstance(own, SimulationSettings) else dict(own)
    for name, value in (settings or {}).items():
        merge = isinstance(value, Mapping) and isinstance(own.get(name), Mapping)
        own[name] = {**own[name], **value} if merge else value
    options = {name: _tuples(value) for name, value in (config.get("options") or {}).items()}
    return ModelSpec(config["type"], options, config.get("module") or "lithium_ion", own)


def _module(kind: type[Any]) -> str:
    parts = kind.__module__.split(".")
    for module in ("lithium_ion", "lead_acid", "equivalent_circuit", "sodium_ion"):
        if module in parts:
            return module
    raise ConfigurationError(f"the PyBaMM model {kind.__name__} of {kind.__module__} is not one that can be named")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
