"""The parameters of a fit: tied ones, functions with fitted coefficients, transforms, starts in every form."""

import warnings

import numpy as np
import pandas as pd
import pybamm
import pytest
from lines import WIDE, V, fitted, free, objective, problems, world

import cellwright as cw
from cellwright.engine.run import run
from cellwright.testing.cells import discharge, published

TIME = np.arange(5.0)
LINE = 1.0 + 2.0 * TIME
EXACT = 1e-6
"""Data without noise: what is left is the tolerance at which least squares ends."""
EXPRESSIONS = {
    "text": {"expression": "2 * 'a'"},
    "pybamm": 2 * pybamm.Parameter("a"),
    "input": 2 * pybamm.InputParameter("a"),
    "callable": lambda a: 2 * a,
    "closure": lambda: 2 * pybamm.Parameter("a"),
    "two steps": {"expression": "'half' * 4"},
}


@pytest.mark.parametrize("tie", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_tied_parameter_follows_the_free_one(tie):
    # V = a + 2 a t with a = 1.
    element = cw.DataFit(objective(TIME, LINE), parameters={**free(a=0.3), "half": lambda a: a / 2, "b": tie})
    record = fitted(element)
    assert record.result["parameter_values"] == pytest.approx({"a": 1.0, "half": 0.5, "b": 2.0}, rel=EXACT)
    again = cw.Pipeline.from_config(cw.Pipeline({"fit": element}).to_config()).elements["fit"]
    assert fitted(again).result["parameter_values"] == record.result["parameter_values"]


FUNCTIONS = {
    "formula": {"arguments": ["t"], "expression": "'c' * t ** 2 + 'known'"},
    "pybamm": lambda t: pybamm.Parameter("c") * t**2 + pybamm.Parameter("known"),
    "argument": lambda t, c: c * t**2 + pybamm.Parameter("known"),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_may_have_fitted_coefficients(function):
    # V = 1 + (3 t² + 0.5) t.
    data = 1 + (3 * TIME**2 + 0.5) * TIME
    element = cw.DataFit(objective(TIME, data), parameters={**free(a=0.0, c=1.0), "b": function})
    pipeline = cw.Pipeline({"known": cw.direct_entries.DirectEntry({"known": 0.5}, source="given"), "fit": element})
    result = run(pipeline, world())
    assert result.parameters.number("c") == pytest.approx(3.0, rel=EXACT)
    assert result.parameters["b"](2.0) == pytest.approx(12.5, rel=EXACT)
    assert "known" in result.element("fit").reads
    assert run(cw.Pipeline.from_config(pipeline.to_config()), world()).parameters["b"](2.0) == pytest.approx(12.5)


def test_a_diffusivity_of_stoichiometry_is_fitted_in_pybamm():
    name, scale = "Negative particle diffusivity [m2.s-1]", "Diffusivity scale [m2.s-1]"
    cell = published()
    truth = {n: v for n, v in cell.values_.items() if n != name}
    known = cw.direct_entries.DirectEntry(truth, source="Chen2020")
    made = cell.without([name]).merge({name: lambda sto, T: 4e-14 * (0.2 + sto**2)}, next(iter(cell.origins.values())))
    data = discharge(made, duration=1500.0, points=31)
    element = cw.DataFit(
        cw.objectives.CurrentDriven(data, options={"model": "SPM"}),
        parameters={
            scale: cw.transforms.Log10(cw.Parameter(scale, 2e-14, (1e-15, 1e-12))),
            name: lambda sto, T: pybamm.Parameter(scale) * (0.2 + sto**2),
        },
    )
    result = cw.run(cw.Pipeline({"known": known, "fit": element}))
    # Exact data: least squares ends at its xtol.
    assert result.parameters.number(scale) == pytest.approx(4e-14, rel=2e-3)
    assert result.parameters[name](0.5, 298.15) == pytest.approx(4e-14 * 0.45, rel=2e-3)


MISSPELT = {
    "in-a-tied-expression": (
        {"parameters": {**free(a=0.0), "b": {"expression": "2 * 'aa'"}}}, ("parameters", "b"), "mean 'a'",
    ),
    "tied": ({"parameters": {**free(a=0.0, b=0.0), "bb": {"expression": "2 * 'a'"}}}, ("parameters", "bb"), "mean 'b'"),
    "free": ({"parameters": free(a=0.0, b=0.0, bb=1.0)}, ("parameters", "bb"), "no model of this fit uses"),
    "guess": ({"initial_guesses": {"aa": 1.0}}, ("initial_guesses",), "'a'"),
    "weight": ({"cost": cw.costs.SSE(objective_weights={"p": 1})}, ("cost", "objective_weights"), "'CurrentDriven'"),
    "scope": ({"cost": cw.costs.SSE(objective_names=["p"])}, ("cost", "objective_names"), "'CurrentDriven'"),
    "variable": ({"cost": cw.costs.SSE(variable_weights={"U": 1})}, ("cost", "variable_weights"), "'Voltage [V]'"),
    "structure": (
        {"cost": cw.costs.SSE(calculation_structure={"CurrentDriven": ["Voltage"]})},
        ("cost", "calculation_structure"), "mean 'Voltage [V]'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "at", "told"), MISSPELT.values(), ids=MISSPELT)
def test_names_that_are_misspelt_are_told_with_the_nearest(fields, at, told):
    given = {"parameters": free(a=0.0, b=0.0)} | fields
    found = problems(cw.DataFit(objective(TIME, LINE), **given))
    assert any(place[: len(at)] == at and told in text for place, text in found), found


def test_a_misspelt_name_in_a_tied_expression_is_told_with_the_nearest_in_pybamm():
    diffusivity = "Negative particle diffusivity [m2.s-1]"
    cell = published()
    known = cw.direct_entries.DirectEntry(
        {n: v for n, v in cell.values_.items() if n != diffusivity}, source="Chen2020"
    )
    data = {"Time [s]": [0.0, 10.0, 20.0], "Current [A]": [5.0] * 3, V: [4.0, 3.99, 3.98]}

    def told(free, own=None):
        driven = cw.objectives.CurrentDriven(data, options={"model": "SPM"}, parameters=own)
        return cw.check(cw.Pipeline({"known": known, "fit": cw.DataFit(driven, parameters=free)})).errors

    scale = cw.Parameter("Scale", 1e-14, (1e-15, 1e-13))
    (problem,) = told({"Scale": scale, diffusivity: {"expression": "2 * 'Scal'"}})
    assert "'Scal'" in problem.message
    assert problem.hint == "did you mean 'Scale'?"
    assert told({"Scale": scale, diffusivity: {"expression": "2 * 'Scale'"}}) == ()
    own = {"Ambient temperatur [K]": 300.0}
    (problem,) = told({diffusivity: cw.Parameter(diffusivity, 1e-14, (1e-15, 1e-13))}, own)
    assert problem.at == ("fit", "objectives", "CurrentDriven", "parameters", "Ambient temperatur [K]")
    assert "'Ambient temperature [K]'" in problem.hint


TRANSFORMS = {
    name: (lambda plain, name=name: getattr(cw.transforms, name)(plain))
    for name in ("Identity", "Log", "Log10", "Exp", "Pow10", "Inverse", "Negate")
} | {
    "Log of Inverse": lambda plain: cw.transforms.Log(cw.transforms.Inverse(plain)),
    "Negate of Log10": lambda plain: cw.transforms.Negate(cw.transforms.Log10(plain)),
    "Inverse of Negate of Exp": lambda plain: cw.transforms.Inverse(
        cw.transforms.Negate(cw.transforms.Exp(plain), )
    ),
}  # fmt: skip


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("bounds", [(0.25, 4.0), None], ids=["bounded", "unbounded"])
def test_a_fit_ends_at_the_same_place_in_every_variable(transform, bounds):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a document keeps the outermost transform alone
        parameters = {"a": transform(cw.Parameter("a", 2.0, bounds)), **free(b=0.0)}
        record = fitted(cw.DataFit(objective(TIME, LINE), parameters=parameters))
    # Least squares ends at 1e-6 of the range, which is 1e4 for a power of ten between 10^0.25 and 10^4.
    assert record.result["parameter_values"] == pytest.approx({"a": 1.0, "b": 2.0}, rel=1e-3)
    assert record.result["initial_guess"]["a"] == 2.0


def starts(record):
    children = record.result["children"] or [record.result]
    return sorted((round(c["initial_guess"]["a"], 9), round(c["initial_guess"]["b"], 9)) for c in children)


ROWS = [{"a": -1.0, "b": 0.5}, {"a": 3.0, "b": 0.25}]
FORMS = {
    "dict": ({"a": -1.0, "b": 0.5}, [(-1.0, 0.5)]),
    "partial": ({"b": 0.5}, [(0.0, 0.5)]),
    "list": (ROWS, [(-1.0, 0.5), (3.0, 0.25)]),
    "table": (pd.DataFrame(ROWS), [(-1.0, 0.5), (3.0, 0.25)]),
    "columns": ({"a": [-1.0, 3.0], "b": [0.5, 0.25]}, [(-1.0, 0.5), (3.0, 0.25)]),
    "result-like": ({"parameter_values": {"a": -1.0, "b": 0.5, "D": "text", "other": 3}}, [(-1.0, 0.5)]),
}


@pytest.mark.parametrize(("guesses", "expected"), FORMS.values(), ids=FORMS)
def test_starts_are_given_in_every_form(guesses, expected):
    element = cw.DataFit(objective(TIME, LINE), parameters=free(a=0.0, b=0.0), initial_guesses=guesses)
    assert starts(fitted(element)) == expected
    assert (
        cw.Pipeline.from_config(cw.Pipeline({"f": element}).to_config()).elements["f"].to_config()
        == element.to_config()
    )


@pytest.mark.parametrize("kind", ["element", "run"])
def test_a_fit_starts_where_an_earlier_one_ended(kind):
    first = run(cw.Pipeline({"fit": cw.DataFit(objective(TIME, LINE), parameters=free(a=0.0, b=0.0))}), world())
    given = first.element("fit") if kind == "element" else first
    element = cw.DataFit(objective(TIME, LINE), parameters=free(a=0.0, b=0.0), initial_guesses=given)
    record = fitted(element)
    assert record.result["initial_guess"] == first.element("fit").result["parameter_values"]


def test_given_starts_come_first_and_the_rest_are_drawn():
    common = {"parameters": free(a=0.0, b=0.0), "options": {"seed": 3}}
    mixed = starts(fitted(cw.DataFit(objective(TIME, LINE), initial_guesses=ROWS, multistarts=4, **common)))
    assert {(-1.0, 0.5), (3.0, 0.25)} < set(mixed)
    assert len(set(mixed)) == 4
    every = starts(fitted(cw.DataFit(objective(TIME, LINE), initial_guesses={"a": 1.5}, multistarts=3, **common)))
    assert [a for a, _ in every] == [1.5] * 3
    assert len({b for _, b in every}) == 3
    ((at, text),) = problems(cw.DataFit(objective(TIME, LINE), initial_guesses=ROWS, multistarts=1, **common))
    assert at == ("initial_guesses",)
    assert "2 initial guesses for 1 starts" in text


def test_starts_are_drawn_from_a_distribution_of_their_own():
    parameters = {
        "a": cw.Parameter("a", 0.0, WIDE, initial_guess_distribution=cw.stats.Uniform(2, 6)),
        "b": cw.Parameter("b", 0.0, initial_guess_distribution=cw.stats.PointMass(0.125)),
    }
    element = cw.DataFit(objective(TIME, LINE), parameters=parameters, multistarts=4, options={"seed": 0})
    drawn = starts(fitted(element))
    assert [int(a) for a, _ in drawn] == [2, 3, 4, 5]  # Latin: one in each quarter
    assert {b for _, b in drawn} == {0.125}
    unbounded = {**parameters, "b": cw.Parameter("b", 0.0)}
    ((at, text),) = problems(element.model_copy(update={"parameters": unbounded}))
    assert at == ("parameters", "b")
    assert "initial_guess_distribution" in text


@pytest.mark.parametrize(
    ("guesses", "told"),
    [
        ({"a": [1.0, 2.0], "b": 3.0}, "numbers, or columns of numbers"),
        ({"a": [1.0, 2.0], "b": [3.0]}, "rows"),
        ({"parameter_values": {"x": 1.0}}, "none of the fit's parameters"),
        ({"a": "x"}, "a number is needed"),
    ],
)
def test_guesses_that_are_none_are_refused(guesses, told):
    with pytest.raises(cw.CellwrightError, match=told):
        cw.DataFit(objective(TIME, LINE), parameters=free(a=0.0, b=0.0), initial_guesses=guesses)
