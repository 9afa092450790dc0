"""Impedance against PyBaMM's own solver, closed forms, and parameters recovered from spectra."""

import pickle

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.models.build import build
from cellwright.models.linearise import with_double_layers
from cellwright.models.shelf import put, taken
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import IMPEDANCE, ImpedanceProblem, ModelSpec
from cellwright.testing.cells import published

FREQUENCIES = np.logspace(-2, 4, 13)
D, DL = "Positive particle diffusivity [m2.s-1]", "Positive electrode double-layer capacity [F.m-2]"
RADIUS, THICKNESS = "Positive particle radius [m]", "Positive electrode thickness [m]"
R_C, WITH_CONTACT = "Contact resistance [Ohm]", {"contact resistance": "true"}
TEMPERATURES = ("Ambient temperature [K]", "Initial temperature [K]")
CELL = published()
SAME = 1e-6
"""Relative: both solve the same linear equations, of a condition that leaves far more digits than these."""
FARADAY, GAS = 96485.33212331, 8.314462618


def impedance(solved):
    assert solved.status == "solved", solved.message
    return solved.outputs[IMPEDANCE[0]] + 1j * solved.outputs[IMPEDANCE[1]]


def problem(p=CELL, model="SPM", free=(), frequencies=FREQUENCIES, options=None, settings=None, module="lithium_ion"):
    spec = ModelSpec(model, options or {}, module, settings or {})
    return ImpedanceProblem(spec, p.without(free), np.asarray(frequencies), tuple(free))


def spectrum(p=CELL, model="SPM", **changes):
    return impedance(build(problem(p, model, **changes)).solve({}))


def theirs(model, values=None, soc=None, options=None):
    parameters = pybamm.ParameterValues("Chen2020")
    parameters.update(values or {}, check_already_exists=False)
    kind = getattr(pybamm.lithium_ion, model)({"surface form": "differential", **(options or {})})
    return pybamm.EISSimulation(kind, parameters).solve(FREQUENCIES, initial_soc=soc).impedance


def merged(values):
    return CELL.merge(values, Origin("test"))


@pytest.mark.oracle("EIS")
@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_free_parameters_act_as_in_a_model_that_pybamm_builds_with_them(model):
    values = {R_C: 5e-3, D: 1e-15, DL: 0.5}
    built = build(problem(merged({R_C: 0.0}), model, (D, DL, R_C), options=WITH_CONTACT))
    expected = theirs(model, values, options=WITH_CONTACT)
    for inputs in (values, dict(sorted(values.items())), dict(reversed(values.items()))):
        np.testing.assert_allclose(impedance(built.solve(inputs)), expected, rtol=SAME)
    assert built.used == {D, DL, R_C}


@pytest.mark.oracle("EIS")
@pytest.mark.parametrize(
    ("set_", "options"),
    [
        (
            "Chen2020_composite",
            {"particle phases": ("2", "1"), "open-circuit potential": (("single", "current sigmoid"), "single")},
        ),
        ("Xu2019", {"working electrode": "positive"}),
    ],
    ids=["composite", "half cell"],
)
@pytest.mark.parametrize("model", ["SPM", "DFN"])
def test_composite_electrodes_and_half_cells_have_pybamms_spectrum(set_, options, model):
    kind = getattr(pybamm.lithium_ion, model)({"surface form": "differential", **options})
    expected = pybamm.EISSimulation(kind, pybamm.ParameterValues(set_)).solve(FREQUENCIES).impedance
    found = spectrum(published(set_), model, options=options)
    np.testing.assert_allclose(found, expected, rtol=SAME)


def test_frequencies_come_in_any_order():
    shuffled = np.random.default_rng(1).permutation(len(FREQUENCIES))
    np.testing.assert_allclose(spectrum(frequencies=FREQUENCIES[shuffled]), spectrum()[shuffled], rtol=SAME)


def test_points_are_solved_without_a_new_model(monkeypatch):
    built = build(problem(model="SPMe", free=(D, DL)))
    monkeypatch.setattr(pybamm, "Simulation", None)
    monkeypatch.setattr(pybamm, "Discretisation", None)
    one, other = built.solve_many([{D: 1e-15, DL: 0.2}, {DL: 0.2, D: 4e-15}])
    np.testing.assert_allclose(impedance(one), impedance(built.solve({DL: 0.2, D: 1e-15})), rtol=0)
    assert abs(impedance(other)[0] / impedance(one)[0] - 1) > 0.01


