"""The conditions of lists."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

Operator = Literal["eq", "neq", "gt", "gte", "lt", "lte", "ilike", "in"]


@dataclass(frozen=True)
class Where:
    """One condition of a list: a column, an operator, a value; for `in` a sequence of values."""

    column: str
    operator: Operator
    value: Any


_MEANINGS: dict[Operator, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "ilike": lambda column, value: column.ilike(value),
    "in": lambda column, value: column.in_(list(value)),
}


def condition(column: sa.ColumnElement[Any], where: Where) -> sa.ColumnElement[bool]:
    """Return what a condition asks of a column."""
    return _MEANINGS[where.operator](column, where.value)
