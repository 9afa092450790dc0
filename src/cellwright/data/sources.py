"""From a data source to the rows that a fit works with."""

from pathlib import Path

from cellwright.data.steps import select_steps
from cellwright.data.transforms import transformed, with_capacity
from cellwright.errors import CellwrightError, DataError, NotImplementedYetError, did_you_mean
from cellwright.schema.datasource import TABLE, DataLoaderOptions, DataSource, TimeRangeSpec
from cellwright.schema.document import Pipeline
from cellwright.schema.tables import Columns

TIME = "Time [s]"
MISSING = ["", "nan", "NAN", "NA", "N/A", "n/a", "null", "NULL", "None"]
"""What stands in a CSV file for a number that is not there, as NumPy, pandas and databases write it."""
PATHS = "look at the path; in a pipeline file it is relative to that file's folder"


def read_file(path: Path) -> Columns:
    """Return the columns of a CSV file (lines with # are comments) or a Parquet file.

    Raises: `DataError` where the file is not there (with the nearest names in its folder) or is no table of numbers.
    """
    import polars as pl

    if not path.is_file():
        near = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        where = (
            f"in {str(path.parent)!r}" if path.parent.is_dir() else f"and neither is the folder {str(path.parent)!r}"
        )
        raise DataError(f"the file {path.name!r} is not there {where}", hint=did_you_mean(path.name, near) or PATHS)
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            frame = pl.read_parquet(path)
        else:
            header = _has_header(path)
            frame = pl.read_csv(
                path, comment_prefix="#", infer_schema_length=None, has_header=header, null_values=MISSING
            )
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as cause:
        hint = (
            "its columns seem to be separated by ';': save it with commas and decimal points"
            if _semicolons(path)
            else None
        )
        raise DataError(
            f"the file {path.name!r} cannot be read as a table: {str(cause).splitlines()[0]}", hint=hint
        ) from None
    numeric = [name for name in frame.columns if frame[name].dtype.is_numeric()]
    return Columns({name.strip(): frame[name].to_numpy().astype(float) for name in numeric})


def _semicolons(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return ";" in next(iter(lines), "")


def _has_header(path: Path) -> bool:
    """Return whether the first line of a CSV file that is no comment holds anything but numbers."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    try:
        [float(cell) for cell in first.replace(";", ",").replace("\t", ",").split(",")]
    except ValueError:
        return True
    return False


def read(source: DataSource) -> DataSource:
    """Return the source with the columns of its file in it; one that holds its columns is returned as it is.

    Raises: `DataError` where the file cannot be read, `NotImplementedYetError` for folders and stored measurements.
    """
    reference = source.reference
    if reference is None:
        return source
    if reference.startswith("file:"):
        return source.read(read_file(Path(reference.removeprefix("file:")).expanduser()))
    raise NotImplementedYetError(
        f"data of the form {reference.split(':')[0] + ':'!r} cannot be read yet", hint="use 'file:'"
    )


def settle(source: DataSource) -> DataSource:
    """Return the source with the rows it finally means: read, steps and time range selected, transforms applied.

    Raises: `DataError`, `NotImplementedYetError` for loader options that are not built yet, by name.
    """
    source = read(source)
    options = source.options or DataLoaderOptions()
    _refuse_what_is_not_built(source, options)
    table = with_capacity(_named(source.table, options.columns), options.capacity_column)
    first, last = _step(options.first_step, "first_step"), _step(options.last_step, "last_step")
    voltage = source.initial_voltage
    if first is not None or last is not None:
        steps = source.steps
        if steps is not None and "Step count" in steps and "Step count" not in table:
            raise NotImplementedYetError("steps given as a table of their own are not read yet", at=("steps",))
        table, voltage = select_steps(table, first, last)
    if source.time_range is not None:
        table = _between(table, source.time_range)
    return source.settled(transformed(table, options, voltage), voltage)


def inlined(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the columns of all files in it, so that it can travel.

    A table that a fit of the pipeline finds stays a reference.

    Raises: `CellwrightError` with the place in the document of the first file that cannot be read.
    """

    def change(source: DataSource, at: tuple[str, ...]) -> DataSource:
        if (source.reference or "").startswith(TABLE):
            return source
        try:
            return read(source)
        except CellwrightError as error:
            raise error.within(*at) from None

    return pipeline.with_data(change)


def _refuse_what_is_not_built(source: DataSource, options: DataLoaderOptions) -> None:
    for name in ("first_step_dict", "last_step_dict"):
        if getattr(options, name) is not None:
            raise NotImplementedYetError(f"the loader option {name!r} is not implemented yet", at=("options", name))
    if source.analysis is not None:
        raise NotImplementedYetError("stored analyses cannot be read yet", at=("analysis",))


def _named(table: Columns, names: list[str] | None) -> Columns:
    if names is None:
        return table
    if len(names) != len(table):
        raise DataError(f"{len(names)} column names are given, and the data have {len(table)} columns", at=("options",))
    return Columns(dict(zip(names, table.values(), strict=True)))


def _step(given: object, name: str) -> int | None:
    if given is None or isinstance(given, int):
        return given
    raise NotImplementedYetError(
        f"{name} takes a number of a step; selection by {type(given).__name__} is not implemented yet",
        at=("options", name),
    )


def _between(table: Columns, stretch: TimeRangeSpec) -> Columns:
    elapsed = table[TIME] - table[TIME][0]
    inside = (elapsed >= stretch.start) & (elapsed <= stretch.end)
    if not inside.any():
        raise DataError(
            f"no row lies between {stretch.start:g} and {stretch.end:g} s; the data last {elapsed[-1]:g} s",
            at=("time_range",),
        )
    return table.take(inside)
