"""The `ParameterSet` that flows through a pipeline: names to values, each with its origin."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cellwright.errors import ConfigurationError, MissingParameterError, did_you_mean, nearest
from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.names import unit_of
from cellwright.schema.values import Function, digest, free_names, normalise, to_wire

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where a value came from: the element that gave it, its source in words, its path in a cell specification."""

    element: str
    source: str | None = None
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the origin as a JSON object without empty fields."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class ParameterSet(Mapping[str, Any]):
    """Immutable mapping from a parameter's name (unit in brackets) to its value.

    Looking up a parameter that nobody has provided gives its symbol, so formulas carry on with expressions.
    `name in p` tells whether somebody has. Lookups are recorded in `reads`, and what a calculation has to tell beside
    its values in `remarks`, where `recording()` was called. An
    expression keeps to its definition: when a parameter in it is given anew, by a fit say, its value follows.
    """

    definitions: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    reads: set[str] | None = field(default=None, compare=False)
    remarks: list[str] | None = field(default=None, compare=False)
    values_: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The definitions with every expression worked out as far as the others allow; what is given here is known."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "definitions", MappingProxyType(dict(self.definitions)))
        object.__setattr__(self, "origins", MappingProxyType(dict(self.origins)))
        object.__setattr__(self, "values_", MappingProxyType(settled(self.definitions, self.values_)))

    def __reduce__(self) -> tuple[Any, ...]:
        return ParameterSet, (dict(self.definitions), dict(self.origins))

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return self.values_.get(name, parameter(name))

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return name in self.values_

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a parameter, or the default where nobody has provided it."""
        self._note(name)
        return self.values_.get(name, default)

    def number(self, name: str) -> float:
        """Return the value of a parameter as a float.

        Raises: `MissingParameterError` naming the parameter, its unit and the nearest names there are, or the
        parameters that its expression still waits for.
        """
        self._note(name)
        value = self.values_.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, Expression):
            missing = ", ".join(repr(free) for free in sorted(value.names))
            raise MissingParameterError(f"{name!r} is needed as a number, but it still depends on {missing}")
        if value is not None:
            raise MissingParameterError(f"{name!r} is needed as a number, but it is a {type(value).__name__}")
        unit = unit_of(name)
        raise MissingParameterError(
            f"{name!r} is needed as a number{f' in {unit}' if unit else ''}, and no element before provides it",
            hint=did_you_mean(name, self.values_),
            detail={"parameter": name, "nearest": nearest(name, self.values_)},
        )

    def require(self, names: Iterable[str]) -> None:
        """Make sure that somebody has provided all of these.

        Raises: `MissingParameterError` naming every one that is missing (`detail["missing"]`).
        """
        missing = [name for name in names if name not in self]
        if missing:
            raise MissingParameterError(
                f"no element before provides {', '.join(map(repr, missing))}",
                hint=did_you_mean(missing[0], self.values_),
                detail={"missing": missing},
            )

    def function(self, name: str) -> Any:
        """Return a parameter as something that can be called; a number becomes a constant function.

        Raises: `MissingParameterError` where nobody has provided it.
        """
        value = self[name]
        if isinstance(value, Function):
            return value
        if isinstance(value, int | float):
            return Function((), Expression("scalar", payload=float(value)), name)
        raise MissingParameterError(
            f"the function {name!r} is needed, and no element before provides it",
            hint=did_you_mean(name, self.values_),
        )

    def merge(self, values: Values, origin: Origin | Mapping[str, Origin]) -> "ParameterSet":
        """Return the set with the values added; a value that refers to its own name builds on the one before."""
        new = {name: normalise(value) for name, value in values.items()}
        for name in [name for name, value in new.items() if name in free_names(value) and name in self.values_]:
            new[name] = new[name].substitute({name: self.values_[name]})
        origins = {name: origin if isinstance(origin, Origin) else origin[name] for name in new}
        definitions = {**self.definitions, **new}
        moved = dependents(definitions, new)
        known = {name: value for name, value in self.values_.items() if name not in moved}
        return replace(self, definitions=definitions, origins={**self.origins, **origins}, values_=known)

    def without(self, names: Iterable[str]) -> "ParameterSet":
        """Return the set without the named values, so that looking them up gives their symbols."""
        gone = set(names)
        kept = {name: value for name, value in self.definitions.items() if name not in gone}
        origins = {name: origin for name, origin in self.origins.items() if name not in gone}
        return replace(self, definitions=kept, origins=origins, values_={})

    def behind(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names and all that stand in their definitions, however far back."""
        found: set[str] = set()
        unseen = set(names)
        while unseen:
            name = unseen.pop()
            found.add(name)
            unseen |= free_names(self.definitions.get(name)) - found
        return frozenset(found)

    def recording(self) -> "ParameterSet":
        """Return a view of the same values that records every name it is asked for."""
        return replace(self, reads=set(), remarks=[])

    def remark(self, message: str) -> None:
        """Note what the user should know of a value although it is no error: it becomes a warning of the element."""
        if self.remarks is not None:
            self.remarks.append(message)

    def unresolved(self) -> dict[str, list[str]]:
        """Return, for each value that still waits for others, the sorted names of what it waits for."""
        return {
            name: sorted(free)
            for name, value in self.values_.items()
            if (free := free_names(value) - set(self.values_))
        }

    def digest_of(self, names: set[str] | frozenset[str]) -> str:
        """Return the digest of the named values; one that is missing counts as missing."""
        return digest({name: [self.values_[name]] if name in self.values_ else [] for name in sorted(names)})

    def to_wire(self) -> dict[str, Any]:
        """Return the values as a JSON object."""
        return {name: to_wire(value) for name, value in self.values_.items()}

    def _note(self, name: str) -> None:
        if self.reads is not None:
            self.reads.add(name)


def dependents(definitions: Mapping[str, Any], changed: Iterable[str]) -> set[str]:
    """Return the changed names and those of all definitions that refer to them, however far."""
    needs = {name: free for name, value in definitions.items() if (free := free_names(value))}
    found, new = set(changed), set(changed)
    while new:
        new = {name for name, free in needs.items() if name not in found and free & new}
        found |= new
    return found


def settled(definitions: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with every expression worked out as far as the other definitions allow; some are known already.

    Raises: `ConfigurationError` for parameters that are defined in a circle.
    """
    done = {name: value for name, value in known.items() if name in definitions}

    def value(name: str, path: tuple[str, ...]) -> Any:
        if name in path:
            circle = " → ".join(repr(step) for step in (*path[path.index(name) :], name))
            raise ConfigurationError(f"these parameters are defined in a circle: {circle}")
        if name not in done:
            needs = free_names(definitions[name]) & definitions.keys()
            known = {need: value(need, (*path, name)) for need in sorted(needs)}
            done[name] = definitions[name].substitute(known) if known else definitions[name]
        return done[name]

    return {name: value(name, ()) for name in definitions}
