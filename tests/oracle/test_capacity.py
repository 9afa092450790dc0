"""Capacities against hand-worked numbers and PyBaMM."""

import pybamm
import pytest

from cellwright.catalog.calculations import ElectrodeCapacity, HalfCellNominalCapacity, SurfaceAreaToVolumeRatio
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

GIVEN = {
    "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
    "Positive electrode active material volume fraction": 0.65,
    "Positive electrode thickness [m]": 80e-6,
    "Electrode area [m2]": 0.1,
}
CAPACITY = "Positive electrode capacity [A.h]"


@pytest.mark.oracle("ElectrodeCapacity")
def test_capacity_by_hand():
    # 51217 mol/m3 · 0.65 · 8e-6 m3 = 0.2663284 mol; times 96485.33212331001 C/mol / 3600 s/h
    assert ElectrodeCapacity("positive").compute(ParameterSet(GIVEN)) == {CAPACITY: pytest.approx(7.137996, rel=1e-6)}


@pytest.mark.oracle("ElectrodeCapacity")
def test_capacity_is_a_number_to_the_last_digit():
    expected = 51217.0 * 0.65 * 80e-6 * 0.1 * 1.0 * 1.0 * 96485.33212331001 / 3600.0
    assert ElectrodeCapacity("positive").compute(ParameterSet(GIVEN))[CAPACITY] == expected


@pytest.mark.oracle("ElectrodeCapacity")
@pytest.mark.parametrize("missing", list(GIVEN))
def test_finds_whichever_is_missing(missing):
    capacity = ElectrodeCapacity("positive").compute(ParameterSet(GIVEN))[CAPACITY]
    rest = {name: value for name, value in GIVEN.items() if name != missing} | {CAPACITY: capacity}
    assert ElectrodeCapacity("positive").compute(ParameterSet(rest)) == {
        missing: pytest.approx(GIVEN[missing], rel=1e-14)
    }


@pytest.mark.oracle("ElectrodeCapacity")
def test_expression_of_what_is_missing_follows_a_later_value():
    free = ElectrodeCapacity("positive").compute(ParameterSet())
    assert free[CAPACITY].names == set(GIVEN)
    p = ParameterSet().merge(free, Origin("Q")).merge(GIVEN, Origin("later"))
    assert p.number(CAPACITY) == pytest.approx(7.137996, rel=1e-6)


@pytest.mark.oracle("ElectrodeCapacity")
def test_agrees_with_pybamm():
    values = pybamm.ParameterValues("Chen2020")
    theirs = float(values.evaluate(pybamm.LithiumIonParameters().n.Q_init))
    names = [n for n in values if n.startswith(("Maximum concentration", "Electrode ", "Negative electrode"))]
    numbers = {name: values[name] for name in names if isinstance(values[name], float | int)}
    ours = ElectrodeCapacity("negative").compute(ParameterSet(numbers))
    assert ours["Negative electrode capacity [A.h]"] == pytest.approx(theirs, rel=1e-9)


@pytest.mark.oracle("ElectrodeCapacity")
def test_loading_stands_for_capacity():
    # 3 mA.h/cm2 on 0.1 m2 = 3 A.h
    rest = {n: v for n, v in GIVEN.items() if "volume fraction" not in n} | {
        "Positive electrode loading [A.h.cm-2]": 3e-3
    }
    found = ElectrodeCapacity("positive").compute(ParameterSet(rest))
    assert found == {"Positive electrode active material volume fraction": pytest.approx(0.65 * 3 / 7.137996, rel=1e-6)}


@pytest.mark.oracle("ElectrodeCapacity")
def test_contradiction_is_an_error():
    with pytest.raises(ConfigurationError, match="given as 5"):
        ElectrodeCapacity("positive").compute(ParameterSet(GIVEN | {CAPACITY: 5.0}))


@pytest.mark.oracle("SurfaceAreaToVolumeRatio")
def test_surface_area_of_both_electrodes():
    given = {f"{e} particle radius [m]": 5e-6 for e in ("Negative", "Positive")}
    given |= {f"{e} electrode active material volume fraction": 0.65 for e in ("Negative", "Positive")}
    found = SurfaceAreaToVolumeRatio("both").compute(ParameterSet(given))
    assert list(found.values()) == pytest.approx([3.9e5, 3.9e5])


