"""One HTML page for a run, self-contained: it opens without a network, on a phone, on paper."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from cellwright.report import curves, findings, notation
from cellwright.report.curves import Plot
from cellwright.report.designs import metric_rows
from cellwright.report.findings import failure, fit_errors, outcomes, validation_errors, verdict
from cellwright.report.notation import as_float, number
from cellwright.report.nyquist import Nyquist, nyquist
from cellwright.report.posterior import marginals, posterior_facts, posterior_rows, ways
from cellwright.report.uncertainty import (
    array_rows,
    has_intervals,
    index_rows,
    interval_rows,
    interval_text,
    level_text,
    second_order,
    uncertainty,
)
from cellwright.report.windows import window_plot, window_rows
from cellwright.schema.expressions import Expression
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.parameters import Origin
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.values import Function, digest, to_wire

KINDS = {
    "entry": "entry",
    "calculation": "calculation",
    "data_fit": "data fit",
    "array_data_fit": "array data fit",
    "validation": "validation",
    "linear_confidence_interval": "confidence interval",
    "sobol_sensitivity": "sensitivity",
}
_LONGEST_LIST = 12


@dataclass(frozen=True)
class ParameterRow:
    """A parameter as the table shows it; `anchor` leads to its curve, `sort` orders the values that are numbers."""

    name: str
    base: str
    unit: str
    value: str
    exact: str
    kind: str
    sort: float | None
    origin: Origin
    missing: list[str]
    at_bound: bool
    anchor: str


@dataclass(frozen=True)
class FittedRow:
    """A fitted parameter; `place` says where between its bounds it ended, from 0 to 100, where both are finite."""

    base: str
    unit: str
    initial: str
    value: str
    lower: str
    upper: str
    at_bound: bool
    place: float | None
    start: float | None
    interval: str


@dataclass(frozen=True)
class Comparison:
    """What an element was compared with: the plots of one objective."""

    objective: str
    plots: list[str]


class Plots:
    """The plots of a page in order, each under the name that its figure carries."""

    def __init__(self) -> None:
        self.named: dict[str, Plot | Nyquist] = {}

    def add(self, plots: Iterable[Plot | Nyquist | None]) -> list[str]:
        """Keep the plots that there are and return their names."""
        return [self._name(plot) for plot in plots if plot is not None]

    def _name(self, plot: Plot | Nyquist) -> str:
        name = f"plot-{len(self.named) + 1}"
        self.named[name] = plot
        return name


def render(result: PipelineResult) -> str:
    """Return the page of a run as one HTML document that needs no other file."""
    plots = Plots()
    rows = [_parameter_row(result, name, plots) for name in result.parameters]
    windows = plots.add([window_plot(result)])
    fits = [_fit(record, plots) for record in result.elements if findings.is_fit(record)]
    validations = [_validation(record, plots) for record in result.elements if findings.is_validation(record)]
    analyses = [analysis for record in result.elements if (analysis := _analysis(record))]
    points = curves.points_each(plots.named.values())
    scripts = [_asset("uPlot.iife.min.js"), _asset("page.js")]
    return (
        _environment()
        .get_template("page.html")
        .render(
            result=result,
            verdict=verdict(result),
            solves=findings.solves(result),
            elements=[_element(record) for record in result.elements],
            parameters=rows,
            windows=windows,
            window_rows=window_rows(result),
            fits=fits,
            validations=validations,
            analyses=analyses,
            configuration=yaml.safe_dump(
                elided(to_wire(result.config)), sort_keys=False, allow_unicode=True, width=100
            ),
            seeds=list(seeds_of(result)),
            digests=_digests(result),
            plots=plots.named,
            points=points,
            data={name: plot.to_json(points) for name, plot in plots.named.items()},
            styles=[_asset("uPlot.min.css"), _asset("page.css")],
            scripts=scripts,
            licence=_asset("uPlot-LICENSE"),
            policy=_policy(scripts),
        )
    )


def elided(config: Any) -> Any:
    """Return a configuration with long lists and arrays in it told by their length alone."""
    if isinstance(config, Mapping):
        if config.get("$type") == "numpy.ndarray":
            return f"array of {' × '.join(str(size) for size in np.shape(config['data']))}"
        return {str(key): elided(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        if len(config) > _LONGEST_LIST and not any(isinstance(item, Mapping) for item in config):
            return f"{len(config):,} rows"
        return [elided(item) for item in config]
    return config if isinstance(config, str | int | float | bool) or config is None else str(config)


def seeds_of(result: PipelineResult) -> Iterator[tuple[str, Any]]:
    """Yield every seed of a run with its place: those of the configuration, and those that fits took from the clock."""
    given = dict(seeds(result.config))
    yield from given.items()
    for record in result.elements:
        seed = record.result.get("seed")
        if seed is not None and record.name not in given:
            yield record.name, seed


def seeds(config: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every seed of a configuration with the place it stands at."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if key in {"seed", "random_state"} and not isinstance(value, Mapping | list):
                yield " › ".join(part for part in at if part not in {"elements", "options"}), value
            else:
                yield from seeds(value, (*at, str(key)))


def _element(record: ElementRecord) -> dict[str, Any]:
    produced = record.result.get("parameter_values") or {}
    compared = findings.is_validation(record)
    return {
        "record": record,
        "kind": KINDS.get(record.element_type, record.element_type),
        "produced": list(produced) if not compared else [],
        "compared": len(record.result.get("summary_stats") or ()),
        "failed": len(record.result.get("failed_objectives") or ()),
        "counts": _counts(record),
        "error": failure(record.error) if record.error else "",
    }


def _counts(record: ElementRecord) -> str:
    solves = record.counts.get("solves", 0)
    if not solves:
        return ""
    more = outcomes(record.counts)
    return notation.counted(solves, "solve") + (f" ({', '.join(more)})" if more else "")


def _parameter_row(result: PipelineResult, name: str, plots: Plots) -> ParameterRow:
    value = result.parameters[name]
    named = plots.add([curves.parameter_curve(name, value)])
    kind = (
        "expression" if isinstance(value, Expression)
        else "function" if isinstance(value, Function)
        else "number" if as_float(value) is not None
        else "other"
    )  # fmt: skip
    bounded = {
        row["name"]
        for record in result.elements
        for row in record.result.get("parameters") or ()
        if row.get("at_bound")
    }
    return ParameterRow(
        name=name,
        base=base_of(name),
        unit=notation.unit_text(unit_of(name)),
        value=notation.value_text(value),
        exact=repr(value) if kind == "number" else "",
        kind=kind,
        sort=as_float(value),
        origin=result.parameters.origins.get(name, Origin("")),
        missing=result.unresolved.get(name, []),
        at_bound=name in bounded,
        anchor=named[0] if named else "",
    )


def _fit(record: ElementRecord, plots: Plots) -> dict[str, Any]:
    result = record.result
    facts = {
        "cost": number(result["cost"]) if "cost" in result else "",
        "evaluations": number(result.get("evaluations", "")),
        "iterations": number(result.get("iterations", "")),
        "ended": result.get("message") or "",
        "starts": _starts(result.get("children") or ()),
    }
    return {
        "record": record,
        "facts": {label: text for label, text in facts.items() if text},
        "rows": [_fitted_row(row) for row in result.get("parameters") or ()],
        "between": level_text(result) if has_intervals(result) else "",
        "uncertainty": uncertainty(result),
        "values": list(result.get("fits") or ()),
        "array": array_rows(record),
        "failed": result.get("failed_objectives") or {},
        "errors": list(fit_errors(record)),
        "metrics": list(metric_rows(record)),
        "comparisons": _comparisons(record, plots, fitted=True),
        "convergence": plots.add([curves.convergence(record)]),
        "traces": plots.add(curves.parameter_traces(record)),
        "posterior": posterior_rows(record),
        "drawn": posterior_facts(record),
        "marginals": plots.add(marginals(record)),
        "ways": plots.add(ways(record)),
    }


def _fitted_row(row: Mapping[str, Any]) -> FittedRow:
    name = str(row["name"])
    lower, upper = row.get("lower"), row.get("upper")
    return FittedRow(
        base=base_of(name),
        unit=notation.unit_text(row.get("unit") or unit_of(name)),
        initial=number(row.get("initial")),
        value=number(row.get("value")),
        lower=number(lower),
        upper=number(upper),
        at_bound=bool(row.get("at_bound")),
        place=place_between(row.get("value"), lower, upper),
        start=place_between(row.get("initial"), lower, upper),
        interval=interval_text(row["interval"]) if "interval" in row else "",
    )


def place_between(value: Any, lower: Any, upper: Any) -> float | None:
    """Return where a value stands between its bounds, 0 to 100; by logarithm where they are two decades apart."""
    numbers = [as_float(part) for part in (value, lower, upper)]
    if any(part is None for part in numbers):
        return None
    place, low, high = np.array(numbers, dtype=float)
    if not np.isfinite([place, low, high]).all() or not low < high:
        return None
    if low > 0 and place > 0 and high / low >= 100:
        place, low, high = np.log([place, low, high])
    return round(float(np.clip(100 * (place - low) / (high - low), 0, 100)), 1)


def _starts(children: Iterable[Any]) -> str:
    costs = [
        cost for child in children if isinstance(child, Mapping) and (cost := as_float(child.get("cost"))) is not None
    ]
    return f"{len(costs)}, cost {number(min(costs), 4)} to {number(max(costs), 4)}" if costs else ""


def _validation(record: ElementRecord, plots: Plots) -> dict[str, Any]:
    errors = list(validation_errors(record))
    measures = list(dict.fromkeys(error.measure for error in errors))
    table = {
        objective: {error.measure: error.value for error in group}
        for objective, group in groupby(errors, key=lambda error: error.objective)
    }
    return {
        "record": record,
        "measures": measures,
        "table": table,
        "failed": record.result.get("failed_objectives") or {},
        "comparisons": _comparisons(record, plots, fitted=False),
    }


def _comparisons(record: ElementRecord, plots: Plots, fitted: bool) -> list[Comparison]:
    return [
        Comparison(
            objective, plots.add([nyquist(objective, series, fitted), *curves.comparisons(objective, series, fitted)])
        )
        for objective, series in record.curves.items()
    ]


def _analysis(record: ElementRecord) -> dict[str, Any] | None:
    """Return the tables of an element that is neither fit nor validation: names to numbers by column."""
    if findings.is_fit(record) or findings.is_validation(record):
        return None
    tables = {
        str(title): rows
        for title, rows in record.result.items()
        if title != "parameter_values"
        and isinstance(rows, Mapping)
        and rows
        and all(_is_row(row) for row in rows.values())
    }
    known = {"intervals", "identifiability", "second_order", "second_order_ci"}
    tables = {title: rows for title, rows in tables.items() if title not in known}
    columns = {
        title: list(dict.fromkeys(key for row in rows.values() for key in row)) for title, rows in tables.items()
    }
    own = {
        "intervals": interval_rows(record),
        "indices": index_rows(record),
        "pairs": second_order(record),
        "uncertainty": uncertainty(record.result),
        "stats": record.result.get("evaluation_stats") or {},
    }
    if not (tables or any(own.values())):
        return None
    return {"record": record, "tables": tables, "columns": columns, "between": level_text(record.result), **own}


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and all(
        as_float(value) is not None or isinstance(value, str) for value in row.values()
    )


def _digests(result: PipelineResult) -> dict[str, str]:
    own = {
        record.name: record.result["digest"]
        for record in result.elements
        if isinstance(record.result.get("digest"), str)
    }
    return {
        "configuration": digest(result.config),
        "parameters": result.parameters.digest_of(frozenset(result.parameters)),
        **own,
    }


def _policy(scripts: Iterable[str]) -> str:
    """Return the page's content security policy: no other host, and no script but ours, whatever a name may hold."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    text = (files("cellwright.report") / "assets" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").strip("\n")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cellwright.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        number=number,
        measured=notation.measured,
        duration=notation.duration,
        base=base_of,
        digits4=lambda value: number(value, 4),
        instant=_instant,
    )
    return environment


def _instant(started_at: str) -> str:
    """Return an instant of ISO 8601 as people read it; what is not one stays as it is."""
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(started_at)
    except ValueError:
        return started_at
    zone = moment.strftime("%Z") if moment.tzinfo else ""
    return f"{moment:%Y-%m-%d %H:%M} {zone}".strip()
