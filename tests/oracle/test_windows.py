"""Stoichiometry windows against a closed form and against PyBaMM's own solver."""

import numpy as np
import pybamm
import pytest
from pybamm.models.full_battery_models.lithium_ion.electrode_soh_composite import ElectrodeSOHComposite
from pybamm.parameters.lithium_ion_parameters import U_asymptotes

from cellwright.catalog.calculations import ElectrodeSOH, InitialSOC
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.published import published as pybamm_set
from cellwright.physics.windows import stoichiometries_at_soc, stoichiometries_at_voltage, stoichiometry_window
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

ENDS = Function.trace(U_asymptotes)
"""What PyBaMM adds to every potential; it matters at the ends alone."""
LINEAR = (lambda n: 1 - n, lambda p: 5 - p)
"""V = 4 - θ_p + θ_n, so that every state has a closed form."""


def test_linear_potentials_have_a_closed_form():
    window = stoichiometry_window(*LINEAR, 2.0, 4.0, 3.5, 4.1, Q_Li=3.2)
    assert (window.n0, window.p0, window.n100, window.p100) == pytest.approx((0.2, 0.7, 0.6, 0.5), abs=1e-12)
    assert window.capacity == pytest.approx(0.8, abs=1e-12)


def test_known_cell_capacity_gives_the_same_window():
    by_capacity = stoichiometry_window(*LINEAR, 2.0, 4.0, 3.5, 4.1, Q_cell=0.8)
    span = by_capacity.n100 - by_capacity.n0
    assert span * 2.0 == pytest.approx(0.8, abs=1e-9)
    for n, p, voltage in ((by_capacity.n0, by_capacity.p0, 3.5), (by_capacity.n100, by_capacity.p100, 4.1)):
        assert LINEAR[1](p) - LINEAR[0](n) == pytest.approx(voltage, abs=1e-9)


def test_state_of_charge_and_voltage_meet():
    window = stoichiometry_window(*LINEAR, 2.0, 4.0, 3.5, 4.1, Q_Li=3.2)
    n, p = stoichiometries_at_soc(window, 0.5)
    voltage = LINEAR[1](p) - LINEAR[0](n)
    assert stoichiometries_at_voltage(*LINEAR, 2.0, 4.0, 3.2, voltage) == pytest.approx((n, p), abs=1e-12)


@pytest.mark.oracle("ElectrodeSOH")
def test_agrees_with_pybamm_on_chen2020():
    # PyBaMM solves the same equations by a Newton method with tolerance 1e-6.
    values = pybamm.ParameterValues("Chen2020")
    parameters = pybamm.LithiumIonParameters()
    Q_n, Q_p = (float(values.evaluate(q)) for q in (parameters.n.Q_init, parameters.p.Q_init))
    Q_Li = float(values.evaluate(parameters.Q_Li_particles_init))
    theirs = pybamm.lithium_ion.ElectrodeSOHSolver(values).solve({"Q_n": Q_n, "Q_p": Q_p, "Q_Li": Q_Li})
    given = {
        f"{electrode} electrode OCP [V]": Function.trace(values[f"{electrode} electrode OCP [V]"])
        for electrode in ("Negative", "Positive")
    }
    given |= {
        name: values[name]
        for name in values
        if "Maximum concentration" in name or "active material" in name or "electrode thickness" in name
    }
    given |= {name: values[name] for name in ("Electrode height [m]", "Electrode width [m]")}
    given |= {
        "Cyclable lithium capacity [A.h]": Q_Li,
        "Lower voltage cut-off [V]": 2.5,
        "Upper voltage cut-off [V]": 4.2,
    }
    ours = ElectrodeSOH().compute(ParameterSet(given))
    assert ours["Negative electrode stoichiometry at 100% SOC"] == pytest.approx(float(theirs["x_100"]), abs=1e-6)
    assert ours["Negative electrode stoichiometry at 0% SOC"] == pytest.approx(float(theirs["x_0"]), abs=1e-6)
    assert ours["Positive electrode stoichiometry at 100% SOC"] == pytest.approx(float(theirs["y_100"]), abs=1e-6)
    assert ours["Positive electrode stoichiometry at 0% SOC"] == pytest.approx(float(theirs["y_0"]), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"V_max": 6.0}, "does not reach 6 V"),
        ({"V_min": 4.2}, "upside down"),
        ({"Q_n": -1.0}, "capacity is positive"),
        ({"Q_Li": 7.0}, "do not fit"),
        ({"Q_Li": None, "Q_cell": 3.0}, "does not fit"),
        ({"Q_Li": None, "Q_cell": 1.9}, r"no amount of lithium gives the cell 1\.9 A\.h"),
    ],
)
def test_domain_errors_say_what_is_wrong(change, said):
    given = {"Q_n": 2.0, "Q_p": 4.0, "V_min": 3.5, "V_max": 4.1, "Q_Li": 3.2} | change
    with pytest.raises(ConfigurationError, match=said):
        stoichiometry_window(*LINEAR, **given)


