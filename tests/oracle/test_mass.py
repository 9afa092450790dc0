"""The mass of a cell against hand-worked layers, and against what its limits must give."""

import pytest

from cellwright.catalog.calculations import CellMass, DensityFromVolumeAndMass, JellyRollThermalDimensions
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

LAYERS = "Number of electrodes connected in parallel to make a cell"
GIVEN = CellMass.example.given
COMPOSITE = {
    **{name: value for name, value in GIVEN.items() if not name.startswith("Negative electrode active")},
    "Primary: Negative electrode active material volume fraction": 0.5,
    "Primary: Negative electrode active material density [kg.m-3]": 2200.0,
    "Secondary: Negative electrode active material volume fraction": 0.1,
    "Secondary: Negative electrode active material density [kg.m-3]": 2300.0,
}


def mass(given, options=None):
    return CellMass(options).compute(ParameterSet(given))["Cell mass [kg]"]


@pytest.mark.oracle("CellMass")
def test_layer_by_layer():
    # g/m2: copper 90; graphite (0.6·2200 + 0.3·1200 + 0.1·1800) = 1860 kg/m3 on 100 μm: 186; separator 1050 kg/m3 on
    # 20 μm: 21; cathode (2880 + 360 + 180) = 3420 kg/m3 on 80 μm: 273.6; aluminium 40.5. Sum 611.1 on 0.1 m2.
    assert mass(GIVEN) == pytest.approx(61.11e-3, rel=1e-12)
    assert mass(GIVEN | {LAYERS: 12}) == pytest.approx(12 * 61.11e-3, rel=1e-12)
    sides = {name: value for name, value in GIVEN.items() if name != "Electrode area [m2]"}
    assert mass(sides | {"Electrode height [m]": 0.2, "Electrode width [m]": 0.5}) == pytest.approx(61.11e-3, rel=1e-12)


@pytest.mark.oracle("CellMass")
def test_a_cell_of_water_weighs_its_volume():
    # With one density everywhere the mass is that of the volume, whatever the fractions are.
    water = {name: 1000.0 if "density" in name else value for name, value in GIVEN.items()}
    thickness = sum(value for name, value in GIVEN.items() if "thickness" in name)
    assert mass(water) == pytest.approx(1000 * thickness * 0.1, rel=1e-12)


@pytest.mark.oracle("CellMass")
def test_two_phases_weigh_as_their_mixture():
    # 0.5 · 2200 + 0.1 · 2300 = 1330 where the single phase has 0.6 · 2200 = 1320: 10 kg/m3 on 100 μm and 0.1 m2 more.
    for phases in (["2", "1"], ("2", "1"), (2, 1)):
        assert mass(COMPOSITE, {"particle phases": phases}) == pytest.approx(61.11e-3 + 1e-4, rel=1e-12)
    both = {
        name.replace("Negative", "Positive"): value
        for name, value in COMPOSITE.items()
        if name.startswith(("Pri", "Sec"))
    }
    # 0.6 · 4800 = 2880 becomes 1330 on 80 μm.
    assert mass(COMPOSITE | both, {"particle phases": "2"}) == pytest.approx(61.21e-3 - 1550 * 8e-6, rel=1e-12)


@pytest.mark.oracle("CellMass")
def test_a_half_cell_has_a_foil():
    foil = {"Negative electrode thickness [m]": 700e-6, "Negative electrode density [kg.m-3]": 534.0}
    # 534 kg/m3 · 700 μm = 373.8 g/m2 for the 186 of graphite
    found = mass(GIVEN | foil, {"working electrode": "positive", "thermal": "lumped"})
    assert found == pytest.approx(0.1 * (0.6111 - 0.186 + 0.3738), rel=1e-12)


@pytest.mark.oracle("CellMass")
def test_what_is_missing_may_come_later():
    rest = {name: value for name, value in GIVEN.items() if name != "Electrolyte density [kg.m-3]"}
    p = ParameterSet(rest).merge(CellMass().compute(ParameterSet(rest)), Origin("mass"))
    later = p.merge({"Electrolyte density [kg.m-3]": 1200.0}, Origin("later"))
    assert later.number("Cell mass [kg]") == pytest.approx(61.11e-3, rel=1e-12)


@pytest.mark.oracle("CellMass")
@pytest.mark.parametrize("name", list(GIVEN))
def test_every_value_has_a_domain(name):
    with pytest.raises(ConfigurationError) as caught:
        mass(GIVEN | {name: -1.0})
    assert repr(name) in caught.value.message


@pytest.mark.oracle("CellMass")
def test_fractions_and_phases_that_cannot_be():
    with pytest.raises(ConfigurationError, match=r"pores of the negative electrode make up 1\.1 of its volume"):
        mass(GIVEN | {"Negative electrode porosity": 0.5})
    for wrong in ("3", ["1"], [1, 2, 1]):
        with pytest.raises(ConfigurationError, match="'particle phases' is"):
            CellMass({"particle phases": wrong})


@pytest.mark.oracle("DensityFromVolumeAndMass")
def test_the_density_of_a_cylindrical_cell():
    # 70 g in 21 by 70 mm, 24.2452 cm3: 2.88717 g/cm3.
    size = {"Jelly roll radius [m]": 0.0105, "Jelly roll height [m]": 0.07}
    p = ParameterSet(JellyRollThermalDimensions().compute(ParameterSet(size)) | {"Cell mass [kg]": 0.07})
    assert DensityFromVolumeAndMass().compute(p) == {"Cell density [kg.m-3]": pytest.approx(2887.17, rel=1e-5)}
    for name in ("Cell mass [kg]", "Cell volume [m3]"):
        with pytest.raises(ConfigurationError, match="must be above 0"):
            DensityFromVolumeAndMass().compute(p.merge({name: 0.0}, Origin("wrong")))
