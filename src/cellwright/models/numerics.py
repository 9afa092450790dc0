"""Mesh, spatial methods and solver of a simulation, as a document's `simulation_settings` name them."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pybamm

from cellwright.errors import ConfigurationError, did_you_mean

RTOL, ATOL = 1e-4, 1e-6
AT = ("options", "simulation_kwargs")
AT_A_SURFACE = 3
"""Points that a particle needs, from which PyBaMM extrapolates to its surface."""
_KEYWORDS = ("var_pts", "geometry", "submesh_types", "spatial_methods")
_SOLVER = frozenset(inspect.signature(pybamm.IDAKLUSolver).parameters)
_SET_BY_US = {"output_variables", "root_method", "store_first_last", "on_failure"}


def simulation_keywords(model: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings but the solver as keywords of `pybamm.Simulation`, merged key by key over the model's own.

    A submesh or a spatial method is a PyBaMM object, a class name, or the JSON form that PyBaMM writes.

    Raises: `ConfigurationError` for an unknown setting, spatial variable, domain or class.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given.keys() - {*_KEYWORDS, "solver"}:
        raise _unknown("simulation setting", name, (*_KEYWORDS, "solver"), name)
    keywords = {}
    for name in given.keys() & set(_KEYWORDS):
        own = getattr(model, f"default_{name}")
        keywords[name] = type(own)({**own, **_by_own_keys(model, name, given[name])})
    return keywords


def _by_own_keys(model: Any, setting: str, given: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a setting's values by the model's own keys: spatial variables, or domains.

    Raises: `ConfigurationError` for a key that the model does not have.
    """
    own = getattr(model, f"default_{setting}")
    # PyBaMM's methods may be given for the single domains of the "macroscale" that its models name.
    keys = (*own, *model.default_submesh_types) if setting == "spatial_methods" else own
    found = _matched(given, keys, "spatial variable" if setting == "var_pts" else "domain", setting)
    if setting == "var_pts":
        _enough(model, found)
    if setting == "geometry":
        return {key: _matched(extents, own[key], "spatial variable", setting) for key, extents in found.items()}
    readers: dict[str, Callable[[Any], Any]] = {"submesh_types": _submesh, "spatial_methods": _spatial_method}
    read = readers.get(setting, lambda value: value)
    return {key: read(value) for key, value in found.items()}


def _enough(model: Any, points: Mapping[Any, Any]) -> None:
    """Make sure that a mesh has enough points. Raises: `ConfigurationError` naming the variable that has too few."""
    domains = {_name(key): domain for domain, extents in model.default_geometry.items() for key in extents}
    for key, count in points.items():
        least = AT_A_SURFACE if domains.get(_name(key), "").endswith("particle") else 1
        if not isinstance(count, int) or count < least:
            raise ConfigurationError(
                f"{_name(key)!r} has {count!r} points, and needs a whole number of at least {least}",
                at=(*AT, "var_pts"),
                hint="the value at the surface of a particle follows from its outer points" if least > 1 else None,
            )


def _matched(given: Mapping[Any, Any], keys: Iterable[Any], what: str, setting: str) -> dict[Any, Any]:
    """Return the values by those keys that have the names of the given ones.

    Raises: `ConfigurationError` for a name that no key has, and where there are no names.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{setting!r} names a {what} and its value, and is not {given!r}", at=(*AT, setting))
    known = {_name(key): key for key in keys}
    for key in given:
        if _name(key) not in known:
            raise _unknown(what, _name(key), known, setting)
    return {known[_name(key)]: value for key, value in given.items()}


def _name(key: Any) -> str:
    """Return the name of a domain or a spatial variable."""
    return key.name if isinstance(key, pybamm.Symbol) else str(key)


def solver_of(given: Any, variables: tuple[str, ...] = ()) -> Any:
    """Return the solver: IDAKLU with the given tolerances and options, which evaluates the variables, if any, itself.

    `given` is a PyBaMM solver, a class name, or its JSON form. Another solver than IDAKLU lends its tolerances alone.

    Raises: `ConfigurationError` for an unknown solver or option.
    """
    if isinstance(given, pybamm.BaseSolver):
        given = {"type": type(given).__name__, "rtol": given.rtol, "atol": given.atol, "options": given._options}
    fields: dict[str, Any] = {"type": given} if isinstance(given, str) else dict(given or {})
    kind = str(fields.pop("type", "IDAKLUSolver"))
    if not _is_class(kind, pybamm.BaseSolver):
        raise _unknown("solver", kind, [name for name in dir(pybamm) if name.endswith("Solver")], "solver")
    if kind != "IDAKLUSolver":
        fields = {name: fields[name] for name in ("rtol", "atol") if name in fields}
    for name in fields.keys() - _SOLVER:
        raise _unknown("solver option", name, _SOLVER, "solver")
    chosen: dict[str, Any] = {name: value for name, value in fields.items() if name not in _SET_BY_US}
    options = {**(chosen.pop("options", None) or {}), "silence_sundials_errors": True}
    try:
        return pybamm.IDAKLUSolver(
            **{"rtol": RTOL, "atol": ATOL, **chosen}, options=options, output_variables=list(variables)
        )
    except Exception as cause:  # PyBaMM raises several kinds for options that it does not take
        raise ConfigurationError(f"PyBaMM refuses the solver's options: {cause}", at=(*AT, "solver")) from cause


def _submesh(given: Any) -> Any:
    if not isinstance(given, str | Mapping):
        return given
    name, fields = _named(given)
    kind = _resolved(name, pybamm.SubMesh, "submesh", "submesh_types")
    return pybamm.MeshGenerator(kind, dict(fields.get("submesh_params") or {}))


def _spatial_method(given: Any) -> Any:
    if not isinstance(given, str | Mapping):
        return given
    name, fields = _named(given)
    options = dict(fields.get("options") or {})
    return _resolved(name, pybamm.SpatialMethod, "spatial method", "spatial_methods")(options or None)


def _named(given: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    fields: Mapping[str, Any] = {"class": given} if isinstance(given, str) else given
    return str(fields.get("class")).rpartition(".")[2], fields


def _resolved(name: str, base: type[Any], what: str, setting: str) -> Any:
    """Return PyBaMM's class of that name; only its public subclasses of `base` are looked at."""
    if not _is_class(name, base):
        raise _unknown(what, name, [known for known in dir(pybamm) if _is_class(known, base)], setting)
    return getattr(pybamm, name)


def _is_class(name: str, base: type[Any]) -> bool:
    kind = getattr(pybamm, name, None)
    return isinstance(kind, type) and issubclass(kind, base)


def _unknown(what: str, name: str, known: Any, *at: str) -> ConfigurationError:
    hint = did_you_mean(name, known) or f"there are {', '.join(sorted(map(str, known)))}"
    return ConfigurationError(f"there is no {what} {name!r}", at=(*AT, *at), hint=hint)
