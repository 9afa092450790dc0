"""Sizes against hand-worked numbers, other ways to measure the same thing, and a PyBaMM parameter set."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    AreaToSquareWidthHeight,
    DiameterToSquareWidthHeight,
    ElectrodeGeometryFromLoading,
    JellyRollThermalDimensions,
    PouchCellThermalDimensions,
)
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

VOLUME, SURFACE = "Cell volume [m3]", "Cell cooling surface area [m2]"


@pytest.mark.oracle("AreaToSquareWidthHeight")
def test_a_square_keeps_the_area_that_pybamm_uses():
    found = AreaToSquareWidthHeight().compute(ParameterSet({"Electrode area [m2]": 0.1027}))
    assert found["Electrode height [m]"] == found["Electrode width [m]"]
    values = pybamm.ParameterValues("Chen2020")
    values.update(found)
    assert float(values.evaluate(pybamm.LithiumIonParameters().A_cc)) == pytest.approx(0.1027, rel=1e-14)


@pytest.mark.oracle("DiameterToSquareWidthHeight")
def test_a_coin_has_the_area_of_its_disc():
    # A disc of 15 mm: 1.767146 cm2, a square of 13.29340 mm.
    found = DiameterToSquareWidthHeight().compute(ParameterSet({"Electrode diameter [m]": 0.015}))
    assert list(found.values()) == pytest.approx([13.29340e-3] * 2, rel=1e-6)
    # The area of the disc by counting points of a fine grid, to the 1e-3 that the grid allows.
    x = np.linspace(-0.0075, 0.0075, 2001)
    share = (x[:, None] ** 2 + x[None, :] ** 2 < 0.0075**2).mean()
    assert found["Electrode height [m]"] ** 2 == pytest.approx(share * 0.015**2, rel=2e-3)


@pytest.mark.oracle("AreaToSquareWidthHeight", "DiameterToSquareWidthHeight")
def test_a_size_given_later_is_followed():
    for member, name, value in (
        (AreaToSquareWidthHeight(), "Electrode area [m2]", 0.09),
        (DiameterToSquareWidthHeight(), "Electrode diameter [m]", 0.6 / np.pi**0.5),
    ):
        p = ParameterSet().merge(member.compute(ParameterSet()), Origin("square"))
        p = p.merge({name: value}, Origin("later"))
        assert p.number("Electrode width [m]") == pytest.approx(0.3, rel=1e-14)
        with pytest.raises(ConfigurationError, match="is 0, and it must be above 0"):
            member.compute(ParameterSet({name: 0.0}))


@pytest.mark.oracle("JellyRollThermalDimensions")
def test_a_21700_cell():
    # LG M50, 21 mm by 70 mm: PyBaMM's Chen2020 has 2.42e-5 m3 and 5.31e-3 m2, three digits each.
    found = JellyRollThermalDimensions().compute(
        ParameterSet({"Jelly roll radius [m]": 0.0105, "Jelly roll height [m]": 0.07})
    )
    published = pybamm.ParameterValues("Chen2020")
    assert found[VOLUME] == pytest.approx(published[VOLUME], abs=0.005e-5)
    assert found[SURFACE] == pytest.approx(published[SURFACE], abs=0.005e-3)


@pytest.mark.oracle("JellyRollThermalDimensions")
def test_the_surface_of_a_cylinder_is_the_growth_of_its_volume():
    # A layer δ on all sides: dV/dδ = ∂V/∂r + 2 ∂V/∂h; central differences, exact to 1e-8.
    def volume(thickness):
        sizes = {"Jelly roll radius [m]": 0.0105 + thickness, "Jelly roll height [m]": 0.07 + 2 * thickness}
        return JellyRollThermalDimensions().compute(ParameterSet(sizes))

    growth = (volume(1e-6)[VOLUME] - volume(-1e-6)[VOLUME]) / 2e-6
    assert volume(0)[SURFACE] == pytest.approx(growth, rel=1e-7)


@pytest.mark.oracle("PouchCellThermalDimensions")
def test_the_surface_of_a_pouch_is_the_growth_of_its_volume():
    def volume(thickness):
        sizes = {"height": 0.12, "width": 0.08, "thickness": 0.006}
        given = {f"Pouch {size} [m]": value + 2 * thickness for size, value in sizes.items()}
        return PouchCellThermalDimensions().compute(ParameterSet(given))

    # 12 cm · 8 cm · 0.6 cm = 57.6 cm3
    assert volume(0)[VOLUME] == pytest.approx(57.6e-6, rel=1e-14)
    growth = (volume(1e-6)[VOLUME] - volume(-1e-6)[VOLUME]) / 2e-6
    assert volume(0)[SURFACE] == pytest.approx(growth, rel=1e-6)


@pytest.mark.oracle("JellyRollThermalDimensions", "PouchCellThermalDimensions")
@pytest.mark.parametrize("member", [JellyRollThermalDimensions, PouchCellThermalDimensions])
def test_sizes_are_above_zero(member):
    given = member.example.given
    for name in given:
        with pytest.raises(ConfigurationError, match=r"is -0\.01, and it must be above 0") as caught:
            member().compute(ParameterSet(given | {name: -0.01}))
        assert name in caught.value.message


COATING = {
    "Negative electrode coating mass per area [g.cm-2]": 0.0132,
    "Negative electrode press density [kg.m-3]": 1650.0,
    "Negative electrode active material mass fraction": 0.96,
    "Negative electrode crystal density [kg.m-3]": 2200.0,
    "Negative electrode active volume fraction of solid": 0.9,
}


def coating(given):
    return ElectrodeGeometryFromLoading("negative").compute(ParameterSet(given))


@pytest.mark.oracle("ElectrodeGeometryFromLoading")
def test_a_pressed_coating_by_hand():
    # 0.132 kg/m2 / 1650 kg/m3 = 80 μm; 0.96 · 1650 / 2200 = 0.72; 1 - 0.72 / 0.9 = 0.2
    expected = {
        "Negative electrode thickness [m]": 80e-6,
        "Negative electrode active material volume fraction": 0.72,
        "Negative electrode porosity": 0.2,
    }
    assert coating(COATING) == pytest.approx(expected, rel=1e-12)
    other_units = {
        "Negative electrode coating mass per area [kg.m-2]": 0.132,
        "Negative electrode press density [g.cm-3]": 1.65,
        "Negative electrode active material mass fraction": 0.96,
        "Negative electrode crystal density [g.cm-3]": 2.2,
        "Negative electrode active volume fraction of solid": 0.9,
    }
    assert coating(other_units) == pytest.approx(expected, rel=1e-12)


@pytest.mark.oracle("ElectrodeGeometryFromLoading")
def test_the_mass_of_the_parts_is_the_mass_of_the_coating():
    found = coating(COATING)
    active = found["Negative electrode active material volume fraction"]
    other = 1 - active - found["Negative electrode porosity"]
    # The rest of the solid has the density that its 4 % of the mass needs.
    density_of_rest = 0.04 * 1650 / other
    mass = found["Negative electrode thickness [m]"] * (active * 2200 + other * density_of_rest)
    assert mass == pytest.approx(0.132, rel=1e-12)
    assert active / (active + other) == pytest.approx(0.9, rel=1e-12)


@pytest.mark.oracle("ElectrodeGeometryFromLoading")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Negative electrode press density [kg.m-3]", 2400.0, "volume fraction' is 1.04727.*heavier than solid"),
        ("Negative electrode press density [kg.m-3]", 2200.0, "porosity' is -0.0666667.*more active material"),
        ("Negative electrode press density [kg.m-3]", 0.0, "press density.*must be above 0"),
        ("Negative electrode coating mass per area [g.cm-2]", -1.0, "coating mass.*must be above 0"),
        ("Negative electrode active material mass fraction", 1.2, "mass fraction.*between 0 and 1"),
        ("Negative electrode active volume fraction of solid", 0.0, "fraction of solid.*must be above 0"),
        ("Negative electrode crystal density [kg.m-3]", 0.0, "crystal density.*must be above 0"),
    ],
)
def test_a_coating_that_cannot_be(name, value, said):
    with pytest.raises(ConfigurationError, match=said):
        coating(COATING | {name: value})
