"""Diffusivities: closed forms, SciPy's tables, and a pulse solved by PyBaMM with a diffusivity that is known."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    ArrheniusDiffusivityFromMSMRData,
    ArrheniusDiffusivityFromMSMRFunction,
    DiffusivityDataInterpolant,
    DiffusivityFromMSMRData,
    DiffusivityFromMSMRFunction,
    DiffusivityFromPulse,
    MSMRFunction,
)
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.physics.constants import FARADAY, GAS
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

D = "Negative particle diffusivity [m2.s-1]"
REFERENCE = "Negative particle reference diffusivity [m2.s-1]"
ENERGY = "Negative particle diffusivity activation energy [J.mol-1]"
TABLE = {"Stoichiometry": [0.0, 0.3, 1.0], "Diffusivity [m2.s-1]": [1e-14, 5e-14, 1e-15]}


@pytest.mark.oracle("DiffusivityDataInterpolant")
def test_tables_are_joined_in_the_diffusivity_or_its_logarithm():
    x, values = TABLE["Stoichiometry"], np.array(TABLE["Diffusivity [m2.s-1]"])
    at = np.linspace(0, 1, 23)
    plain = DiffusivityDataInterpolant("negative", TABLE).compute(ParameterSet())[D]
    np.testing.assert_allclose(plain(at), np.interp(at, x, values), rtol=1e-12)
    logarithmic = DiffusivityDataInterpolant("negative", TABLE, options={"transformation": "log"})
    np.testing.assert_allclose(
        logarithmic.compute(ParameterSet())[D](at), np.exp(np.interp(at, x, np.log(values))), rtol=1e-12
    )


@pytest.mark.oracle("DiffusivityDataInterpolant")
def test_a_scale_factor_stays_free():
    scaled = DiffusivityDataInterpolant("negative", TABLE, "lithiation", "primary", {"scale factor": True})
    (function,) = scaled.compute(ParameterSet()).values()
    factor = "Primary: Negative particle lithiation diffusivity scale factor"
    assert function.names == {factor}
    assert function.substitute({factor: 3.0})(0.3) == pytest.approx(1.5e-13)
    negative = {**TABLE, "Diffusivity [m2.s-1]": [1e-14, -1e-14, 1e-14]}
    with pytest.raises(DataError, match="a diffusivity is above 0"):
        DiffusivityDataInterpolant("negative", negative).compute(ParameterSet())


SITE = {
    "Negative electrode host site standard potential [V]": [0.1],
    "Negative electrode host site occupancy fraction": [1.0],
    "Negative electrode host site ideality factor": [1.0],
}


@pytest.mark.oracle("DiffusivityFromMSMRFunction", "DiffusivityFromMSMRData")
def test_ideal_sites_have_a_diffusivity_that_does_not_depend_on_the_stoichiometry():
    # U = U0 + (R T/F) ln((1 - x)/x), hence -F/(R T) x (1 - x) dU/dx = 1 at that temperature.
    p = ParameterSet(SITE).merge(MSMRFunction("negative").compute(ParameterSet(SITE)), Origin("msmr"))
    given = p.merge({REFERENCE: 2e-14}, Origin("x"))
    x = np.linspace(0.05, 0.95, 91)
    by_function = DiffusivityFromMSMRFunction("negative", (-0.05, 0.25)).compute(given)[D]
    np.testing.assert_allclose(by_function(x, 298.15), 2e-14, rtol=1e-3)
    np.testing.assert_allclose(by_function(x, 320.0), 2e-14 * 298.15 / 320, rtol=1e-3)
    grid = np.linspace(0.01, 0.99, 400)
    data = {"Stoichiometry": grid, "Voltage [V]": 0.1 + GAS * 298.15 / FARADAY * np.log((1 - grid) / grid)}
    by_data = DiffusivityFromMSMRData("negative", data).compute(given)[D]
    np.testing.assert_allclose(by_data(x, 298.15), 2e-14, rtol=3e-3)
    assert DiffusivityFromMSMRData("negative", data).compute(p)[D].names == {REFERENCE}


@pytest.mark.oracle("ArrheniusDiffusivityFromMSMRData", "ArrheniusDiffusivityFromMSMRFunction")
@pytest.mark.parametrize("T_ref", [None, 310.0])
def test_the_activation_energy_acts_from_the_reference_temperature(T_ref):
    base = {"Negative electrode OCP [V]": Function.trace(lambda sto: 1 - sto), REFERENCE: 1e-14, ENERGY: 4e4}
    p = ParameterSet(base | ({"Reference temperature [K]": T_ref} if T_ref else {}))
    at = T_ref or 298.15
    line = {"Stoichiometry": np.linspace(0, 1, 101), "Voltage [V]": np.linspace(1, 0, 101)}
    x, T = np.linspace(0.2, 0.8, 31), 330.0
    expected = FARADAY / (GAS * at) * 1e-14 * x * (1 - x) * np.exp(4e4 / GAS * (1 / at - 1 / T))
    of_function = ArrheniusDiffusivityFromMSMRFunction("negative", (0.1, 0.9)).compute(p)[D]
    of_data = ArrheniusDiffusivityFromMSMRData("negative", line).compute(p)[D]
    for function in (of_function, of_data):
        np.testing.assert_allclose(function(x, T), expected, rtol=1e-3)


def test_flat_potentials_are_floored_and_ends_left_out():
    flat = {"Stoichiometry": [0.0, 0.2, 0.5, 0.8, 1.0], "Voltage [V]": [0.5] * 5}
    p = ParameterSet({REFERENCE: 1.0})
    function = DiffusivityFromMSMRData("negative", flat, options={"minimum dUdx": 1e-3}).compute(p)[D]
    assert function(0.5, 300.0) == pytest.approx(FARADAY / (GAS * 300) * 0.25 * 1e-3)
    with pytest.raises(DataError, match="at least two points between 0 and 1"):
        DiffusivityFromMSMRData("negative", {"Stoichiometry": [0, 1], "Voltage [V]": [1, 0]}).compute(p)
    with pytest.raises(MissingParameterError, match="Negative electrode OCP"):
        DiffusivityFromMSMRFunction("negative", (0.1, 0.5)).compute(p)
    potential = {"Negative electrode OCP [V]": Function.trace(lambda sto: 1 - sto)}
    with pytest.raises(ConfigurationError, match="does not reach 3 V"):
        DiffusivityFromMSMRFunction("negative", (0.1, 3.0)).compute(ParameterSet(potential))


RADIUS, KNOWN = 5e-6, 4e-15


def titration(pulse=60.0, rest=14400.0):
    """A pulse between two rests of a half cell with fast kinetics and a straight potential, solved by PyBaMM."""
    model = pybamm.lithium_ion.SPM({"working electrode": "positive"})
    values = pybamm.ParameterValues("Xu2019")
    values.update(
        {
            "Positive electrode OCP [V]": lambda sto: 4.5 - sto,
            "Positive particle diffusivity [m2.s-1]": KNOWN,
            "Positive particle radius [m]": RADIUS,
            "Positive electrode exchange-current density [A.m-2]": 1e6,
            "Exchange-current density for lithium metal electrode [A.m-2]": 1e6,
        }
    )
    values.set_initial_state(0.5, options={"working electrode": "positive"})
    experiment = pybamm.Experiment(
        [
            "Rest for 10 minutes (1 minute period)",
            f"Discharge at C/2 for {pulse:g} seconds (0.5 second period)",
            f"Rest for {rest:g} seconds (1 minute period)",
        ]
    )
    mesh = {"x_n": 5, "x_s": 5, "x_p": 5, "r_n": 20, "r_p": 200}
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
    simulation = pybamm.Simulation(model, experiment=experiment, parameter_values=values, var_pts=mesh, solver=solver)
    solution = simulation.solve()
    columns = {name: [] for name in ("Time [s]", "Current [A]", "Voltage [V]", "Step number")}
    for number, step in enumerate(solution.cycles):
        time = step["Time [s]"].entries
        columns["Time [s]"].append(time)
        columns["Current [A]"].append(step["Current [A]"].entries)
        columns["Voltage [V]"].append(step["Voltage [V]"].entries)
        columns["Step number"].append(np.full(len(time), float(number)))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


@pytest.mark.oracle("DiffusivityFromPulse")
def test_the_diffusivity_of_a_synthetic_pulse_comes_back():
    data = titration()
    p = ParameterSet({"Positive particle radius [m]": RADIUS})
    name = "Positive particle diffusivity [m2.s-1]"
    # 60 s are 1 % of R²/D, for which the short-time form is good to a few percent.
    found = DiffusivityFromPulse("positive", data, options={"dt_IR": 0.5}).compute(p)[name]
    assert found == pytest.approx(KNOWN, rel=0.05)
    part = DiffusivityFromPulse("positive", data, options={"dt_IR": 5.0, "dt_pulse": 40.0, "step number": 1})
    assert part.compute(p)[name] == pytest.approx(KNOWN, rel=0.08)


PULSE = {
    "Time [s]": [0.0, 100.0, 100.0, 500.0, 500.001, 5000.0],
    "Current [A]": [0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
    "Voltage [V]": [4.0, 4.0, 3.995, 3.975, 3.98, 3.99],
    "Step number": [0, 0, 1, 1, 2, 2],
}


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        (slice(None, 4), {}, "no rest after the pulse"),
        (slice(2, None), {}, "no rest before the pulse"),
        (slice(0, 2), {}, "no step with a current"),
        (slice(None), {"step number": 7}, "no step 7"),
        (slice(None), {"step number": 2}, "the step 2 is a rest"),
        (slice(None), {"dt_pulse": 900.0}, "not inside the pulse of 400 s"),
        (slice(None), {"dt_IR": 400.0}, "not inside the pulse"),
    ],
)
def test_data_that_hold_no_pulse(rows, options, told):
    data = {name: values[rows] for name, values in PULSE.items()}
    with pytest.raises(DataError, match=told):
        DiffusivityFromPulse("positive", data, options=options).compute(
            ParameterSet({"Positive particle radius [m]": RADIUS})
        )