@pytest.mark.oracle("ElectrodeSOH", "InitialSOC")
@pytest.mark.parametrize("soc", [0.0, 0.3, 1.0])
def test_the_state_at_a_state_of_charge_is_that_of_pybamm(soc):
    values, symbols = pybamm.ParameterValues("Chen2020"), pybamm.LithiumIonParameters()
    p = pybamm_set("Chen2020").merge(
        {"Cyclable lithium capacity [A.h]": float(values.evaluate(symbols.Q_Li_particles_init))}, Origin("lithium")
    )
    state = InitialSOC(soc).compute(p.merge(ElectrodeSOH().compute(p), Origin("window")))
    values.set_initial_state(soc)
    for electrode in ("negative", "positive"):
        name = f"Initial concentration in {electrode} electrode [mol.m-3]"
        # PyBaMM's Newton method has a tolerance of 1e-6 of stoichiometry.
        assert state[name] == pytest.approx(values[name], abs=1e-6 * 63104)


KEYS = {
    "Negative electrode stoichiometry at 0% SOC": "x_0",
    "Negative electrode stoichiometry at 100% SOC": "x_100",
    "Positive electrode stoichiometry at 0% SOC": "y_0",
    "Positive electrode stoichiometry at 100% SOC": "y_100",
}
LITHIUM = "Cyclable lithium capacity [A.h]"


def of_pybamm(name):
    """Return a set with its capacities, the values of PyBaMM, and these capacities by PyBaMM's names."""
    values, symbols = pybamm.ParameterValues(name), pybamm.LithiumIonParameters()
    quantities = {"Q_n": symbols.n.Q_init, "Q_p": symbols.p.Q_init, "Q_Li": symbols.Q_Li_particles_init}
    known = {key: float(values.evaluate(symbol)) for key, symbol in quantities.items()}
    capacities = {
        "Negative electrode capacity [A.h]": known["Q_n"],
        "Positive electrode capacity [A.h]": known["Q_p"],
        LITHIUM: known["Q_Li"],
    }
    return pybamm_set(name).merge(capacities, Origin("capacities")), values, known


@pytest.mark.oracle("ElectrodeSOH")
@pytest.mark.parametrize("name", ["Marquis2019", "Ecker2015", "Prada2013", "Ai2020"])
def test_agrees_with_pybamm_on_other_sets(name):
    p, values, known = of_pybamm(name)
    theirs = pybamm.lithium_ion.ElectrodeSOHSolver(values).solve(known)
    ours = ElectrodeSOH().compute(p)
    # PyBaMM's Newton method has a tolerance of 1e-6.
    assert ours == {ours_: pytest.approx(float(theirs[key]), abs=1e-6) for ours_, key in KEYS.items()}


@pytest.mark.oracle("ElectrodeSOH")
@pytest.mark.parametrize(("name", "capacity"), [("Chen2020", 5.0), ("Marquis2019", 0.8728), ("NCA_Kim2011", 0.4831)])
def test_a_known_cell_capacity_gives_the_window_of_pybamm(name, capacity):
    """The last two have two windows of this capacity; both programs return the one of less lithium."""
    p, values, known = of_pybamm(name)
    solver = pybamm.lithium_ion.ElectrodeSOHSolver(values, known_value="cell capacity")
    theirs = solver.solve({"Q_n": known["Q_n"], "Q_p": known["Q_p"], "Q": capacity})
    ours = ElectrodeSOH({"known value": "cell capacity"}).compute(
        p.merge({"Nominal cell capacity [A.h]": capacity}, Origin("datasheet"))
    )
    # PyBaMM's Newton method has a tolerance of 1e-6.
    assert ours == {ours_: pytest.approx(float(theirs[key]), abs=2e-6) for ours_, key in KEYS.items()}


