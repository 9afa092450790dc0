"""What the elements of ready pipelines are made of: data that are looked at early, fields that are merged."""

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any, TypeAlias

from cellwright.catalog.entries.direct import DirectEntry
from cellwright.catalog.library import Material
from cellwright.data.sources import settle
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.datasource import DataSource, parse
from cellwright.schema.elements import Element
from cellwright.schema.families import Calculation, Entry
from cellwright.schema.names import ELECTRODES
from cellwright.schema.tables import Columns

Elements: TypeAlias = dict[str, Entry | Calculation | Element]
TIME, CURRENT, VOLTAGE, CAPACITY = "Time [s]", "Current [A]", "Voltage [V]", "Capacity [A.h]"


def one_of(what: str, given: str, known: Iterable[str]) -> str:
    """Return a name that is known. Raises: `ConfigurationError` with the nearest names."""
    known = list(known)
    if given not in known:
        hint = did_you_mean(str(given), known) or f"there are {', '.join(map(repr, known))}"
        raise ConfigurationError(f"there is no {what} {given!r}", hint=hint)
    return given


def electrode_named(given: str) -> str:
    """Return the electrode "negative" or "positive". Raises: `ConfigurationError` for another."""
    return one_of("electrode", given, ELECTRODES)


def source_of(given: Any) -> DataSource:
    """Return data as the elements hold them; a path stands for its file."""
    return parse(f"file:{fspath(given)}" if isinstance(given, PathLike) else given)


def table_of(source: DataSource, name: str, *columns: str) -> Columns:
    """Return the rows of data. Raises: `DataError` under the name of the data, for columns that are missing too."""
    try:
        table = settle(source).table
        for column in columns:
            table[column]
    except CellwrightError as error:
        raise error.within(name) from None
    return table


def entry_of(given: Any) -> Entry:
    """Return known values as an entry: one that is given, those of a material, or a dict of values."""
    if isinstance(given, Entry):
        return given
    if isinstance(given, Material):
        return given.entry()
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"known values cannot be of type {type(given).__name__}",
            hint="give a dict of parameters, an entry, or a material of the library",
        )
    return DirectEntry(parameters=dict(given))


def with_options(own: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of an objective: those that are given, with our options where theirs say nothing."""
    fields = dict(given or {})
    theirs = fields.get("options") or {}
    if not isinstance(theirs, Mapping):
        theirs = theirs.to_config()
    return {**fields, "options": {**own, **theirs}}


def chosen(own: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return free parameters, those that are given in place of ours, without those that are None."""
    return {name: one for name, one in {**own, **(given or {})}.items() if one is not None}
