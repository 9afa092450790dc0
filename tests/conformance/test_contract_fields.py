"""Every class of the contract stands in Cellwright under the same name: same fields, defaults, order and wire names.

The classes are found by looking at the package, so one that it adds makes a test fail here.
"""

import inspect
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import ionworks_schema as iws
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import cellwright as cw
from cellwright.errors import CellwrightError
from cellwright.schema.variant import Schema

MODULES: Mapping[str, str] = {
    "calculations": "calculations",
    "direct_entries": "direct_entries",
    "distribution_samplers": "distribution_samplers",
    "models": "models",
    "objective_functions": "objective_functions",
    "objectives": "objectives",
    "parameter_estimators": "parameter_estimators",
    "stats": "stats",
    "transforms": "transforms",
}
"""Modules of the contract and their names in Cellwright."""
TOP = (
    "AnalysisSpec", "ArrayDataFit", "DataFit", "DataFitOptions", "DataLoaderOptions", "DataLoaderTransforms",
    "DataPayloadSpec", "LinearConfidenceInterval", "MetadataSpec", "Parameter", "Pipeline", "SimplePipeline",
    "SobolSensitivity", "TimeRangeSpec", "TimeSeriesSpec", "Validation",
)  # fmt: skip
BASES = frozenset({
    "BaseInterpolation", "BaseObjective", "Calculation", "DirectEntryFunctionSchema", "Distribution",
    "DistributionSampler", "ErrorFunction", "FittingObjective", "HypercubeSampler", "ObjectiveFunction", "Optimizer",
    "ParameterEstimator", "Regularizer", "Sampler", "SimulationObjective", "Transform",
})  # fmt: skip
"""What concrete classes derive from; no document names them."""
OWN = {"columns"}
"""Fields that Cellwright adds."""
FIT = {"constraints", "penalties"}
OWN_OF = dict.fromkeys(("ArrayDataFit", "DataFit", "LinearConfidenceInterval", "SobolSensitivity"), FIT) | {
    "CMAES": {"screen"},
    "ScipyMinimize": {"hard_constraints"},
}
"""Those that it adds to single classes."""
TAGS = {"distribution", "element_type", "name", "source", "transform", "type"}
"""Fields that say which class it is, or where it comes from."""
CASES = 20
"""Constructions of each class, and as many broken ones."""


def classes() -> Iterator[tuple[str, str]]:
    """Yield module and name of every concrete class of the contract."""
    for module in MODULES:
        for name, kind in sorted(vars(getattr(iws, module)).items()):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and name[0] != "_" and name not in BASES:
                yield module, name
    yield from (("", name) for name in TOP)


CLASSES = list(classes())


def pair(module: str, name: str) -> tuple[type[BaseModel], type[Schema]]:
    """Return the class of the contract and ours."""
    theirs: ModuleType | Any = getattr(iws, module) if module else iws
    ours: Any = getattr(cw, MODULES[module]) if module else cw
    return getattr(theirs, name), getattr(ours, name)


def fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a class that a user sets."""
    entry = iws.direct_entries.DirectEntry
    hidden = (
        OWN
        | OWN_OF.get(kind.__name__, set())
        | (set(entry.model_fields) if issubclass(kind, entry) and kind is not entry else set())
    )
    return {name: field for name, field in kind.model_fields.items() if name not in hidden}


def default(field: FieldInfo) -> Any:
    """Return a field's default in plain JSON values; nothing given and an empty dict are the same."""
    value = field.get_default(call_default_factory=True, validated_data={})
    return json.loads(json.dumps(value, default=str)) or None if isinstance(value, dict) else value


def on_the_wire(name: str, field: FieldInfo) -> str:
    """Return the key of a field in a document."""
    return field.serialization_alias or field.alias or name


