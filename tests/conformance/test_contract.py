"""What the package of the contract builds, Cellwright reads, means and writes alike; what it refuses, so do we.

Every construction of `CASES` is made twice from one function: with the official classes and with ours.
"""

import json
import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import ionworks_schema as iws
import numpy as np
import pandas as pd
import polars as pl
import pybamm
import pytest
from pybamm.expression_tree.operations.serialise import convert_symbol_from_json

import cellwright as cw
from cellwright.schema.datasource import AnalysisSpec, DataLoaderOptions, DataLoaderTransforms, TimeRangeSpec
from cellwright.schema.expressions import FUNCTION_TAG
from cellwright.schema.families import SimulationSettings

SHARED = (
    "DataFit", "DataFitOptions", "Parameter", "Pipeline", "Validation", "calculations", "costs", "direct_entries",
    "distribution_samplers", "objective_functions", "objectives", "optimizers", "parameter_estimators", "stats",
    "transforms",
)  # fmt: skip
SPECS = (AnalysisSpec, DataLoaderOptions, DataLoaderTransforms, TimeRangeSpec)
THEIRS = SimpleNamespace(
    **{name: getattr(iws, name) for name in SHARED},
    **{spec.__name__: getattr(iws.data_loader, spec.__name__) for spec in SPECS},
    SimulationSettings=iws.models.SimulationSettings,
)
OURS = SimpleNamespace(
    **{name: getattr(cw, name) for name in SHARED},
    **{spec.__name__: spec for spec in SPECS},
    SimulationSettings=SimulationSettings,
)
Build = Callable[[Any], Any]