@pytest.mark.oracle("SurfaceAreaToVolumeRatio")
def test_a_radius_is_positive():
    with pytest.raises(ConfigurationError, match=r"particle radius.*is 0, and it must be above 0"):
        SurfaceAreaToVolumeRatio("negative").compute(ParameterSet({"Negative particle radius [m]": 0.0}))


@pytest.mark.oracle("SurfaceAreaToVolumeRatio")
def test_surface_area_agrees_with_pybamm():
    # PyBaMM derives the same ratio inside its symbolic parameters.
    values = pybamm.ParameterValues("Chen2020")
    parameters = pybamm.LithiumIonParameters()
    numbers = {name: values[name] for name in values if "particle radius" in name or "material volume" in name}
    found = SurfaceAreaToVolumeRatio("both").compute(ParameterSet(numbers))
    for electrode, theirs in (("Negative", parameters.n), ("Positive", parameters.p)):
        ratio = float(values.evaluate(theirs.prim.a_typ))
        assert found[f"{electrode} electrode surface area to volume ratio [m-1]"] == pytest.approx(ratio, rel=1e-12)


@pytest.mark.oracle("SurfaceAreaToVolumeRatio")
@pytest.mark.parametrize("share", [-0.1, 1.2])
def test_a_volume_fraction_lies_between_0_and_1(share):
    given = {"Negative particle radius [m]": 5e-6, "Negative electrode active material volume fraction": share}
    with pytest.raises(ConfigurationError, match=r"volume fraction.*must lie between 0 and 1"):
        SurfaceAreaToVolumeRatio("negative").compute(ParameterSet(given))


def capacity(given, electrode="positive", **fields):
    return ElectrodeCapacity(electrode, **fields).compute(ParameterSet(given))


def without(given, *names):
    return {name: value for name, value in given.items() if name not in names}


@pytest.mark.oracle("ElectrodeCapacity")
def test_layers_multiply_the_capacity():
    layers = {"Number of electrodes connected in parallel to make a cell": 20}
    assert capacity(GIVEN | layers)[CAPACITY] == pytest.approx(20 * capacity(GIVEN)[CAPACITY], rel=1e-15)


@pytest.mark.oracle("ElectrodeCapacity")
@pytest.mark.parametrize("missing", ["Electrode height [m]", "Electrode width [m]"])
def test_finds_a_missing_side(missing):
    sides = {"Electrode height [m]": 0.25, "Electrode width [m]": 0.4}
    whole = without(GIVEN, "Electrode area [m2]") | sides
    assert capacity(whole)[CAPACITY] == pytest.approx(capacity(GIVEN)[CAPACITY], rel=1e-15)
    found = capacity(without(whole, missing) | {CAPACITY: capacity(GIVEN)[CAPACITY]})
    assert found == {missing: pytest.approx(sides[missing], rel=1e-14)}


WINDOW = {"Minimum positive stoichiometry": 0.25, "Maximum positive stoichiometry": 0.9}


@pytest.mark.oracle("ElectrodeCapacity")
def test_the_window_scales_the_capacity():
    # 0.65 of 7.137996 A.h
    assert capacity(GIVEN | WINDOW, use_stoich_window=True) == {CAPACITY: pytest.approx(4.639697, rel=1e-6)}
    assert capacity(GIVEN | WINDOW) == capacity(GIVEN)


@pytest.mark.oracle("ElectrodeCapacity")
@pytest.mark.parametrize("missing", [*GIVEN, *WINDOW])
def test_finds_whichever_is_missing_in_a_window(missing):
    whole = GIVEN | WINDOW
    known = {CAPACITY: capacity(whole, use_stoich_window=True)[CAPACITY]}
    found = capacity(without(whole, missing) | known, use_stoich_window=True)
    assert found == {missing: pytest.approx(whole[missing], rel=1e-13)}