@pytest.mark.parametrize(("name", "value"), [(RADIUS, 3e-6), (THICKNESS, 6e-5)])
def test_lengths_are_inputs_of_a_model_that_is_built_once(name, value):
    built = build(problem(model="SPMe", free=(name,)))
    assert built.portable
    # The mesh is one that stretches: PyBaMM's, with as many points, differs by so much along the electrodes.
    np.testing.assert_allclose(impedance(built.solve({name: value})), theirs("SPMe", {name: value}), rtol=2e-3)


def test_where_meshes_do_not_stretch_lengths_shape_them():
    settings = {"submesh_types": {"positive particle": "Uniform1DSubMesh"}}
    built = build(problem(model="SPMe", free=(RADIUS,), settings=settings))
    assert not built.portable
    np.testing.assert_allclose(impedance(built.solve({RADIUS: 3e-6})), theirs("SPMe", {RADIUS: 3e-6}), rtol=SAME)


def test_the_state_at_rest_follows_from_a_state_of_charge():
    # Both find the stoichiometries by root finding, PyBaMM to about 1e-6 of a stoichiometry.
    ours = spectrum(merged({"Initial SOC [%]": 40.0}), "SPMe")
    np.testing.assert_allclose(ours, theirs("SPMe", soc=0.4), rtol=1e-4)
    assert abs(ours[0] / spectrum(model="SPMe")[0] - 1) > 0.01


def test_it_goes_to_other_processes_and_onto_the_shelf(tmp_path):
    asked = problem(model="SPMe", free=(D,))
    built = build(asked)
    expected = impedance(built.solve({D: 1e-15}))
    assert built.portable
    assert built.thinned([{D: 1e-15}]) is built
    put(built, tmp_path)
    fewer = problem(model="SPMe", free=(D,), frequencies=FREQUENCIES[::2])
    for other, rows in (
        (pickle.loads(pickle.dumps(built)), slice(None)),
        (taken(fewer, tmp_path), slice(None, None, 2)),
    ):
        np.testing.assert_allclose(impedance(other.solve({D: 1e-15})), expected[rows], rtol=SAME)
    assert taken(problem(model="SPM", free=(D,)), tmp_path) is None


# Independent of PyBaMM's frequency domain


def sphere(p, electrode, frequencies):
    """Return the impedance [Ohm] of an electrode of equal spheres: charge transfer and diffusion beside a double layer.

    Source: Orazem & Tribollet, Electrochemical Impedance Spectroscopy (2008), ch. 11.
    """
    number, omega, T = p.number, 2j * np.pi * frequencies, 298.15
    name = electrode.capitalize()
    radius = number(f"{name} particle radius [m]")
    surface = 3 * number(f"{name} electrode active material volume fraction") / radius
    surface *= (
        number(f"{name} electrode thickness [m]") * number("Electrode height [m]") * number("Electrode width [m]")
    )
    diffusivity = number(f"{name} particle diffusivity [m2.s-1]")
    c_max = number(f"Maximum concentration in {electrode} electrode [mol.m-3]")
    c = number(f"Initial concentration in {electrode} electrode [mol.m-3]")
    U = p.function(f"{name} electrode OCP [V]")
    slope = (U(c / c_max + 1e-6) - U(c / c_max - 1e-6)) / 2e-6 / c_max
    j0 = p.function(f"{name} electrode exchange-current density [A.m-2]")
    transfer = GAS * T / FARADAY / j0(number("Initial concentration in electrolyte [mol.m-3]"), c, c_max, T)
    s = radius * np.sqrt(omega / diffusivity)
    diffusion = -slope * radius / (FARADAY * diffusivity) / (s / np.tanh(s) - 1)
    return (
        1 / (omega * number(f"{name} electrode double-layer capacity [F.m-2]") + 1 / (transfer + diffusion)) / surface
    )


