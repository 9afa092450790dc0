"""What is given in the wrong place or form is told with what to do; nothing of a library reaches the user."""

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
