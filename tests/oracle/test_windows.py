"""Stoichiometry windows against a closed form and against PyBaMM's own solver."""

import pybamm
import pytest

from cellwright.catalog.calculations import ElectrodeSOH, InitialSOC
from cellwright.errors import ConfigurationError
from cellwright.models.published import published as pybamm_set
from cellwright.physics.windows import stoichiometries_at_soc, stoichiometries_at_voltage, stoichiometry_window
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

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
