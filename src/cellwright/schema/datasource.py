"""Where measured data come from: inline columns, a file, a folder, a stored measurement, with what to do to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, model_validator

from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.schema import values
from cellwright.schema.tables import Columns
from cellwright.schema.variant import InvalidDocumentError, Schema

PREFIXES = ("file:", "folder:", "db:")
_RESERVED = frozenset({"time_series", "steps", "data", "options", "time_range", "analysis", "metadata"})


class DataLoaderTransforms(Schema):
    """What is done to the selected rows, in this order: sort, remove_duplicates, interpolate."""

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

    Transforms may stand at this level too; those under `transforms` win.
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
        duration, start = given["duration"], given.get("start")
        if isinstance(duration, bool) or not isinstance(duration, int | float) or duration < 0:
            raise ConfigurationError(f"a duration is a number of seconds from 0 on, not {duration!r}")
        rest = {key: value for key, value in given.items() if key != "duration"}
        return {**rest, "end": start + duration} if isinstance(start, int | float) else rest

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

    `form` is how they stood in the document, so that they are written back as they came.
    """

    form: Literal["reference", "columns", "data", "time_series"]
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
        form = "data" if self.form == "reference" else self.form
        return replace(self, form=form, reference=None, columns=columns)

    def settled(self, columns: Columns, initial_voltage: float | None = None) -> "DataSource":
        """Return the source with the final rows, nothing left to do to them."""
        return DataSource("data", columns=columns, metadata=self.metadata, initial_voltage=initial_voltage)

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
        plain = _lists(self.columns) if self.columns is not None else self.reference
        if self.form in {"reference", "columns"}:
            return plain
        config: dict[str, Any] = {("time_series" if self.form == "time_series" else "data"): plain}
        if self.steps is not None:
            config["steps"] = _lists(self.steps)
        for name in ("options", "time_range", "analysis"):
            part = getattr(self, name)
            if part is not None:
                config[name] = part.to_config()
        if self.metadata is not None:
            config["metadata"] = values.to_wire(self.metadata)
        return config


def parse(given: Any) -> DataSource:
    """Return the source that a document's `data` describe.

    Raises: `InvalidDocumentError` for a string without prefix, unknown keys, columns that are none.
    """
    if isinstance(given, DataSource):
        return given
    if isinstance(given, str):
        return DataSource("reference", reference=_reference(given))
    frame = values.columns_of(given)
    if frame is not None:
        return DataSource("data", columns=_columns(frame))
    if isinstance(given, Columns):
        return DataSource("data", columns=given)
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
    return DataSource("columns", columns=_columns(given))


def _payload(given: Mapping[str, Any], form: Literal["data", "time_series"]) -> DataSource:
    unknown = [key for key in given if key not in _RESERVED]
    if unknown:
        raise InvalidDocumentError(f"data have no field {unknown[0]!r}", hint=did_you_mean(unknown[0], _RESERVED))
    if given.get("analysis") is not None and (given.get("options") is not None or given.get("time_range") is not None):
        raise InvalidDocumentError("data with an analysis take neither options nor a time range")
    inner = parse(given[form])
    steps = given.get("steps")
    options, time_range, analysis = given.get("options"), given.get("time_range"), given.get("analysis")
    return replace(
        inner,
        form=form,
        steps=None if steps is None else parse(steps).columns,
        options=None if options is None else _as(DataLoaderOptions, options, "options"),
        time_range=None if time_range is None else _as(TimeRangeSpec, time_range, "time_range"),
        analysis=None if analysis is None else _as(AnalysisSpec, analysis, "analysis"),
        metadata=given.get("metadata"),
    )


def _as(kind: type[Any], given: Any, name: str) -> Any:
    try:
        return given if isinstance(given, kind) else kind(**dict(given))
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


def _lists(columns: Columns) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in columns.items()}


Data = Annotated[DataSource, PlainValidator(parse, json_schema_input_type=dict[str, Any])]
DataInput = Annotated[Data, Field(serialization_alias="data", validation_alias="data")]
