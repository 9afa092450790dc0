"""Models as they are named: by a string or an object in a document, or as a live model of PyBaMM in Python."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import PlainValidator, field_validator

from cellwright.catalog.models import MODULES, ModelObject, MSMRHalfCellModel, PyBaMMModel
from cellwright.errors import ConfigurationError, Problem
from cellwright.schema.families import Model
from cellwright.schema.live_model import LiveModel, content_digest
from cellwright.schema.simulation import OWN, ModelSpec
from cellwright.schema.values import settled
from cellwright.schema.variant import InvalidDocumentError, Schema, refuse_class

COUNTS = "calculate discharge energy"
"""The option of PyBaMM's models that has them count energies and throughputs."""


def model_of(given: Any) -> Model:
    """Return the model that a document names: by a name, by an object with `type`, or as a live PyBaMM model.

    Raises: `InvalidDocumentError` for anything else.
    """
    if isinstance(given, Model):
        return given
    refuse_class(given, "a model")
    if isinstance(given, str):
        given = {"type": given}
    if not isinstance(given, Mapping):
        given = _described(given)
    if "live" in given:
        return ModelObject(**given)
    tag = given.get("type")
    if isinstance(tag, str) and tag in Model.registry:
        return Model.parse(given)
    if tag is None and "electrode" in given:
        return MSMRHalfCellModel(**{**given, "type": None})
    if not isinstance(tag, str):
        raise InvalidDocumentError(
            "a model needs a 'type'", hint="for example {'type': 'SPMe', 'options': {'thermal': 'lumped'}}"
        )
    return PyBaMMModel(**given)


def spec_of(model: str | Model, settings: Mapping[str, Any] | None = None, variables: Iterable[str] = ()) -> ModelSpec:
    """Return the model as simulations take it, with further simulation settings merged over its own.

    `variables` are those that are read of it. Raises: `ConfigurationError` for a live model that does not count one.
    """
    spec = _counting(model_of(model).spec(), variables)
    own = dict(spec.settings)
    for name, value in (settings or {}).items():
        merge = isinstance(value, Mapping) and isinstance(own.get(name), Mapping)
        own[name] = {**own[name], **value} if merge else value
    return replace(spec, settings=own, own_settings=frozenset(own.keys() - (settings or {}).keys()))


def _counting(spec: ModelSpec, variables: Iterable[str]) -> ModelSpec:
    """Return the model with the option by which PyBaMM counts energies and throughputs, where one is read.

    Without it PyBaMM tells them as 0.
    """
    counted = [name for name in variables if "energy [W.h]" in name or "hroughput" in name]
    if not counted or spec.module == OWN or spec.options.get(COUNTS) == "true":
        return spec
    if spec.live is None:
        return replace(spec, options={**spec.options, COUNTS: "true"})
    if spec.options.get(COUNTS) == "false":
        raise ConfigurationError(
            f"the model {spec.type} does not count {counted[0]!r}, which PyBaMM then tells as 0",
            at=("options", "model"),
            hint=f"make the model with the option {{{COUNTS!r}: 'true'}}",
        )
    return spec


def _named(given: Any) -> str | Model | None:
    """Return a model as a field keeps it: a name stays a name, once it is known to be one."""
    if given is None:
        return None
    model = model_of(given)
    return given if isinstance(given, str) else model


AnyModel = Annotated[str | Model | None, PlainValidator(_named, json_schema_input_type=str | dict[str, Any] | None)]
"""A model in the options of an objective, by name or as an object."""


class SimulatedOptions(Schema):
    """Options of an objective that has a model, given or stored."""

    only_set = True
    later = frozenset({"parameterized_model_id"})

    model: AnyModel = None

    @field_validator("simulation_kwargs", mode="before", check_fields=False)
    @classmethod
    def _settled(cls, given: Any) -> Any:
        return settled(given)

    def unimplemented(self) -> Iterator[Problem]:
        """Yield, with its place, everything that is not implemented yet; a model by its bare name among it."""
        yield from super().unimplemented()
        if isinstance(self.model, str):
            yield from (replace(problem, at=("model", *problem.at)) for problem in model_of(self.model).unimplemented())


def _described(given: Any) -> Mapping[str, Any]:
    """Return the JSON form of a live model."""
    kind = type(given)
    if any(base.__name__ == "BaseModel" and base.__module__.startswith("pybamm.") for base in kind.__mro__):
        return _described_pybamm(given)
    if hasattr(given, "to_config"):
        config = given.to_config()
        if isinstance(config, Mapping):
            return config
    raise InvalidDocumentError(
        f"a model cannot be of type {kind.__name__}",
        hint="give a name such as 'SPMe', an object with 'type', or a PyBaMM model",
    )


def _stands_for(given: Any, module: str) -> bool:
    """Return whether a PyBaMM model is the one that its class and options stand for, and nothing was changed in it."""
    kind = type(given)
    if getattr(getattr(sys.modules.get("pybamm"), module, None), kind.__name__, None) is not kind:
        return False
    options = dict(given.options)
    try:
        fresh = kind(options=options) if options else kind()
    except Exception:  # not one that can be made again from its options
        return False
    return content_digest(given) == content_digest(fresh)


def _described_pybamm(given: Any) -> Mapping[str, Any]:
    """Return a live model's class and options, and the model itself where these do not stand for it."""
    kind = type(given)
    module = next((module for module in MODULES if module in kind.__module__.split(".")), None)
    said = {"type": kind.__name__, "module": module, "options": _plain(dict(getattr(given, "options", None) or {}))}
    if module is not None and _stands_for(given, module):
        return said
    if getattr(given, "is_processed", False):
        raise InvalidDocumentError(
            f"the model {kind.__name__} has been processed: parameters or a mesh are in it already",
            hint="give the model as it was before pybamm.Simulation or a discretisation took it",
        )
    live = LiveModel.of(given)
    return {**said, "module": kind.__module__, "live": live.digest, "content": live}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
