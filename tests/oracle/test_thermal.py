"""Heat capacities against hand-worked numbers and against PyBaMM's mean over the layers of a cell."""

import pybamm
import pytest

from cellwright.catalog.calculations import LumpedHeatCapacityAndDensity, SpecificHeatCapacity
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import ParameterSet


@pytest.mark.oracle("SpecificHeatCapacity")
def test_specific_heat_by_hand():
    # 1 kcal/K on a litre of water: 4184 J/K / 1 kg.
    water = {"Cell heat capacity [J.K-1]": 4184.0, "Cell mass [kg]": 1.0}
    name = "Cell specific heat capacity [J.kg-1.K-1]"
    assert SpecificHeatCapacity().compute(ParameterSet(water)) == {name: 4184.0}
    cell = {"Cell heat capacity [J.K-1]": 65.0, "Cell mass [kg]": 0.0684}
    assert SpecificHeatCapacity().compute(ParameterSet(cell))[name] == pytest.approx(950.292, rel=1e-6)
    for wrong in water:
        with pytest.raises(ConfigurationError, match="must be above 0"):
            SpecificHeatCapacity().compute(ParameterSet(water | {wrong: 0.0}))


@pytest.mark.oracle("LumpedHeatCapacityAndDensity")
@pytest.mark.parametrize("published", ["Chen2020", "Marquis2019"])
def test_pybamm_gets_the_heat_capacity_of_the_cell_back(published):
    given = {"Cell specific heat capacity [J.kg-1.K-1]": 950.0, "Cell density [kg.m-3]": 2820.0}
    found = LumpedHeatCapacityAndDensity().compute(ParameterSet(given))
    values = pybamm.ParameterValues(published)
    assert set(found) <= set(values)
    before = float(values.evaluate(pybamm.LithiumIonParameters().rho_c_p_eff(298.15)))
    values.update(found)
    after = float(values.evaluate(pybamm.LithiumIonParameters().rho_c_p_eff(298.15)))
    assert before != pytest.approx(950 * 2820, rel=1e-2)
    assert after == pytest.approx(950 * 2820, rel=1e-12)


@pytest.mark.oracle("LumpedHeatCapacityAndDensity")
@pytest.mark.parametrize("wrong", ["Cell specific heat capacity [J.kg-1.K-1]", "Cell density [kg.m-3]"])
def test_lumped_values_are_above_zero(wrong):
    given = LumpedHeatCapacityAndDensity.example.given | {wrong: -1.0}
    with pytest.raises(ConfigurationError, match="is -1, and it must be above 0"):
        LumpedHeatCapacityAndDensity().compute(ParameterSet(given))