@pytest.mark.oracle("ElectrodeCapacity")
@pytest.mark.parametrize(("electrode", "at"), [("negative", (0.1, 0.8)), ("positive", (0.9, 0.2))])
def test_stoichiometries_at_the_ends_of_charge_stand_for_the_window(electrode, at):
    title = electrode.capitalize()
    given = {
        f"Maximum concentration in {electrode} electrode [mol.m-3]": 3e4,
        f"{title} electrode active material volume fraction": 0.6,
        f"{title} electrode thickness [m]": 1e-4,
        "Electrode area [m2]": 0.1,
        **{f"{title} electrode stoichiometry at {soc}% SOC": x for soc, x in zip((0, 100), at, strict=True)},
    }
    # 3e4 · 0.6 · 1e-5 = 0.18 mol of sites, 0.7 of them used: 0.126 mol · 26.8014811 A.h/mol
    found = capacity(given, electrode, use_stoich_window=True)
    assert found == {f"{title} electrode capacity [A.h]": pytest.approx(3.376987, rel=1e-6)}


@pytest.mark.oracle("ElectrodeCapacity")
def test_theoretical_concentration_of_graphite():
    # One lithium on six carbons of 12.011 g/mol at 2.26 g/cm3: 2260 / (6 · 0.012011) = 31360 mol/m3.
    given = {
        "Negative electrode active material density [kg.m-3]": 2260.0,
        "Negative electrode active material lithium fraction": 1 / 6,
        "Negative electrode active material molar mass [kg.mol-1]": 0.012011,
        "Negative electrode active material volume fraction": 0.6,
        "Negative electrode thickness [m]": 1e-4,
        "Electrode area [m2]": 0.1,
    }
    for method in ("theoretical", "auto"):
        found = capacity(given, "negative", method=method)
        assert found["Maximum concentration in negative electrode [mol.m-3]"] == pytest.approx(31360.1, rel=1e-5)
        # 372 mA.h/g, the textbook capacity of graphite, on 2260 · 0.6 · 1e-5 m3 = 13.56 g
        assert found["Negative electrode capacity [A.h]"] == pytest.approx(0.372 * 13.56, rel=1e-3)
    units = {
        "Negative electrode crystal density [g.cm-3]": 2.26,
        "Negative electrode active material molar mass [g.mol-1]": 12.011,
    }
    names = [f"Negative electrode active material {what}" for what in ("density [kg.m-3]", "molar mass [kg.mol-1]")]
    assert capacity(without(given, *names) | units, "negative") == pytest.approx(found, rel=1e-14)


@pytest.mark.oracle("ElectrodeCapacity")
def test_theoretical_concentration_serves_to_find_another():
    crystal = {
        "Positive electrode active material density [kg.m-3]": 5121.7,
        "Positive electrode active material lithium fraction": 1.0,
        "Positive electrode active material molar mass [kg.mol-1]": 0.1,
    }
    rest = without(GIVEN, *list(GIVEN)[:2]) | crystal | {CAPACITY: capacity(GIVEN)[CAPACITY]}
    expected = {name: pytest.approx(GIVEN[name], rel=1e-14) for name in list(GIVEN)[:2]}
    assert capacity(rest) == expected
    assert capacity(rest, method="theoretical") == expected
    with pytest.raises(ConfigurationError, match=r"Maximum concentration.*is given as 40000.*make it 51217"):
        capacity(GIVEN | crystal | {"Maximum concentration in positive electrode [mol.m-3]": 4e4}, method="theoretical")


@pytest.mark.oracle("ElectrodeCapacity")
def test_what_was_measured_goes_before_theory():
    crystal = {
        "Positive electrode active material density [kg.m-3]": 9999.0,
        "Positive electrode active material lithium fraction": 1.0,
        "Positive electrode active material molar mass [kg.mol-1]": 0.1,
    }
    concentration = "Maximum concentration in positive electrode [mol.m-3]"
    rest = without(GIVEN, concentration) | crystal
    expected = {concentration: pytest.approx(GIVEN[concentration], rel=1e-14)}
    measured = capacity(GIVEN)[CAPACITY]
    assert capacity(rest | {CAPACITY: measured}) == expected
    loading = {"Positive electrode loading [A.h.cm-2]": measured / 0.1e4}
    assert capacity(rest | loading) == capacity(without(rest, "Electrode area [m2]") | loading) == expected
    with pytest.raises(ConfigurationError, match=r"capacity.*is given as 7\.138.*make it 13\.93"):
        capacity(rest | {CAPACITY: measured}, method="theoretical")


