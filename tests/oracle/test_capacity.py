"""Capacities against hand-worked numbers and PyBaMM."""

import pybamm
import pytest

from cellwright.catalog.calculations import ElectrodeCapacity, SurfaceAreaToVolumeRatio
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

GIVEN = {
    "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
    "Positive electrode active material volume fraction": 0.65,
    "Positive electrode thickness [m]": 80e-6,
    "Electrode area [m2]": 0.1,
}
CAPACITY = "Positive electrode capacity [A.h]"


def test_capacity_by_hand():
    # 51217 mol/m3 · 0.65 · 8e-6 m3 = 0.2663284 mol; times 96485.33212331001 C/mol / 3600 s/h
    assert ElectrodeCapacity("positive").compute(ParameterSet(GIVEN)) == {CAPACITY: pytest.approx(7.137996, rel=1e-6)}


def test_capacity_is_a_number_to_the_last_digit():
    expected = 51217.0 * 0.65 * 80e-6 * 0.1 * 1.0 * 1.0 * 96485.33212331001 / 3600.0
    assert ElectrodeCapacity("positive").compute(ParameterSet(GIVEN))[CAPACITY] == expected


@pytest.mark.parametrize("missing", list(GIVEN))
def test_finds_whichever_is_missing(missing):
    capacity = ElectrodeCapacity("positive").compute(ParameterSet(GIVEN))[CAPACITY]
    rest = {name: value for name, value in GIVEN.items() if name != missing} | {CAPACITY: capacity}
    assert ElectrodeCapacity("positive").compute(ParameterSet(rest)) == {
        missing: pytest.approx(GIVEN[missing], rel=1e-14)
    }


def test_expression_of_what_is_missing_follows_a_later_value():
    free = ElectrodeCapacity("positive").compute(ParameterSet())
    assert free[CAPACITY].names == set(GIVEN)
    p = ParameterSet().merge(free, Origin("Q")).merge(GIVEN, Origin("later"))
    assert p.number(CAPACITY) == pytest.approx(7.137996, rel=1e-6)


def test_agrees_with_pybamm():
    values = pybamm.ParameterValues("Chen2020")
    theirs = float(values.evaluate(pybamm.LithiumIonParameters().n.Q_init))
    names = [n for n in values if n.startswith(("Maximum concentration", "Electrode ", "Negative electrode"))]
    numbers = {name: values[name] for name in names if isinstance(values[name], float | int)}
    ours = ElectrodeCapacity("negative").compute(ParameterSet(numbers))
    assert ours["Negative electrode capacity [A.h]"] == pytest.approx(theirs, rel=1e-9)


def test_loading_stands_for_capacity():
    # 3 mA.h/cm2 on 0.1 m2 = 3 A.h
    rest = {n: v for n, v in GIVEN.items() if "volume fraction" not in n} | {
        "Positive electrode loading [A.h.cm-2]": 3e-3
    }
    found = ElectrodeCapacity("positive").compute(ParameterSet(rest))
    assert found == {"Positive electrode active material volume fraction": pytest.approx(0.65 * 3 / 7.137996, rel=1e-6)}


def test_contradiction_is_an_error():
    with pytest.raises(ConfigurationError, match="given as 5"):
        ElectrodeCapacity("positive").compute(ParameterSet(GIVEN | {CAPACITY: 5.0}))


def test_surface_area_of_both_electrodes():
    given = {f"{e} particle radius [m]": 5e-6 for e in ("Negative", "Positive")}
    given |= {f"{e} electrode active material volume fraction": 0.65 for e in ("Negative", "Positive")}
    found = SurfaceAreaToVolumeRatio("both").compute(ParameterSet(given))
    assert list(found.values()) == pytest.approx([3.9e5, 3.9e5])


def test_a_radius_is_positive():
    with pytest.raises(ConfigurationError, match="a radius is positive"):
        SurfaceAreaToVolumeRatio("negative").compute(ParameterSet({"Negative particle radius [m]": 0.0}))
