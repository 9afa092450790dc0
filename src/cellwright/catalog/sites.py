"""MSMR sets among the parameters: lists, or one parameter for each kind of site.

A list stands under `Negative electrode host site standard potential [V]`, a single site under
`Negative electrode host site standard potential (0) [V]`, as in PyBaMM's MSMR models; likewise `… host site occupancy
fraction`, `… host site ideality factor` and, in place of the fraction, `… host site occupancy capacity [A.h]`. A phase
stands in front (`Primary: `), a direction before the words "host site" (`Negative electrode lithiation host site …`).
"""

from collections.abc import Sequence
from typing import Any, Literal

from cellwright.catalog.domain import checked_positive, positive
from cellwright.errors import ConfigurationError, MissingParameterError, did_you_mean
from cellwright.physics.msmr import REFERENCE_TEMPERATURE, Sites
from cellwright.schema.names import ElectrodeNames
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import free_names

Quantity = Literal["standard potential", "occupancy fraction", "ideality factor", "occupancy capacity"]
TEMPERATURE = "Ambient temperature [K]"
WHOLE = 0.01
"""By how much the fractions of all sites may miss 1 before it is told."""
_UNITS = {"standard potential": " [V]", "occupancy capacity": " [A.h]"}


def site_name(name: ElectrodeNames, quantity: Quantity, index: int | None = None) -> str:
    """Return the name of a quantity of one kind of site, or without an index of the list of all."""
    return f"{name.host_site} {quantity}{'' if index is None else f' ({index})'}{_UNITS.get(quantity, '')}"


def sites_of(p: ParameterSet, name: ElectrodeNames, *, by: Literal["fraction", "capacity"] = "fraction") -> Sites:
    """Return the MSMR set of an electrode: numbers, or expressions of what is missing.

    With `by="capacity"` the sites' capacities [A.h] stand in place of the fractions.

    Raises: `MissingParameterError` where there is none, `ConfigurationError` for lists of different lengths.
    """
    third: Quantity = "occupancy fraction" if by == "fraction" else "occupancy capacity"
    return Sites(listed(p, name, "standard potential"), listed(p, name, third), listed(p, name, "ideality factor"))


def numbered_sites(p: ParameterSet, name: ElectrodeNames) -> Sites:
    """Return the MSMR set of an electrode in numbers; remark where the fractions are far from a sum of 1.

    Raises: `MissingParameterError` where there is none or a value still waits for others, `ConfigurationError` for
    fractions below 0 and ideality factors that are not above 0.
    """
    sites = sites_of(p, name)
    for value in (*sites.U0, *sites.X, *sites.w):
        if not isinstance(value, int | float):
            raise MissingParameterError(
                f"the MSMR set of {name.host_site!r} is needed in numbers, and one of them still depends on "
                f"{', '.join(map(repr, sorted(free_names(value))))}"
            )
    if min(sites.X) < 0 or not sum(sites.X) > 0:
        wrong = f"{site_name(name, 'occupancy fraction')!r} holds {min(sites.X):.4g}"
        raise ConfigurationError(f"{wrong}, and the fractions of the sites are shares of 1")
    if not min(sites.w) > 0:
        wrong = f"{site_name(name, 'ideality factor')!r} holds {min(sites.w):.4g}"
        raise ConfigurationError(f"{wrong}, and ideality factors are above 0")
    if abs(sum(sites.X) - 1) > WHOLE:
        p.remark(f"the occupancy fractions of {name.host_site!r} add up to {sum(sites.X):.4g}, not to 1")
    return sites


def numbered_temperature(p: ParameterSet) -> float:
    """Return the ambient temperature [K] as a number, 298.15 where it is not given.

    Raises: `MissingParameterError` where it still waits for others, `ConfigurationError` where it is not above 0.
    """
    return float(checked_positive(TEMPERATURE, p.number(TEMPERATURE))) if TEMPERATURE in p else REFERENCE_TEMPERATURE


def temperature_of(p: ParameterSet) -> Any:
    """Return the ambient temperature [K], or that at which the published sets hold where it is not given.

    Raises: `ConfigurationError` where it is no number or not above 0.
    """
    return positive(p, TEMPERATURE) if TEMPERATURE in p else REFERENCE_TEMPERATURE


def listed(p: ParameterSet, name: ElectrodeNames, quantity: Quantity) -> Sequence[Any]:
    """Return a quantity of all kinds of sites, from the list or from one parameter each, which comes before the list.

    Raises: `MissingParameterError` where there is neither, `ConfigurationError` where the list is none.
    """
    whole = site_name(name, quantity)
    if whole in p:
        values = p[whole]
        if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
            raise ConfigurationError(f"{whole!r} is a list with a value for each kind of site, not {values!r}")
        singles = [site_name(name, quantity, index) for index in range(len(values))]
        return [p.get(single, value) for single, value in zip(singles, values, strict=True)]
    found: list[Any] = []
    while (single := site_name(name, quantity, len(found))) in p:
        found.append(p[single])
    if not found:
        raise MissingParameterError(
            f"an MSMR set is needed, and no element before provides {whole!r} or {single!r}",
            hint=did_you_mean(whole, p) or "the library of materials has published sets",
            detail={"parameter": whole},
        )
    return found


def is_indexed(p: ParameterSet, name: ElectrodeNames, quantity: Quantity) -> bool:
    """Return whether each kind of site has a parameter of its own, rather than a place in a list."""
    return site_name(name, quantity) not in p and site_name(name, quantity, 0) in p
