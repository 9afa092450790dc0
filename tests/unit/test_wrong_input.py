"""What is given in the wrong place or form is told with what to do; nothing of a library reaches the user."""

import re

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError
from cellwright.testing.cells import discharge, published

DN = "Negative particle diffusivity [m2.s-1]"
DATA = discharge(published())


def objective(model="SPM"):
    return cw.objectives.CurrentDriven(DATA, {"model": model})


def free(**fields):
    return {DN: cw.Parameter(DN, **({"initial_value": 3e-14, "bounds": (1e-15, 1e-12)} | fields))}


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: cw.DataFit(objective(), parameters=free(), cost=cw.costs.RMSE), "call it: RMSE(…)"),
        (lambda: cw.DataFit(objective(), parameters=free(), optimizer=cw.optimizers.CMAES), "call it: CMAES(…)"),
        (lambda: objective(pybamm.lithium_ion.SPMe), "call it: SPMe(…)"),
        (lambda: cw.Pipeline({"fit": cw.DataFit}), "call it: DataFit(…)"),
    ],
)
def test_a_class_in_the_place_of_an_object_is_told(make, hint):
    with pytest.raises(ConfigurationError) as told:
        make()
    assert told.value.hint == hint


def test_positional_arguments_where_there_are_none_are_answered_with_the_fields():
    with pytest.raises(ConfigurationError, match="takes 0 positional arguments") as told:
        cw.optimizers.Nested([DN], cw.optimizers.ScipyMinimize(), cw.optimizers.ScipyLeastSquares())
    assert told.value.hint == "give its fields by name: parameters, optimizer, inner"


def test_parameter_values_of_pybamm_become_an_entry_by_one_call():
    values = pybamm.ParameterValues("Chen2020")
    values.update({DN: lambda sto, T: 1e-14 * (1 + sto), "Current function [A]": "[input]"})
    with pytest.raises(ConfigurationError) as told:
        cw.Pipeline({"known": values})
    assert "from_pybamm" in told.value.hint
    found = cw.from_pybamm(values).parameters
    assert found["Positive particle radius [m]"] == values["Positive particle radius [m]"]
    assert found[DN](0.5, 298.15) == pytest.approx(1.5e-14)
    assert "Current function [A]" not in found


def warned(data=DATA, **fields):
    fit = cw.DataFit(cw.objectives.CurrentDriven(data, {"model": "SPM"}), parameters=free(), **fields)
    return cw.check(cw.Pipeline({"known": cw.from_pybamm("Chen2020"), "fit": fit})).problems


def scaled(**factors):
    return {name: np.asarray(values) * factors.get(name.split()[0], 1.0) for name, values in DATA.items()}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (scaled(Voltage=1e3), "runs from 3.* looks like mV"),
        (scaled(Current=1e3), "runs from 5000 to .* looks like mA"),
        (scaled(Current=-1), "voltage falls from .* while the current is negative"),
    ],
)
def test_columns_in_another_unit_or_of_the_other_sign_are_doubted(data, said):
    (problem,) = warned(data)
    assert problem.severity == "warning"
    assert problem.at == ("fit", "objectives", "CurrentDriven")
    assert re.search(said, problem.message)


@pytest.mark.parametrize(
    ("prior", "count"),
    [
        (cw.stats.Normal(3e-14, 1e-14), 0),
        (cw.stats.LogNormal(np.log(3e-14), 5.0), 0),
        (cw.stats.Normal(1e-9, 1e-12), 1),
        (cw.stats.LogNormal(np.log(3e-10), 0.5), 1),
    ],
)
def test_a_prior_beside_the_bounds_is_doubted(prior, count):
    problems = warned(priors={DN: prior}, cost=cw.costs.GaussianLogLikelihood(sigma={"Voltage [V]": 1e-3}))
    assert len(problems) == count
    assert all(one.at == ("fit", "priors", DN) and one.severity == "warning" for one in problems)


def test_data_as_they_should_be_are_not_doubted():
    assert warned() == ()


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("Voltage [mV]", "there is 'Voltage [mV]': give it in V, under the name 'Voltage [V]'"),
        ("Voltge [V]", "did you mean 'Voltge [V]'?"),
    ],
)
def test_a_column_in_another_unit_is_no_misspelling(column, hint):
    data = {column if name == "Voltage [V]" else name: values for name, values in DATA.items()}
    (problem,) = warned(data)
    assert problem.message == "the data have no column 'Voltage [V]'"
    assert problem.hint == hint


def test_a_name_between_braces_without_quotes_is_told(tmp_path):
    file = tmp_path / "cell.yaml"
    file.write_text("elements: {known: {element_type: entry, values: {Electrode height [m]: 0.1}}}")
    with pytest.raises(ConfigurationError, match=r"cell\.yaml is not well formed") as told:
        cw.Pipeline.from_file(file)
    assert "stands in quotes" in told.value.hint