def order(kind: type[BaseModel]) -> list[str]:
    """Return the names of the positional arguments of the contract's class."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_the_fields_are_the_same(module: str, name: str) -> None:
    theirs, ours = pair(module, name)
    assert set(fields(ours)) - TAGS == set(fields(theirs)) - TAGS


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_defaults_and_wire_names_are_the_same(module: str, name: str) -> None:
    theirs, ours = map(fields, pair(module, name))
    for field in set(theirs) & set(ours) - TAGS:
        assert ours[field].is_required() == theirs[field].is_required(), field
        assert on_the_wire(field, ours[field]) == on_the_wire(field, theirs[field]), field
        if not theirs[field].is_required():
            assert default(ours[field]) == default(theirs[field]), field


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_the_positional_order_is_the_same(module: str, name: str) -> None:
    theirs, ours = pair(module, name)
    expected = [field for field in order(theirs) if field in fields(ours) and field not in TAGS]
    assert [field for field in ours._order() if field in expected] == expected


@dataclass(frozen=True)
class Recipe:
    """A construction that both sides can make: a class and what it is given."""

    module: str
    name: str
    given: Mapping[str, Any]

    def make(self, side: int) -> Any:
        """Return the object of the contract (0) or ours (1)."""
        return pair(self.module, self.name)[side](**{key: made(value, side) for key, value in self.given.items()})


def made(value: Any, side: int) -> Any:
    """Return a value with the recipes in it made."""
    if isinstance(value, Recipe):
        return value.make(side)
    if isinstance(value, dict):
        return {key: made(item, side) for key, item in value.items()}
    return [made(item, side) for item in value] if isinstance(value, list) else value


NUMBERS = st.sampled_from([0.25, 0.5, 1, 2.0, 3.5])
FREE = st.builds(
    lambda given: Recipe("", "Parameter", {"name": "k", **given}),
    st.fixed_dictionaries({}, optional={"initial_value": st.just(0.5), "bounds": st.just((0.1, 2.0))}),
)
DRIVEN = Recipe("objectives", "CurrentDriven", {"data_input": "file:a.csv", "options": {"model": "SPM"}})
NAMED: Mapping[str, st.SearchStrategy[Any]] = {
    "algorithm_options": st.none(),
    "actions": st.just({"energy": {"type": "Maximize", "metric": {"type": "Mean", "variable": "Voltage [V]"}}}),
    "bounds": st.sampled_from([None, (0.1, 2.0), [0.5, 3.0]]),
    "callbacks": st.none(),
    "cost": st.sampled_from([None, Recipe("objective_functions", "SSE", {})]),
    "cost_logger": st.none(),
    "costs": st.just([Recipe("objective_functions", "SSE", {}), Recipe("objective_functions", "MAE", {})]),
    "data": st.sampled_from(["file:a.csv", {"Stoichiometry": [0.0, 1.0], "Voltage [V]": [1.0, 0.0]}]),
    "data_input": st.sampled_from(["file:a.csv", "db:abc", {"Time [s]": [0.0, 1.0], "Voltage [V]": [4.0, 3.9]}]),
    "elements": st.just({"known": {"element_type": "entry", "values": {"a": 1.0}}}),
    "constraints": st.none(),
    "inner": st.just(Recipe("parameter_estimators", "ScipyMinimize", {})),
    "initial_guesses": st.sampled_from([None, {"k": 0.5}, [{"k": 0.5}, {"k": 1.0}]]),
    "initial_value": st.sampled_from([None, 0.5, 1]),
    "lb": st.just(0.25),
    "model": st.sampled_from(["SPM", {"type": "SPMe", "options": {"thermal": "lumped"}}]),
    "negative_electrode_model": st.sampled_from(
        [{"electrode": "negative"}, Recipe("models", "MSMRHalfCellModel", {"electrode": "negative"})]
    ),
    "positive_electrode_model": st.just({"type": "MSMRHalfCellModel", "electrode": "positive"}),
    "time_series": st.just({"Time [s]": [0.0, 1.0], "Voltage [V]": [4.0, 3.9]}),
    "nan_values": st.sampled_from([None, "mean", "min", 1.5]),
    "normalization": st.sampled_from(["mean", "range", "identity", 2.5]),
    "objectives": st.sampled_from([{"o": DRIVEN}, {"o": DRIVEN, "p": DRIVEN}]),
    "optimizer": st.sampled_from([None, Recipe("parameter_estimators", "ScipyMinimize", {})]),
    "output_file": st.sampled_from([None, "out.json"]),
    "parameter": FREE,
    "parameters": st.none(),
    "penalties": st.none(),
    "priors": st.none(),
    "simulation_kwargs": st.sampled_from([None, {"var_pts": {"x_n": 10}}]),
    "soc": st.sampled_from([0.25, 1, "Initial SOC"]),
    "summary_stats": st.sampled_from([None, [Recipe("objective_functions", "RMSE", {})]]),
    "ub": st.just(2),
}
"""What fields are given whose type says little."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "direction": ("", "lithiation", "delithiation"),
    "electrode": ("positive", "negative"),
    "file_path": (str(Path(__file__).parent / "values.json"), "nowhere.json"),
    "phase": ("", "primary", "secondary"),
    "system": ("EC:DMC (1:1)", "EC:EMC (3:7)", "EMC:FEC (19:1)"),
}
"""Of fields whose type is a string, although few words are meant."""
ESTIMATED = st.fixed_dictionaries({"k": FREE})
ONLY: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "ArrayDataFit": {"parameters": ESTIMATED},
    "DataFit": {"parameters": ESTIMATED},
}
"""Fields of single classes, where another class has a field of the same name."""


