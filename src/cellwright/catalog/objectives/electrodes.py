"""One electrode beside measured data: its potential in closed form, and how much lithium it holds along them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.catalog.measured_curve import CAPACITY
from cellwright.catalog.sites import numbered_temperature
from cellwright.errors import ConfigurationError, DataError, MissingParameterError, did_you_mean
from cellwright.physics.balance import PARTS, Part, Share
from cellwright.schema.differentiation import differentiated
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Array
from cellwright.schema.names import Direction, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function, free_names

THETA = "θ"
STOICHIOMETRIES = np.linspace(0.0, 1.0, 201)
"""Where the values of a potential are looked at, within its table where it is one."""
MILLI = 100.0
"""How many times a capacity that is given in A.h is exceeded by one that seems to be in mA.h."""
ROUNDED = 1e-3
"""Share of an electrode's capacity by which capacities that add up may miss their sum before it is told."""


@dataclass(frozen=True)
class Potential:
    """An open-circuit potential U(θ) [V] as an expression of `THETA` and of coefficients."""

    name: str
    formula: Expression
    ends: tuple[float, float] | None
    """Where its tables begin and end, if there are any."""

    @property
    def coefficients(self) -> frozenset[str]:
        """The names of the parameters in the formula."""
        return self.formula.names - {THETA}

    def __call__(self, theta: Array, values: Mapping[str, float]) -> Array:
        """Return U [V]."""
        found = self.formula.substitute({**values, THETA: theta})
        return np.broadcast_to(np.asarray(found, dtype=float), theta.shape)

    def slopes(self, theta: Array, values: Mapping[str, float]) -> tuple[Array, dict[str, Array]]:
        """Return dU/dθ [V] and the derivatives of U by the coefficients."""
        _, rates = differentiated(self.formula, {**values, THETA: theta}, {THETA, *self.coefficients})
        found = {name: np.broadcast_to(np.asarray(rate, dtype=float), theta.shape) for name, rate in rates.items()}
        return found.pop(THETA, np.zeros(theta.shape)), found

    def reach(self) -> tuple[float, float] | None:
        """Return the lowest and the highest potential [V], None where coefficients are free."""
        if self.coefficients:
            return None
        low, high = self.ends or (0.0, 1.0)
        with np.errstate(all="ignore"):
            U = self(np.clip(STOICHIOMETRIES, low, high), {})
        U = U[np.isfinite(U)]
        return (float(U.min()), float(U.max())) if U.size else None

    def doubts(self, theta: Array) -> Iterator[str]:
        """Yield what to tell of the stoichiometries at which the potential is used."""
        low, high = float(np.min(theta)), float(np.max(theta))
        if low < -ROUNDED or high > 1 + ROUNDED:
            yield f"{self.name!r} is used from {low:.4g} to {high:.4g}, and stoichiometries lie between 0 and 1"
        elif self.ends is not None and (low < self.ends[0] - ROUNDED or high > self.ends[1] + ROUNDED):
            yield (
                f"{self.name!r} is a table from {self.ends[0]:.4g} to {self.ends[1]:.4g} and is used from {low:.4g} to "
                f"{high:.4g}: beyond its ends its end piece goes on, and is no measurement"
            )


def potential_of(p: ParameterSet, free: Iterable[str], electrode: str, direction: Direction | None = None) -> Potential:
    """Return the open-circuit potential of an electrode: the branch of a direction where there is one, else its own.

    Raises: `MissingParameterError` where there is none, and where parameters in it are neither given nor free.
    """
    own = names_of(electrode).open_circuit_potential
    branches = {one: names_of(electrode, None, one).open_circuit_potential for one in ("lithiation", "delithiation")}
    name = branches[direction] if direction is not None and branches[direction] in p else own
    if name not in p:
        both = all(branch in p for branch in branches.values())
        raise MissingParameterError(
            f"no element before provides the potential {name!r}",
            hint="those of lithiation and delithiation are there: say the 'direction', or use average_ocp"
            if both
            else did_you_mean(name, p),
            detail={"missing": [name]},
        )
    function = p.function(name)
    formula = _formula(p, name, function)
    require_free(p, formula.names - {THETA}, free, name)
    return Potential(name, formula, function.ends)


def _formula(p: ParameterSet, name: str, function: Function) -> Expression:
    first, *others = function.arguments or (THETA,)
    if [one for one in others if one != "T"]:
        raise ConfigurationError(
            f"{name!r} is a function of {', '.join(function.arguments)}",
            hint="give it as one of the stoichiometry alone, or of stoichiometry and T",
        )
    known: dict[str, Any] = {"T": numbered_temperature(p)} if others else {}
    formula = function.body.substitute({**known, first: Expression("parameter", payload=THETA)})
    return formula if isinstance(formula, Expression) else Expression("scalar", payload=float(formula))


def require_free(p: ParameterSet, names: Iterable[str], free: Iterable[str], of: str) -> None:
    """Make sure that parameters are free in the fit. Raises: `MissingParameterError` naming those that are not."""
    lacking = sorted(set(names) - set(free))
    if lacking:
        raise MissingParameterError(
            f"{of!r} waits for {', '.join(map(repr, lacking))}",
            hint=did_you_mean(lacking[0], [*free, *p]),
            detail={"missing": lacking},
        )


