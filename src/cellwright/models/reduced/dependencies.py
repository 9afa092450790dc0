"""Options of models with pairs of resistor and capacitor: how many, and on which states parameters depend."""

from collections.abc import Collection, Mapping
from typing import Any

import pybamm

from cellwright.errors import did_you_mean

Dependencies = Mapping[str, tuple[str, ...]]
STATES = ("soc", "temperature", "current")
OPTION = "parameter_dependencies"
PAIRS = "rc pairs"


def chosen_pairs(given: Mapping[str, Any]) -> str:
    """Return how many pairs there are. Raises: `pybamm.OptionError` for what is no number."""
    pairs = str(given.get(PAIRS, "0"))
    if not pairs.isdecimal():
        raise pybamm.OptionError(f"{PAIRS!r} is a number from 0 on, and not {pairs!r}")
    return pairs


def chosen_dependencies(given: Mapping[str, Any], parameters: Collection[str]) -> Dependencies:
    """Return the states that each of the parameters is a function of, in the order of its arguments.

    It is the state of charge unless the option names, for a parameter, another state, or several, or none.

    Raises: `pybamm.OptionError` for an unknown parameter or state, with the nearest name.
    """
    chosen: dict[str, tuple[str, ...]] = dict.fromkeys(parameters, STATES[:1])
    for parameter, named in (given.get(OPTION) or {}).items():
        if parameter not in chosen:
            raise pybamm.OptionError(_said(f"nothing in {OPTION!r} is called {parameter!r}", parameter, parameters))
        if not isinstance(named, str | list | tuple | None):
            raise pybamm.OptionError(f"{parameter!r} depends on states by name, and not on {named!r}")
        chosen[parameter] = (named,) if isinstance(named, str) else tuple(named or ())
        for state in chosen[parameter]:
            if state not in STATES:
                raise pybamm.OptionError(_said(f"{parameter!r} cannot depend on {state!r}", str(state), STATES))
    return chosen


def depending(name: str, states: Mapping[str, Any], on: Collection[str]) -> Any:
    """Return the parameter of that name as a function of some of the states, or of none."""
    if not on:
        return pybamm.Parameter(name)
    return pybamm.FunctionParameter(name, {state: states[state] for state in on})


def _said(what: str, name: str, known: Collection[str]) -> str:
    return f"{what}; {did_you_mean(name, known) or 'there are ' + ', '.join(known)}"