CURVE = {"Time [s]": [0.0, 1.0, 2.5], "Current [A]": [1.0, 1.0, 0.0], "Voltage [V]": [4.1, 4.0, 4.05]}
OCP = {"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [1.0, 0.2, 0.0]}
STEPS = {"Start index": [0.0, 1.0], "End index": [1.0, 2.0]}
MODEL = {"model": "SPMe"}
X = "Positive particle diffusivity [m2.s-1]"


def diffusivity(sto: Any, T: Any) -> Any:
    return 4e-15 * np.exp(-3 * sto) * (1 + sto**2) + T / 1e20


def mixed(x: Any) -> Any:
    return pybamm.Parameter("other") * pybamm.tanh(x) + 1


def driven(api: Any, data: Any = "file:a.csv", options: Any = None, **fields: Any) -> Any:
    return api.objectives.CurrentDriven(data, options=MODEL if options is None else options, **fields)


def fit(api: Any, **fields: Any) -> Any:
    return api.DataFit(**{"objectives": {"o": driven(api)}, "parameters": {X: api.Parameter(X)}} | fields)


def entry(**fields: Any) -> Build:
    return lambda api: api.direct_entries.DirectEntry(**fields)


def value(given: Any) -> Build:
    return lambda api: api.direct_entries.DirectEntry({"a": given})


def calculation(name: str, *args: Any, **fields: Any) -> Build:
    return lambda api: getattr(api.calculations, name)(*args, **fields)


def data(given: Any) -> Build:
    return lambda api: api.Validation({"o": driven(api, given)})


def options(**fields: Any) -> Build:
    return lambda api: api.Validation({"o": driven(api, options=MODEL | fields)})


def typed_options(**fields: Any) -> Build:
    return lambda api: api.Validation({"o": driven(api, options=api.objectives.CurrentDrivenOptions(**MODEL | fields))})


def model(given: Callable[[], Any] | Any) -> Build:
    return lambda api: api.Validation({"o": driven(api, options={"model": given() if callable(given) else given})})


def cost(name: str, **fields: Any) -> Build:
    return lambda api: fit(api, cost=getattr(api.costs, name)(**fields))


def optimizer(name: str, **fields: Any) -> Build:
    return lambda api: fit(api, optimizer=getattr(api.parameter_estimators, name)(**fields))


def free(*args: Any, **fields: Any) -> Build:
    return lambda api: fit(api, parameters={X: api.Parameter(X, *args, **fields)})


ENTRIES: dict[str, Build] = {
    "parameters": entry(parameters={"Ambient temperature [K]": 298.15}),
    "positional": lambda api: api.direct_entries.DirectEntry({"a [m]": 1.5}, "a paper"),
    "source": entry(parameters={"a [m]": 1.5}, source="a paper"),
    "pipeline": entry(pipeline_id="abc"),
    "pipeline-keep": entry(pipeline_id="abc", keep=["a [m]"], source="run 3"),
    "pipeline-positional": lambda api: api.direct_entries.DirectEntry(None, "s", "abc", ["a"]),
    "cell-spec": entry(cell_spec_id="abc", mapping={"Electrode area [m2]": "anode.properties.area"}),
    "cell-spec-positional": lambda api: api.direct_entries.DirectEntry(None, "s", None, None, "abc", {"a": "b.c"}),
    "provenance": entry(parameters={"a [m]": 1.5}, provenance={"a [m]": {"path": "a.b", "value": 1500, "unit": "mm"}}),
    "provenance-no-unit": entry(parameters={"a": 1.5}, provenance={"a": {"path": "a.b", "value": 1.5}}),
    "nothing": entry(),
    "empty": entry(parameters={}, source="nothing"),
    "int": value(3),
    "float": value(1e-14),
    "negative-zero": value(-0.0),
    "bool": value(True),
    "string": value("lumped"),
    "numpy-float": value(np.float64(2.5)),
    "array": value(np.array([1.0, 2.0])),
    "array-of-int": value(np.array([[1, 2], [3, 4]])),
    "list": value([1, 2.5]),
    "inf": value(math.inf),
    "minus-inf": value(-math.inf),
    "nan": value(math.nan),
    "scalar": value(pybamm.Scalar(3.5)),
    "symbol": value(pybamm.Parameter("k")),
    "expression": value(2 * pybamm.Parameter("k") ** 2 - pybamm.exp(-pybamm.Parameter("T [K]") / 300)),
    "comparison": value((pybamm.Parameter("k") < 0.5) * 3 + pybamm.sqrt(pybamm.Parameter("k"))),
    "min-max": value(pybamm.maximum(pybamm.Parameter("k"), 0.4) + pybamm.minimum(pybamm.Parameter("j"), 0.5)),
    "interpolant": value(pybamm.Interpolant(np.linspace(0, 1, 5), np.linspace(1, 2, 5) ** 2, pybamm.Parameter("k"))),
    "cubic": value(
        pybamm.Interpolant(np.linspace(0, 1, 5), np.linspace(1, 2, 5) ** 2, pybamm.Parameter("k"), interpolator="cubic")
    ),
    "pchip": value(
        pybamm.Interpolant(np.linspace(0, 1, 5), np.linspace(1, 2, 5) ** 2, pybamm.Parameter("k"), interpolator="pchip")
    ),
    "function": value(diffusivity),
    "lambda": value(lambda sto: 1 - sto + np.tanh(5 * (sto - 0.4)) / 20),
    "constant-function": value(lambda sto: 4.0),
    "pybamm-function": value(mixed),
    "function-parameter": value(pybamm.FunctionParameter("D [m2.s-1]", {"sto": pybamm.Parameter("k")})),
    "nested": value({"x": [1, 2], "y": {"z": 3.5}}),
    "parameter-values": lambda api: api.direct_entries.DirectEntry(pybamm.ParameterValues({"a [m]": 1.5, "b": "x"})),
    "chen2020": lambda api: api.direct_entries.DirectEntry(pybamm.ParameterValues("Chen2020"), "Chen 2020"),
    "marquis2019": lambda api: api.direct_entries.DirectEntry(pybamm.ParameterValues("Marquis2019")),
}
CALCULATIONS: dict[str, Build] = {
    "capacity": calculation("ElectrodeCapacity", electrode="positive"),
    "capacity-positional": calculation("ElectrodeCapacity", "negative", True, "auto", "primary"),
    "capacity-all": calculation(
        "ElectrodeCapacity", electrode="positive", use_stoich_window=True, method="capacity", phase="secondary"
    ),
    "capacity-lumped": calculation("ElectrodeCapacity", electrode="lumped", phase=""),
    "surface": calculation("SurfaceAreaToVolumeRatio", "negative"),
    "surface-keyword": calculation("SurfaceAreaToVolumeRatio", electrode="lumped"),
    "soc": calculation("InitialSOC", 1),
    "soc-float": calculation("InitialSOC", soc=0.25),
    "soc-name": calculation("InitialSOC", soc="Initial SOC"),
    "esoh": calculation("ElectrodeSOH"),
    "esoh-dict": calculation("ElectrodeSOH", {"known value": "cell capacity"}),
    "esoh-attribute-name": calculation("ElectrodeSOH", options={"known_value": "cell capacity"}),
    "esoh-options": lambda api: api.calculations.ElectrodeSOH(
        options=api.calculations.ElectrodeSOHOptions(known_value="cyclable lithium capacity")
    ),
    "esoh-empty-options": lambda api: api.calculations.ElectrodeSOH(api.calculations.ElectrodeSOHOptions()),
    "ocp-file": calculation("OCPDataInterpolant", "positive", "file:ocp.csv"),
    "ocp-columns": calculation("OCPDataInterpolant", electrode="negative", data=OCP),
    "ocp-pandas": lambda api: api.calculations.OCPDataInterpolant("negative", pd.DataFrame(OCP)),
    "ocp-polars": lambda api: api.calculations.OCPDataInterpolant("negative", pl.DataFrame(OCP)),
    "ocp-payload": calculation("OCPDataInterpolant", "negative", {"data": OCP, "options": {"first_step": 1}}),
    "ocp-dict": calculation("OCPDataInterpolant", "negative", OCP, {"interpolator": "pchip", "tolerance": 1e-4}),
    "ocp-options": lambda api: api.calculations.OCPDataInterpolant(
        "lumped",
        OCP,
        options=api.calculations.OCPDataInterpolantOptions(direction="lithiation", phase="primary"),
    ),
    "ocp-all-options": lambda api: api.calculations.OCPDataInterpolant(
        "lumped",
        OCP,
        api.calculations.OCPDataInterpolantOptions(
            tolerance=1e-6, direction="delithiation", phase="secondary", interpolator="linear"
        ),
    ),
}
DATA: dict[str, Build] = {
    "file": data("file:data/a.csv"),
    "folder": data("folder:data"),
    "db": data("db:some-id"),
    "columns": data(CURVE),
    "integer-columns": data({"Time [s]": [0, 1], "Voltage [V]": [4, 3]}),
    "pandas": data(pd.DataFrame(CURVE)),
    "polars": data(pl.DataFrame(CURVE)),
    "pandas-integers": data(pd.DataFrame({"Time [s]": [0, 1], "Voltage [V]": [4.0, 3.0]})),
    "arrays": data({name: np.array(column) for name, column in CURVE.items()}),
    "data": data({"data": CURVE}),
    "data-pandas": data({"data": pd.DataFrame(CURVE)}),
    "data-polars": data({"data": pl.DataFrame(CURVE), "options": {"first_step": 0}}),
    "data-reference": data({"data": "db:some-id", "options": {"first_step": 2, "last_step": 5}}),
    "options": data(
        {
            "data": "file:a.csv",
            "options": {
                "transforms": {"sort": True, "remove_duplicates": False, "interpolate": 0.5},
                "first_step": "Duration [s] > 100",
                "last_step": {"cycle": 3},
                "capacity_column": "Q [A.h]",
            },
        }
    ),
    "flat-options": data(
        {
            "data": "file:a.csv",
            "options": {
                "first_step_dict": {"step": 1},
                "last_step_dict": 7,
                "rest_to_ocp": True,
                "sort": False,
                "remove_extremes": True,
                "filters": {"Voltage [V]": {"filter_type": "savgol"}},
                "interpolate": [0.0, 0.5],
                "keep_first_ocp_point": False,
            },
        }
    ),
    "typed-options": lambda api: api.Validation(
        {
            "o": driven(
                api,
                {
                    "data": "file:a.csv",
                    "options": api.DataLoaderOptions(
                        first_step=1,
                        transforms=api.DataLoaderTransforms(sort=True, filters={"Voltage [V]": 3}),
                    ),
                },
            )
        }
    ),
    "time-range": data({"data": "db:some-id", "time_range": {"start": 0.0, "end": 3600.0}}),
    "time-range-duration": data({"data": "db:some-id", "time_range": {"start": 10.0, "duration": 60.0}}),
    "typed-time-range": lambda api: api.Validation(
        {"o": driven(api, {"data": "db:a", "options": {}, "time_range": api.TimeRangeSpec(start=1, end=2)})}
    ),
    "typed-duration": lambda api: api.Validation(
        {"o": driven(api, {"data": "db:a", "time_range": api.TimeRangeSpec(start=1, duration=2)})}
    ),
    "analysis": data({"data": "db:some-id", "analysis": {"analysis_type": "lam_lli_from_rpt", "name": "first"}}),
    "typed-analysis": lambda api: api.Validation(
        {"o": driven(api, {"data": "db:a", "analysis": api.AnalysisSpec(analysis_id="7")})}
    ),
    "time-series": data({"time_series": CURVE, "steps": STEPS}),
    "time-series-alone": data({"time_series": CURVE}),
    "time-series-pandas": data({"time_series": pd.DataFrame(CURVE), "steps": pd.DataFrame(STEPS)}),
    "metadata": data({"data": CURVE, "metadata": {"Temperature [degC]": 25, "cell": "A"}}),
    "metadata-pandas": data({"data": pd.DataFrame(CURVE), "metadata": {}}),
}
OBJECTIVES: dict[str, Build] = {
    "positional": lambda api: api.Validation({"o": api.objectives.CurrentDriven(CURVE, MODEL)}),
    "keyword": lambda api: api.Validation({"o": api.objectives.CurrentDriven(data_input=CURVE, options=MODEL)}),
    "data-keyword": lambda api: api.Validation({"o": api.objectives.CurrentDriven(data=CURVE, options=MODEL)}),
    "stored-model": lambda api: api.Validation({"o": driven(api, options={"parameterized_model_id": "abc"})}),
    "typed-stored-model": lambda api: api.Validation(
        {"o": driven(api, options=api.objectives.CurrentDrivenOptions(parameterized_model_id="abc"))}
    ),
    "typed-options": typed_options(),
    "option-names": options(
        **{"objective variables": ["Voltage [V]"], "independent variable": "voltage", "interpolant_lossless": True}
    ),
    "attribute-names": options(
        objective_variables=["Voltage [V]", "Temperature [degC]"], independent_variable="time", interpolant_atol=1e-6
    ),
    "typed-names": typed_options(
        objective_variables=["Voltage [V]"], interpolant_rtol=1e-3, interpolant_lossless=False
    ),
    "simulation-kwargs": options(simulation_kwargs={"var_pts": {"x_n": 10}, "solver": {"type": "IDAKLUSolver"}}),
    "live-solver": options(simulation_kwargs={"solver": pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8)}),
    "settings": lambda api: api.Validation(
        {
            "o": driven(
                api,
                options={
                    "model": {
                        "type": "SPM",
                        "simulation_settings": api.SimulationSettings(
                            var_pts={"r_n": 16, "r_p": 16}, solver={"type": "IDAKLUSolver"}
                        ),
                    }
                },
            )
        }
    ),
    "settings-positional": lambda api: api.Validation(
        {
            "o": driven(
                api,
                options={
                    "model": {"type": "SPM", "simulation_settings": api.SimulationSettings({"r_n": 16}, {}, {}, {})}
                },
            )
        }
    ),
    "model-name": model("DFN"),
    "model-dict": model({"type": "SPMe"}),
    "model-dict-options": model({"type": "SPMe", "options": {"thermal": "lumped", "particle phases": ["2", "1"]}}),
    "live-spm": model(pybamm.lithium_ion.SPM),
    "live-spme": model(lambda: pybamm.lithium_ion.SPMe({"thermal": "lumped"})),
    "live-phases": model(lambda: pybamm.lithium_ion.SPM({"particle phases": ("2", "1")})),
    "parameters": lambda api: api.Validation({"o": driven(api, parameters={"Ambient temperature [K]": 318.15})}),
    "parameters-function": lambda api: api.Validation({"o": driven(api, parameters={X: diffusivity})}),
    "parameter-values": lambda api: api.Validation({"o": driven(api, parameters=pybamm.ParameterValues({"a": 1.0}))}),
    "several": lambda api: api.Validation({"1C": driven(api, CURVE), "C/2": driven(api, "db:b")}),
    "dict": lambda api: api.Validation({"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}}),
}
WEIGHTS = {"objective_weights": {"o": 2.0}, "variable_weights": {"Voltage [V]": 0.5}}
COSTS: dict[str, Build] = {name: cost(name) for name in ("SSE", "RMSE", "MAE", "Max")}
COSTS |= {f"{name}-weights": cost(name, **WEIGHTS) for name in ("SSE", "RMSE", "MAE", "Max")}
COSTS |= {
    f"normalization-{how}": cost("SSE", normalization=how)
    for how in ("mean", "range", "sum_squares", "mean_squares", "root_mean_squares", "identity", 2, 0.5)
}
COSTS |= {f"nan-{how}": cost("RMSE", nan_values=how) for how in ("mean", "min", 1e6, 3)} | {
    "structure": cost("Max", calculation_structure={"o": ["Voltage [V]"], "p": None, "q": []}),
    "objective-names": cost("MAE", objective_names=["o"]),
    "dict": lambda api: fit(api, cost={"type": "SSE", "normalization": "range"}),
    "objective-functions": lambda api: fit(api, cost=api.objective_functions.SSE()),
    "summary-stats": lambda api: api.Validation({"o": driven(api)}, [api.costs.RMSE(), api.costs.Max(nan_values=2)]),
    "summary-stats-keyword": lambda api: api.Validation(objectives={"o": driven(api)}, summary_stats=[{"type": "MAE"}]),
}
ESTIMATORS: dict[str, Build] = {
    "least-squares": optimizer("ScipyLeastSquares"),
    "least-squares-keywords": optimizer("ScipyLeastSquares", method="dogbox", ftol=1e-10, max_nfev=50, x_scale=[1, 2]),
    "minimize": optimizer("ScipyMinimize"),
    "minimize-keywords": optimizer("ScipyMinimize", method="Nelder-Mead", tol=1e-8, options={"maxiter": 20}),
    "evolution": optimizer("ScipyDifferentialEvolution"),
    "evolution-keywords": optimizer("ScipyDifferentialEvolution", maxiter=10, popsize=5, seed=3, workers=-1),
    "optimizers": lambda api: fit(api, optimizer=api.optimizers.ScipyMinimize()),
    "dict": lambda api: fit(api, optimizer={"type": "ScipyLeastSquares", "max_iterations": 10}),
}
PARAMETERS: dict[str, Build] = {
    "bare": free(),
    "initial": free(1e-14),
    "initial-int": free(initial_value=2),
    "bounds": free(1e-14, (1e-16, 1e-12)),
    "bounds-list": free(bounds=[0, 1]),
    "bounds-inf": free(1.0, (0, math.inf)),
    "bounds-both-inf": free(1.0, (-math.inf, math.inf)),
    "normalize": free(1.0, (0.1, 10), normalize=False),
    "unchecked": free(20.0, (0.1, 10), check_bounds=False, check_initial_value=False),
    "checked": free(2.0, (0.1, 10), None, True, True, True),
    "guess-uniform": lambda api: fit(
        api, parameters={X: api.Parameter(X, bounds=(0, 1), initial_guess_distribution=api.stats.Uniform(0, 1))}
    ),
    "guess-keyword": lambda api: fit(
        api, parameters={X: api.Parameter(X, initial_guess_distribution=api.stats.Uniform(lb=0.1, ub=0.2))}
    ),
    "guess-point": lambda api: fit(
        api, parameters={X: api.Parameter(X, 1.0, (0, 2), None, None, None, None, api.stats.PointMass(1.0))}
    ),
    "guess-point-keyword": lambda api: fit(
        api, parameters={X: api.Parameter(X, initial_guess_distribution=api.stats.PointMass(value=3))}
    ),
    "guess-dict": lambda api: fit(
        api, parameters={X: {"initial_guess_distribution": {"distribution": "Uniform", "lb": 0, "ub": 1}}}
    ),
    "prior-uniform": lambda api: fit(api, parameters={X: api.Parameter(X, prior=api.stats.Uniform(0.0, 1.0))}),
    "log10": lambda api: fit(api, parameters={X: api.transforms.Log10(api.Parameter(X, 1e-14, (1e-16, 1e-12)))}),
    "log10-keyword": lambda api: fit(api, parameters={X: api.transforms.Log10(parameter=api.Parameter(X, 2.0))}),
    "other-name": lambda api: fit(api, parameters={X: api.Parameter("D", initial_value=2.0)}),
    "tied": lambda api: fit(
        api, parameters={"a": 2 * pybamm.Parameter("b") + 1, "b": api.Parameter("b", initial_value=1.0)}
    ),
    "dict": lambda api: fit(api, parameters={X: {"initial_value": 1.0, "bounds": [0, 2], "normalize": False}}),
    "dict-log10": lambda api: fit(api, parameters={X: {"initial_value": 1.0, "transform": "Log10"}}),
}
FITS: dict[str, Build] = {
    "positional": lambda api: api.DataFit(
        {"o": driven(api)}, "lab", {X: api.Parameter(X)}, api.costs.SSE(), {X: 1.0}, api.optimizers.ScipyMinimize(),
        None, 3, "on", api.distribution_samplers.LatinHypercube(), None, api.DataFitOptions(seed=1),
    ),
    "source": lambda api: fit(api, source="cell 7"),
    "bare-objective": lambda api: fit(api, objectives=driven(api, CURVE)),
    "objective-dict": lambda api: fit(api, objectives={"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}}),
    "several": lambda api: fit(api, objectives={"a": driven(api), "b": driven(api, CURVE)}),
    "guesses": lambda api: fit(api, initial_guesses={X: 1}),
    "guess-list": lambda api: fit(api, initial_guesses=[{X: 1.0}, {X: 2}], multistarts=2),
    "multistarts": lambda api: fit(api, multistarts=5),
    "parallel": lambda api: fit(api, objective_parallelism="off"),
    "latin": lambda api: fit(api, initial_guess_sampler=api.distribution_samplers.LatinHypercube()),
    "uniform": lambda api: fit(api, initial_guess_sampler=api.distribution_samplers.Uniform()),
    "sampler-dict": lambda api: fit(api, initial_guess_sampler={"type": "Uniform"}),
    "options": lambda api: fit(api, options={"seed": 0, "validate": False}),
    "options-attribute": lambda api: fit(api, options={"validate_": True}),
    "options-typed": lambda api: fit(
        api,
        options=api.DataFitOptions(
            seed=2**32 - 1, low_memory=True, max_iterations=10, maxtime=1.5, validate=False,
            skip_objective_callbacks=True,
        ),
    ),
    "options-empty": lambda api: fit(api, options=api.DataFitOptions()),
}  # fmt: skip
PIPELINES: dict[str, Build] = {
    "empty": lambda api: api.Pipeline(),
    "no-elements": lambda api: api.Pipeline({}),
    "named": lambda api: api.Pipeline({"Q": api.calculations.ElectrodeCapacity("positive")}, "out.json", "n", "d"),
    "keywords": lambda api: api.Pipeline(
        elements={"e": api.direct_entries.DirectEntry({"a": 1})}, name="n", description="d", output_file="o"
    ),
    "order": lambda api: api.Pipeline(
        {"z": api.calculations.ElectrodeSOH(), "a": api.calculations.InitialSOC(0.5), "m": fit(api)}
    ),
    "dicts": lambda api: api.Pipeline(
        {
            "e": {"element_type": "entry", "values": {"a": 1}, "source": "s"},
            "p": {"element_type": "entry", "pipeline_id": "x", "keep": ["a"]},
            "c": {"element_type": "calculation", "type": "ElectrodeCapacity", "electrode": "positive"},
            "f": {
                "element_type": "data_fit",
                "objectives": {"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}},
                "parameters": {X: {"initial_value": 1.0}},
            },
            "v": {
                "element_type": "validation",
                "objectives": {"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}},
            },
        }
    ),
    "legacy-calculation": lambda api: api.Pipeline(
        {"c": {"element_type": "calculation", "calculation": "ElectrodeCapacity", "electrode": "positive"}}
    ),
    "legacy-objective": lambda api: fit(
        api, objectives={"o": {"objective": "CurrentDriven", "data": CURVE, "model": "SPM"}}
    ),
    "legacy-objective-both": lambda api: fit(
        api, objectives={"o": {"objective": "CurrentDriven", "type": "CurrentDriven", "data": CURVE, "options": MODEL}}
    ),
    "legacy-model": lambda api: fit(
        api,
        objectives={
            "o": {"type": "CurrentDriven", "data": CURVE, "model": "SPM", "options": {"interpolant_atol": 1e-3}},
        },
    ),
    "legacy-model-beside": lambda api: fit(
        api, objectives={"o": {"type": "CurrentDriven", "data": CURVE, "model": "SPM", "options": {"model": "DFN"}}}
    ),
}
CASES = {
    f"{group}/{name}": build
    for group, cases in {
        "entry": ENTRIES, "calculation": CALCULATIONS, "data": DATA, "objective": OBJECTIVES, "cost": COSTS,
        "estimator": ESTIMATORS, "parameter": PARAMETERS, "fit": FITS, "pipeline": PIPELINES,
    }.items()
    for name, build in cases.items()
}  # fmt: skip


def config_of(api: Any, build: Build) -> dict[str, Any]:
    built = build(api)
    pipeline = built if isinstance(built, api.Pipeline) else api.Pipeline({"element": built})
    return dict(pipeline.to_config())


def over_the_wire(config: Any) -> Any:
    """What the other side of a connection sees."""
    return json.loads(json.dumps(config))


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two wire forms differ; expression trees count as equal where their numbers are."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        tag = str(theirs.get("$type"))
        if tag == FUNCTION_TAG and ours.get("$type") == tag:
            inner = differences(ours["children"], theirs["children"], f"{at}()")
            return inner + [f"{at}: {k}" for k in ("func_args", "func_name") if ours[k] != theirs[k]]
        if tag.startswith("pybamm.") and str(ours.get("$type")).startswith("pybamm."):
            return [] if np.allclose(numbers(ours), numbers(theirs), rtol=1e-12, atol=0) else [f"{at}: {ours} {theirs}"]
        missing = [f"{at}: ours lacks {key!r}" for key in theirs.keys() - ours.keys()]
        added = [f"{at}: ours adds {key!r}: {ours[key]!r}" for key in ours.keys() - theirs.keys()]
        shared = [d for key in theirs.keys() & ours.keys() for d in differences(ours[key], theirs[key], f"{at}/{key}")]
        if not (missing or added or shared) and list(ours) != list(theirs) and at.endswith("/elements"):
            return [f"{at}: the order of elements"]
        return missing + added + shared
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        return [d for i, pair in enumerate(zip(ours, theirs, strict=True)) for d in differences(*pair, f"{at}/{i}")]
    if isinstance(ours, bool) is isinstance(theirs, bool) and (ours == theirs or (ours != ours and theirs != theirs)):
        return []
    return [f"{at}: {ours!r} is not {theirs!r}"]


def numbers(tree: dict[str, Any]) -> list[float]:
    """The values of an expression at five points, the parameters between 0.1 and 0.9."""
    symbol = convert_symbol_from_json(tree)
    names = sorted({node.name for node in symbol.pre_order() if isinstance(node, pybamm.Parameter)})
    calls = sorted({node.name for node in symbol.pre_order() if isinstance(node, pybamm.FunctionParameter)})
    rng = np.random.default_rng(5)
    values = []
    for _ in range(5):
        given = dict(zip(names, rng.uniform(0.1, 0.9, len(names)), strict=True))
        functions = {name: lambda *inputs: sum(x**2 for x in inputs) for name in calls}
        values.append(float(pybamm.ParameterValues({**given, **functions}).evaluate(symbol)))
    return values


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_what_theirs_writes_ours_reads_and_writes_alike(build: Build) -> None:
    theirs = over_the_wire(config_of(THEIRS, build))
    assert differences(over_the_wire(cw.Pipeline.from_config(theirs).to_config()), theirs) == []


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_our_classes_write_what_theirs_write(build: Build) -> None:
    theirs = over_the_wire(config_of(THEIRS, build))
    assert differences(over_the_wire(config_of(OURS, build)), theirs) == []


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_what_ours_writes_theirs_reads(build: Build) -> None:
    iws.Pipeline(**over_the_wire(config_of(OURS, build)))
