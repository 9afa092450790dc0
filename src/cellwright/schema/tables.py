"""Columns of measured data, by name."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import DataError, did_you_mean

Column = NDArray[np.float64]
STEPS = ("Step count", "Step number", "Step from cycler")
"""Columns that tell the steps of a measurement, the first that is there."""


def no_column(name: str, known: Collection[str]) -> DataError:
    """Return the error of a column that is not there: with that of the same quantity in another unit, the nearest ones,
    or all."""
    base, _, unit = name.partition(" [")
    hint = did_you_mean(name, known) or f"there are {', '.join(map(repr, known))}"
    if known and all(re.fullmatch(r"column_\d+", other) for other in known):
        hint = f"the file has no header: name its {len(known)} columns in order, options: {{columns: [{name!r}, …]}}"
    for other in known:
        if unit and " [" in other and other.partition(" [")[0].lower() == base.lower():
            hint = f"there is {other!r}: give it in {unit.rstrip(']')}, under the name {name!r}"
    return DataError(f"the data have no column {name!r}", hint=hint, detail={"column": name})


@dataclass(frozen=True, eq=False)
class Columns(Mapping[str, Column]):
    """Immutable table of equally long float columns, each a one-dimensional array."""

    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        arrays = {str(name): _column(str(name), values) for name, values in self.columns.items()}
        lengths = {len(values) for values in arrays.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name!r} has {len(values)}" for name, values in arrays.items())
            raise DataError(f"the columns differ in length: {told}")
        object.__setattr__(self, "columns", MappingProxyType(arrays))

    def __reduce__(self) -> tuple[Any, ...]:
        return Columns, (dict(self.columns),)

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise no_column(name, self.columns)
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return next((len(values) for values in self.columns.values()), 0)

    @property
    def steps(self) -> Column | None:
        """The step of each row, None where no column of `STEPS` tells it."""
        return next((self[name] for name in STEPS if name in self), None)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "Columns":
        """Return the table with the given rows alone."""
        return Columns({name: values[rows] for name, values in self.columns.items()})

    def numbers(self, name: str) -> Column:
        """Return a column all of whose values are numbers. Raises: `DataError` with the first row that holds none."""
        column = self[name]
        gaps = np.flatnonzero(~np.isfinite(column))
        if gaps.size:
            raise DataError(
                f"the column {name!r} holds {gaps.size} values that are no numbers (NaN or infinite), the first in row "
                f"{int(gaps[0])}",
                hint="remove these rows",
            )
        return column

    def with_column(self, name: str, values: Any) -> "Columns":
        """Return the table with one column added or replaced."""
        return Columns({**self.columns, name: values})


def _column(name: str, values: Any) -> Column:
    try:
        array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    except (TypeError, ValueError) as cause:
        raise DataError(f"the column {name!r} is not numeric: {cause}") from cause
    if array.ndim != 1:
        raise DataError(f"the column {name!r} has {array.ndim} dimensions, not one")
    array.flags.writeable = False
    return array
