"""Balance of the electrodes: hand-worked numbers, identities, and PyBaMM's solver for composite electrodes."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    CyclableLithium,
    ElectrodeBalanceFromFirstCycleEfficiency,
    ElectrodeSOH,
    MSMRFullCellCapacities,
    OpenCircuitLimits,
    StoichiometryAtMinimumSOC,
    StoichiometryLimitsFromCapacity,
)
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.models.published import published
from cellwright.physics.composite import Phase, stoichiometries_at_charge
from cellwright.schema.expressions import Expression
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

LIMITS = {"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2}


@pytest.mark.oracle("OpenCircuitLimits")
def test_the_limits_are_the_cut_offs():
    values = OpenCircuitLimits().compute(ParameterSet(LIMITS))
    assert values == {"Open-circuit voltage at 0% SOC [V]": 2.5, "Open-circuit voltage at 100% SOC [V]": 4.2}
    with pytest.raises(ConfigurationError, match="upside down"):
        OpenCircuitLimits().compute(ParameterSet({**LIMITS, "Lower voltage cut-off [V]": 4.3}))


@pytest.mark.oracle("CyclableLithium")
def test_the_lithium_of_chen2020_is_that_of_pybamm():
    values, symbols = pybamm.ParameterValues("Chen2020"), pybamm.LithiumIonParameters()
    given = {
        "Negative electrode capacity [A.h]": float(values.evaluate(symbols.n.Q_init)),
        "Positive electrode capacity [A.h]": float(values.evaluate(symbols.p.Q_init)),
    }
    for electrode in ("negative", "positive"):
        initial = values[f"Initial concentration in {electrode} electrode [mol.m-3]"]
        maximum = values[f"Maximum concentration in {electrode} electrode [mol.m-3]"]
        given[f"Initial stoichiometry in {electrode} electrode"] = initial / maximum
    lithium = CyclableLithium().compute(ParameterSet(given))["Cyclable lithium capacity [A.h]"]
    assert lithium == pytest.approx(float(values.evaluate(symbols.Q_Li_particles_init)), rel=1e-9)


@pytest.mark.oracle("CyclableLithium")
def test_formation_leaves_what_it_does_not_consume():
    given = ParameterSet({"Positive electrode capacity [A.h]": 5.0, "Formation lithium loss": 0.12})
    assert CyclableLithium("formation loss").compute(given) == {"Cyclable lithium capacity [A.h]": pytest.approx(4.4)}
    with pytest.raises(ConfigurationError, match=r"'Formation lithium loss' is 1\.2"):
        CyclableLithium("formation loss").compute(given.merge({"Formation lithium loss": 1.2}, Origin("x")))


@pytest.mark.oracle("CyclableLithium")
def test_lithium_of_a_composite_electrode_is_summed_over_its_phases():
    given = {
        "Primary: Negative electrode capacity [A.h]": 4.0,
        "Secondary: Negative electrode capacity [A.h]": 1.0,
        "Primary: Initial stoichiometry in negative electrode": 0.5,
        "Secondary: Initial stoichiometry in negative electrode": 0.2,
        "Positive electrode capacity [A.h]": 6.0,
        "Initial stoichiometry in positive electrode": 0.4,
    }
    composite = CyclableLithium(options={"particle phases": ("2", "1")})
    assert composite.compute(ParameterSet(given))["Cyclable lithium capacity [A.h]"] == pytest.approx(2 + 0.2 + 2.4)


@pytest.mark.oracle("ElectrodeBalanceFromFirstCycleEfficiency")
def test_the_balance_from_an_efficiency_is_the_window_of_its_lithium():
    p = published("Chen2020").without(["Nominal cell capacity [A.h]"])
    given = p.merge({"Nominal cell capacity [A.h]": 5.0, "First-cycle efficiency": 0.82}, Origin("datasheet"))
    result = ElectrodeBalanceFromFirstCycleEfficiency().compute(given)
    values, symbols = pybamm.ParameterValues("Chen2020"), pybamm.LithiumIonParameters()
    Q_n, Q_p = (float(values.evaluate(one.Q_init)) for one in (symbols.n, symbols.p))
    lithium = Q_p - 0.18 * 5.0 / 0.82
    assert result["Cyclable lithium capacity [A.h]"] == pytest.approx(lithium, rel=1e-9)
    theirs = pybamm.lithium_ion.ElectrodeSOHSolver(values).solve({"Q_n": Q_n, "Q_p": Q_p, "Q_Li": lithium})
    for name, key in {
        "Negative electrode stoichiometry at 0% SOC": "x_0",
        "Negative electrode stoichiometry at 100% SOC": "x_100",
        "Positive electrode stoichiometry at 0% SOC": "y_0",
        "Positive electrode stoichiometry at 100% SOC": "y_100",
    }.items():
        # PyBaMM's Newton method has a tolerance of 1e-6
        assert result[name] == pytest.approx(float(theirs[key]), abs=1e-6)
    assert result["Initial concentration in negative electrode [mol.m-3]"] == pytest.approx(
        result["Negative electrode stoichiometry at 100% SOC"] * 33133.0
    )


@pytest.mark.parametrize(("efficiency", "told"), [(1.2, "is 1.2, and it must lie between 0 and 1"), (0.0, "is 0: no")])
def test_an_efficiency_that_none_is(efficiency, told):
    given = published("Chen2020").merge({"First-cycle efficiency": efficiency}, Origin("x"))
    with pytest.raises(ConfigurationError, match=told):
        ElectrodeBalanceFromFirstCycleEfficiency().compute(given)


DATA = {"Capacity [A.h]": [0.1, 2.0, 5.1], "Voltage [V]": [4.2, 3.7, 2.8]}
EXCESS = {
    f"{electrode} electrode lower excess capacity [A.h]": q for electrode, q in (("Negative", 0.2), ("Positive", 1.5))
}


@pytest.mark.oracle("MSMRFullCellCapacities")
def test_the_capacities_of_a_full_cell_add_up():
    totals = {"Negative electrode capacity [A.h]": 5.8, "Positive electrode capacity [A.h]": 7.5}
    upper = MSMRFullCellCapacities(DATA).compute(ParameterSet(EXCESS | totals))
    assert upper == {
        "Negative electrode upper excess capacity [A.h]": pytest.approx(0.6),
        "Positive electrode upper excess capacity [A.h]": pytest.approx(1.0),
    }
    again = MSMRFullCellCapacities(DATA, "upper excess capacity").compute(ParameterSet(EXCESS | dict(upper)))
    assert again == {name: pytest.approx(total) for name, total in totals.items()}


def test_capacities_that_cannot_be():
    short = ParameterSet(EXCESS | {"Negative electrode capacity [A.h]": 5.0, "Positive electrode capacity [A.h]": 7.5})
    with pytest.raises(ConfigurationError, match=r"'Negative electrode upper excess capacity \[A.h\]' would be -0.2"):
        MSMRFullCellCapacities(DATA).compute(short)
    with pytest.raises(ConfigurationError, match="no method 'total'"):
        MSMRFullCellCapacities(DATA, "total").compute(short)
    with pytest.raises(DataError, match=r"spans 0 A\.h"):
        MSMRFullCellCapacities({"Capacity [A.h]": [1.0, 1.0], "Voltage [V]": [4, 3]}).compute(short)


@pytest.mark.oracle("StoichiometryLimitsFromCapacity", "StoichiometryAtMinimumSOC")
def test_the_limits_come_back_from_the_capacities_of_a_window():
    p = published("Chen2020")
    Q = {"Negative": 5.7, "Positive": 8.0}
    given = p.merge({f"{e} electrode capacity [A.h]": q for e, q in Q.items()}, Origin("x"))
    window = ElectrodeSOH().compute(given.merge({"Cyclable lithium capacity [A.h]": 7.2}, Origin("x")))
    n0, n100 = (window[f"Negative electrode stoichiometry at {soc}% SOC"] for soc in (0, 100))
    p0, p100 = (window[f"Positive electrode stoichiometry at {soc}% SOC"] for soc in (0, 100))
    excess = {
        "Negative electrode lower excess capacity [A.h]": n0 * Q["Negative"],
        "Negative electrode upper excess capacity [A.h]": (1 - n100) * Q["Negative"],
        "Positive electrode lower excess capacity [A.h]": p100 * Q["Positive"],
        "Positive electrode upper excess capacity [A.h]": (1 - p0) * Q["Positive"],
    }
    given = given.merge(excess, Origin("fit"))
    limits = StoichiometryLimitsFromCapacity().compute(given)
    assert limits == {name: pytest.approx(value, abs=1e-12) for name, value in window.items()}
    usable = (n100 - n0) * Q["Negative"]
    for electrode in ("negative", "positive"):
        name = f"{electrode.capitalize()} electrode stoichiometry at {{}}% SOC"
        full = given.merge({name.format(100): window[name.format(100)], "Usable capacity [A.h]": usable}, Origin("x"))
        empty = StoichiometryAtMinimumSOC(electrode).compute(full)
        assert empty == {name.format(0): pytest.approx(window[name.format(0)], abs=1e-12)}


def test_a_usable_capacity_stands_in_for_the_upper_excess():
    given = {
        "Negative electrode capacity [A.h]": 5.0,
        "Negative electrode lower excess capacity [A.h]": 0.5,
        "Positive electrode capacity [A.h]": 8.0,
        "Positive electrode lower excess capacity [A.h]": 2.0,
    }
    limits = StoichiometryLimitsFromCapacity({"usable capacity": 4.0}).compute(ParameterSet(given))
    assert limits["Negative electrode stoichiometry at 100% SOC"] == pytest.approx(0.9)
    assert limits["Positive electrode stoichiometry at 0% SOC"] == pytest.approx(0.75)
    with pytest.raises(ConfigurationError, match=r"at 100% SOC' is 1\.1, and it must lie between 0 and 1"):
        StoichiometryLimitsFromCapacity({"usable capacity": 5.0}).compute(ParameterSet(given))
    left_free = StoichiometryLimitsFromCapacity().compute(ParameterSet(given))
    assert isinstance(left_free["Negative electrode stoichiometry at 100% SOC"], Expression)


def linear(top):
    return Function.trace(lambda sto: top - sto)


COMPOSITE = {
    "Primary: Negative electrode capacity [A.h]": 4.0,
    "Secondary: Negative electrode capacity [A.h]": 1.0,
    "Primary: Negative electrode OCP [V]": linear(1.0),
    "Secondary: Negative electrode OCP [V]": linear(1.2),
    "Negative electrode lower excess capacity [A.h]": 0.2,
    "Positive electrode capacity [A.h]": 8.0,
    "Positive electrode lower excess capacity [A.h]": 2.0,
    "Positive electrode upper excess capacity [A.h]": 2.5,
}


@pytest.mark.oracle("StoichiometryLimitsFromCapacity")
def test_phases_of_a_composite_electrode_share_one_potential():
    options = {"particle phases": ("2", "1"), "usable capacity": 3.5}
    limits = StoichiometryLimitsFromCapacity(options).compute(ParameterSet(COMPOSITE))
    one, two = (f"{phase}: Negative electrode stoichiometry at {{}}% SOC" for phase in ("Primary", "Secondary"))
    # At 1 V and above the first phase is empty: 0.2 A.h are all in the second, less what the edge keeps (1e-6).
    assert limits[two.format(0)] == pytest.approx(0.2, abs=1e-5)
    assert limits[one.format(0)] == pytest.approx(0.0, abs=1e-5)
    # 4 (1 - U) + (1.2 - U) = 3.7 gives U = 0.3 V.
    assert limits[one.format(100)] == pytest.approx(0.7, abs=1e-9)
    assert limits[two.format(100)] == pytest.approx(0.9, abs=1e-9)
    assert limits["Positive electrode stoichiometry at 100% SOC"] == pytest.approx(0.25)
    with pytest.raises(ConfigurationError, match="negative electrode at 100 % SOC: its phases hold"):
        StoichiometryLimitsFromCapacity({**options, "usable capacity": 6.0}).compute(ParameterSet(COMPOSITE))
    with pytest.raises(ConfigurationError, match="need the usable capacity"):
        StoichiometryLimitsFromCapacity({"particle phases": ("2", "1")})
    rest = {name: value for name, value in COMPOSITE.items() if "Secondary: Negative electrode cap" not in name}
    with pytest.raises(MissingParameterError, match="Secondary: Negative electrode capacity"):
        StoichiometryLimitsFromCapacity(options).compute(ParameterSet(rest))


@pytest.mark.oracle("StoichiometryLimitsFromCapacity")
def test_the_direction_chooses_the_branch():
    branches = {
        "Secondary: Negative electrode delithiation OCP [V]": linear(1.2),
        "Secondary: Negative electrode lithiation OCP [V]": linear(1.1),
    }
    given = {name: value for name, value in COMPOSITE.items() if name != "Secondary: Negative electrode OCP [V]"}
    for direction, top in (("discharge", 1.2), ("charge", 1.1)):
        options = {"particle phases": ("2", "1"), "usable capacity": 3.5, "direction": direction}
        limits = StoichiometryLimitsFromCapacity(options).compute(ParameterSet(given | branches))
        U = (4 + top - 3.7) / 5
        found = limits["Secondary: Negative electrode stoichiometry at 100% SOC"]
        assert found == pytest.approx(top - U, abs=1e-9)


@pytest.mark.oracle("StoichiometryLimitsFromCapacity")
def test_the_composite_negative_electrode_of_chen2020_agrees_with_pybamm():
    values = pybamm.ParameterValues("Chen2020_composite")
    values.set_initial_state(0.5, options={"particle phases": ("2", "1")})
    p = published("Chen2020_composite")
    theirs = [
        values[f"{phase}: Initial concentration in negative electrode [mol.m-3]"]
        / values[f"{phase}: Maximum concentration in negative electrode [mol.m-3]"]
        for phase in ("Primary", "Secondary")
    ]
    symbols = pybamm.LithiumIonParameters({"particle phases": ("2", "1")})
    capacities = [float(values.evaluate(phase.Q_init)) for phase in (symbols.n.prim, symbols.n.sec)]
    curves = ["Primary: Negative electrode OCP [V]", "Secondary: Negative electrode OCP [V]"]
    phases = [Phase(p.function(curve), capacity) for curve, capacity in zip(curves, capacities, strict=True)]
    charge = float(np.dot(theirs, capacities))
    # PyBaMM's Newton method has a tolerance of 1e-6.
    assert stoichiometries_at_charge(phases, charge, (0.0, 2.0)) == pytest.approx(theirs, abs=1e-5)


PLAIN = {
    "Negative electrode capacity [A.h]": 5.0,
    "Negative electrode lower excess capacity [A.h]": 0.5,
    "Negative electrode upper excess capacity [A.h]": 1.0,
    "Positive electrode capacity [A.h]": 8.0,
    "Positive electrode lower excess capacity [A.h]": 2.0,
    "Positive electrode upper excess capacity [A.h]": 2.5,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"Negative electrode lower excess capacity [A.h]": 4.5},
            r"negative electrode is upside down: 0\.9 is not below",
        ),
        ({"Negative electrode lower excess capacity [A.h]": -0.5}, r"at 0% SOC' is -0\.1"),
        ({"Positive electrode capacity [A.h]": 0.0}, "is 0, and it must be above 0"),
        ({"Usable capacity [A.h]": -1.0}, "is -1, and it must be above 0"),
    ],
)
def test_limits_that_cannot_be(change, said):
    with pytest.raises(ConfigurationError, match=said):
        StoichiometryLimitsFromCapacity().compute(ParameterSet(PLAIN | change))


def test_a_usable_capacity_beside_other_excess_capacities_is_told_of():
    view = ParameterSet(PLAIN).recording()
    StoichiometryLimitsFromCapacity({"usable capacity": 3.5}).compute(view)
    assert view.remarks == []
    StoichiometryLimitsFromCapacity({"usable capacity": 3.2}).compute(view)
    assert [remark[:75] for remark in view.remarks] == [
        f"the {one} electrode uses 3.5 A.h between its excess capacities, and the " for one in ("negative", "positive")
    ]


@pytest.mark.oracle("StoichiometryLimitsFromCapacity")
def test_a_composite_electrode_may_be_used_from_end_to_end():
    options = {"particle phases": ("2", "1"), "usable capacity": 5.0}
    given = COMPOSITE | {"Negative electrode lower excess capacity [A.h]": 0.0}
    limits = StoichiometryLimitsFromCapacity(options).compute(ParameterSet(given))
    for phase in ("Primary", "Secondary"):
        # The ends of a potential are looked for 1e-6 inside of 0 and 1.
        assert limits[f"{phase}: Negative electrode stoichiometry at 0% SOC"] == pytest.approx(0.0, abs=2e-6)
        assert limits[f"{phase}: Negative electrode stoichiometry at 100% SOC"] == pytest.approx(1.0, abs=2e-6)


def test_composite_limits_that_cannot_be():
    options = {"particle phases": ("2", "1"), "usable capacity": 3.5}
    with pytest.raises(
        ConfigurationError, match="at 0 % SOC: the voltage limits are upside down: 2 V is not below 0 V"
    ):
        StoichiometryLimitsFromCapacity({**options, "negative voltage limits": (2.0, 0.0)}).compute(
            ParameterSet(COMPOSITE)
        )
    with pytest.raises(ConfigurationError, match="'usable capacity' is -1, and it must be above 0"):
        StoichiometryLimitsFromCapacity({**options, "usable capacity": -1.0}).compute(ParameterSet(COMPOSITE))
    with pytest.raises(MissingParameterError) as caught:
        StoichiometryLimitsFromCapacity(options).compute(ParameterSet())
    assert len(caught.value.detail["missing"]) == 5
    hole = {"Primary: Negative electrode OCP [V]": Function.trace(lambda sto: np.sqrt(sto - 5))}
    with pytest.raises(ConfigurationError, match="a potential has no value"):
        StoichiometryLimitsFromCapacity(options).compute(ParameterSet(COMPOSITE | hole))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"Nominal cell capacity [A.h]": 50.0},
            r"first charge would take 55\.56 A\.h out of a positive electrode of 8\.73",
        ),
        ({"Nominal cell capacity [A.h]": -5.0}, "is -5, and it must be above 0"),
    ],
)
def test_a_first_cycle_that_cannot_be(change, said):
    given = published("Chen2020").merge({"First-cycle efficiency": 0.9} | change, Origin("x"))
    with pytest.raises(ConfigurationError, match=said):
        ElectrodeBalanceFromFirstCycleEfficiency().compute(given)


def test_an_excess_capacity_below_nothing():
    given = ParameterSet(PLAIN | {"Negative electrode lower excess capacity [A.h]": -0.5})
    with pytest.raises(ConfigurationError, match=r"is -0\.5, and an excess capacity is not below 0"):
        MSMRFullCellCapacities(DATA, "upper excess capacity").compute(given)


def test_a_minimum_outside_its_range():
    given = {
        "Negative electrode stoichiometry at 100% SOC": 0.5,
        "Negative electrode capacity [A.h]": 2.0,
        "Nominal cell capacity [A.h]": 1.5,
    }
    with pytest.raises(ConfigurationError, match=r"at 0% SOC' is -0\.25, and it must lie between 0 and 1"):
        StoichiometryAtMinimumSOC("negative").compute(ParameterSet(given))
