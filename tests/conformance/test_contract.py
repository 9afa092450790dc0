"""What the package of the contract builds, Cellwright reads, means and writes alike; what it refuses, so do we.

Every construction of `CASES` is made twice from one function: with the official classes and with ours.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import ionworks_schema as iws
import numpy as np
import pandas as pd
import polars as pl
import pybamm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybamm.expression_tree.operations.serialise import convert_symbol_from_json

import cellwright as cw
from cellwright.errors import CheckFailedError, ConfigurationError, NotImplementedYetError
from cellwright.schema.expressions import FUNCTION_TAG
from cellwright.schema.variant import Member, members
from cellwright.testing import kits

SHARED = (
    "AnalysisSpec", "ArrayDataFit", "DataFit", "DataFitOptions", "DataLoaderOptions", "DataLoaderTransforms",
    "DataPayloadSpec", "LinearConfidenceInterval", "MetadataSpec", "Parameter", "Pipeline", "SimplePipeline",
    "SobolSensitivity", "TimeRangeSpec", "TimeSeriesSpec", "Validation", "calculations", "costs", "direct_entries",
    "distribution_samplers", "models", "objective_functions", "objectives", "optimizers", "parameter_estimators",
    "stats", "transforms",
)  # fmt: skip
THEIRS = SimpleNamespace(**{name: getattr(iws, name) for name in SHARED})
OURS = SimpleNamespace(**{name: getattr(cw, name) for name in SHARED})
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


def objective(name: str, *args: Any, **fields: Any) -> Build:
    return lambda api: api.Validation({"o": getattr(api.objectives, name)(*args, **fields)})


def typed(name: str, data_input: Any = "file:a.csv", first: tuple[Any, ...] = (), **options: Any) -> Build:
    """An objective whose options are an object of their class."""

    def build(api: Any) -> Any:
        kind = getattr(api.objectives, f"{name}Options")
        return api.Validation({"o": getattr(api.objectives, name)(*first, data_input, kind(**options))})

    return build


def made(name: str, *args: Any, **fields: Any) -> Build:
    """A fit whose objective has a model of the contract."""
    return lambda api: api.Validation({"o": driven(api, options={"model": getattr(api.models, name)(*args, **fields)})})


def made_typed(name: str, options: str, *args: Any, **fields: Any) -> Build:
    return lambda api: made(name, *args, options=getattr(api.models, options)(**fields))(api)


def element(name: str, **fields: Any) -> Build:
    return lambda api: getattr(api, name)(
        **{"objectives": {"298.15": driven(api)}, "parameters": {X: api.Parameter(X)}} | fields
    )


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
    "parameter-values": lambda api: api.direct_entries.DirectEntry(
        pybamm.ParameterValues({"a": 1.5, "b": diffusivity})
    ),
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
    "missing-values": data({"Time [s]": [0.0, 1.0], "Voltage [V]": [4.0, math.nan]}),
    "metadata": data({"data": CURVE, "metadata": {"Temperature [degC]": 25, "cell": "A"}}),
    "metadata-pandas": data({"data": pd.DataFrame(CURVE), "metadata": {}}),
}
DATA |= {
    "payload-spec": lambda api: data(api.DataPayloadSpec(data="db:a"))(api),
    "payload-spec-all": lambda api: data(
        api.DataPayloadSpec(
            data=CURVE,
            options=api.DataLoaderOptions(first_step=1, sort=True),
            time_range=api.TimeRangeSpec(start=0, duration=2),
        )
    )(api),
    "payload-spec-pandas": lambda api: data(api.DataPayloadSpec(data=pd.DataFrame(CURVE), options={"sort": True}))(api),
    "payload-spec-polars": lambda api: data(api.DataPayloadSpec(data=pl.DataFrame(CURVE)))(api),
    "payload-spec-analysis": lambda api: data(
        api.DataPayloadSpec(data="db:a", analysis=api.AnalysisSpec(analysis_type="t"))
    )(api),
    "payload-spec-nested": lambda api: data(
        api.DataPayloadSpec(data=api.TimeSeriesSpec(time_series=CURVE, steps=STEPS), options={"first_step": 1})
    )(api),
    "payload-of-payload": data(
        {"data": {"data": CURVE, "options": {"sort": True}}, "time_range": {"start": 0, "end": 1}}
    ),
    "payload-of-series": data({"data": {"time_series": CURVE, "steps": STEPS}, "options": {"first_step": 1}}),
    "metadata-of-series": data({"data": {"time_series": CURVE}, "metadata": {"cell": "A"}}),
    "series-spec": lambda api: data(api.TimeSeriesSpec(time_series=pd.DataFrame(CURVE), steps=pl.DataFrame(STEPS)))(
        api
    ),
    "series-spec-alone": lambda api: data(api.TimeSeriesSpec(time_series=CURVE))(api),
    "metadata-spec": lambda api: data(api.MetadataSpec(data=CURVE, metadata={"cell": "A", "area": 0.1}))(api),
    "metadata-spec-pandas": lambda api: data(api.MetadataSpec(data=pd.DataFrame(CURVE), metadata={}))(api),
}
HALF_CELL = {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]}
FULL_CELL = {"Capacity [A.h]": [0.0, 2.5, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]}
SPECTRUM = {"Frequency [Hz]": [1.0, 100.0], "Z_Re [Ohm]": [0.03, 0.02], "Z_Im [Ohm]": [-0.01, 0.0]}
SUMMARY = {"Cycle number": [1.0, 100.0], "LLI [%]": [0.0, 2.0]}
KWARGS = {"simulation_kwargs": {"var_pts": {"x_n": 10}}}
STORED = {"parameterized_model_id": "abc"}
LATER_OBJECTIVES: dict[str, Build] = {
    "calendar": objective("CalendarAgeing", SUMMARY, {"model": "SPM"}),
    "calendar-typed": typed("CalendarAgeing", model="SPM", modes=["LLI [%]", "LAM_pe [%]"], **KWARGS),
    "calendar-stored": objective("CalendarAgeing", data_input="db:a", options=STORED, parameters={"a": 1.0}),
    "cycle": objective("CycleAgeing", SUMMARY, {"model": "SPM", "objective variables": ["LLI [%]"]}),
    "cycle-typed": typed(
        "CycleAgeing",
        SUMMARY,
        model="DFN",
        experiment="from data",
        termination="events",
        use_cv=True,
        split_cc_cv=False,
        objective_variables=["LLI [%]"],
        metrics={"LLI [%]": {"type": "Last"}},
        **KWARGS,
    ),
    "cycle-experiment": objective(
        "CycleAgeing", SUMMARY, {"model": "SPM", "experiment": pybamm.Experiment(["Discharge at 1C for 1 hour"])}
    ),
    "cycle-from-data": objective("CycleAgeing", SUMMARY, {"model": "SPM", "experiment": {"from data": "db:b"}}),
    "eis": objective("EIS", SPECTRUM, {"model": "SPM"}),
    "eis-typed": typed("EIS", SPECTRUM, model={"type": "DFN", "options": {"surface form": "differential"}}, **KWARGS),
    "eis-stored": typed("EIS", parameterized_model_id="abc"),
    "pulse": objective("Pulse", CURVE, {"model": "SPM"}),
    "pulse-typed": typed(
        "Pulse", CURVE, model="SPMe", interpolant_atol=1e-5, interpolant_rtol=1e-4, interpolant_lossless=True, **KWARGS
    ),
    "pulse-callable": typed("Pulse", CURVE, model="SPM", objective_variables=mixed),
    "pulse-callable-by-its-other-name": objective("Pulse", CURVE, {"model": "SPM", "objective variables": mixed}),
    "balancing": objective("ElectrodeBalancing", FULL_CELL),
    "balancing-options": objective("ElectrodeBalancing", FULL_CELL, {"direction": "discharge", "GITT": True}),
    "balancing-typed": typed(
        "ElectrodeBalancing",
        FULL_CELL,
        dudq_cutoff=1.5,
        dqdu_cutoff=2,
        direction="charge",
        gitt=True,
        dqdu_model_axis=True,
        objective_variables=["Voltage [V]"],
    ),
    "balancing-half": objective("ElectrodeBalancingHalfCell", "positive", HALF_CELL),
    "balancing-half-keyword": objective(
        "ElectrodeBalancingHalfCell", electrode="negative", data_input=HALF_CELL, options={"dUdQ cutoff": 3}
    ),
    "balancing-half-typed": typed(
        "ElectrodeBalancingHalfCell",
        HALF_CELL,
        ("negative",),
        direction="lithiation",
        gitt=False,
        dudq_cutoff=1.0,
        objective_variables=["Voltage [V]"],
    ),
    "msmr-full": objective("MSMRFullCell", FULL_CELL),
    "msmr-full-limits": objective(
        "MSMRFullCell", FULL_CELL, {"negative voltage limits": (0.005, 1.5), "positive voltage limits": [3.0, 4.3]}
    ),
    "msmr-full-typed": lambda api: typed(
        "MSMRFullCell",
        FULL_CELL,
        dudq_cutoff="none",
        dqdu_cutoff=0.5,
        negative_voltage_limits=(0.01, 1),
        positive_voltage_limits=(3, 4.3),
        objective_variables=["Voltage [V]"],
        model=api.models.MSMRFullCellModel({"electrode": "negative"}, api.models.MSMRHalfCellModel("positive")),
    )(api),
    "msmr-half": objective("MSMRHalfCell", HALF_CELL),
    "msmr-half-untyped-model": objective("MSMRHalfCell", HALF_CELL, {"model": {"electrode": "positive"}}),
    "msmr-half-untyped-options": objective(
        "MSMRHalfCell", HALF_CELL, {"model": {"electrode": "negative", "options": {"species format": "Xj"}}}
    ),
    "msmr-half-model": lambda api: objective(
        "MSMRHalfCell", HALF_CELL, {"model": api.models.MSMRHalfCellModel(electrode="positive")}
    )(api),
    "msmr-half-typed": typed(
        "MSMRHalfCell",
        HALF_CELL,
        dudq_cutoff="none",
        dqdu_cutoff=0.1,
        voltage_limits=(3, 4.3),
        gitt=True,
        objective_variables=["Capacity [A.h]"],
        constrain_xj_method="reformulate",
        penalize_xj_complement_bounds=True,
        preserve_u0j_order=True,
    ),
    "ocp": objective("OCPHalfCell", "positive", HALF_CELL),
    "ocp-options": objective("OCPHalfCell", "negative", HALF_CELL, {"stoichiometry limits": (0.05, 0.95)}),
    "ocp-typed": typed(
        "OCPHalfCell",
        HALF_CELL,
        ("positive",),
        theta_ref=1,
        stoichiometry_limits=(0.02, 0.98),
        voltage_limits=(3, 4.3),
        dudq_cutoff=1.0,
        dqdu_cutoff=2.0,
        direction="delithiation",
    ),
    "resistance": objective("Resistance", {"SOC": [0.2, 0.8], "Resistance [Ohm]": [0.03, 0.02]}),
    "resistance-model": typed("Resistance", "db:a", model={"type": "anything", "options": {"a": 1}}),
    "older": objective("Objective", CURVE),
    "older-options": objective("Objective", CURVE, {"whatever": [1, 2.5], "model": "SPM"}),
    "positional": lambda api: api.Validation(
        {"o": api.objectives.EIS(SPECTRUM, {"model": "SPM"}, None, None, None, None, {"a": 1.0})}
    ),
    "positional-electrode": lambda api: api.Validation(
        {"o": api.objectives.OCPHalfCell("positive", HALF_CELL, None, None, None, None, None, {"a": 1.0})}
    ),
    "cost": lambda api: api.Validation({"o": api.objectives.MSMRFullCell(FULL_CELL, cost=api.costs.RMSE())}),
    "dict": lambda api: api.Validation({"o": {"type": "OCPHalfCell", "electrode": "positive", "data": HALF_CELL}}),
    "legacy": lambda api: api.Validation({"o": {"objective": "EIS", "data": "db:a", "model": "SPM"}}),
    "in-a-fit": lambda api: fit(api, objectives=api.objectives.OCPHalfCell("positive", HALF_CELL)),
}
ACTIONS = {"energy": {"type": "Maximize", "metric": {"type": "Mean", "variable": "Voltage [V]"}}}
DESIGN: dict[str, Build] = {
    "actions": objective("DesignObjective", ACTIONS),
    "constraints": objective("DesignObjective", ACTIONS, {"capacity": {"type": "GreaterThan", "value": 3.0}}),
    "all": lambda api: api.Validation(
        {
            "o": api.objectives.DesignObjective(
                ACTIONS,
                None,
                {"model": "SPM", "experiment": {"cycles": []}},
                None,
                None,
                api.costs.DesignFunction(),
                False,
                ["Voltage [V]"],
                [1, 2],
                None,
                {"a": 2.0},
            )
        }
    ),
    "wire": lambda api: api.Validation(
        {
            "o": {
                "type": "DesignObjective",
                "validate_against_experiment_steps": True,
                "options": {"model": "SPM", "actions": ACTIONS},
            }
        }
    ),
}
MODELS: dict[str, Build] = {
    "ecm": made("ECM"),
    "ecm-dict": made("ECM", {"rc pairs": "2", "butler-volmer": "true"}),
    "ecm-typed": made_typed(
        "ECM",
        "ECMOptions",
        thermal="two-state",
        rc_pairs="1",
        capacity="function",
        resistance_scale="function",
        butler_volmer="false",
        parameter_dependencies={"R0": ["soc"], "i0": []},
    ),
    "ecm-settings": made("ECM", None, {"var_pts": {"r": 5}}),
    "gitt": made("GITTModel"),
    "gitt-typed": made_typed("GITTModel", "GITTModelOptions", working_electrode="positive"),
    "gitt-other-options": made("GITTModel", {"working electrode": "both", "particle": "Fickian diffusion"}),
    "lumped": made("LumpedSPMR"),
    "lumped-typed": made_typed(
        "LumpedSPMR", "LumpedSPMROptions", thermal="lumped", surface_temperature="lumped", working_electrode="both"
    ),
    "lumped-electrolyte": made("LumpedSPMeR", {"surface temperature": "ambient"}),
    "lumped-electrolyte-typed": made_typed("LumpedSPMeR", "LumpedSPMROptions", thermal="isothermal"),
    "single": made("SingleElectrodeLumpedSPMR"),
    "single-typed": made_typed(
        "SingleElectrodeLumpedSPMR",
        "SingleElectrodeLumpedSPMROptions",
        thermal="lumped",
        surface_temperature="lumped",
        rc_pairs="10",
        parameter_dependencies={"tau": ["soc"]},
    ),
    "msmr-half": made("MSMRHalfCellModel", "positive"),
    "msmr-half-typed": lambda api: made(
        "MSMRHalfCellModel",
        "negative",
        api.models.MSMRHalfCellModelOptions(
            species_format="Xj", direction="lithiation", particle_phases="2", capacity_function=mixed
        ),
        api.models.SimulationSettings({"r_n": 5}),
    )(api),
    "msmr-full": lambda api: made(
        "MSMRFullCellModel", api.models.MSMRHalfCellModel("negative"), {"electrode": "positive"}, {"a": 1}
    )(api),
    "settings-live": lambda api: made(
        "LumpedSPMR",
        simulation_settings=api.models.SimulationSettings(
            submesh_types={"negative particle": pybamm.MeshGenerator(pybamm.Uniform1DSubMesh)},
            solver=pybamm.IDAKLUSolver(),
        ),
    )(api),
    "name": model("ECM"),
    "wire": model({"type": "ECM", "options": {"rc pairs": "1"}, "simulation_settings": {"var_pts": {"r": 3}}}),
    "wire-settings-of-others": model({"type": "SPM", "simulation_settings": {"solve_kwargs": {"t_interp": [0.0]}}}),
    "custom": model({"type": "custom", "model": {"name": "mine"}}),
    "custom-live": model(pybamm.BaseModel),
    "thevenin": model(pybamm.equivalent_circuit.Thevenin),
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
                        "simulation_settings": api.models.SimulationSettings(
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
                    "model": {
                        "type": "SPM",
                        "simulation_settings": api.models.SimulationSettings({"r_n": 16}, {}, {}, {}),
                    }
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
    "bounds-lower-inf": free(-1.0, [-math.inf, 0.5]),
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
    "objective-dict": lambda api: fit(
        api, objectives={"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}}
    ),
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
ELEMENTS: dict[str, Build] = {
    "array": element("ArrayDataFit"),
    "array-by-number": lambda api: element("ArrayDataFit", objectives={298.15: driven(api), 313: driven(api, CURVE)})(
        api
    ),
    "array-all": lambda api: api.ArrayDataFit(
        {"1": driven(api)},
        "lab",
        {X: api.Parameter(X)},
        api.costs.SSE(),
        {X: 1.0},
        api.optimizers.CMAES(),
        None,
        3,
        "on",
        api.distribution_samplers.Uniform(),
        None,
        {"seed": 1},
    ),
    "interval": element("LinearConfidenceInterval"),
    "interval-all": element(
        "LinearConfidenceInterval",
        confidence_level=0.9,
        gauss_newton=False,
        use_parameter_bounds=False,
        variable_standard_deviations={"Voltage [V]": 0.002},
    ),
    "interval-point": lambda api: element(
        "LinearConfidenceInterval", optimizer=api.optimizers.PointEstimateOptimizer()
    )(api),
    "sobol": element("SobolSensitivity"),
    "sobol-all": element("SobolSensitivity", n_samples=64, calc_second_order=True, use_log_transform=True),
    "simple": lambda api: api.SimplePipeline({"fit": fit(api), "Q": api.calculations.ElectrodeSOH()}, None, "n", "d"),
    "simple-empty": lambda api: api.SimplePipeline(),
    "wire": lambda api: api.Pipeline(
        {
            kind: {
                "element_type": kind,
                "objectives": {"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}},
                "parameters": {X: {"initial_value": 1.0}},
            }
            for kind in ("array_data_fit", "linear_confidence_interval", "sobol_sensitivity")
        }
    ),
}
PIPELINES: dict[str, Build] = {
    "elements-none": lambda api: api.Pipeline(None, name="n"),
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
    "legacy-calculation-both": lambda api: api.Pipeline(
        {"c": {"element_type": "calculation", "type": "ElectrodeSOH", "calculation": "InitialSOC"}}
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
        "entry": ENTRIES, "calculation": CALCULATIONS, "data": DATA, "objective": OBJECTIVES, "later": LATER_OBJECTIVES,
        "design": DESIGN, "model": MODELS, "element": ELEMENTS, "cost": COSTS, "estimator": ESTIMATORS,
        "parameter": PARAMETERS, "fit": FITS, "pipeline": PIPELINES,
    }.items()
    for name, build in cases.items()
}  # fmt: skip


def config_of(api: Any, build: Build) -> dict[str, Any]:
    built = build(api)
    pipeline = built if isinstance(built, api.Pipeline) else api.Pipeline({"element": built})
    return dict(pipeline.to_config())


def over_the_wire(config: Any) -> Any:
    """What the other side of a connection sees: the client of the contract sends null for inf and NaN."""

    def scrubbed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: scrubbed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [scrubbed(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.loads(json.dumps(scrubbed(config), allow_nan=False))


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
        values.append(np.asarray(pybamm.ParameterValues({**given, **functions}).evaluate(symbol)).item())
    return values


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_what_theirs_writes_ours_reads_and_writes_alike(build: Build) -> None:
    written = config_of(THEIRS, build)
    theirs = over_the_wire(written)
    assert differences(over_the_wire(cw.Pipeline.from_config(theirs).to_config()), theirs) == []
    assert differences(over_the_wire(cw.Pipeline.from_config(written).to_config()), theirs) == []


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_our_classes_write_what_theirs_write(build: Build) -> None:
    theirs = over_the_wire(config_of(THEIRS, build))
    assert differences(over_the_wire(config_of(OURS, build)), theirs) == []


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_what_ours_writes_theirs_reads(build: Build) -> None:
    iws.Pipeline(**over_the_wire(config_of(OURS, build)))


def raw(**element: Any) -> Build:
    return lambda api: api.Pipeline({"element": element})


def raw_entry(**fields: Any) -> Build:
    return raw(element_type="entry", **fields)


def raw_calculation(**fields: Any) -> Build:
    return raw(element_type="calculation", **fields)


def raw_data(given: Any) -> Build:
    return lambda api: api.Validation({"o": {"type": "CurrentDriven", "data": given, "options": MODEL}})


def payload(**fields: Any) -> Build:
    return raw_data({"data": "db:a", **fields})


REFUSED: dict[str, tuple[Build, str]] = {
    "entry-misspelt": (raw_entry(values={"a": 1}, sorce="x"), r"element › sorce: .*did you mean 'source'"),
    "entry-two-origins": (
        lambda api: api.direct_entries.DirectEntry({"a": 1}, pipeline_id="x"),
        r"parameters and pipeline_id",
    ),
    "entry-three-origins": (
        raw_entry(values={"a": 1}, pipeline_id="x", cell_spec_id="y", mapping={"a": "b"}),
        r"element: .*parameters and pipeline_id and cell_spec_id",
    ),
    "entry-no-origin": (raw_entry(source="x"), r"element: .*'values', 'pipeline_id' or 'cell_spec_id'"),
    "entry-keep-alone": (entry(parameters={"a": 1}, keep=["a"]), r"keep.*pipeline_id"),
    "entry-keep-empty": (entry(pipeline_id="x", keep=[]), r"keep"),
    "entry-spec-alone": (entry(cell_spec_id="x"), r"mapping"),
    "entry-mapping-alone": (entry(parameters={"a": 1}, mapping={"a": "b"}), r"cell_spec_id and mapping"),
    "entry-mapping-empty": (entry(cell_spec_id="x", mapping={}), r"mapping"),
    "entry-none": (value(None), r"parameters › a: .*None.*give it a value"),
    "entry-object": (value(object()), r"parameters › a: .*cannot be of type object"),
    "entry-provenance": (
        entry(parameters={"a": 1}, provenance={"a": {"pth": "x", "value": 1}}), r"provenance › a.*did you mean 'path'",
    ),
    "entry-unknown-name": (raw_entry(name="nyman_elektrolyte"), r"no entry .*did you mean 'nyman_electrolyte'"),
    "kind-unknown": (raw(element_type="data_fits"), r"element › element_type: .*did you mean 'data_fit'"),
    "kind-missing": (raw(values={"a": 1}), r"element › element_type: .*needs an 'element_type'"),
    "element-number": (lambda api: api.Pipeline({"element": 3}), r"element: .*not 3"),
    "elements-list": (lambda api: api.Pipeline([1]), r"elements.*list"),
    "pipeline-misspelt": (lambda api: api.Pipeline({}, nam="x"), r"nam: .*did you mean 'name'"),
    "calculation-unknown": (raw_calculation(type="ElectrodeCapcity"), r"element: .*did you mean 'ElectrodeCapacity'"),
    "calculation-missing": (raw_calculation(electrode="positive"), r"element: a calculation needs a 'type'"),
    "calculation-misspelt": (
        raw_calculation(type="ElectrodeCapacity", electrod="positive"), r"element › electrod: .*mean 'electrode'",
    ),
    "electrode-wrong": (calculation("ElectrodeCapacity", "positve"), r"electrode: .*did you mean 'positive'"),
    "electrode-missing": (calculation("ElectrodeCapacity"), r"electrode"),
    "phase-wrong": (calculation("ElectrodeCapacity", "positive", phase="tertiary"), r"phase"),
    "esoh-option": (calculation("ElectrodeSOH", {"known values": "x"}), r"options.*did you mean 'known.value'"),
    "esoh-value": (calculation("ElectrodeSOH", {"known value": "cell capacty"}), r"did you mean 'cell capacity'"),
    "soc-list": (calculation("InitialSOC", [0.5]), r"soc"),
    "ocp-option": (
        calculation("OCPDataInterpolant", "positive", OCP, {"interpolater": "linear"}), r"did you mean 'interpolator'",
    ),
    "ocp-data": (calculation("OCPDataInterpolant", "positive", "ocp.csv"), r"data: .*'file:ocp.csv'"),
    "too-many-positional": (calculation("InitialSOC", 0.5, 1), r"InitialSOC takes 1 positional"),
    "data-no-prefix": (raw_data("a.csv"), r"objectives › o › data: .*write 'file:a.csv'"),
    "data-number": (raw_data(3), r"objectives › o › data: .*int.*DataFrame"),
    "data-missing": (
        lambda api: api.Validation({"o": {"type": "CurrentDriven", "options": MODEL}}), r"› o › data: .*needs",
    ),
    "data-unknown-key": (payload(option={}), r"objectives › o › data: .*did you mean 'options'"),
    "data-unknown-option": (
        payload(options={"first_stp": 1}), r"objectives › o › data › options › first_stp: .*did you mean 'first_step'",
    ),
    "data-unknown-transform": (
        payload(options={"transforms": {"srt": True}}), r"data › options › transforms › srt: .*did you mean 'sort'",
    ),
    "data-wrong-option": (payload(options={"sort": "maybe"}), r"data › options › sort: .*boolean"),
    "data-analysis-with-options": (
        payload(analysis={"name": "a"}, options={"sort": True}), r"objectives › o › data: .*analysis .*options",
    ),
    "data-analysis-with-range": (
        payload(analysis={"name": "a"}, time_range={"start": 0, "end": 1}), r"objectives › o › data: .*time range",
    ),
    "data-analysis-empty": (payload(analysis={}), r"data › analysis: .*analysis_id, analysis_type or name"),
    "data-range-backward": (payload(time_range={"start": 5, "end": 1}), r"data › time_range: .*before its start"),
    "data-range-twice": (
        payload(time_range={"start": 0, "end": 1, "duration": 1}), r"data › time_range: .*end or a duration",
    ),
    "data-range-negative": (payload(time_range={"start": 0, "duration": -1}), r"data › time_range: .*-1"),
    "data-range-open": (payload(time_range={"start": 0}), r"data › time_range › end: .*needs"),
    "data-options-alone": (raw_data({"options": {"sort": True}}), r"objectives › o › data: .*'data'"),
    "data-steps-alone": (raw_data({"steps": STEPS}), r"objectives › o › data: .*'time_series'"),
    "model-none": (lambda api: api.objectives.CurrentDriven(CURVE), r"options › model: .*'SPMe'"),
    "model-none-in-options": (lambda api: driven(api, options={"interpolant_atol": 1.0}), r"needs a model"),
    "objective-option": (options(interpolant_atoll=1), r"options › interpolant_atoll: .*mean 'interpolant_atol'"),
    "objective-interactive": (options(interactive_preprocessing=True), r"interactive_preprocessing"),
    "objective-variable": (options(**{"independent variable": "tim"}), r"options › independent variable.*'time'"),
    "objective-field": (
        lambda api: api.Validation({"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL, "csts": 1}}),
        r"objectives › o › csts: .*did you mean 'cost'",
    ),
    "objective-unknown": (
        lambda api: api.Validation({"o": {"type": "CurentDriven", "data": CURVE}}), r"did you mean 'CurrentDriven'",
    ),
    "objective-no-type": (lambda api: api.Validation({"o": {"data": CURVE}}), r"an objective needs a 'type'"),
    "objective-two-types": (
        lambda api: api.Validation({"o": {"type": "CurrentDriven", "objective": "EIS", "data": CURVE}}),
        r"objectives › o: .*both 'CurrentDriven' and 'EIS'",
    ),
    "objective-number": (lambda api: api.Validation({"o": 3}), r"objectives › o: an objective is an object"),
    "cost-string": (lambda api: fit(api, cost="RMSE"), r"cost: a cost is an object with a 'type', not 'RMSE'"),
    "cost-unknown": (lambda api: fit(api, cost={"type": "RSME"}), r"cost: .*did you mean 'RMSE'"),
    "cost-both-scopes": (
        cost("SSE", calculation_structure={"o": None}, objective_names=["o"]), r"_structure or objective_names",
    ),
    "cost-scale": (cost("SSE", scale=2), r"SSE has no field 'scale'"),
    "cost-weights": (cost("SSE", objective_weights=[1.0]), r"objective_weights"),
    "sampler-unknown": (lambda api: fit(api, initial_guess_sampler={"type": "Sobl"}), r"_sampler: .*Uniform"),
    "sampler-string": (lambda api: fit(api, initial_guess_sampler="Uniform"), r"initial_guess_sampler: a sampler"),
    "optimizer-unknown": (lambda api: fit(api, optimizer={"type": "ScipyMinimise"}), r"did you mean 'ScipyMinimize'"),
    "optimizer-string": (lambda api: fit(api, optimizer="CMAES"), r"optimizer: an estimator is an object"),
    "bounds-upside-down": (free(bounds=(2, 1)), r"upside down: 2.* is not below 1"),
    "bounds-equal": (free(bounds=(1, 1)), r"upside down"),
    "bounds-string": (free(bounds=("a", 1)), r"bounds"),
    "initial-string": (free("much"), r"initial_value"),
    "parameter-misspelt": (free(bound=(0, 1)), r"bound: .*did you mean 'bounds'"),
    "uniform-missing": (lambda api: api.stats.Uniform(1), r"ub"),
    "fit-nothing-free": (lambda api: fit(api, parameters=None), r"parameters: a fit needs parameters"),
    "fit-none": (lambda api: fit(api, parameters={X: None}), r"parameters › Positive particle diffusivity.*None"),
    "fit-no-objectives": (lambda api: fit(api, objectives=None), r"objectives"),
    "fit-misspelt": (lambda api: fit(api, optimiser=1), r"optimiser: .*did you mean 'optimizer'"),
    "fit-parallel": (lambda api: fit(api, objective_parallelism="yes"), r"objective_parallelism: .*'auto'"),
    "fit-option": (lambda api: fit(api, options={"multistarts": 3}), r"options.*DataFitOptions has no field"),
    "fit-seed": (lambda api: fit(api, options={"seed": -1}), r"options.*seed: .*-1"),
    "fit-maxtime": (lambda api: fit(api, options={"maxtime": math.inf}), r"options.*maxtime: .*finite"),
    "fit-iterations": (lambda api: fit(api, options={"max_iterations": 0}), r"options.*max_iterations"),
    "objective-electrode": (objective("OCPHalfCell", "both", HALF_CELL), r"electrode: 'both' is not one of"),
    "objective-electrode-missing": (objective("OCPHalfCell", data_input=HALF_CELL), r"needs the field 'electrode'"),
    "objective-no-data": (lambda api: api.objectives.MSMRFullCell(), r"needs the field 'data'"),
    "objective-renamed": (objective("EIS", SPECTRUM, MODEL, custom_parameters={"a": 1}), r"'parameters' now"),
    "objective-renamed-positional": (objective("EIS", SPECTRUM, MODEL, None, {"a": 1}), r"'parameters' now"),
    "objective-none": (objective("EIS", SPECTRUM, MODEL, parameters={"a": None}), r"parameters › a: the value is None"),
    **{
        f"{name}-no-model": (objective(name, CURVE, {}), rf"options › model: {name} needs a model")
        for name in ("CalendarAgeing", "CycleAgeing", "EIS", "Pulse")
    },
    "pulse-variables": (objective("Pulse", CURVE, {**MODEL, "objective variables": ["Voltage [V]"]}), r"variables"),
    "pulse-interactive": (objective("Pulse", CURVE, {**MODEL, "interactive_preprocessing": True}), r"interactive_pre"),
    "eis-option": (
        objective("EIS", SPECTRUM, {**MODEL, "interpolant_atol": 1}), r"options › interpolant_atol: EISOptions",
    ),
    "calendar-mode": (objective("CalendarAgeing", SUMMARY, {**MODEL, "modes": ["LLI"]}), r"modes.*mean 'LLI \[%\]'"),
    "cycle-termination": (objective("CycleAgeing", SUMMARY, {**MODEL, "termination": "event"}), r"mean 'events'"),
    "msmr-cutoff": (objective("MSMRHalfCell", HALF_CELL, {"dUdQ cutoff": "no"}), r"dUdQ cutoff"),
    "msmr-limits": (objective("MSMRHalfCell", HALF_CELL, {"voltage limits": [1]}), r"voltage limits"),
    "msmr-method": (
        objective("MSMRHalfCell", HALF_CELL, {"constrain Xj method": "projekt"}), r"did you mean 'project'",
    ),
    "ocp-direction": (objective("OCPHalfCell", "positive", HALF_CELL, {"direction": "charge"}), r"'lithiation'"),
    "balancing-direction": (objective("ElectrodeBalancing", FULL_CELL, {"direction": "lithiation"}), r"'charge'"),
    "resistance-option": (objective("Resistance", "db:a", {"modle": "a"}), r"did you mean 'model'"),
    "older-data": (objective("Objective", "a.csv"), r"data.*'file:a.csv'"),
    "design-actions": (lambda api: api.objectives.DesignObjective(actions=[1]), r"actions"),
    "design-cycles": (lambda api: api.objectives.DesignObjective(ACTIONS, save_at_cycles=["a"]), r"save_at_cycles"),
    "design-field": (lambda api: api.objectives.DesignObjective(ACTIONS, data=CURVE), r"no field 'data'"),
    "ecm-pairs": (made("ECM", {"rc pairs": "two"}), r"rc pairs"),
    "ecm-pairs-number": (made("ECM", {"rc pairs": 2}), r"rc pairs: .*string"),
    "ecm-option": (made("ECM", {"rc_pair": "2"}), r"ECMOptions has no field 'rc_pair'"),
    "ecm-thermal": (made("ECM", {"thermal": "two-stat"}), r"did you mean 'two-state'"),
    "gitt-electrode": (made("GITTModel", {"working electrode": "negative"}), r"'both' or 'positive'"),
    "lumped-electrode": (made("LumpedSPMR", {"working electrode": "positive"}), r"working electrode.*'both'"),
    "msmr-model-electrode": (made("MSMRHalfCellModel", "both"), r"electrode: 'both'"),
    "msmr-model-missing": (lambda api: api.models.MSMRFullCellModel(None, None), r"negative_electrode_model"),
    "settings-field": (lambda api: api.models.SimulationSettings(var_pt={}), r"did you mean 'var_pts'"),
    "settings-points": (lambda api: api.models.SimulationSettings({"r_n": "many"}), r"var_pts › r_n"),
    "composite": (
        calculation("StoichiometryLimitsFromCapacity", {"particle phases": ("2", "1")}), r"options › usable capacity",
    ),
    "simple-two-fits": (
        lambda api: api.SimplePipeline({"one": fit(api), "two": fit(api)}),
        r"one fit or validation at most; this one has 'one', 'two' .*use Pipeline",
    ),
    "simple-three": (
        lambda api: api.SimplePipeline({"a": fit(api), "b": element("ArrayDataFit")(api), "c": data("db:a")(api)}),
        r"one fit or validation at most; this one has 'a', 'b', 'c'",
    ),
    "interval-optimizer": (
        lambda api: element("LinearConfidenceInterval", optimizer=api.optimizers.CMAES())(api),
        r"optimizer: .*CMAES searches .*leave the optimizer out",
    ),
    "sobol-samples": (element("SobolSensitivity", n_samples="many"), r"n_samples"),
    "sobol-field": (element("SobolSensitivity", samples=3), r"did you mean 'n_samples'"),
    "array-nothing-free": (element("ArrayDataFit", parameters=None), r"a fit needs parameters"),
    "series-spec": (lambda api: api.TimeSeriesSpec(steps=STEPS), r"needs the field 'time_series'"),
    "series-spec-field": (lambda api: api.TimeSeriesSpec(time_series=CURVE, step=1), r"did you mean 'steps'"),
    "payload-spec": (lambda api: api.DataPayloadSpec(data="db:a", option={}), r"did you mean 'options'"),
    "payload-spec-analysis": (
        lambda api: api.DataPayloadSpec(data="db:a", analysis={"name": "a"}, options={}), r"analysis .*options",
    ),
    "metadata-spec": (lambda api: api.MetadataSpec(data="db:a"), r"needs the field 'metadata'"),
    "metadata-wrong": (raw_data({"data": "db:a", "metadata": 3}), r"data › metadata: .*dict"),
    "range-start": (lambda api: api.TimeRangeSpec(start=True, duration=1), r"start: .*True"),
    "validation-list": (lambda api: api.Validation([driven(api)]), r"objectives"),
    "validation-misspelt": (
        raw(element_type="validation", objectives={}, summary_stat=[]), r"element › summary_stat: .*'summary_stats'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "told"), REFUSED.values(), ids=REFUSED)
def test_what_theirs_refuses_ours_refuses_and_says_why(build: Build, told: str) -> None:
    with pytest.raises((ValueError, TypeError, pybamm.expression_tree.operations.serialise_kernel.SerialisationError)):
        build(THEIRS)
    with pytest.raises(ConfigurationError, match=told) as caught:
        build(OURS)
    assert isinstance(caught.value, ValueError)


def tags_of(union: Any) -> set[str]:
    """The names of the classes that a union of the contract chooses from."""
    if isinstance(union, type):
        return {union.__name__} if issubclass(union, iws.base.BaseSchema) else set()
    return {name for part in get_args(union) for name in tags_of(part)}


def below(module: Any, base: type[Any]) -> set[str]:
    """The names of the classes of a module that derive from a base."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
    return {kind.__name__ for kind in kinds if issubclass(kind, base) and kind is not base}