def test_single_particles_are_spheres_in_closed_form():
    # Cells of 2 nm at the surface resolve the diffusion layer up to where the double layer short-circuits it.
    frequencies = np.logspace(-4, 4, 17)
    surface = {"class": "Exponential1DSubMesh", "submesh_params": {"side": "right", "stretch": 5}}
    settings = {
        "var_pts": {"r_n": 150, "r_p": 150},
        "submesh_types": {f"{electrode} particle": surface for electrode in ("negative", "positive")},
    }
    expected = sum(sphere(CELL, electrode, frequencies) for electrode in ("negative", "positive"))
    np.testing.assert_allclose(spectrum(frequencies=frequencies, settings=settings), expected, rtol=3e-3)


def test_a_mesh_that_is_fine_at_the_surface_is_ten_times_better_than_an_even_one():
    # The figures that `EISOptions` tells.
    frequencies = np.logspace(-3, 4, 57)
    exact = sum(sphere(CELL, electrode, frequencies) for electrode in ("negative", "positive"))
    surface = {"class": "Exponential1DSubMesh", "submesh_params": {"side": "right", "stretch": 6}}
    settings = {"submesh_types": {f"{electrode} particle": surface for electrode in ("negative", "positive")}}
    even, fine = (np.abs(spectrum(frequencies=frequencies, settings=one) / exact - 1).max() for one in ({}, settings))
    assert even == pytest.approx(0.06, abs=0.01)
    assert fine == pytest.approx(0.006, abs=0.001)


@pytest.mark.parametrize("model", ["SPM", "DFN"])
def test_a_contact_resistance_adds_itself_at_all_frequencies(model):
    without, with_it = (spectrum(merged({R_C: value}), model, options=WITH_CONTACT) for value in (0.0, 7e-3))
    np.testing.assert_allclose(with_it - without, 7e-3, rtol=SAME)


def test_slow_changes_are_those_of_a_small_step():
    # At low frequency Z = R + 1 / (iωC), so that V(t) = V(0) - I (R + t / C) once diffusion has settled: in the slower
    # electrode after R²/D = 6800 s.
    frequency, current = 1e-6, 1e-5
    low = spectrum(frequencies=[frequency])[0]
    parameters = pybamm.ParameterValues("Chen2020")
    parameters["Current function [A]"] = current
    model = pybamm.lithium_ion.SPM({"surface form": "differential"})
    solver = pybamm.IDAKLUSolver(rtol=1e-10, atol=1e-10)
    voltage = pybamm.Simulation(model, parameter_values=parameters, solver=solver).solve([0, 12_000])["Voltage [V]"]
    late = np.linspace(8000, 12_000, 9)
    slope, intercept = np.polyfit(late, voltage(late), 1)
    assert low.imag == pytest.approx(slope / current / (2 * np.pi * frequency), rel=1e-3)
    assert low.real == pytest.approx((float(voltage(0.0)) - intercept) / current, rel=1e-3)


def test_a_circuit_has_the_impedance_of_its_parts():
    R0, R1, C1, Q, k = 2e-3, 1e-3, 500.0, 5.0, 0.8
    values = dict(pybamm.ParameterValues("ECM_Example"))
    values |= {"R0 [Ohm]": R0, "R1 [Ohm]": R1, "C1 [F]": C1, "Cell capacity [A.h]": Q, "Entropic change [V/K]": 0.0}
    values["Open-circuit voltage [V]"] = lambda soc: 3.0 + k * soc
    numbers = {n: v for n, v in values.items() if not callable(v) or n == "Open-circuit voltage [V]"}
    p = ParameterSet().merge({n: v for n, v in numbers.items() if n != "citations"}, Origin("circuit"))
    omega = 2j * np.pi * FREQUENCIES
    expected = R0 + R1 / (1 + omega * R1 * C1) + k / (omega * 3600 * Q)
    ours = spectrum(p, "Thevenin", module="equivalent_circuit")
    np.testing.assert_allclose(ours, expected, rtol=SAME)


# What the model is, and what it is not


