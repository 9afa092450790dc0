"""What is done to the rows of a measurement before they are used."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cellwright.data.open_circuit import rests_as_open_circuit
from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.schema.datasource import DataLoaderOptions, DataLoaderTransforms
from cellwright.schema.tables import Columns, no_column

TIME, CAPACITY = "Time [s]", "Capacity [A.h]"
AXES = (TIME, "Stoichiometry", CAPACITY, "Frequency [Hz]")
"""The columns that rows are put in order by, the first that is there."""
FILTERS = {"savgol": frozenset({"window_length", "polyorder", "mode"})}
"""The kinds of filters with the parameters that they take."""


def with_capacity(table: Columns, name: str | None) -> Columns:
    """Return the table with a column of another name as its capacity. Raises: `DataError` where it is not there."""
    if name is None:
        return table
    if name not in table:
        raise no_column(name, table)
    return table.with_column(CAPACITY, table[name])


def transformed(table: Columns, options: DataLoaderOptions, before: float | None) -> Columns:
    """Return the rows after all that is to be done to them, with the voltage at rest `before` [V] them.

    Raises: `DataError` and `ConfigurationError` for what cannot be done.
    """
    chosen = {**_given(options), **(_given(options.transforms) if options.transforms else {})}
    if chosen.get("rest_to_ocp"):
        table = rests_as_open_circuit(table, before, bool(chosen.get("keep_first_ocp_point")))
    if chosen.get("sort"):
        table = table.take(np.argsort(table[_axis(table)], kind="stable"))
    if chosen.get("remove_duplicates"):
        _, rows = np.unique(table[_axis(table)], return_index=True)
        table = table.take(np.sort(rows))
    if chosen.get("filters"):
        table = filtered(table, chosen["filters"])
    if chosen.get("remove_extremes"):
        table = table.take(slice(1, -1))
    if chosen.get("interpolate") is not None:
        table = interpolated(table, chosen["interpolate"])
    return table


def filtered(table: Columns, filters: Mapping[str, Any]) -> Columns:
    """Return the table with some columns smoothed.

    Source: Savitzky & Golay, Anal. Chem. 36 (1964) 1627, doi:10.1021/ac60214a047.

    Raises: `DataError` for a column that is not there, `ConfigurationError` for a filter or a window that is none.
    """
    from scipy.signal import savgol_filter

    for name, given in filters.items():
        at = ("options", "filters", name)
        if name not in table:
            raise no_column(name, table).within(*at)
        kind = given.get("filter_type") if isinstance(given, Mapping) else None
        if kind not in FILTERS:
            raise ConfigurationError(
                f"there is no filter {kind!r}",
                at=at,
                hint='write {"filter_type": "savgol", "parameters": {"window_length": 11, "polyorder": 1}}',
            )
        parameters = dict(given.get("parameters") or {})
        for stranger in parameters.keys() - FILTERS[kind]:
            hint = did_you_mean(stranger, FILTERS[kind]) or f"there are {', '.join(sorted(FILTERS[kind]))}"
            raise ConfigurationError(f"the filter {kind!r} has no parameter {stranger!r}", at=at, hint=hint)
        try:
            table = table.with_column(name, savgol_filter(table[name], **parameters))
        except (TypeError, ValueError) as cause:
            raise ConfigurationError(f"the filter of {name!r} cannot be used: {cause}", at=at) from None
    return table


def interpolated(table: Columns, spacing: float | list[float]) -> Columns:
    """Return the rows at a spacing [s], or at given times [s], every column interpolated linearly.

    The last row stays. Raises: `DataError` for a spacing that is not positive.
    """
    time = table[TIME]
    if isinstance(spacing, list):
        grid = np.asarray(spacing, dtype=float)
    else:
        if spacing <= 0:
            raise DataError(f"a spacing of {spacing:g} s is not positive", at=("options", "interpolate"))
        grid = np.append(np.arange(time[0], time[-1], spacing), time[-1])
    return Columns({name: grid if name == TIME else np.interp(grid, time, values) for name, values in table.items()})


def _axis(table: Columns) -> str:
    return next((name for name in AXES if name in table), TIME)


def _given(transforms: DataLoaderTransforms) -> dict[str, Any]:
    names = DataLoaderTransforms.model_fields
    return {name: value for name in names if (value := getattr(transforms, name)) is not None}
