"""What a model calls the functions among its parameters with, and what these take."""

from collections.abc import Iterator, Mapping
from typing import Any

import pybamm

from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function

KINDS: Mapping[str, tuple[str, ...]] = {
    "state of charge": ("soc", "SoC", "SOC"),
    "temperature": ("T", "T_cell", "temperature"),
    "current": ("I", "current"),
}
"""What arguments mean whatever their place is, and what functions call them."""
PARAMETERS = (pybamm.Parameter, pybamm.FunctionParameter)


def names_in(symbol: Any) -> dict[str, str]:
    """Return the parameters in a symbol by name, and of which kind each is."""
    return {node.name: type(node).__name__ for node in symbol.pre_order() if isinstance(node, PARAMETERS)}


def names_in_arguments(symbols: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters in what functions are called with, some of which PyBaMM's list leaves out."""
    found: dict[str, str] = {}
    for symbol in symbols.values():
        for child in _offered(symbol).values():
            found |= names_in(child)
    return found


def seen_outside(model: Any) -> set[str]:
    """Return the parameters that stand in a model's equations, and not only in what functions are called with."""
    equations = (model.rhs, model.algebraic, model.initial_conditions, model.variables)
    open_symbols = [symbol for one in equations for symbol in one.values()]
    open_symbols += [side[0] for sides in model.boundary_conditions.values() for side in sides.values()]
    open_symbols += [event.expression for event in model.events]
    found: set[str] = set()
    known: set[int] = set()
    while open_symbols:
        symbol = open_symbols.pop()
        if id(symbol) in known:
            continue
        known.add(id(symbol))
        if isinstance(symbol, PARAMETERS):
            found.add(symbol.name)
        else:
            open_symbols += symbol.children
    return found


def looked_at(symbols: Mapping[str, Any], p: ParameterSet) -> set[str]:
    """Return those of these parameters that the functions of a parameter set look at.

    A diffusivity that is a number is called with the temperature and does not need one.
    """
    found: set[str] = set()
    for name, symbol in symbols.items():
        value, offered = p.values_.get(name), list(_offered(symbol).values())
        if isinstance(value, Function):
            found |= {inner for place, _ in _used(value) if place < len(offered) for inner in names_in(offered[place])}
    return found


def refuse_other_arguments(symbols: Mapping[str, Any], p: ParameterSet, model: str) -> None:
    """Look at what the functions of a parameter set are called with by a model.

    Raises: `ConfigurationError` for a function of more arguments than the model has for it, and for one to which it
    would give a temperature as a state of charge, or the like.
    """
    for name, symbol in symbols.items():
        value, offered = p.values_.get(name), list(_offered(symbol))
        if not isinstance(value, Function) or not isinstance(symbol, pybamm.FunctionParameter):
            continue
        kinds = [_kind_of_input(one) for one in offered]
        for place, argument in _used(value):
            kind = next((kind for kind, names in KINDS.items() if argument in names), None)
            if place >= len(offered) or (kind is not None and kinds[place] != kind):
                raise ConfigurationError(
                    f"{name!r} is a function of ({', '.join(value.arguments)}), and {model} calls it with "
                    f"({', '.join(offered)})",
                    hint=f"write it as a function of these, in this order{_elsewhere(model)}",
                    detail={"parameter_of": model},
                )


def _elsewhere(model: str) -> str:
    if model in {"ECM", "SingleElectrodeLumpedSPMR"}:
        return ", or name others in the model's option 'parameter_dependencies'"
    return ", or take the model 'ECM', to which cw.ecm fits" if model == "Thevenin" else ""


def _offered(symbol: Any) -> dict[str, Any]:
    """Return what a function is called with, by the model's names."""
    if not isinstance(symbol, pybamm.FunctionParameter):
        return {}
    return dict(zip(symbol.input_names, symbol.children, strict=False))


def _used(function: Function) -> Iterator[tuple[int, str]]:
    """Yield place and name of the arguments that a function depends on."""
    return ((place, one) for place, one in enumerate(function.arguments) if one in function.body.names)


def _kind_of_input(name: str) -> str | None:
    plain = name.partition(" [")[0].lower()
    if plain == "soc":
        return "state of charge"
    return next((kind for kind in ("temperature", "current") if plain.endswith(kind)), None)
