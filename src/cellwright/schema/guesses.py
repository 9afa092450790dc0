"""Initial guesses of a fit: in which forms they are given."""

from collections.abc import Collection, Mapping
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.schema.values import columns_of


def guesses_of(given: Any, names: Collection[str]) -> Any:
    """Return initial guesses as a dict for every start, or a list of dicts with one for each.

    A DataFrame, or its columns as lists, has a start in each row. The result of an earlier fit, or of a run, stands for
    what it found of the parameters that are free here (`names`; without any, of all numbers in it).

    Raises: `ConfigurationError` where columns differ in length, or a result has none of the parameters.
    """
    found = _found(given)
    if found is not None:
        values = {
            name: float(value)
            for name, value in found.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and (not names or name in names)
        }
        if not values:
            raise ConfigurationError("the result that is given as initial guess has none of the fit's parameters")
        return values
    columns = columns_of(given)
    if columns is None and isinstance(given, Mapping) and any(isinstance(one, list | tuple) for one in given.values()):
        columns = {str(name): list(column) for name, column in given.items() if isinstance(column, list | tuple)}
        if len(columns) < len(given):
            raise ConfigurationError("initial guesses are numbers, or columns of numbers, not both")
    if columns is None:
        return given
    rows = {len(column) for column in columns.values()}
    if len(rows) != 1:
        raise ConfigurationError(f"the columns of the initial guesses have {sorted(rows)} rows")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _found(given: Any) -> Mapping[str, Any] | None:
    """Return the parameter values of a result, of ours or of the contract's client, or None for anything else."""
    for holder in (given, getattr(given, "result", None)):
        values = holder.get("parameter_values") if isinstance(holder, Mapping) else None
        values = getattr(holder, "parameter_values", None) if values is None else values
        if isinstance(values, Mapping):
            return values
    return None
