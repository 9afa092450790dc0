"""Tables that an array of fits has found, as the data of a calculation: `table:<parameter>`."""

from typing import Any

import numpy as np

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.datasource import TABLE, DataSource
from cellwright.schema.document import map_data
from cellwright.schema.elements import AnyElement
from cellwright.schema.families import Calculation
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.tables import Columns


def with_tables(element: AnyElement, p: ParameterSet) -> AnyElement:
    """Return the element with the tables of the elements before it in place of its references to them.

    Raises: `ConfigurationError` for a parameter that is no table, and for an element that takes none.
    """

    def change(source: DataSource, at: tuple[str, ...]) -> DataSource:
        if not (source.reference or "").startswith(TABLE):
            return source
        name = str(source.reference).removeprefix(TABLE)
        try:
            return source.read(_columns(element, name, p))
        except ConfigurationError as error:
            raise error.within(*at) from None

    return map_data(element, change, ())  # type: ignore[no-any-return]


def tables_read(element: AnyElement) -> frozenset[str]:
    """Return the names of the parameters whose tables an element has for its data."""
    names: set[str] = set()

    def note(source: DataSource, _: tuple[str, ...]) -> DataSource:
        if (source.reference or "").startswith(TABLE):
            names.add(str(source.reference).removeprefix(TABLE))
        return source

    map_data(element, note, ())
    return frozenset(names)


def _columns(element: AnyElement, name: str, p: ParameterSet) -> Columns:
    kind, named = type(element), getattr(type(element), "table_columns", None)
    if not isinstance(element, Calculation) or named is None:
        known = sorted(one.__name__ for one in _takers())
        raise ConfigurationError(
            f"{kind.__name__} takes no table of a fit as its data", hint=f"{' and '.join(known)} do"
        )
    value: Any = p.get(name)
    if not isinstance(value, np.ndarray) or value.ndim != 2 or len(value) != 2:
        what = f"is a {type(value).__name__}" if value is not None else "is not there"
        tables = [other for other in p if isinstance(p[other], np.ndarray)]
        raise ConfigurationError(
            f"{name!r} is needed as a table that an array of fits has found, and it {what}",
            hint=did_you_mean(name, tables) or "put an ArrayDataFit before this",
        )
    variable, quantity = named
    return Columns({variable: value[0], quantity or name: value[1]})


def _takers() -> list[type]:
    return [kind for kind in Calculation.registry.values() if getattr(kind, "table_columns", None) is not None]
