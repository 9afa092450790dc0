"""What lists of runs understand: `name=eq.x`, `name=ilike.%x%`, `status=in.(completed,failed)`, `created_at_gt=`."""

import re
from collections.abc import Iterable
from typing import get_args

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.store.runs import FILTERED, Operator, Where

_OPERATORS = frozenset(get_args(Operator))
_INCLUSIVE: dict[str, Operator] = {"_gt": "gte", "_lt": "lte"}
_EXPRESSION = re.compile(r"(?P<operator>[a-z]+)\.(?P<value>.*)", re.DOTALL)


def parse(filters: Iterable[tuple[str, str]]) -> list[Where]:
    """Return the conditions that filters mean.

    Raises: `ConfigurationError` for a column that there is not, with the nearest.
    """
    return [_parse(key, value) for key, value in filters]


def column(name: str) -> str:
    """Return a column's name.

    Raises: `ConfigurationError` where it is none, with the nearest.
    """
    if name not in FILTERED:
        hint = did_you_mean(name, FILTERED) or f"there are {', '.join(FILTERED)}"
        raise ConfigurationError(f"runs cannot be filtered or ordered by {name!r}", hint=hint)
    return name


def _parse(key: str, value: str) -> Where:
    for suffix, bound in _INCLUSIVE.items():
        if key.endswith(f"_at{suffix}"):
            return Where(column(key.removesuffix(suffix)), bound, value)
    match = _EXPRESSION.fullmatch(value)
    if match is None or match["operator"] not in _OPERATORS:
        return Where(column(key), "eq", value)
    operator: Operator = match["operator"]  # type: ignore[assignment]
    if operator == "in":
        inside = match["value"].removeprefix("(").removesuffix(")")
        return Where(column(key), "in", [item.strip().strip('"') for item in inside.split(",") if item.strip()])
    return Where(column(key), operator, match["value"])