def linear(top):
    return Function.trace(lambda sto: top - sto)


COMPOSITE = {
    "Primary: Negative electrode capacity [A.h]": 4.0,
    "Secondary: Negative electrode capacity [A.h]": 1.0,
    "Primary: Negative electrode OCP [V]": linear(1.0),
    "Secondary: Negative electrode OCP [V]": linear(1.2),
    "Positive electrode capacity [A.h]": 8.0,
    "Positive electrode OCP [V]": linear(5.0),
    LITHIUM: 5.9,
    "Lower voltage cut-off [V]": 3.9,
    "Upper voltage cut-off [V]": 4.1,
}


@pytest.mark.oracle("ElectrodeSOH")
def test_linear_phases_have_a_closed_form():
    # 4 (1 - U) + (1.2 - U) + 8 (5 - U - V) = 5.9 gives U = (39.3 - 8 V) / 13, with U the negative potential.
    expected = {}
    for soc, V in ((0, 3.9), (100, 4.1)):
        U = (39.3 - 8 * V) / 13
        expected |= {
            f"Primary: Negative electrode stoichiometry at {soc}% SOC": pytest.approx(1 - U, abs=1e-12),
            f"Secondary: Negative electrode stoichiometry at {soc}% SOC": pytest.approx(1.2 - U, abs=1e-12),
            f"Positive electrode stoichiometry at {soc}% SOC": pytest.approx(5 - U - V, abs=1e-12),
        }
    assert ElectrodeSOH().compute(ParameterSet(COMPOSITE)) == expected


@pytest.mark.oracle("ElectrodeSOH")
@pytest.mark.parametrize("hysteresis", [False, True])
def test_composite_windows_agree_with_pybamm(hysteresis):
    options = {"particle phases": ("2", "1")}
    values, symbols = pybamm.ParameterValues("Chen2020_composite"), pybamm.LithiumIonParameters(options)
    p = pybamm_set("Chen2020_composite").merge(
        {LITHIUM: float(values.evaluate(symbols.Q_Li_particles_init))}, Origin("lithium")
    )
    if hysteresis:
        options["open-circuit potential"] = (("single", "current sigmoid"), "single")
        p = p.without(["Secondary: Negative electrode OCP [V]"])
    ends = {name: with_ends(U) for name, U in p.items() if name.endswith("OCP [V]")}
    ours = ElectrodeSOH().compute(p.merge(ends, Origin("ends")))
    theirs = ElectrodeSOHComposite.solve_full(0.5, values, direction="discharge", options=options, tol=1e-10)
    for name, key in {"Primary: Negative": "x_{}_1", "Secondary: Negative": "x_{}_2", "Positive": "y_{}_1"}.items():
        for soc in (0, 100):
            found = ours[f"{name} electrode stoichiometry at {soc}% SOC"]
            assert found == pytest.approx(float(theirs[key.format(soc)]), abs=1e-8), (name, soc)


def with_ends(U):
    return Function.trace(lambda sto: U(sto) + ENDS(sto))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Upper voltage cut-off [V]": 6.0}, "does not reach 6 V: its electrodes go from"),
        ({LITHIUM: 12.9}, r"does not reach 3\.9 V: there its electrodes hold .* and 12\.9 A\.h are cycled"),
        ({LITHIUM: -1.0}, "is -1, and it must be above 0"),
        ({"Secondary: Negative electrode capacity [A.h]": 0.0}, r"'Secondary: .* is 0, and it must be above 0"),
        ({"Lower voltage cut-off [V]": 4.2}, "upside down"),
        ({"Primary: Negative electrode OCP [V]": Function.trace(lambda sto: np.sqrt(sto - 5))}, "does not reach"),
        (
            {"Secondary: Negative electrode OCP [V]": Function.table("sto", [0, 0.1, 0.9, 1], [1, 0.5, 0.5, 0])},
            r"no state of the cell at 4\.1 V has 5\.9 A\.h of lithium: .* where the negative electrode is at 0\.5 V",
        ),
    ],
)
def test_domain_errors_of_composite_cells(change, said):
    with pytest.raises(ConfigurationError, match=said):
        ElectrodeSOH().compute(ParameterSet(COMPOSITE | change))