def test_double_layers_are_added_and_what_the_user_says_stays():
    assert with_double_layers(ModelSpec("SPM")).options == {"surface form": "differential"}
    own = ModelSpec("SPM", {"surface form": "algebraic"})
    assert with_double_layers(own) is own
    assert with_double_layers(ModelSpec("Thevenin", module="equivalent_circuit")).options == {}
    algebraic = spectrum(options={"surface form": "algebraic"})
    np.testing.assert_allclose(algebraic, theirs("SPM", options={"surface form": "algebraic"}), rtol=SAME)
    assert abs(algebraic[-1] / spectrum()[-1]) > 10  # without double layer charge transfer never ends
    with pytest.raises(ConfigurationError, match="no impedance of its interfaces"):
        build(problem(options={"surface form": "false"}))


def test_failures_are_statuses():
    most = "Maximum concentration in positive electrode [mol.m-3]"
    built = build(problem(free=(D, DL, most)))
    fine = {D: 1e-15, DL: 0.2, most: 63104.0}
    assert built.solve(fine).status == "solved"
    for change, said in (
        ({D: -1e-14}, "must be positive"),
        ({D: float("nan")}, "is nan"),
        ({DL: 0.0}, "no derivative"),
        ({most: 1e3}, "positive electrode would start at"),
    ):
        solved = built.solve(fine | change)
        assert solved.status == "failed", change
        assert said in solved.message
    assert build(problem(free=(RADIUS,))).solve({RADIUS: -1e-6}).status == "failed"


def test_missing_parameters_are_named():
    with pytest.raises(MissingParameterError) as error:
        build(problem(CELL.without([DL])))
    assert error.value.detail["missing"] == [DL]


# The objective

SPECTRUM = spectrum()
DATA = {
    "Frequency [Hz]": FREQUENCIES.tolist(),
    "Z_Re [Ohm]": SPECTRUM.real.tolist(),
    "Z_Im [Ohm]": SPECTRUM.imag.tolist(),
}
KNOWN = cw.direct_entries.DirectEntry(dict(CELL.values_), source="truth")


def validated(data, **changes):
    options = {"model": "SPM", **changes.pop("options", {})}
    objective = cw.objectives.EIS(data, options=options, **changes)
    return cw.run(cw.Pipeline({"known": KNOWN, "check": cw.Validation({"spectrum": objective})})).element("check")


def errors_of(record):
    return {row["name"]: row["value"] for row in record.result["summary_stats"]["spectrum"]}


def test_a_validation_tells_the_errors_of_both_parts_in_ohm():
    shifted = DATA | {"Z_Re [Ohm]": (SPECTRUM.real + 1e-3).tolist()}
    errors = errors_of(validated(shifted))
    assert errors["RMSE [Ohm] (Z_Re [Ohm])"] == pytest.approx(1e-3, rel=SAME)
    assert errors["Max [Ohm] (Z_Im [Ohm])"] == pytest.approx(0.0, abs=1e-12)


def test_parts_follow_from_modulus_and_phase():
    polar = {"Z_Mod [Ohm]": np.abs(SPECTRUM).tolist(), "Z_Phase [deg]": np.angle(SPECTRUM, deg=True).tolist()}
    data = {"Frequency [Hz]": DATA["Frequency [Hz]"], **polar}
    assert max(errors_of(validated(data)).values()) < 1e-12
    assert max(errors_of(validated(data | {"Z_Re [Ohm]": DATA["Z_Re [Ohm]"]})).values()) < 1e-12


def test_rows_in_time_are_left_out_and_their_order_does_not_count():
    rows = [None, *reversed(range(len(FREQUENCIES)))]
    data = {name: [None if row is None else values[row] for row in rows] for name, values in DATA.items()}
    record = validated(data | {"Time [s]": [0.0, *[None] * len(FREQUENCIES)]})
    assert max(errors_of(record).values()) < 1e-12
    assert record.series["spectrum"]["optimal"]["Frequency [Hz]"].tolist() == FREQUENCIES[::-1].tolist()


def test_an_objective_has_parameters_of_its_own():
    warm = dict.fromkeys(TEMPERATURES, 318.15)
    expected = theirs("SPM", warm)
    data = DATA | {"Z_Re [Ohm]": expected.real.tolist(), "Z_Im [Ohm]": expected.imag.tolist()}
    assert max(errors_of(validated(data, parameters=warm)).values()) < 1e-9
    assert max(errors_of(validated(data)).values()) > 1e-4