@pytest.mark.oracle("ElectrodeCapacity")
def test_methods_choose_between_capacity_and_loading():
    loading = {"Positive electrode loading [A.h.cm-2]": 3e-3}  # 3 A.h on 0.1 m2
    rest = without(GIVEN, "Positive electrode thickness [m]") | loading | {CAPACITY: 6.0}
    thickness = "Positive electrode thickness [m]"
    assert capacity(rest) == capacity(rest, method="capacity") == {thickness: pytest.approx(80e-6 * 6 / 7.137996)}
    assert capacity(rest, method="loading") == {thickness: pytest.approx(80e-6 * 3 / 7.137996)}
    # A loading needs no area, and gives the capacity where two factors are missing.
    assert capacity(without(rest, "Electrode area [m2]", CAPACITY)) == {thickness: pytest.approx(80e-6 * 3 / 7.137996)}
    assert capacity({"Electrode area [m2]": 0.1, **loading}) == {CAPACITY: pytest.approx(3.0, rel=1e-15)}
    with pytest.raises(ConfigurationError, match=r"loading.*is given as 0.003.*make it 0.0071"):
        capacity(GIVEN | loading, method="loading")
    with pytest.raises(ConfigurationError, match="no method 'thoretical'"):
        capacity(GIVEN, method="thoretical")


@pytest.mark.oracle("ElectrodeCapacity")
def test_phases_and_lumped_electrodes_have_names_of_their_own():
    prefix = {f"Secondary: {name}" if name in list(GIVEN)[:2] else name: value for name, value in GIVEN.items()}
    assert capacity(prefix, phase="secondary") == {f"Secondary: {CAPACITY}": pytest.approx(7.137996, rel=1e-6)}
    lumped = {name.replace("positive", "lumped").replace("Positive", "Lumped"): v for name, v in GIVEN.items()}
    assert capacity(lumped, "lumped") == {"Lumped electrode capacity [A.h]": pytest.approx(7.137996, rel=1e-6)}


@pytest.mark.oracle("ElectrodeCapacity")
@pytest.mark.parametrize("bad", [0.0, -1.0])
@pytest.mark.parametrize(
    "name",
    [*GIVEN, CAPACITY, "Number of electrodes connected in parallel to make a cell"],
)
def test_values_are_above_zero(name, bad):
    given = without(GIVEN, "Positive electrode thickness [m]") if name == CAPACITY else GIVEN
    with pytest.raises(ConfigurationError) as caught:
        capacity(given | {name: bad})
    assert repr(name) in caught.value.message


@pytest.mark.oracle("ElectrodeCapacity")
def test_what_is_derived_is_possible():
    share = "Positive electrode active material volume fraction"
    with pytest.raises(ConfigurationError, match=r"volume fraction' is 1\.82.*more than the electrode can hold"):
        capacity(without(GIVEN, share) | {CAPACITY: 20.0})
    with pytest.raises(ConfigurationError, match=r"Maximum positive.*is 0\.2, and it must be above 'Minimum"):
        capacity(GIVEN | WINDOW | {"Maximum positive stoichiometry": 0.2}, use_stoich_window=True)
    with pytest.raises(ConfigurationError, match=r"Minimum positive stoichiometry' is -"):
        capacity(without(GIVEN | WINDOW, "Minimum positive stoichiometry") | {CAPACITY: 7.0}, use_stoich_window=True)
    with pytest.raises(ConfigurationError, match=r"Electrode area.*is given as 0\.1.*make it 0\.2"):
        capacity(GIVEN | {"Electrode height [m]": 0.5, "Electrode width [m]": 0.4})


@pytest.mark.oracle("HalfCellNominalCapacity")
@pytest.mark.parametrize("electrode", ["negative", "positive"])
def test_a_half_cell_empties_in_one_hour(electrode):
    given = {f"{electrode.capitalize()} electrode capacity [A.h]": 0.0043}
    found = HalfCellNominalCapacity(electrode).compute(ParameterSet(given))
    assert found == {"Nominal cell capacity [A.h]": 0.0043, "Current function [A]": 0.0043}
    with pytest.raises(ConfigurationError, match=r"capacity.*must be above 0"):
        HalfCellNominalCapacity(electrode).compute(ParameterSet(dict.fromkeys(given, 0.0)))
