"""What lists understand: `name=eq.x`, `name=ilike.%x%`, `status=in.(completed,failed)`, `created_at_gt=`."""

import re
from collections.abc import Iterable, Sequence
from typing import get_args

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.store.conditions import Operator, Where
from cellwright.store.runs import FILTERED

_OPERATORS = frozenset(get_args(Operator))
_INCLUSIVE: dict[str, Operator] = {"_gt": "gte", "_lt": "lte"}
_EXPRESSION = re.compile(r"(?P<operator>[a-z]+)\.(?P<value>.*)", re.DOTALL)


def parse(filters: Iterable[tuple[str, str]], known: Sequence[str] = FILTERED) -> list[Where]:
    """Return the conditions that filters mean.

    Raises: `ConfigurationError` for a column that there is not, with the nearest.
    """
    return [_parse(key, value, known) for key, value in filters]


def column(name: str, known: Sequence[str] = FILTERED) -> str:
    """Return a column's name.

    Raises: `ConfigurationError` where it is none, with the nearest.
    """
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise ConfigurationError(f"this list cannot be filtered or ordered by {name!r}", hint=hint)
    return name


def _parse(key: str, value: str, known: Sequence[str]) -> Where:
    for suffix, bound in _INCLUSIVE.items():
        if key.endswith(f"_at{suffix}"):
            return Where(column(key.removesuffix(suffix), known), bound, value)
    match = _EXPRESSION.fullmatch(value)
    if match is None or match["operator"] not in _OPERATORS:
        return Where(column(key, known), "eq", value)
    operator: Operator = match["operator"]  # type: ignore[assignment]
    if operator == "in":
        inside = match["value"].removeprefix("(").removesuffix(")")
        return Where(column(key, known), "in", [item.strip().strip('"') for item in inside.split(",") if item.strip()])
    return Where(column(key, known), operator, match["value"])
