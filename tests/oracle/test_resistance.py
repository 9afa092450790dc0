"""Resistance over the state of charge: formulas in all their forms, and a curve whose coefficients come back."""

import json

import numpy as np
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet

Z = np.linspace(0.1, 0.9, 17)
R0, K = "Ohmic resistance at half charge [Ohm]", "Resistance slope [Ohm]"
CURVE = 0.02 + 0.01 * (1 - Z) ** 2
TEXT = f"'{R0}' + '{K}' * (1 - 'SOC') ** 2"
WIRE = {"arguments": ["soc"], "expression": f"'{R0}' + '{K}' * (1 - soc)**2"}
TRUTH = {R0: 0.02, K: 0.01}


def data(resistance=CURVE, **columns):
    return {"SOC": Z.tolist(), "Resistance [Ohm]": np.asarray(resistance).tolist(), **columns}


def predicted(model=None, given=None, free=(), inputs=None, measured=None, **fields):
    options = None if model is None else {"model": model}
    objective = cw.objectives.Resistance(measured or data(), options=options, **fields)
    again = cw.objectives.Resistance(**json.loads(json.dumps(objective.to_config())))
    answers = [one.prepare(ParameterSet(given or {}), free, None).predict(inputs or {}) for one in (objective, again)]
    assert [answer.status for answer in answers] == ["solved", "solved"], answers[0].message
    first, second = (answer.outputs["Resistance [Ohm]"] for answer in answers)
    np.testing.assert_array_equal(first, second)
    return first


@pytest.mark.oracle("Resistance")
@pytest.mark.parametrize("model", [WIRE, TEXT], ids=["function", "formula in text"])
def test_a_formula_is_a_closed_form_of_the_columns_and_the_parameters(model):
    np.testing.assert_allclose(predicted(model, TRUTH), CURVE, rtol=1e-14)
    np.testing.assert_allclose(predicted(model, {K: 0.01}, (R0,), {R0: 0.02}), CURVE, rtol=1e-14)


def test_a_function_of_python_goes_through_the_document():
    np.testing.assert_allclose(predicted(lambda soc: 0.02 + 0.01 * np.exp(-3 * soc)), 0.02 + 0.01 * np.exp(-3 * Z))


def test_arguments_are_columns_by_their_names():
    warm = 298.15 + 20 * Z
    columns = data(**{"Temperature [K]": warm.tolist(), "C_rate": np.full(17, 2.0).tolist()})
    for function in (
        lambda z, temperature, c_rate: z * temperature / c_rate,
        lambda c_rate, Temperature, soc: soc * Temperature / c_rate,
    ):
        np.testing.assert_allclose(predicted(function, measured=columns), Z * warm / 2, rtol=1e-14)


def test_without_a_model_the_parameter_of_that_name_is_the_curve():
    function = cw.direct_entries.DirectEntry({"Resistance [Ohm]": WIRE}).compute(ParameterSet())
    np.testing.assert_allclose(predicted(None, {**function, **TRUTH}), CURVE, rtol=1e-14)
    np.testing.assert_allclose(predicted(None, {"Resistance [Ohm]": 0.03}), 0.03, rtol=1e-14)
    constant = predicted(None, {}, ("Resistance [Ohm]",), {"Resistance [Ohm]": 0.04})
    np.testing.assert_allclose(constant, 0.04, rtol=1e-14)


def test_an_objective_has_parameters_of_its_own():
    other = predicted(TEXT, TRUTH, (R0,), {R0: 9.0}, parameters={R0: 0.05})
    np.testing.assert_allclose(other, CURVE + 0.03, rtol=1e-14)


