"""Parameters from and to PyBaMM: parameter sets by name, BPX files, `pybamm.ParameterValues`."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pybamm

from cellwright.catalog.entries.direct import DirectEntry
from cellwright.errors import ConfigurationError, NotFoundError
from cellwright.exchange.bpx_file import bpx_package
from cellwright.exchange.written import Written, no_quantity
from cellwright.models.published import NO_PARAMETERS, published
from cellwright.models.symbols import to_callable, to_pybamm
from cellwright.schema.expressions import Expression
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function, free_names, normalise


def from_pybamm(name: str | pybamm.ParameterValues = "Chen2020") -> DirectEntry:
    """Return one of PyBaMM's parameter sets, by its name or as `pybamm.ParameterValues`, as an entry.

    What the values leave open (`"[input]"`) is left out.

    Raises: `NotFoundError` with the nearest names.
    """
    if isinstance(name, pybamm.ParameterValues):
        given = {key: normalise(value) for key, value in name.items() if key not in NO_PARAMETERS}
        values = {key: value for key, value in given.items() if key not in free_names(value)}
        return DirectEntry(parameters=values, source="pybamm.ParameterValues")
    return DirectEntry(parameters=dict(published(name)), source=f"PyBaMM parameter set {name}")


def from_bpx(path: str | Path) -> DirectEntry:
    """Return the parameters of a BPX file (JSON or YAML) under PyBaMM's names as an entry.

    The file is read as PyBaMM reads it; what PyBaMM assumes of fields that are absent it tells as Python warnings.

    Raises: `NotFoundError` where there is no such file, `ConfigurationError` for one that is no BPX, and where the
    package `bpx` is not installed.
    """
    bpx = bpx_package()
    file = Path(path)
    if not file.is_file():
        raise NotFoundError(f"there is no file {str(path)!r}")
    try:
        document = bpx.parse_bpx_file(file)
        values = pybamm.ParameterValues.create_from_bpx(file)
    except Exception as cause:
        raise ConfigurationError(f"{file.name} cannot be read as BPX: {_told(cause)}") from cause
    parameters = {name: normalise(_plain(value)) for name, value in values.items() if value is not None}
    said = [text for text in (document.header.title, document.header.references) if text]
    return DirectEntry(parameters=parameters, source=": ".join([f"BPX file {file.name}", *said]))


def parameter_values(p: ParameterSet) -> pybamm.ParameterValues:
    """Return the parameters for PyBaMM; functions become Python functions of PyBaMM's symbols.

    What still waits for a parameter refers to it as `pybamm.Parameter`, so PyBaMM asks for it by name. Text, which
    PyBaMM does not take, is left out.
    """
    return pybamm.ParameterValues({name: _for_pybamm(value) for name, value in p.items() if not no_quantity(value)})


def pybamm_file(p: ParameterSet) -> Written:
    """Return the JSON text that `pybamm.ParameterValues.from_json` reads."""
    document = parameter_values(p).to_json()
    left_out = {name: reason for name, value in p.items() if (reason := no_quantity(value))}
    return Written(json.dumps(document, indent=2, default=pybamm.Serialise._json_encoder) + "\n", left_out)


def _for_pybamm(value: Any) -> Any:
    if isinstance(value, Function):
        return _callable(value)
    if isinstance(value, Expression):
        return to_pybamm(value, _symbols(value))
    if isinstance(value, list) or hasattr(value, "tolist"):
        return [_for_pybamm(item) for item in value]
    return value


def _callable(function: Function) -> Callable[..., Any]:
    """Return the function that PyBaMM calls, with a signature that its serialiser can call by name."""
    inner = to_callable(function, _symbols(function.body))

    def called(*arguments: Any, **named: Any) -> Any:
        return inner(*arguments, *named.values())

    names = [name if name.isidentifier() else f"argument_{i}" for i, name in enumerate(function.arguments)]
    called.__name__ = inner.__name__
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    return called


def _symbols(expression: Expression) -> Mapping[str, pybamm.Symbol]:
    kinds = {"parameter": pybamm.Parameter, "input": pybamm.InputParameter}
    return {node.name: kinds[node.op](node.name) for node in expression.walk() if node.op in kinds}


def _plain(value: Any) -> Any:
    """Return a function without the arguments that are bound already, which PyBaMM's reader leaves in the signature."""
    if not callable(value) or isinstance(value, pybamm.Symbol):
        return value

    def called(*arguments: Any) -> Any:
        return value(*arguments)

    called.__name__ = str(getattr(getattr(value, "func", value), "__name__", "function")).strip("_")
    called.__signature__ = inspect.Signature(list(_open_arguments(value)))  # type: ignore[attr-defined]
    return called


def _open_arguments(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.POSITIONAL_OR_KEYWORD and argument.default is argument.empty:
            yield argument


def _told(cause: Exception) -> str:
    problems = getattr(cause, "errors", None)
    if not callable(problems):
        return str(cause) or type(cause).__name__
    return "; ".join(f"{' › '.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}" for problem in problems())