def values_of(annotation: Any, field: str, kind: str) -> st.SearchStrategy[Any]:
    """Return what a field of a type may be given."""
    if field in ONLY.get(kind, {}):
        return ONLY[kind][field]
    if annotation is str and field in WORDS:
        return st.sampled_from(WORDS[field])
    if field in NAMED and annotation is not float:
        return NAMED[field]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Annotated:
        return values_of(arguments[0], field, kind)
    if origin in {Union, UnionType}:
        return st.one_of([values_of(one, field, kind) for one in arguments])
    if origin is tuple:
        return st.tuples(*(values_of(one, field, kind) for one in arguments)).filter(rising)
    if origin is list:
        return st.lists(values_of(arguments[0], field, kind), min_size=2, max_size=4, unique_by=str).map(
            lambda items: sorted(items) if all(isinstance(item, int | float) for item in items) else items
        )
    if origin in {dict, Mapping}:
        return st.fixed_dictionaries({"o": values_of(arguments[1], field, kind)})
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return recipes(*HOME[annotation]) if annotation in HOME else st.none()
    return PLAIN.get(annotation, st.none())


PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(), int: st.integers(1, 9), float: NUMBERS, str: st.sampled_from(["a", "b c [V]"]),
    Any: st.none(), dict: st.just({}),
}  # fmt: skip


def rising(items: tuple[Any, ...]) -> bool:
    """Return whether the numbers of a pair rise."""
    return not all(isinstance(item, int | float) for item in items) or list(items) == sorted(set(items))


HOME = {(getattr(iws, module) if module else iws).__dict__[name]: (module, name) for module, name in CLASSES}
"""Where the classes of the contract stand."""


def recipes(module: str, name: str) -> st.SearchStrategy[Recipe]:
    """Return constructions of a class with any of its optional fields."""
    theirs = getattr(getattr(iws, module) if module else iws, name)
    open_ = {one: field for one, field in fields(theirs).items() if one not in TAGS}
    drawn = {one: values_of(field.annotation, one, name) for one, field in open_.items()}
    needed = {one: drawn[one] for one, field in open_.items() if field.is_required() or one in ONLY.get(name, {})}
    rest = {one: drawn[one] for one in open_ if one not in needed}
    return st.fixed_dictionaries(needed, optional=rest).map(lambda given: Recipe(module, name, given))


def written(made_: Any) -> Any:
    """Return what travels in a pipeline; there alone the kind of an element is added."""
    config = json.loads(json.dumps(made_.to_config() if hasattr(made_, "to_config") else made_.model_dump()))
    config.pop("element_type", None)
    return config


@pytest.mark.parametrize(("module", "name"), CLASSES)
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(drawn=st.data())
def test_any_construction_is_accepted_and_written_alike(module: str, name: str, drawn: st.DataObject) -> None:
    recipe = drawn.draw(recipes(module, name))
    try:
        theirs = written(recipe.make(0))
    except Exception:  # whatever it raises, it refuses
        with pytest.raises(CellwrightError):
            written(recipe.make(1))
        return
    assert written(recipe.make(1)) == theirs


WRONG = st.sampled_from([object(), ["nonsense"], {"nonsense": {"a": "b"}}, "nonsense", -1, math.nan])


@pytest.mark.parametrize(("module", "name"), CLASSES)
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(drawn=st.data())
def test_what_theirs_refuses_ours_refuses(module: str, name: str, drawn: st.DataObject) -> None:
    recipe = drawn.draw(recipes(module, name))
    field = drawn.draw(st.sampled_from([*(pair(module, name)[0].model_fields.keys() - TAGS), "nonsense"]))
    broken = Recipe(module, name, {**recipe.given, field: drawn.draw(WRONG)})
    try:
        written(broken.make(0))
    except Exception:  # whatever it raises, it refuses
        with pytest.raises(CellwrightError):
            written(broken.make(1))