def test_the_contracts_members_are_all_registered() -> None:
    calculations, transforms = iws.calculations.calculations, iws.transforms.transforms
    contract = {
        "Calculation": below(calculations, calculations.Calculation),
        "Cost": tags_of(iws.objective_functions.objective_functions.CostUnion),
        "Distribution": tags_of(iws.stats.stats.DistributionUnion),
        "Element": set(iws.LEGACY_ELEMENT_TYPE_ALIASES.values()) - {"entry", "calculation"},
        "Entry": {*iws.direct_entries.FUNCTION_SCHEMAS, "PiecewiseInterpolation1D", "PiecewiseInterpolation2D"},
        "Estimator": tags_of(iws.parameter_estimators.parameter_estimators.OptimizerUnion),
        "Model": {name for name in iws.models.__all__ if not name.endswith(("Options", "Settings"))},
        "Objective": tags_of(iws.objectives.objectives.ObjectiveUnion) | {"DesignObjective"},
        "Sampler": tags_of(iws.distribution_samplers.distribution_samplers.SamplerUnion),
        "Transform": below(transforms, transforms.Transform),
    }
    registered = members()
    assert [name for family, names in contract.items() for name in names - registered[family].keys()] == []


def with_member(family: str, tag: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A pipeline that names one member of a family, with the fields of its wire form."""
    fields = fields or {}
    objective: dict[str, Any] = {"type": "CurrentDriven", "data": "file:a.csv", "options": MODEL}
    parameter: dict[str, Any] = {"initial_value": 1.0}
    element: dict[str, Any] = {"element_type": "data_fit", "objectives": {"o": objective}, "parameters": {X: parameter}}
    match family:
        case "Calculation":
            element = {**fields, "element_type": "calculation", "type": tag}
        case "Entry":
            element = {**fields, "element_type": "entry", "name": tag}
        case "Element":
            element = {**(fields or element), "element_type": tag}
        case "Objective":
            element["objectives"] = {"o": {**(fields or objective), "type": tag}}
        case "Feature":
            options = {**MODEL, "objective variables": {**fields, "type": tag}}
            element["objectives"] = {"o": {**objective, "type": "Pulse", "options": options}}
        case "Model":
            objective["options"] = {"model": {**fields, "type": tag}}
        case "Regularizer" if tag == "Prior":
            element["priors"] = {X: fields}
        case "Regularizer":
            kind = "penalties" if tag == "Penalty" else "constraints"
            element["objectives"] = {"o": {**objective, kind: [{**fields, "type": tag}]}}
        case "Transform":
            parameter["transform"] = tag
        case "Distribution":
            parameter["initial_guess_distribution"] = {**fields, "distribution": tag}
        case "Cost":
            element["cost"] = {**fields, "type": tag}
        case "Estimator":
            element["optimizer"] = {**fields, "type": tag}
        case "Sampler":
            element["initial_guess_sampler"] = {**fields, "type": tag}
    return {"elements": {"element": element}}


PENDING = [
    (family, tag, kind) for family, kinds in members().items() for tag, kind in kinds.items() if not kind.implemented()
]


@pytest.mark.parametrize(("family", "tag", "kind"), PENDING)
def test_what_is_not_implemented_is_read_and_refused_by_name(family: str, tag: str, kind: type[Member]) -> None:
    pipeline = cw.Pipeline.from_config(with_member(family, tag, kits.example_of(kind).to_config()))
    told = [p for p in cw.check(pipeline).errors if p.code == NotImplementedYetError.code and p.at[0] == "element"]
    assert any(f"{kind.__name__!r} is not implemented yet" in problem.message for problem in told)
    with pytest.raises(CheckFailedError, match="is not implemented yet"):
        cw.run(pipeline)


@pytest.mark.parametrize(
    "family", [family for family in members() if family not in {"Action", "Metric", "Model", "Regularizer"}]
)
def test_what_does_not_exist_is_no_promise(family: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^element.*: there is no .* 'Nonesuch'") as caught:
        cw.Pipeline.from_config(with_member(family, "Nonesuch"))
    assert caught.value.hint


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'CellMass'"):
        cw.Pipeline.from_config(with_member("Calculation", "CellMas"))


IGNORED: dict[str, tuple[Build, tuple[str, ...], str]] = {
    "stored-model": (
        OBJECTIVES["stored-model"],
        ("objectives", "o", "options", "parameterized_model_id"),
        "'parameterized_model_id'",
    ),
    "model": (MODELS["custom"], ("objectives", "o", "options", "model"), "the model 'CustomModel'"),
}


@pytest.mark.parametrize(("build", "at", "told"), IGNORED.values(), ids=IGNORED)
def test_what_would_be_ignored_is_refused(build: Build, at: tuple[str, ...], told: str) -> None:
    config = over_the_wire(config_of(THEIRS, build))
    for pipeline in (cw.Pipeline.from_config(config), cw.Pipeline({"element": build(OURS)})):
        (problem, *_) = [p for p in cw.check(pipeline).errors if p.at == ("element", *at)]
        assert f"{told}" in problem.message
        assert "is not implemented yet" in problem.message
        assert problem.code == NotImplementedYetError.code


@pytest.mark.parametrize(
    ("build", "at"),
    [
        (
            lambda api: api.Validation({"o": driven(api, callbacks=[{"type": "x"}])}),
            ("objectives", "o", "callbacks"),
        ),
        (lambda api: fit(api, cost_logger={"a": 1}), ("cost_logger",)),
    ],
    ids=["callbacks", "logger"],
)
def test_functions_of_python_are_refused_in_documents(build: Build, at: tuple[str, ...]) -> None:
    config = over_the_wire(config_of(THEIRS, build))
    for pipeline in (cw.Pipeline.from_config(config), cw.Pipeline({"element": build(OURS)})):
        (problem, *_) = [p for p in cw.check(pipeline).errors if p.at == ("element", *at)]
        assert "a function of Python, which no document holds" in problem.message


def test_functions_of_ones_own_are_refused_where_they_would_be_ignored() -> None:
    pulse = cw.objectives.Pulse(CURVE, {"model": "SPM", "objective variables": mixed})
    told = [problem.message for problem in pulse.unimplemented()]
    assert "'objective variables' of PulseOptions is not implemented yet as a function of one's own" in told


@pytest.mark.parametrize("field", ["callbacks", "cost_logger"])
def test_live_objects_have_no_wire_form(field: str) -> None:
    def build(api: Any) -> Any:
        return driven(api, callbacks=object()) if field == "callbacks" else fit(api, cost_logger=object())

    with pytest.raises(ValueError, match=field):
        build(THEIRS).to_config()
    with pytest.raises(ConfigurationError, match="has no wire form"):
        build(OURS).to_config()


LABELS = {
    "entry": {"values": {"a": 1}},
    "data_fit": with_member("Element", "data_fit")["elements"]["element"],
    "validation": {"objectives": {"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}}},
    "calculation": {"type": "ElectrodeSOH"},
} | {
    kind: with_member("Element", kind)["elements"]["element"]
    for kind in ("array_data_fit", "linear_confidence_interval", "sobol_sensitivity")
}


@pytest.mark.parametrize(("label", "kind"), iws.LEGACY_ELEMENT_TYPE_ALIASES.items())
def test_older_labels_of_elements_are_read(label: str, kind: str) -> None:
    config = {"elements": {"e": {**LABELS[kind], "element_type": label}}}
    assert cw.Pipeline.from_config(config).to_config()["elements"]["e"]["element_type"] == kind


def test_older_distributions_are_read() -> None:
    older = {"elements": {"e": fit_with({"initial_guess_distribution": {"type": "Uniform", "lb": 0, "ub": 1}})}}
    (written,) = cw.Pipeline.from_config(older).to_config()["elements"]["e"]["parameters"].values()
    assert written == {"initial_guess_distribution": {"distribution": "Uniform", "lb": 0, "ub": 1}}


def fit_with(parameter: dict[str, Any]) -> dict[str, Any]:
    objective = {"type": "CurrentDriven", "data": "file:a.csv", "options": MODEL}
    return {"element_type": "data_fit", "objectives": {"o": objective}, "parameters": {X: parameter}}


def test_summary_stats_by_name_mean_the_costs() -> None:
    objectives = {"o": {"type": "CurrentDriven", "data": CURVE, "options": MODEL}}
    config = iws.Pipeline({"v": iws.Validation(objectives, ["RMSE"])}).to_config()
    assert cw.Pipeline.from_config(config).to_config()["elements"]["v"]["summary_stats"] == [{"type": "RMSE"}]
    with pytest.raises(ConfigurationError, match=r"summary_stats › 0: .*did you mean 'RMSE'"):
        cw.Pipeline({"v": cw.Validation(objectives, ["RSME"])})


@pytest.mark.parametrize(
    ("bounds", "limits"),
    [
        ([0, None], (0.0, math.inf)),
        ([None, 2], (-math.inf, 2.0)),
        ([None, None], (-math.inf, math.inf)),
        ([0, math.inf], (0.0, math.inf)),
        ([0, {"$type": "builtins.float", "value": "Infinity"}], (0.0, math.inf)),
        ([{"$type": "builtins.float", "value": "-Infinity"}, 1], (-math.inf, 1.0)),
    ],
)
def test_half_open_bounds(bounds: list[Any], limits: tuple[float, float]) -> None:
    pipeline = cw.Pipeline.from_config({"elements": {"e": fit_with({"bounds": bounds})}})
    (free,) = pipeline.elements["e"].parameters.values()
    assert free.limits == limits
    written = json.loads(json.dumps(pipeline.to_config(), allow_nan=False))
    plain = [end if math.isfinite(end) else None for end in limits]
    assert written["elements"]["e"]["parameters"][X]["bounds"] == plain
    assert cw.Pipeline.from_config(written).to_config() == pipeline.to_config()


@pytest.mark.parametrize(("text", "number"), [("Infinity", math.inf), ("-Infinity", -math.inf), ("NaN", math.nan)])
def test_numbers_that_json_lacks(text: str, number: float) -> None:
    tagged = {"$type": "builtins.float", "value": text}
    theirs = iws.Pipeline({"e": iws.direct_entries.DirectEntry({"a": number})}).to_config()
    assert theirs["elements"]["e"]["values"] == {"a": tagged}
    ours = cw.Pipeline.from_config(theirs)
    np.testing.assert_equal(ours.elements["e"].parameters["a"], number)
    assert ours.to_config() == theirs


@pytest.mark.parametrize("text", ["1e-14", "1E-14", "1.0e-14", "+1e-14", "10e-15", "1_0e-15", "0.00000000000001"])
def test_yaml_numbers_as_people_write_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    path.write_text(
        f"elements:\n  e:\n    element_type: entry\n    values:\n      {X}: {text}\n"
        f"  f:\n    element_type: data_fit\n    objectives:\n      o:\n        type: CurrentDriven\n"
        f"        data: db:a\n        options: {{model: SPM}}\n"
        f"    parameters:\n      {X}: {{initial_value: {text}, bounds: [1e-16, .inf]}}\n",
        encoding="utf-8",
    )
    elements = cw.Pipeline.from_file(path).to_config()["elements"]
    assert elements["e"]["values"] == {X: 1e-14}
    assert elements["f"]["parameters"] == {X: {"initial_value": 1e-14, "bounds": [1e-16, None]}}


@pytest.mark.parametrize("text", ["1e-14 m", "e-14", "1e", "SPM1e5"])
def test_yaml_words_stay_words(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    path.write_text(f"elements: {{e: {{element_type: entry, values: {{a: {text}}}}}}}", encoding="utf-8")
    assert cw.Pipeline.from_file(path).to_config()["elements"]["e"]["values"] == {"a": text}


NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False, width=64)
SWITCH = st.none() | st.booleans()


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of a parameter that both sides accept: an initial value within its bounds."""
    low, high = sorted(draw(st.lists(NUMBERS, min_size=2, max_size=2, unique=True)))
    bounds = draw(st.sampled_from([None, (low, high), [low, high], (low, math.inf), (-math.inf, high)]))
    fields = {
        "bounds": bounds,
        "initial_value": draw(st.sampled_from([None, low, high])),
        "normalize": draw(SWITCH),
        "check_bounds": draw(SWITCH),
        "check_initial_value": draw(SWITCH),
    }
    return {name: value for name, value in fields.items() if draw(st.booleans()) or value is not None}


@given(parameters())
def test_parameters_agree(fields: dict[str, Any]) -> None:
    theirs = over_the_wire(iws.Parameter(X, **fields).to_config())
    assert over_the_wire(cw.Parameter(X, **fields).to_config()) == theirs
    pipeline = cw.Pipeline.from_config({"elements": {"e": fit_with(theirs)}})
    assert over_the_wire(pipeline.to_config())["elements"]["e"]["parameters"][X] == theirs


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "seed": st.none() | st.integers(-2, 2**32 + 1),
            "low_memory": SWITCH,
            "max_iterations": st.none() | st.integers(-1, 10**6),
            "maxtime": st.none() | st.floats() | st.integers(-1, 100),
            "validate": st.booleans(),
            "skip_objective_callbacks": st.booleans(),
            "multistart": st.integers(),
        },
    )
)
def test_fit_options_agree_on_what_is_allowed_and_on_the_wire(fields: dict[str, Any]) -> None:
    try:
        theirs = iws.DataFitOptions(**fields).to_config()
    except ValueError:
        with pytest.raises(ConfigurationError):
            cw.DataFitOptions(**fields)
    else:
        assert cw.DataFitOptions(**fields).to_config() == theirs
        config = {**fit_with({"initial_value": 1.0}), "options": theirs}
        assert cw.Pipeline.from_config({"elements": {"e": config}}).to_config()["elements"]["e"]["options"] == theirs