@dataclass(frozen=True)
class Side:
    """An electrode along a measured curve.

    `entered` (n,) is the lithium [A.h] that has entered since the point where the electrode holds least, `span` [A.h]
    that of the curve; `known` are the names of the two parts of its capacity that say where on its potential it works,
    `beside` is the third one where it is given as a number [A.h] too.
    """

    electrode: str
    potential: Potential
    entered: Array
    span: float
    known: Mapping[Part, str]
    beside: float | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of all that the electrode's potential along the curve is made of."""
        return frozenset(self.known.values()) | self.potential.coefficients

    def share(self, values: Mapping[str, float]) -> Share:
        """Return the parts of the electrode's capacity."""
        return Share.of(self.span, {part: values[name] for part, name in self.known.items()})

    def stoichiometry(self, values: Mapping[str, float]) -> Array:
        """Return θ (n,) along the curve."""
        return self.share(values).stoichiometry(self.entered)

    def potentials(self, values: Mapping[str, float]) -> Array:
        """Return U (n,) [V] along the curve."""
        return self.potential(self.stoichiometry(values), values)

    def slopes(self, values: Mapping[str, float]) -> dict[str, Array]:
        """Return the derivatives (n,) of U by all that it is made of."""
        share = self.share(values)
        theta = share.stoichiometry(self.entered)
        by_theta, found = self.potential.slopes(theta, values)
        for part, slope in share.slopes(theta, frozenset(self.known)).items():
            found[self.known[part]] = found.get(self.known[part], 0.0) + by_theta * slope
        return found

    def doubts(self, values: Mapping[str, float], start: bool) -> Iterator[str]:
        """Yield what to tell of the electrode at these values, the start of a fit or its end."""
        share = self.share(values)
        if self.span > share.whole:
            yield told_of_room(self.span, names_of(self.electrode).capacity, share.whole)
        elif not start:
            yield from self.potential.doubts(self.stoichiometry(values))
            yield from self._of_third(share)

    def _of_third(self, share: Share) -> Iterator[str]:
        """Yield what to tell of the part that is not asked for and was given as a number.

        One that is far off, such as the capacity of a half cell, is noticed where it is used.
        """
        (part,) = [part for part in PARTS if part not in self.known]
        made, given = getattr(share, part), self.beside
        if given is not None and abs(given - made) > ROUNDED * share.whole and made / 2 < given < 2 * made:
            name = parts_of(names_of(self.electrode))[PARTS.index(part)]
            yield (
                f"{name!r} was given as {self.beside:.4g}, and the other two make it {made:.4g}: it is left as it was, "
                "unless MSMRFullCellCapacities makes it anew"
            )


def side_of(
    p: ParameterSet, free: tuple[str, ...], electrode: str, direction: Direction | None, entered: Array, span: float
) -> Side:
    """Return an electrode along a measured curve.

    Two of its capacity, lower and upper excess capacity are taken: free ones first, then what is tied to free ones,
    then numbers.

    Raises: `MissingParameterError` where there are not two of them, and without a potential; `ConfigurationError` where
    all three are free; `DataError` where the data span more than the electrode is given.
    """
    name = names_of(electrode)
    parts = dict(zip(PARTS, parts_of(name), strict=True))
    loose = [part for part in PARTS if parts[part] in free]
    if len(loose) == len(PARTS):
        raise ConfigurationError(
            f"the capacity of the {electrode} electrode is its lower excess, the {span:.4g} A.h of the data and its "
            "upper excess together: of these three two are free",
            hint=f"leave out {parts['whole']!r}",
        )
    given = [part for part in PARTS if part not in loose and parts[part] in p]
    given.sort(key=lambda part: not free_names(p[parts[part]]))
    chosen = [*loose, *given][:2]
    if len(chosen) < 2:
        lacking = [parts[part] for part in PARTS[:2] if part not in chosen]
        raise MissingParameterError(
            f"where the {electrode} electrode works is said by two of {', '.join(map(repr, parts.values()))}",
            hint=f"free {lacking[0]!r}, or give it in an entry",
            detail={"missing": lacking[:1] if chosen else lacking},
        )
    for part in chosen:
        if part not in loose:
            require_free(p, free_names(p[parts[part]]), free, parts[part])
    if "whole" in chosen:
        _room(p, parts["whole"], span)
    known = {part: parts[part] for part in PARTS if part in chosen}
    beside = next((p.values_.get(parts[part]) for part in PARTS if part not in chosen), None)
    third = float(beside) if isinstance(beside, int | float) else None
    return Side(electrode, potential_of(p, free, electrode, direction), entered, span, known, third)


def parts_of(name: ElectrodeNames) -> tuple[str, str, str]:
    """Return the names of an electrode's lower excess capacity, capacity and upper excess capacity."""
    return name.lower_excess_capacity, name.capacity, name.upper_excess_capacity


def quantities_of(p: ParameterSet, names: Iterable[str]) -> dict[str, float | Expression]:
    """Return numbers, symbols of free parameters and expressions by their names.

    Raises: `ConfigurationError` for what is none of these.
    """
    found = {}
    for name in sorted(names):
        value = p[name]
        if isinstance(value, bool) or not isinstance(value, int | float | Expression):
            raise ConfigurationError(f"{name!r} is a {type(value).__name__.lower()}, and a number is needed")
        found[name] = value
    return found


def told_of_room(span: float, name: str, capacity: float) -> str:
    """Return what is said of data that span more than an electrode's capacity [A.h]."""
    seems = f": the column {CAPACITY!r} seems to be in mA.h" if span > MILLI * capacity else ""
    return f"the data span {span:.4g} A.h, and {name!r} is {capacity:.4g}{seems}"


def _room(p: ParameterSet, name: str, span: float) -> None:
    """Make sure that an electrode's capacity, where it is a number, has room for the span of the data [A.h]."""
    capacity = p.values_.get(name)
    if not isinstance(capacity, int | float) or span <= capacity * (1 + ROUNDED):
        return
    raise DataError(
        told_of_room(span, name, capacity),
        hint="divide it by 1000" if span > MILLI * capacity else "look at the capacity of the electrode",
    )
