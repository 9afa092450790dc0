"""Volume fractions against hand-worked numbers, conserved masses and charges, and a PyBaMM parameter set."""

import pybamm
import pytest

from cellwright.catalog.calculations import (
    ElectrodeCapacity,
    ElectrodeVolumeFractionFromLoading,
    ElectrodeVolumeFractionFromPorosity,
    PorosityFromElectrodeVolumeFraction,
)
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

SHARE = "Positive electrode active material volume fraction"
COATING = {
    "Positive electrode coating mass per area [g.cm-2]": 0.02,
    "Positive electrode thickness [m]": 70e-6,
    "Positive electrode active material density [kg.m-3]": 4700.0,
}


def fraction(given, method):
    return ElectrodeVolumeFractionFromLoading("positive", method).compute(ParameterSet(given))


@pytest.mark.oracle("ElectrodeVolumeFractionFromLoading")
def test_loading_holds_the_charge_that_pybamm_counts():
    values = pybamm.ParameterValues("Chen2020")
    parameters = pybamm.LithiumIonParameters()
    area = float(values.evaluate(parameters.A_cc))
    for electrode, theirs in (("negative", parameters.n), ("positive", parameters.p)):
        title = electrode.capitalize()
        names = [f"{title} electrode thickness [m]", f"Maximum concentration in {electrode} electrode [mol.m-3]"]
        given = {name: values[name] for name in names}
        given[f"{title} electrode loading [A.h.cm-2]"] = float(values.evaluate(theirs.Q_init)) / area / 1e4
        found = ElectrodeVolumeFractionFromLoading(electrode, "loading").compute(ParameterSet(given))
        name = f"{title} electrode active material volume fraction"
        assert found == {name: pytest.approx(values[name], rel=1e-9)}


@pytest.mark.oracle("ElectrodeVolumeFractionFromLoading", "ElectrodeCapacity")
def test_loading_agrees_with_the_capacity_of_the_electrode():
    given = {
        "Positive electrode thickness [m]": 70e-6,
        "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
        "Positive electrode loading [A.h.cm-2]": 3e-3,
    }
    p = ParameterSet(given | fraction(given, "loading") | {"Electrode area [m2]": 0.1})
    without = {name: value for name, value in p.items() if "loading" not in name}
    # 3 mA.h/cm2 on 0.1 m2 are 3 A.h
    assert ElectrodeCapacity("positive").compute(ParameterSet(without)) == {
        "Positive electrode capacity [A.h]": pytest.approx(3.0, rel=1e-14)
    }


@pytest.mark.oracle("ElectrodeVolumeFractionFromLoading")
def test_coating_mass_by_hand():
    # 0.2 kg/m2 / 70 μm = 2857.14 kg/m3, of 4700: 0.607903
    assert fraction(COATING, "coating mass") == {SHARE: pytest.approx(0.607903, rel=1e-6)}
    share = {"Positive electrode active material mass fraction": 0.95}
    assert fraction(COATING | share, "coating mass") == {SHARE: pytest.approx(0.577508, rel=1e-6)}
    both = COATING | {name.replace("Positive", "Negative"): value for name, value in COATING.items()}
    found = ElectrodeVolumeFractionFromLoading("both", "coating mass").compute(ParameterSet(both))
    assert list(found.values()) == pytest.approx([0.607903] * 2, rel=1e-6)


@pytest.mark.oracle("ElectrodeVolumeFractionFromLoading")
@pytest.mark.parametrize(
    ("change", "method", "said"),
    [
        ({"Positive electrode coating mass per area [g.cm-2]": 20.0}, "coating mass", "volume fraction' is 607.9"),
        ({"Positive electrode coating mass per area [g.cm-2]": 0.0}, "coating mass", "coating mass.*above 0"),
        ({"Positive electrode thickness [m]": -1e-6}, "coating mass", "thickness.*above 0"),
        ({"Positive electrode active material density [kg.m-3]": 0.0}, "coating mass", "density.*above 0"),
        ({"Positive electrode loading [A.h.cm-2]": 0.0}, "loading", "loading.*above 0"),
        ({"Maximum concentration in positive electrode [mol.m-3]": 0.0}, "loading", "Maximum conc.*above 0"),
    ],
)
def test_coatings_that_cannot_be(change, method, said):
    with pytest.raises(ConfigurationError, match=said):
        fraction(COATING | change, method)


@pytest.mark.oracle("ElectrodeVolumeFractionFromPorosity", "PorosityFromElectrodeVolumeFraction")
@pytest.mark.parametrize("electrode", ["negative", "positive"])
def test_porosity_and_volume_fraction_are_each_other_s_inverse(electrode):
    name = f"{electrode.capitalize()} electrode"
    given = {f"{name} porosity": 0.3, f"{name} active volume fraction of solid": 0.92}
    p = ParameterSet(given)
    # 0.7 of solid, 0.92 of it active: 0.644
    active = ElectrodeVolumeFractionFromPorosity(electrode).compute(p)
    assert active == {f"{name} active material volume fraction": pytest.approx(0.644, rel=1e-14)}
    back = PorosityFromElectrodeVolumeFraction(electrode).compute(
        p.without([f"{name} porosity"]).merge(active, Origin("a"))
    )
    assert back == {f"{name} porosity": pytest.approx(0.3, rel=1e-13)}


@pytest.mark.oracle("PorosityFromElectrodeVolumeFraction")
def test_published_sets_of_nothing_but_active_material():
    # Chen2020's electrodes have no binder: 0.75 + 0.25 and 0.665 + 0.335.
    values = pybamm.ParameterValues("Chen2020")
    for electrode in ("negative", "positive"):
        name = f"{electrode.capitalize()} electrode"
        given = {f"{name} active material volume fraction": values[f"{name} active material volume fraction"]}
        found = PorosityFromElectrodeVolumeFraction(electrode).compute(ParameterSet(given))
        assert found == {f"{name} porosity": pytest.approx(values[f"{name} porosity"], rel=1e-12)}


@pytest.mark.oracle("ElectrodeVolumeFractionFromPorosity", "PorosityFromElectrodeVolumeFraction")
def test_fractions_lie_between_0_and_1():
    solid = {"Negative electrode active volume fraction of solid": 0.9}
    with pytest.raises(ConfigurationError, match=r"porosity' is 1\.3, and it must lie between 0 and 1"):
        ElectrodeVolumeFractionFromPorosity("negative").compute(
            ParameterSet(solid | {"Negative electrode porosity": 1.3})
        )
    active = {"Negative electrode active material volume fraction": 0.95}
    with pytest.raises(ConfigurationError, match=r"porosity' is -0\.0555556.*more active material than the solid"):
        PorosityFromElectrodeVolumeFraction("negative").compute(ParameterSet(active | solid))
    nothing = dict.fromkeys(solid, 0.0)
    with pytest.raises(ConfigurationError, match="fraction of solid' is 0, and it must be above 0"):
        PorosityFromElectrodeVolumeFraction("negative").compute(ParameterSet(active | nothing))