def test_what_is_read_and_what_acts_is_told():
    p = (
        ParameterSet()
        .merge({"Base [Ohm]": 0.01}, Origin("test"))
        .merge({R0: parameter("Base [Ohm]") * 2}, Origin("test"))
    )
    prepared = cw.objectives.Resistance(data(), options={"model": TEXT}).prepare(p, (K,), None)
    assert prepared.used == {K}
    assert prepared.reads == {R0, K, "Base [Ohm]"}
    through = cw.objectives.Resistance(data(), options={"model": TEXT}).prepare(
        p.without(["Base [Ohm]"]), (K, "Base [Ohm]"), None
    )
    assert through.used == {K, "Base [Ohm]"}


def test_a_curve_without_a_value_is_a_status():
    prepared = cw.objectives.Resistance(data(), options={"model": f"log('{K}') * 'SOC'"}).prepare(
        ParameterSet(), (K,), None
    )
    for value in (-1.0, 0.0, float("nan")):
        assert prepared.predict({K: value}).status == "failed"


@pytest.mark.parametrize(
    ("change", "model", "said", "kind"),
    [
        ({"SOC": None}, TEXT, "no column 'SOC'", cw.CellwrightError),
        ({"Resistance [Ohm]": None}, TEXT, "no column 'Resistance .Ohm.'", cw.CellwrightError),
        ({"SOC": (100 * Z).tolist()}, TEXT, "runs to 90, and a state of charge is a fraction", cw.CellwrightError),
        ({"SOC": [None, *Z[1:].tolist()]}, TEXT, "1 values that are no numbers", cw.CellwrightError),
        ({}, lambda soc, pressure: soc * pressure, "depends on 'pressure'", ConfigurationError),
        ({}, "SPM", "'SPM' is no formula", ConfigurationError),
        ({}, {"type": "DFN"}, "'DFN' is no formula", ConfigurationError),
        ({}, "'R [Ohm]' * 'SOC'", "lacks 'R .Ohm.'", MissingParameterError),
        ({}, None, "there is no model and no parameter 'Resistance .Ohm.'", MissingParameterError),
    ],
    ids=["no SOC", "no resistance", "percent", "gap", "argument", "name", "model", "parameter", "nothing"],
)  # fmt: skip
def test_what_is_wrong_is_told(change, model, said, kind):
    columns = {name: values for name, values in (data() | change).items() if values is not None}
    objective = cw.objectives.Resistance(columns, options=None if model is None else {"model": model})
    with pytest.raises(kind, match=said):
        objective.prepare(ParameterSet(TRUTH), (), None)


def test_coefficients_come_back_from_a_noisy_curve():
    # Linear least squares: the standard errors are those of the design matrix; three of them is the tolerance.
    sigma = 2e-4
    noisy = CURVE + sigma * np.random.default_rng(0).normal(size=Z.size)
    parameters = {R0: cw.Parameter(R0, 0.05, (0.0, 0.1)), K: cw.Parameter(K, 0.0, (-0.1, 0.1))}
    element = cw.DataFit(cw.objectives.Resistance(data(noisy), options={"model": WIRE}), parameters=parameters)
    check = cw.Validation({"held out": cw.objectives.Resistance(data(), options={"model": TEXT})})
    result = cw.run(cw.Pipeline({"fit": element, "check": check}))
    design = np.column_stack([np.ones_like(Z), (1 - Z) ** 2])
    errors = sigma * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    best = np.linalg.lstsq(design, noisy, rcond=None)[0]
    for (name, true), value, error in zip(TRUTH.items(), best, errors, strict=True):
        found = result.element("fit").result["parameter_values"][name]
        assert found == pytest.approx(value, rel=1e-5)
        assert found == pytest.approx(true, abs=3 * error)
    rows = {row["name"]: row["value"] for row in result.element("check").result["summary_stats"]["held out"]}
    assert rows["RMSE [Ohm] (Resistance [Ohm])"] < sigma
    assert set(result.element("fit").series["Resistance"]["optimal"]) == {
        "SOC", "Resistance [Ohm] (data)", "Resistance [Ohm] (model)",
    }  # fmt: skip
