"""MSMR electrodes of models: which parameters their sites have, and what they hold at values of these."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.catalog.models import MSMRHalfCellModel, MSMRHalfCellModelOptions
from cellwright.catalog.sites import Quantity, numbered_temperature, site_name
from cellwright.errors import ConfigurationError, MissingParameterError, did_you_mean
from cellwright.physics.msmr_curves import Motion, Population
from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.families import Array
from cellwright.schema.names import ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import free_names

PHASES = ("primary", "secondary")
OTHERS = 100
"""Kinds of sites whose names are right."""
Quantities = dict[str, float | Expression]


@dataclass(frozen=True)
class Kind:
    """The parameters of one kind of sites: potential, amount and ideality factor.

    The amount is a capacity, or a fraction of the capacity `whole`.
    """

    potential: str
    amount: str
    width: str
    whole: str | None


@dataclass(frozen=True)
class MSMRElectrode:
    """The kinds of sites of an electrode, in the order of their index and phase after phase, and its origin.

    `lower` are the parameters that add up to the lower excess capacity, `temperature` [K].
    """

    kinds: tuple[Kind, ...]
    lower: tuple[str, ...]
    temperature: float

    def population(self, values: Mapping[str, float]) -> Population:
        """Return the sites in numbers."""
        amounts = [values[one.amount] * (1.0 if one.whole is None else values[one.whole]) for one in self.kinds]
        potentials, widths = ([values[name] for name in names] for names in zip(*self._names, strict=True))
        return Population(np.array(potentials), np.array(amounts), np.array(widths), self.temperature)

    def origin(self, values: Mapping[str, float]) -> float:
        """Return the lower excess capacity [A.h]."""
        return sum(values[name] for name in self.lower)

    def by_name(self, motion: Motion, values: Mapping[str, float]) -> dict[str, Array]:
        """Return the derivatives of a curve by the parameters of the sites."""
        found: dict[str, Array] = {}
        for place, one in enumerate(self.kinds):
            whole = 1.0 if one.whole is None else values[one.whole]
            found[one.potential] = motion.U0[:, place]
            found[one.width] = motion.w[:, place]
            found[one.amount] = whole * motion.Q[:, place]
            if one.whole is not None:
                part = values[one.amount] * motion.Q[:, place]
                found[one.whole] = found[one.whole] + part if one.whole in found else part
        return found

    @property
    def potentials(self) -> tuple[str, ...]:
        """The parameters that are standard potentials."""
        return tuple(one.potential for one in self.kinds)

    @property
    def _names(self) -> list[tuple[str, str]]:
        return [(one.potential, one.width) for one in self.kinds]


def electrode_of(
    model: MSMRHalfCellModel, p: ParameterSet, free: Collection[str]
) -> tuple[MSMRElectrode, Quantities, frozenset[str]]:
    """Return the electrode of a model, its parameters as numbers or expressions of free ones, and what was read.

    Raises: `MissingParameterError` for parameters that nobody provides, with the nearest names; `ConfigurationError`
    for values that are no numbers.
    """
    options = model.options or MSMRHalfCellModelOptions()
    values = _Values(p, free)
    kinds: list[Kind] = []
    for name in phases(model):
        third: Quantity = "occupancy capacity" if options.species_format == "Qj" else "occupancy fraction"
        whole = None if options.species_format == "Qj" else plain(name).capacity
        count = _count(name, third, values, options)
        for index in range(count):
            potential, amount, width = (
                values.note(name, quantity, index) for quantity in ("standard potential", third, "ideality factor")
            )
            kinds.append(Kind(potential, amount, width, whole))
        if whole is not None:
            values.needed(whole, "the capacity of the whole electrode, of which the sites have fractions")
    electrode = MSMRElectrode(tuple(kinds), _lower(model, values), numbered_temperature(p))
    return electrode, values.found, p.behind(values.read)


def phases(model: MSMRHalfCellModel) -> list[ElectrodeNames]:
    """Return the names of each phase of the electrode of a model, in its direction."""
    options = model.options or MSMRHalfCellModelOptions()
    each = PHASES if options.particle_phases == "2" else (None,)
    return [names_of(model.electrode, phase, options.direction) for phase in each]


def plain(name: ElectrodeNames) -> ElectrodeNames:
    """Return the names without a direction, which capacities have none of."""
    return names_of(name.electrode, name.phase)


class _Values:
    """The parameters that are looked up: what is known of them, and which were read."""

    def __init__(self, p: ParameterSet, free: Collection[str]) -> None:
        self.p, self.free = p, set(free)
        self.found: Quantities = {}
        self.read: set[str] = set()

    def has(self, name: str) -> bool:
        """Return whether somebody provides a parameter, or a fit frees it."""
        return name in self.free or name in self.p.values_

    def listed(self, name: ElectrodeNames, quantity: Quantity) -> list[Any]:
        """Return the list of a quantity of all kinds of sites; it is empty where there is none."""
        whole: Any = self.p.values_.get(site_name(name, quantity))
        return list(whole) if hasattr(whole, "__len__") and not isinstance(whole, str) else []

    def count(self, name: ElectrodeNames, quantity: Quantity) -> int:
        """Return for how many kinds of sites, from the first on, there is a value."""
        count = len(self.listed(name, quantity))
        while self.has(site_name(name, quantity, count)):
            count += 1
        return count

    def note(self, name: ElectrodeNames, quantity: Quantity, index: int) -> str:
        """Note the quantity of one kind of sites, its own or that of the list, and return its name."""
        own, listed = site_name(name, quantity, index), self.listed(name, quantity)
        if not self.has(own) and index < len(listed):
            self.read.add(site_name(name, quantity))
            self._keep(own, listed[index])
        else:
            others = {site_name(name, quantity, place) for place in range(OTHERS)}
            self.needed(own, f"the {quantity} of a kind of sites", others)
        return own

    def needed(self, name: str, what: str, others: Collection[str] = ()) -> None:
        """Note a parameter; `others` are no misspelling of it.

        Raises: `MissingParameterError` where there is none.
        """
        if not self.has(name):
            near = did_you_mean(name, {*self.p.values_, *self.free}.difference(others))
            raise MissingParameterError(
                f"the model needs {what}, and there is no {name!r}",
                hint=near or "give it before, or free it in the fit",
                detail={} if near and others else {"missing": [name]},  # a misspelt one comes from no other element
            )
        self.read.add(name)
        self._keep(name, self.p.values_.get(name, parameter(name)) if name not in self.free else parameter(name))

    def _keep(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float | Expression):
            raise ConfigurationError(f"{name!r} is needed as a number, and it is a {type(value).__name__}")
        lacking = sorted(free_names(value) - self.free)
        if lacking:
            raise MissingParameterError(
                f"{name!r} depends on {', '.join(map(repr, lacking))}, which nobody provides",
                hint=did_you_mean(lacking[0], [*self.p.values_, *self.free]),
                detail={"missing": lacking},
            )
        self.found[name] = value if isinstance(value, Expression) else float(value)


def _count(name: ElectrodeNames, third: Quantity, values: _Values, options: MSMRHalfCellModelOptions) -> int:
    """Return the number of kinds of sites. Raises: `MissingParameterError` where there are none."""
    quantities: tuple[Quantity, ...] = ("standard potential", third, "ideality factor")
    count = max(values.count(name, quantity) for quantity in quantities)
    other: Quantity = "occupancy fraction" if third == "occupancy capacity" else "occupancy capacity"
    if count and values.count(name, third):
        return count
    hint = did_you_mean(site_name(name, third, 0), [*values.p.values_, *values.free])
    swapped = values.count(name, other) > 0
    if swapped:
        form = "Xj" if other == "occupancy fraction" else "Qj"
        hint = f"there is {site_name(name, other, 0)!r}: give the model the options {{'species format': {form!r}}}"
    missing = site_name(name, third if count else "standard potential", 0)
    raise MissingParameterError(
        f"the model of the {name.electrode} electrode needs sites, and there is no {missing!r}"
        + (f" (in the direction {options.direction!r})" if options.direction else ""),
        hint=hint or "start from a material of the library: cw.Material.from_library(…)",
        detail={} if swapped else {"missing": [missing]},  # which no element needs to provide
    )


def _lower(model: MSMRHalfCellModel, values: _Values) -> tuple[str, ...]:
    """Return the parameters of the lower excess capacity: one of the electrode, or one of each phase."""
    whole = names_of(model.electrode).lower_excess_capacity
    split = tuple(plain(name).lower_excess_capacity for name in phases(model))
    chosen = split if len(split) > 1 and all(map(values.has, split)) and not values.has(whole) else (whole,)
    for name in chosen:
        values.needed(name, "the lithium that is in the electrode where the capacity is 0, its lower excess capacity")
    return chosen


def fractions(model: MSMRHalfCellModel, names: Collection[str]) -> Iterator[list[str]]:
    """Yield, of each phase, the fractions of its sites that are among the names, from the first on."""
    if (model.options or MSMRHalfCellModelOptions()).species_format != "Xj":
        return
    for name in phases(model):
        found: list[str] = []
        while (own := site_name(name, "occupancy fraction", len(found))) in names:
            found.append(own)
        if found:
            yield found