def test_composite_cells_need_their_lithium():
    with pytest.raises(ConfigurationError, match="composite, and its window is found from the cyclable lithium alone"):
        ElectrodeSOH({"known value": "cell capacity"}).compute(ParameterSet(COMPOSITE))
    rest = {name: value for name, value in COMPOSITE.items() if not name.startswith("Secondary")}
    with pytest.raises(
        MissingParameterError, match=r"'Secondary: Negative electrode OCP \[V\]', 'Secondary: Neg.* cap"
    ):
        ElectrodeSOH().compute(ParameterSet(rest))


def test_every_number_that_a_window_lacks_is_named():
    with pytest.raises(MissingParameterError) as caught:
        ElectrodeSOH().compute(ParameterSet())
    assert caught.value.detail["missing"] == [
        "Lower voltage cut-off [V]",
        "Upper voltage cut-off [V]",
        "Negative electrode OCP [V]",
        "Negative electrode capacity [A.h]",
        "Positive electrode OCP [V]",
        "Positive electrode capacity [A.h]",
        LITHIUM,
    ]


def test_a_potential_without_a_value_is_named():
    hole = (Function.trace(lambda n: 1 - n + 0 * np.sqrt((n - 0.5) ** 2 - 0.01)), LINEAR[1])
    with pytest.raises(ConfigurationError, match=r"a potential has no value between .* it is NaN at"):
        stoichiometries_at_voltage(*hole, 2.0, 4.0, 3.2, 4.0)


STATE = {
    "Negative electrode stoichiometry at 0% SOC": 0.2,
    "Negative electrode stoichiometry at 100% SOC": 0.6,
    "Positive electrode stoichiometry at 0% SOC": 0.7,
    "Positive electrode stoichiometry at 100% SOC": 0.5,
    "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
    "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
}


@pytest.mark.parametrize(
    ("soc", "change", "said"),
    [
        ("z", {"z": 1.5}, r"'z' is 1\.5, and it must lie between 0 and 1"),
        ("z", {"z": linear(1.0)}, "'z' is a function, and a number is needed"),
        ("50%", {}, "'50%' is no state of charge and no parameter"),
        ("4.0 V", {}, "is no state of charge"),
        (0.5, {"Positive electrode stoichiometry at 0% SOC": 0.4}, "window of the positive electrode is upside down"),
        (0.5, {"Negative electrode stoichiometry at 100% SOC": 1.4}, r"is 1\.4, and it must lie"),
    ],
)
def test_states_of_charge_that_cannot_be(soc, change, said):
    with pytest.raises(ConfigurationError, match=said):
        InitialSOC(soc).compute(ParameterSet(STATE | change))


def test_a_composite_electrode_has_no_single_initial_stoichiometry():
    window = ElectrodeSOH().compute(ParameterSet(COMPOSITE))
    with pytest.raises(
        ConfigurationError, match=r"negative electrode is composite.*InitialSOCfromMaximumStoichiometry"
    ):
        InitialSOC(0.5).compute(ParameterSet(window))


@pytest.mark.oracle("InitialSOC")
def test_a_named_state_of_charge_may_come_later():
    named = InitialSOC("z").compute(ParameterSet(STATE))
    filled = {name: value.substitute({"z": 0.25}) for name, value in named.items()}
    assert filled == {
        "Initial stoichiometry in negative electrode": pytest.approx(0.3),
        "Initial stoichiometry in positive electrode": pytest.approx(0.65),
        "Initial concentration in negative electrode [mol.m-3]": pytest.approx(9000.0),
        "Initial concentration in positive electrode [mol.m-3]": pytest.approx(32500.0),
    }
