"""A synthetic result of a run with everything that a report may meet, for the tests of reports and of doors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import Channels, ElementRecord, PipelineResult
from cellwright.schema.values import Function

Array = NDArray[np.float64]
Runs = Mapping[str, Channels]

CHEN = "Chen et al., J. Electrochem. Soc. 167 (2020) 080534, table VII"
SHEET = "LG INR21700-M50 datasheet, rev. 1.2, p. 3"
FREE = {
    "Negative particle diffusivity [m2.s-1]": (3.3e-14, 1.85271e-14, 1e-15, 1e-12),
    "Positive particle diffusivity [m2.s-1]": (4e-15, 1e-13, 1e-16, 1e-13),
    "Negative electrode active material volume fraction": (0.75, 0.71348, 0.5, 0.9),
    "Contact resistance [Ohm]": (0.01, 0.008713, 0.0, 0.05),
}


def example_result() -> PipelineResult:
    """Return the result of a synthetic run: entries, calculations, a fit, a validation, a failed objective."""
    elements = (_datasheet(), _literature(), _potentials(), _areas(), _fit(), _validation())
    parameters = ParameterSet()
    for record in elements:
        sources = {name: Origin(**origin) for name, origin in record.origins.items()}
        given = record.result["parameter_values"]
        parameters = parameters.merge(given, {name: sources.get(name, Origin(record.name)) for name in given})
    return PipelineResult(
        id="01JD8ZK3R7Q4N5W6X7Y8Z9ABCD",
        name="LG M50, 25 °C: diffusivities from 1C and a drive cycle",
        status="completed",
        elements=elements,
        config=_config(),
        parameters=parameters,
        started_at="2026-11-23T21:04:11Z",
        seconds=213.7,
        versions={"cellwright": "0.1.0", "pybamm": "26.10.0", "numpy": "2.3.4", "python": "3.11.9"},
        warnings=("drive cycle: 14 rows with equal times were merged",),
    )


def _datasheet() -> ElementRecord:
    values = {"Nominal cell capacity [A.h]": 5.0, "Upper voltage cut-off [V]": 4.2, "Lower voltage cut-off [V]": 2.5}
    paths = ("capacity.nominal", "voltage.maximum", "voltage.minimum")
    return ElementRecord(
        "datasheet",
        "entry",
        "DirectEntry",
        "completed",
        0.002,
        result={"type": "EntryResult", "parameter_values": values},
        origins={name: Origin("datasheet", SHEET, path).to_dict() for name, path in zip(values, paths, strict=True)},
    )


def _literature() -> ElementRecord:
    values = {
        "Negative electrode thickness [m]": 8.52e-5,
        "Positive electrode thickness [m]": 7.56e-5,
        "Separator thickness [m]": 1.2e-5,
        "Positive particle radius [m]": 5.22e-6,
        "Positive electrode active material volume fraction": 0.665,
        "Maximum concentration in negative electrode [mol.m-3]": 33133.0,
        "Maximum concentration in positive electrode [mol.m-3]": 63104.0,
        "Electrolyte diffusivity [m2.s-1]": Function.trace(
            lambda c_e, T: 8.794e-11 * (c_e / 1000) ** 2 - 3.972e-10 * (c_e / 1000) + 4.862e-10 + 0.0 * T,
            "electrolyte_diffusivity",
        ),
        "Number of electrodes connected in parallel to make a cell": 1,
        "Negative electrode exchange-current density at the reference temperature and half lithiation [A.m-2]": 2.668,
    }
    return ElementRecord(
        "literature",
        "entry",
        "DirectEntry",
        "completed",
        0.003,
        result={"type": "EntryResult", "parameter_values": values},
        origins={name: Origin("literature", CHEN).to_dict() for name in values},
    )


def graphite_potential(sto: Array) -> Array:
    """Return the open-circuit potential [V] of a graphite-SiOx electrode; source: Chen et al. (2020), eq. 9."""
    return (
        1.9793 * np.exp(-39.3631 * sto)
        + 0.2482
        - 0.0909 * np.tanh(29.8538 * (sto - 0.1234))
        - 0.04478 * np.tanh(14.9159 * (sto - 0.2769))
        - 0.0205 * np.tanh(30.4444 * (sto - 0.6103))
    )


def nmc_potential(sto: Array) -> Array:
    """Return the open-circuit potential [V] of an NMC811 electrode; source: Chen et al. (2020), eq. 8."""
    return (
        -0.8090 * sto
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (sto - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (sto - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (sto - 0.3120))
    )


def _potentials() -> ElementRecord:
    negative, positive = np.linspace(0.01, 0.99, 161), np.linspace(0.25, 0.99, 121)
    values = {
        "Negative electrode OCP [V]": Function.table(
            "sto", negative, graphite_potential(negative), "linear", "graphite"
        ),
        "Positive electrode OCP [V]": Function.table("sto", positive, nmc_potential(positive), "pchip", "NMC811"),
    }
    return ElementRecord(
        "half-cell potentials",
        "calculation",
        "OCPDataInterpolant",
        "completed",
        0.412,
        cached=True,
        result={"type": "CalculationResult", "parameter_values": values},
    )


def _areas() -> ElementRecord:
    p = ParameterSet()
    fraction = p["Negative electrode active material volume fraction"]
    values = {
        "Negative electrode surface area to volume ratio [m-1]": 3 * fraction / p["Negative particle radius [m]"],
        "Positive electrode surface area to volume ratio [m-1]": 3 * 0.665 / 5.22e-6,
    }
    return ElementRecord(
        "specific surface areas",
        "calculation",
        "SurfaceAreaToVolumeRatio",
        "completed",
        0.001,
        result={"type": "CalculationResult", "parameter_values": values},
        unresolved={"Negative electrode surface area to volume ratio [m-1]": ["Negative particle radius [m]"]},
    )


def _fit() -> ElementRecord:
    rng = np.random.default_rng(20261123)
    series = {"1C discharge": _discharge(rng), "drive cycle": _drive_cycle(rng)}
    rows = [
        {
            "name": name,
            "initial": start,
            "value": value,
            "lower": low,
            "upper": high,
            "unit": "",
            "at_bound": "upper" if value == high else None,
        }
        for name, (start, value, low, high) in FREE.items()
    ]
    return ElementRecord(
        "fit diffusivities",
        "data_fit",
        "DataFit",
        "completed",
        187.4,
        result={
            "type": "OptimizationResult",
            "parameter_values": {row["name"]: row["value"] for row in rows},
            "cost": 3.4127e-4,
            "x": [row["value"] for row in rows],
            "success": True,
            "message": "`ftol` termination condition is satisfied.",
            "evaluations": 412,
            "iterations": 38,
            "initial_guess": {row["name"]: row["initial"] for row in rows},
            "children": [],
            "parameters": rows,
            "objectives": {name: _before_after(found) for name, found in series.items()},
        },
        series=series,
        trace=_trace(rng),
        counts={"solves": 824, "failed": 3, "replayed": 0},
        warnings=("the solver fell back to a smaller step on 2 of 824 solves",),
    )


def _validation() -> ElementRecord:
    rng = np.random.default_rng(7)
    series = {"C/2 discharge": {"optimal": _discharge(rng, 7200.0, 0.019)["optimal"]}}
    error = 1e3 * _residual(series["C/2 discharge"]["optimal"])
    statistics = [
        {"name": "RMSE [mV] (Voltage [V])", "value": float(np.sqrt(np.mean(error**2)))},
        {"name": "MAE [mV] (Voltage [V])", "value": float(np.mean(np.abs(error)))},
        {"name": "Max [mV] (Voltage [V])", "value": float(np.max(np.abs(error)))},
    ]
    return ElementRecord(
        "held-out rates",
        "validation",
        "Validation",
        "completed",
        4.21,
        result={
            "type": "ValidationResult",
            "parameter_values": {},
            "summary_stats": {"C/2 discharge": statistics},
            "validation_results": {},
            "failed_objectives": {"2C discharge": "the solver stopped at t = 1203.4 s: the voltage fell below 2.5 V"},
        },
        series=series,
        counts={"solves": 2, "failed": 1, "replayed": 0},
    )


def _discharge(rng: np.random.Generator, duration: float = 3400.0, error: float = 0.012) -> Runs:
    time = np.linspace(0.0, duration, 3400)
    depth = 0.95 * time / duration
    true = nmc_potential(0.27 + 0.6 * depth) - graphite_potential(0.9 - 0.85 * depth) - 0.09
    data = true + rng.normal(0.0, 0.0008, time.size)
    near = error * np.sin(5 * depth) * np.exp(-depth) + 1.5 * error * depth**12
    far = 0.055 + 0.05 * depth**3 + 0.02 * np.cos(9 * depth)
    return {"baseline": _channels(time, data, true + far), "optimal": _channels(time, data, true + near)}


def _drive_cycle(rng: np.random.Generator) -> Runs:
    time: Array = np.arange(30_000, dtype=np.float64) * 0.5
    depth = 0.8 * time / time[-1]
    load = np.repeat(rng.gamma(1.3, 0.6, 1500) - 0.25, 20)
    rest = nmc_potential(0.27 + 0.6 * depth) - graphite_potential(0.9 - 0.85 * depth)
    slow: Array = np.convolve(load, np.full(120, 1 / 120), "same").astype(np.float64)
    true = rest - 0.045 * load - 0.03 * slow
    data = true + rng.normal(0.0, 0.001, time.size)
    near = true + 0.004 * load - 0.006 * slow + 0.004 * np.sin(7 * depth)
    return {"baseline": _channels(time, data, rest - 0.08 * load), "optimal": _channels(time, data, near)}


def _channels(time: Array, data: Array, model: Array) -> Channels:
    return {"Time [s]": time, "Voltage [V] (data)": data, "Voltage [V] (model)": model}


def _residual(channels: Channels) -> Array:
    return channels["Voltage [V] (model)"] - channels["Voltage [V] (data)"]


def _before_after(series: Runs) -> dict[str, dict[str, float]]:
    errors = {
        column: 1e3 * _residual(series[which]) for column, which in (("initial", "baseline"), ("fitted", "optimal"))
    }
    return {
        "RMSE [mV] (Voltage [V])": {column: float(np.sqrt(np.mean(error**2))) for column, error in errors.items()},
        "MAE [mV] (Voltage [V])": {column: float(np.mean(np.abs(error))) for column, error in errors.items()},
        "Max [mV] (Voltage [V])": {column: float(np.max(np.abs(error))) for column, error in errors.items()},
    }


def _trace(rng: np.random.Generator) -> tuple[dict[str, Any], ...]:
    """Return 40 improvements, as a search notes them: every row is the best so far."""
    rows: list[dict[str, Any]] = []
    evaluations = 0
    for index in range(40):
        evaluations += int(rng.integers(2, 18))
        left = float(np.exp(-index / 7))
        cost = 3.4127e-4 + 0.021 * left**2
        inputs = {
            name: float(value + (start - value) * left + (high - low) * 0.02 * left * rng.normal())
            for name, (start, value, low, high) in FREE.items()
        }
        rows.append(
            {
                "evaluations": evaluations,
                "seconds": round(0.45 * evaluations, 3),
                "cost": cost,
                "best_cost": cost,
                "inputs_unscaled": {
                    name: min(max(v, FREE[name][2] or 1e-6), FREE[name][3]) for name, v in inputs.items()
                },
            }
        )
    return tuple(rows)


def _config() -> dict[str, Any]:
    time = np.linspace(0.0, 3400.0, 3400)
    columns = {"Time [s]": time.tolist(), "Current [A]": [5.0] * 3400, "Voltage [V]": (4.1 - time / 3000).tolist()}
    return {
        "name": "LG M50, 25 °C: diffusivities from 1C and a drive cycle",
        "elements": {
            "datasheet": {
                "element_type": "entry",
                "name": "direct_entry",
                "parameters": {"Nominal cell capacity [A.h]": 5.0},
                "source": SHEET,
            },
            "fit diffusivities": {
                "element_type": "data_fit",
                "objectives": {
                    "1C discharge": {"type": "CurrentDriven", "data": {"data": columns}, "options": {"model": "SPMe"}},
                    "drive cycle": {"type": "CurrentDriven", "data": "file:drive.csv", "options": {"model": "SPMe"}},
                },
                "parameters": {
                    name: {"initial_value": start, "bounds": [low, high]}
                    for name, (start, _, low, high) in FREE.items()
                },
                "options": {"seed": 42},
            },
        },
    }