def test_the_mesh_of_the_settings_is_used_and_a_shared_solver_does_not_disturb():
    coarse = {"var_pts": {"r_p": 5}, "solver": "IDAKLUSolver", "t_interp": [0, 1], "solver_kwargs": {"rtol": 1e-9}}
    assert errors_of(validated(DATA, options={"simulation_kwargs": coarse}))["Max [Ohm] (Z_Re [Ohm])"] > 1e-6
    with pytest.raises(cw.CellwrightError, match="did you mean 'var_pts'"):
        validated(DATA, options={"simulation_kwargs": {"var_ptz": {"r_n": 5}}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Frequency [Hz]": [0.0, *DATA["Frequency [Hz]"][1:]]}, "not above 0, 1 of them, the first in row 0"),
        ({"Z_Im [Ohm]": [*DATA["Z_Im [Ohm]"][:-1], float("nan")]}, "'Z_Im .Ohm.' holds values that are no numbers"),
        ({"Frequency [Hz]": [None, *DATA["Frequency [Hz]"][1:]]}, "'Frequency .Hz.' holds values that are no numbers"),
        ({"Z_Im [Ohm]": (-SPECTRUM.imag).tolist()}, "seems to hold -Im Z"),
        ({"Z_Im [Ohm]": None}, "no column 'Z_Im .Ohm.'"),
        ({"Frequency [Hz]": None}, "no column 'Frequency .Hz.'"),
    ],
    ids=["frequency 0", "gap", "gap in frequency", "sign", "no imaginary part", "no frequency"],
)
def test_what_is_wrong_with_a_spectrum_is_told_by_the_check(change, said):
    data = {name: values for name, values in (DATA | change).items() if values is not None}
    objective = cw.objectives.EIS(data, options={"model": "SPM"})
    report = cw.check(cw.Pipeline({"known": KNOWN, "check": cw.Validation({"spectrum": objective})}))
    assert len(report.errors) == 1
    with pytest.raises(cw.CellwrightError, match=said):
        report.raise_for_errors()
    with pytest.raises(DataError, match=said):
        objective.prepare(CELL, (), build)


def test_diffusivity_and_double_layer_come_back_from_a_noisy_spectrum():
    # 1 % noise on each part of 41 frequencies: the parameters come back within three of the standard errors below.
    truth = {D: 2e-15, DL: 0.35}
    frequencies = np.logspace(-3, 3, 41)
    cell = merged(truth)
    clean = spectrum(cell, frequencies=frequencies)
    rng = np.random.default_rng(3)
    sigma = 0.01 * np.abs(clean).mean()
    parts = (clean.real + sigma * rng.normal(size=41), clean.imag + sigma * rng.normal(size=41))
    data = {"Frequency [Hz]": frequencies.tolist(), **dict(zip(IMPEDANCE, map(np.ndarray.tolist, parts), strict=True))}
    known = cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n not in truth}, source="truth")
    parameters = {
        D: cw.transforms.Log10(cw.Parameter(D, 6e-15, (1e-16, 1e-13))),
        DL: cw.transforms.Log10(cw.Parameter(DL, 0.1, (0.01, 10.0))),
    }
    cost = cw.costs.ChiSquare(variable_standard_deviations=dict.fromkeys(IMPEDANCE, float(sigma)))
    element = cw.DataFit(cw.objectives.EIS(data, options={"model": "SPM"}), parameters=parameters, cost=cost)
    fit = cw.run(cw.Pipeline({"known": known, "fit": element})).element("fit")
    built = build(problem(cell, free=(D, DL), frequencies=frequencies))
    slopes = []
    for name, value in truth.items():
        up, down = (impedance(built.solve(truth | {name: value * factor})) for factor in (1.01, 0.99))
        slope = (up - down) / (0.02 * sigma)
        slopes.append(np.concatenate([slope.real, slope.imag]))
    errors = np.sqrt(np.diag(np.linalg.inv(np.array(slopes) @ np.array(slopes).T)))
    assert (errors < 0.1).all()
    for (name, value), error in zip(truth.items(), errors, strict=True):
        assert fit.result["parameter_values"][name] == pytest.approx(value, rel=3 * error)
    assert fit.result["cost"] == pytest.approx(80, abs=3 * np.sqrt(2 * 80))  # χ² of 82 values and 2 parameters
    assert not fit.counts.get("failed")
