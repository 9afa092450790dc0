"""Parameters handed out: to PyBaMM, and as files of other programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellwright.errors import ConfigurationError, ConflictError, did_you_mean
from cellwright.exchange.written import Written
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import PipelineResult

ENDINGS = {".pybamm.json": "pybamm", ".bpx.json": "bpx", ".bpx": "bpx", ".json": "json", ".py": "python"}
"""What the end of a file's name says of its format; the first that fits."""
FORMATS = tuple(dict.fromkeys(ENDINGS.values()))


@dataclass(frozen=True)
class Export(Written):
    """A file that was written: its place and format, what it could not hold, what else is to be known of it."""

    path: Path = Path()
    format: str = ""


def export(result: PipelineResult | Mapping[str, Any], path: str | Path, format: str | None = None) -> Export:  # noqa: A002
    """Write the parameters of a result, or a set of parameters, to a file.

    The format is `python` (a module with `get_parameter_values()`), `json` (names and values, as entries read them),
    `bpx` or `pybamm` (for `pybamm.ParameterValues.from_json`); without one the end of the name decides: `.py`,
    `.json`, `.bpx.json`, `.pybamm.json`.

    Returns: what was written, with `left_out` (parameter → why the format cannot hold it) and `notes`.

    Raises: `ConfigurationError` for a format that is none, `ConflictError` for a run that did not complete,
    `MissingParameterError` naming every field that BPX needs and the parameters do not give.
    """
    place = Path(path)
    kind = format or _format_of(place)
    if kind not in FORMATS:
        raise ConfigurationError(
            f"there is no format {kind!r}", hint=did_you_mean(kind, FORMATS) or f"there are {', '.join(FORMATS)}"
        )
    written = _written(_parameters(result), kind, getattr(result, "name", "") or "Parameters")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(written.text, encoding="utf-8")
    return Export(written.text, written.left_out, written.notes, place, kind)


def parameter_values(result: PipelineResult | Mapping[str, Any]) -> Any:
    """Return the parameters of a result, or a set of parameters, as `pybamm.ParameterValues`.

    Raises: `ConflictError` for a run that did not complete.
    """
    from cellwright.models.exchange import parameter_values

    return parameter_values(_parameters(result))


def _written(p: ParameterSet, kind: str, title: str) -> Written:
    if kind == "python":
        from cellwright.exchange.python_module import python_module

        return python_module(p, title)
    if kind == "json":
        from cellwright.exchange.json_file import json_file

        return json_file(p)
    if kind == "bpx":
        from cellwright.exchange.bpx_file import bpx_file

        return bpx_file(p, title)
    from cellwright.models.exchange import pybamm_file

    return pybamm_file(p)


def _parameters(result: PipelineResult | Mapping[str, Any]) -> ParameterSet:
    if isinstance(result, ParameterSet):
        return result
    if isinstance(result, Mapping):
        return ParameterSet().merge(result, Origin("given"))
    if result.status != "completed":
        raise ConflictError(
            f"the run is {result.status}, so its parameters are not its result",
            hint="its 'parameters' can be exported by themselves",
        )
    return result.parameters


def _format_of(path: Path) -> str:
    for ending, kind in ENDINGS.items():
        if path.name.lower().endswith(ending):
            return kind
    raise ConfigurationError(
        f"the name {path.name!r} does not say in which format to write",
        hint=f"end it in {', '.join(ENDINGS)}, or give the format",
    )
