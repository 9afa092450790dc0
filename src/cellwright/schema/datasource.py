"""Where measured data come from: inline columns, a file, a folder, a stored measurement, with what to do to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike, fspath
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, field_validator, model_validator

from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.schema import values
from cellwright.schema.tables import Columns
from cellwright.schema.variant import InvalidDocumentError, Schema

TABLE = "table:"
"""Begins the reference to a table that a fit before has found, by the name of its parameter."""
PREFIXES = ("file:", "folder:", "db:", TABLE)
_RESERVED = frozenset({"time_series", "steps", "data", "options", "time_range", "analysis", "metadata"})


class DataLoaderTransforms(Schema):
    """What is done to the selected rows: rest_to_ocp, sort, remove_duplicates, filters, remove_extremes, interpolate.

    They are done in this order. `sort` and `remove_duplicates` go by the time, else by the stoichiometry, the capacity
    or the frequency; `remove_extremes` leaves out the first and the last row; `filters` smooth columns by the lines and
    parabolas of Savitzky and Golay: `{"Voltage [V]": {"filter_type": "savgol", "parameters": {"window_length": 11,
    "polyorder": 1}}}`.

    `rest_to_ocp` leaves the last row of each rest, with the charge discharged since the first row in the column
    `Capacity [A.h]` where there is none. With `keep_first_ocp_point` data that begin with a current have their
    beginning as a point too, at the voltage of the rest before the selected rows.
    """

    only_set = True

    rest_to_ocp: bool | None = None
    sort: bool | None = None
    remove_duplicates: bool | None = None
    remove_extremes: bool | None = None
    filters: dict[str, Any] | None = None
    interpolate: float | list[float] | None = None
    keep_first_ocp_point: bool | None = None


class DataLoaderOptions(DataLoaderTransforms):
    """Which steps of a measurement are taken, and what is done to them. Steps count from 0, both ends included.

    `capacity_column` is the column that is taken as `Capacity [A.h]`. Transforms may stand at this level too; those
    under `transforms` win.
    """

    transforms: DataLoaderTransforms | None = None
    first_step: int | str | dict[str, Any] | None = None
    last_step: int | str | dict[str, Any] | None = None
    capacity_column: str | None = None
    first_step_dict: int | str | dict[str, Any] | None = None
    last_step_dict: int | str | dict[str, Any] | None = None
    columns: list[str] | None = None
    """Names of the columns in their order, for files without a header line or with names of their own."""


class TimeRangeSpec(Schema):
    """A stretch of elapsed time [s]."""

    start: float
    end: float

    @model_validator(mode="before")
    @classmethod
    def _from_duration(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "duration" not in given:
            return given
        if "end" in given:
            raise ConfigurationError("a time range has an end or a duration, not both")
        duration, start = given["duration"], given.get("start", 0.0)
        if isinstance(duration, bool) or not isinstance(duration, int | float) or duration < 0:
            raise ConfigurationError(f"a duration is a number of seconds from 0 on, not {duration!r}")
        if isinstance(start, bool) or not isinstance(start, int | float):
            raise ConfigurationError(f"a start is a number of seconds, not {start!r}", at=("start",))
        rest = {key: value for key, value in given.items() if key != "duration"}
        return {**rest, "end": start + duration}

    @model_validator(mode="after")
    def _forward(self) -> "TimeRangeSpec":
        if self.end < self.start:
            raise ConfigurationError(f"the time range ends at {self.end} s, before its start at {self.start} s")
        return self


class AnalysisSpec(Schema):
    """A stored feature table of a measurement."""

    analysis_id: str | None = None
    analysis_type: str | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _selects(self) -> "AnalysisSpec":
        if not (self.analysis_id or self.analysis_type or self.name):
            raise ConfigurationError("an analysis is chosen by analysis_id, analysis_type or name; none is given")
        return self


@dataclass(frozen=True, eq=False)
class DataSource:
    """Data as a document gives them: a reference or columns, and what to do to them.

    `form` is how they stood in the document, so that they are written back as they came: the keys of each object around
    the columns or the reference, the outermost first, and in each the key of what it holds first.
    """

    form: tuple[tuple[str, ...], ...] = ()
    reference: str | None = None
    columns: Columns | None = None
    steps: Columns | None = None
    options: DataLoaderOptions | None = None
    time_range: TimeRangeSpec | None = None
    analysis: AnalysisSpec | None = None
    metadata: Mapping[str, Any] | None = None
    initial_voltage: float | None = None
    """Open-circuit voltage [V] before the first row, where the measurement tells it."""

    @property
    def table(self) -> Columns:
        """The rows to work with. Raises: `DataError` where the data are still a reference."""
        if self.columns is None:
            raise DataError(f"the data {self.reference!r} have not been read")
        return self.columns

    @property
    def origin(self) -> str:
        """What the data are, whatever is done to them: their reference, or the digest of their columns."""
        return self.reference or values.digest(dict(self.table))

    def read(self, columns: Columns) -> "DataSource":
        """Return the source with what its reference stood for in its place."""
        return replace(self, form=self.form or (("data",),), reference=None, columns=columns)

    def settled(self, columns: Columns, initial_voltage: float | None = None) -> "DataSource":
        """Return the source with the final rows, nothing left to do to them."""
        return DataSource((("data",),), columns=columns, metadata=self.metadata, initial_voltage=initial_voltage)

    def digest(self) -> str:
        """Return the SHA-256 of the data and of what is done to them."""
        parts = {
            name: part.to_config() for name in ("options", "time_range", "analysis") if (part := getattr(self, name))
        }
        return values.digest(
            {
                "reference": self.reference,
                "columns": dict(self.columns) if self.columns is not None else None,
                "steps": dict(self.steps) if self.steps is not None else None,
                "initial_voltage": self.initial_voltage,
                **parts,
            }
        )

    def to_config(self) -> Any:
        """Return the wire form."""
        config: Any = _lists(self.columns) if self.columns is not None else self.reference
        for inner, *beside in reversed(self.form):
            config = {inner: config, **{name: _written(getattr(self, name)) for name in beside}}
        return config


def parse(given: Any) -> DataSource:
    """Return the source that a document's `data` describe; a path is that of a file.

    Raises: `InvalidDocumentError` for a string without prefix, unknown keys, columns that are none.
    """
    if isinstance(given, DataSource):
        return given
    if isinstance(given, PathLike):
        given = f"file:{fspath(given)}"
    if isinstance(given, str):
        return DataSource(reference=_reference(given))
    frame = values.columns_of(given)
    if frame is not None:
        return DataSource((("data",),), columns=_columns(frame))
    if isinstance(given, Columns):
        return DataSource((("data",),), columns=given)
    if not isinstance(given, Mapping):
        if hasattr(given, "to_config"):
            return parse(given.to_config())
        raise InvalidDocumentError(
            f"data cannot be of type {type(given).__name__}",
            hint="give a DataFrame, a dict of columns, or a string that starts with " + ", ".join(PREFIXES),
        )
    if "time_series" in given:
        return _payload(given, "time_series")
    if "data" in given and not isinstance(given["data"], list | tuple):
        return _payload(given, "data")
    lacking = [key for key in _RESERVED & given.keys() if key != "data"]
    if lacking:
        whole = "time_series" if lacking == ["steps"] else "data"
        raise InvalidDocumentError(f"data with {sorted(lacking)[0]!r} need {whole!r} beside it")
    return DataSource(columns=_columns(given))


def _payload(given: Mapping[str, Any], holds: Literal["data", "time_series"]) -> DataSource:
    """Return the source of an object that says more than its data; it may stand around another such object."""
    unknown = [key for key in given if key not in _RESERVED]
    if unknown:
        raise InvalidDocumentError(f"data have no field {unknown[0]!r}", hint=did_you_mean(unknown[0], _RESERVED))
    inner = _bare(given[holds])
    beside = {name: read(given[name]) for name, read in _READ.items() if given.get(name) is not None}
    twice = [name for name in beside if getattr(inner, name) is not None]
    if twice:
        raise InvalidDocumentError(f"data within data have {twice[0]!r} twice", hint="keep one of them")
    source = replace(inner, form=((holds, *beside), *inner.form), **beside)
    if source.analysis is not None and (source.options is not None or source.time_range is not None):
        raise InvalidDocumentError("data with an analysis take neither options nor a time range")
    return source


def _bare(given: Any) -> DataSource:
    """Return the source of what stands inside an object; a table there has no object of its own around it."""
    source = parse(given)
    return source if isinstance(given, Mapping | str) or hasattr(given, "to_config") else replace(source, form=())


def _as(kind: type[Any], given: Any, name: str) -> Any:
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise InvalidDocumentError(f"{name!r} is an object with fields, not {given!r:.80}", at=(name,))
    try:
        return kind(**given)
    except InvalidDocumentError as error:
        raise error.within(name) from None


def _reference(text: str) -> str:
    if not text.startswith(PREFIXES):
        raise InvalidDocumentError(
            f"the data {text!r} do not say where they are",
            hint=f"write 'file:{text}' for a file, 'db:…' for stored data",
        )
    return text


def _columns(given: Mapping[str, Any]) -> Columns:
    try:
        return Columns(given)
    except DataError as error:
        raise ConfigurationError(error.message, hint=error.hint) from error


def _written(value: Any) -> Any:
    if isinstance(value, Columns):
        return _lists(value)
    return value.to_config() if isinstance(value, Schema) else values.to_wire(value)


def _lists(columns: Columns) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in columns.items()}


def _table(given: Any) -> Columns | None:
    return parse(given).columns


def _notes(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidDocumentError(f"metadata are a dict, not {given!r}", at=("metadata",))
    return dict(given)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "steps": _table,
    "options": partial(_as, DataLoaderOptions, name="options"),
    "time_range": partial(_as, TimeRangeSpec, name="time_range"),
    "analysis": partial(_as, AnalysisSpec, name="analysis"),
    "metadata": _notes,
}
"""What may stand beside data, and how it is read."""


class _Payload(Schema):
    """Data with more beside them, as an object of its own; `parse` reads it like its wire form."""

    @field_validator("data", "time_series", "steps", mode="before", check_fields=False)
    @classmethod
    def _readable(cls, given: Any, info: ValidationInfo) -> Any:
        return None if given is None and info.field_name == "steps" else _bare(given)


class TimeSeriesSpec(_Payload):
    """A measurement as a table of its rows, with a table of its steps."""

    time_series: Any
    steps: Any = None


class DataPayloadSpec(_Payload):
    """A measurement, which part of it is taken and what is done to it; or one of its stored analyses."""

    data: Any
    options: DataLoaderOptions | None = None
    time_range: TimeRangeSpec | None = None
    analysis: AnalysisSpec | None = None

    @model_validator(mode="after")
    def _analysis_alone(self) -> "DataPayloadSpec":
        if self.analysis is not None and (self.options is not None or self.time_range is not None):
            raise ConfigurationError("data with an analysis take neither options nor a time range")
        return self


class MetadataSpec(_Payload):
    """A measurement with what was noted beside it."""

    data: Any
    metadata: dict[str, Any]


Data = Annotated[DataSource, PlainValidator(parse, json_schema_input_type=dict[str, Any])]
DataInput = Annotated[Data, Field(serialization_alias="data", validation_alias="data")]
