"""Quantities in one unit told in another."""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from tokenize import TokenError
from typing import Any
from unicodedata import normalize

from cellwright.errors import ConfigurationError

NO_UNIT = frozenset({"", "-", "1", "–", "dimensionless", "unitless", "none"})
"""What is written where a number has no unit."""
LONGEST = 100
"""Characters of a unit."""
_SAME = str.maketrans({"−": "-", "·": "*", "⋅": "*", "×": "*", "°": "deg", "Ω": "ohm", "μ": "u"})
_MISWRITTEN = {"A.m-2(m3.mol)1.5": "A.m-2(m3.mol-1)1.5"}
"""PyBaMM's unit of a kinetic prefactor lacks a sign: j₀ = m √(c_e c_s (c_max - c_s)) needs (m³/mol)^1.5."""
_UNIT = re.compile(r"[\w\s.*/()%+-]*")
_LONG_NUMBER = re.compile(r"\d{3}")


def converted(value: float, unit: str | None, into: str | None) -> float:
    """Return a value of one unit in another; a unit is written `mol.m-3`, `mol/m^3`, `mol m**-3` or `mol·m⁻³`.

    A temperature in °C alone is a point on the scale, in a product (`J/degC`) a difference. None is a unit that nobody
    has written; it does where none is wanted, since a value could be in millimetres as well as in metres.

    Raises: `ConfigurationError` for what is no unit, for a unit that is missing, and for units of different kinds.
    """
    if into is None:
        into = ""
    if unit is None and into not in NO_UNIT:
        raise ConfigurationError(
            f"{value:g} has no unit, and one of {into!r} is needed",
            hint=f'write {{"value": {value:g}, "unit": "{into}"}} where that is its unit',
        )
    if not math.isfinite(value):
        raise ConfigurationError(f"{value} is no finite number")
    unit = unit or ""
    if unit == into:
        return value
    from pint import DimensionalityError, OffsetUnitCalculusError

    source, target = _parsed(unit), _parsed(into)
    try:
        exact = _registry().Quantity(Fraction(repr(float(value))), source).to(target).magnitude
    except (DimensionalityError, OffsetUnitCalculusError):
        raise ConfigurationError(
            f"{_shown(unit)} cannot be told in {_shown(into)}",
            hint=_advice(unit, into) or f"the one is {_kind(source)}, the other {_kind(target)}",
        ) from None
    return float(exact)


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Return the units there are; numbers are fractions, so that 72.225 µm is 7.2225e-05 m to the last bit."""
    from pint import UnitRegistry

    registry: Any = UnitRegistry(non_int_type=Fraction)
    registry.define("@alias ohm = Ohm")
    registry.define("ampere_hour = ampere * hour = Ah")
    return registry


@lru_cache(maxsize=256)
def _parsed(unit: str) -> Any:
    from pint.errors import PintError

    if unit.strip().lower() in NO_UNIT:
        return _registry().Unit("")
    try:
        text = _spelled_out(unit)
        if len(text) > LONGEST or not _UNIT.fullmatch(text) or _LONG_NUMBER.search(text):
            raise ValueError(text)
        return _registry().parse_units(text)
    except (PintError, AttributeError, ValueError, TypeError, SyntaxError, ArithmeticError, AssertionError, TokenError):
        raise ConfigurationError(
            f"there is no unit {unit!r}", hint="units are written like 'um', 'g/cm3', 'mAh/cm2', 'degC' or 'percent'"
        ) from None


def _spelled_out(unit: str) -> str:
    """Return a unit with its products and powers written out: `mol.m-3` as `mol*m**-3`."""
    text = normalize("NFKC", _MISWRITTEN.get(unit.strip(), unit.strip())).translate(_SAME)
    text = re.sub(r"\s*(?:\^|\*\*)\s*(?=[-+\d])", "", text)
    text = re.sub(r"(?<=[^\W\d_]|\))([-+]?\d+(?:\.\d+)?)", r"**\1", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", "*", text)
    return re.sub(r"(?<=[\w)])\s*\(", "*(", text)


def _kind(unit: Any) -> str:
    """Return the dimensions of a unit in words: `[mass] [length]^-3`."""
    dimensions: Mapping[str, Any] = unit.dimensionality
    return " ".join(name if power == 1 else f"{name}^{power}" for name, power in dimensions.items()) or "dimensionless"


def _shown(unit: str) -> str:
    return "a number without unit" if unit in NO_UNIT else repr(unit)


def _advice(unit: str, into: str) -> str | None:
    return "'C' is the coulomb; degrees Celsius are written 'degC'" if "C" in {unit, into} else None
