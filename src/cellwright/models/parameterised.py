"""A model and the parameters it is given: what it needs of them, and its inputs at values of the free ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from cellwright.errors import CellwrightError
from cellwright.models.initial import PROBED, WINDOWS, InitialState
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.simulation import Problem, Solved
from cellwright.schema.values import free_names

POSITIVE = {
    "m2.s-1": "diffusivity",
    "m": "thickness|radius|height|width",
    "m2": "area",
    "mol.m-3": "Maximum concentration",
    "s": "diffusion time",
    "A.h": "(electrode|electrolyte|[Cc]ell) capacity",
    "Ohm": r"^R[1-9]\d*$",
    "F": r"^C\d+$",
}
"""By unit the names of what cannot be zero or negative."""
COLDEST = 150.0
"""Temperature [K] below which no cell works: values in degC that are called K."""
NOT_NEGATIVE = {"Ohm": "^R0$"}
"""By unit the names of what may be zero besides."""
KEPT = 32
"""Initial states that are kept."""


@dataclass(frozen=True, eq=False)
class ParameterisedModel:
    """The model of a problem, with what it takes of the problem's parameters."""

    problem: Problem
    needed: frozenset[str]
    """The names of the model's parameters."""
    start: InitialState
    structural: tuple[str, ...]
    """The free parameters that shape the mesh: the model is built anew for each value of them."""

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names of all parameters that the model and its initial state read or look for.

        Among them those that stand in the definitions of what is read, however far back.
        """
        definitions = self.problem.parameters.definitions
        found: set[str] = set()
        open_names = set(self.given)
        while open_names:
            name = open_names.pop()
            found.add(name)
            open_names |= free_names(definitions.get(name)) - found
        return frozenset(found) | PROBED | (WINDOWS if self.start.shares else frozenset())

    @cached_property
    def given(self) -> frozenset[str]:
        """The parameters that the model and its initial state are built from."""
        values = self.problem.parameters.values_
        direct = {name for name in self.needed | self.start.reads if name in values or name in self.problem.free}
        return frozenset(direct | {free for name in direct if name in values for free in free_names(values[name])})

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the model or its initial state."""
        return self.given & frozenset(self.problem.free)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the model's inputs: free parameters, constants, and what the initial state sets, in order."""
        symbolic = {name for name, _ in self.start.products}
        states = self.start.gives - symbolic
        return tuple(sorted({*self.problem.free, *states, *self.constants} - set(self.structural)))

    @property
    def constants(self) -> Mapping[str, float]:
        """The inputs that belong to the problem and not to its model, so that one model serves many problems."""
        return {}

    @property
    def doubts(self) -> Sequence[str]:
        """What is to be taken with care of how it begins."""
        return ()

    def settled(self, values: Mapping[str, float]) -> tuple[tuple[float, ...], list[float]]:
        """Return the structural parameters and the inputs at these values of the free parameters.

        Raises: `ValueError`, or an error of ours, for what is physically impossible.
        """
        p = self.problem.parameters
        wrong = unphysical(values)
        if wrong:
            raise ValueError(wrong)
        states = self._states_at(tuple(values[name] for name in self._moving))
        known = {**self.constants, **values, **states}
        wrong = self.start.overfull(p, known)
        if wrong:
            raise ValueError(wrong)
        return tuple(float(values[name]) for name in self.structural), [float(known[name]) for name in self.inputs]

    @cached_property
    def _moving(self) -> tuple[str, ...]:
        """The free parameters that the initial state follows."""
        values, free = self.problem.parameters.values_, frozenset(self.problem.free)
        behind = frozenset().union(*(free_names(values[name]) for name in self.start.reads & values.keys()))
        return tuple(sorted((self.start.reads | behind) & free))

    @cached_property
    def _states_at(self) -> Any:
        """The function from the values of those to the initial state, which keeps the last few: it looks for roots."""

        def states(moving: tuple[float, ...]) -> Mapping[str, float]:
            return self.start.inputs(self.problem.parameters, dict(zip(self._moving, moving, strict=True)))

        return lru_cache(maxsize=KEPT)(states)

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        """Return the outputs at these values of the free parameters; a failed solve is a status."""
        return self.solve_many([inputs])[0]

    def solve_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return the outputs at each of the points; a failed solve is a status."""
        answers: dict[int, Solved] = {}
        together: dict[tuple[float, ...], list[tuple[int, list[float]]]] = {}
        for place, values in enumerate(points):
            try:
                shape, given = self.settled(values)
            except (CellwrightError, ArithmeticError, ValueError) as cause:
                answers[place] = Solved("failed", message=one_line(cause))
                continue
            together.setdefault(shape, []).append((place, given))
        for shape, members in together.items():
            places = [place for place, _ in members]
            answers.update(zip(places, self.solved(shape, [given for _, given in members]), strict=True))
        return [answers[place] for place in range(len(points))]

    def solved(self, shape: tuple[float, ...], rows: list[list[float]]) -> list[Solved]:
        """Return the outputs at these values of the structural parameters and at each row of inputs."""
        raise NotImplementedError


def unphysical(inputs: Mapping[str, float]) -> str:
    """Return what is physically impossible about a value of an input, or an empty string."""
    for name, value in inputs.items():
        if not np.isfinite(value):
            return f"{name} is {value}"
        wrong = below(name, value)
        if wrong:
            return wrong
        base, unit = base_of(name), unit_of(name)
        if unit is None and base.endswith(("volume fraction", "porosity")) and not 0 < value <= 1:
            return f"{name} is {value:g}, and must lie between 0 and 1"
        if unit == "mol.m-3" and "oncentration" in base and value < 0:
            return f"{name} is {value:g}, and cannot be negative"
    return ""


def below(name: str, value: float) -> str:
    """Return what is wrong with a value that is too small to be physical, or an empty string."""
    base, unit = base_of(name), unit_of(name) or ""
    if unit in POSITIVE and re.search(POSITIVE[unit], base) and value <= 0:
        return f"{name} is {value:g}, and must be positive"
    if unit in NOT_NEGATIVE and re.search(NOT_NEGATIVE[unit], base) and value < 0:
        return f"{name} is {value:g}, and cannot be negative"
    if unit == "K" and base.endswith("temperature") and value < COLDEST:
        return f"{name} is {value:g}, which is no temperature of a cell in kelvins"
    return ""


def one_line(cause: BaseException) -> str:
    """Return the first line of what an exception says, at most 200 characters."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    return text if len(text) <= 200 else text[:197] + "…"
