"""Models of our own against PyBaMM's and against closed forms."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

import cellwright as cw
from cellwright.catalog.named_models import spec_of
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.build import build
from cellwright.models.shelf import put, taken
from cellwright.models.simulate import _plain
from cellwright.physics import grouping
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import ExperimentProblem, ImpedanceProblem, ModelSpec, SimulationProblem
from cellwright.schema.values import Function
from cellwright.testing.cells import grouped, published

TIMES = np.linspace(0, 1500, 151)
VOLTAGE, SURFACE_OCV = "Voltage [V]", "Surface open-circuit voltage [V]"
DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
R, SERIES = "Ohmic resistance [Ohm]", "Series resistance [Ohm]"
AREA = "Electrode cross-sectional area [m2]"
TIGHT = {"solver": {"rtol": 1e-8, "atol": 1e-10}}
SHELLS = {"class": "Exponential1DSubMesh", "submesh_params": {"side": "right", "stretch": 3.0}}
PYBAMM = {**TIGHT, "submesh_types": {f"{electrode} particle": SHELLS for electrode in ELECTRODES}}
"""The settings by which PyBaMM's models have the mesh of ours in their particles."""
SAME = 1e-6
"""Volts: two models of the same equations, integrated to 1e-8, differ by the integrator's error alone."""


def cell(**values):
    return published().merge({R: 0.02, **values}, Origin("test"))


def simulation(model, p, current=5.0, variables=(VOLTAGE,), settings=TIGHT, **rest):
    spec = model if isinstance(model, ModelSpec) else spec_of(model, settings)
    amps = np.full(TIMES.size, current) if np.isscalar(current) else current
    return build(SimulationProblem(spec, p, TIMES, amps, TIMES, variables, **rest))


def curve(model, p, current=5.0, **rest):
    solved = simulation(model, p, current, **rest).solve({})
    assert solved.status == "solved", solved.message
    return solved.outputs[VOLTAGE]


GITT = {"type": "GITTModel"}
HALF = {"type": "GITTModel", "options": {"working electrode": "positive"}}


def sphere(time, tau, capacity, current=5.0, begin=0.0, roots=4000):
    """The stoichiometry of the surface of a sphere that takes a constant current [A].

    θ = θ_0 + q (3 t/τ + 1/5 - 2 Σ exp(-λ² t/τ) / λ²), tan λ = λ, q = I τ / (3 · 3600 Q): Crank, The Mathematics of
    Diffusion (1975), eq. 6.45.
    """
    turns = np.arange(1, roots + 1) * np.pi
    lam = np.array([brentq(lambda x: np.sin(x) - x * np.cos(x), turn, turn + np.pi / 2) for turn in turns])
    share = time[:, None] / tau
    flux = current * tau / (3 * 3600 * capacity)
    return begin + flux * (3 * share[:, 0] + 0.2 - 2 * np.exp(-(lam**2) * share) @ (1 / lam**2))


class TestGITT:
    @pytest.mark.oracle("GITTModel")
    @pytest.mark.parametrize("current", [5.0, -0.5])
    def test_it_is_the_open_circuit_voltage_at_the_surfaces_of_spm_less_the_resistance(self, current):
        spm = ModelSpec("SPM", settings=PYBAMM)
        theirs = simulation(spm, cell(), current, (SURFACE_OCV,)).solve({}).outputs[SURFACE_OCV]
        # The Chen2020 set has no entropic change, which the model leaves out.
        np.testing.assert_allclose(curve(GITT, cell(), current), theirs - current * 0.02, atol=SAME)

    def test_of_a_half_cell_it_is_the_positive_electrode_alone(self):
        p = cell()
        variables = ("X-averaged positive electrode open-circuit potential [V]",)
        spm = ModelSpec("SPM", settings=PYBAMM)
        theirs = simulation(spm, p, 5.0, variables).solve({}).outputs[variables[0]]
        nothing_of_the_negative = p.without([name for name in p if "egative" in name])
        np.testing.assert_allclose(curve(HALF, nothing_of_the_negative), theirs - 0.1, atol=SAME)

    def test_the_diffusivity_may_depend_on_charge_and_discharge(self):
        name, values = names_of("positive"), {}
        for direction, factor in (("lithiation", 1.0), ("delithiation", 0.25)):
            values[names_of("positive", None, direction).diffusivity] = factor * published()[name.diffusivity]
        model = {**GITT, "options": {"diffusivity": ["single", "current sigmoid"]}}
        discharged, charged = (curve(model, cell(**values), current) for current in (5.0, -0.5))
        np.testing.assert_allclose(discharged, curve(GITT, cell(), 5.0), atol=SAME)
        slower = cell(**{name.diffusivity: 0.25 * published()[name.diffusivity]})
        np.testing.assert_allclose(charged, curve(GITT, slower, -0.5), atol=SAME)

    def test_the_potential_may_depend_on_charge_and_discharge(self):
        given = published()[names_of("positive").open_circuit_potential]
        lithiation, delithiation = (
            names_of("positive", None, direction).open_circuit_potential for direction in ("lithiation", "delithiation")
        )
        values = {
            lithiation: Function.trace(lambda sto: given(sto) - 0.02),
            delithiation: Function.trace(lambda sto: given(sto) + 0.03),
        }
        model = {**GITT, "options": {"open-circuit potential": ["single", "current sigmoid"]}}
        for current, apart in ((5.0, -0.02), (-0.5, 0.03), (0.0, 0.005)):
            branch = curve(model, cell(**values), current) - curve(GITT, cell(), current)
            np.testing.assert_allclose(branch, apart, rtol=0, atol=SAME)

    def test_the_area_is_that_given_or_height_by_width(self):
        height, width = "Electrode height [m]", "Electrode width [m]"
        p = cell()
        given = p.without([height, width]).merge({AREA: p[height] * p[width]}, Origin("test"))
        np.testing.assert_allclose(curve(GITT, given), curve(GITT, p), rtol=0, atol=SAME)
        lithium = {"Cyclable lithium capacity [A.h]": 7.0}
        names = [names_of(one).initial_concentration for one in ("negative", "positive")]
        for one in (given, p):
            from_voltage = simulation(GITT, one.without(names).merge(lithium, Origin("t")), initial_voltage=4.0)
            assert from_voltage.solve({}).outputs[VOLTAGE][0] == pytest.approx(4.0 - 0.1, abs=1e-3)

    def test_every_parameter_may_be_free_without_a_new_mesh(self):
        free = (DN, "Positive particle radius [m]", R, "Electrode height [m]", "Negative electrode thickness [m]")
        built = simulation(GITT, cell(), free=free)
        assert built.used == frozenset(free)
        assert built.portable
        assert built.structural == ()
        np.testing.assert_allclose(
            built.solve({name: cell()[name] for name in free}).outputs[VOLTAGE], curve(GITT, cell()), atol=SAME
        )

    @pytest.mark.parametrize("state", [{"Initial SOC [%]": 100.0}, {"Initial voltage [V]": 4.2}, {}])
    def test_a_half_cell_starts_from_charge_voltage_or_data(self, state):
        p = cell(**state, **{"Lower voltage cut-off [V]": 3.7, "Upper voltage cut-off [V]": 4.2})
        p = p.without([names_of("positive").initial_concentration])
        started = simulation(HALF, p, 0.0, initial_voltage=None if state else 4.2).solve({})
        np.testing.assert_allclose(started.outputs[VOLTAGE], 4.2, atol=1e-8)

    def test_the_simulation_ends_where_a_surface_is_full(self):
        solved = simulation(GITT, cell(**{DP: 1e-17})).solve({})
        assert solved.status == "ended early"
        assert "positive particle surface stoichiometry" in solved.message

    def test_it_goes_to_other_processes_and_to_the_shelf(self, tmp_path):
        built = simulation(GITT, cell(), free=(DP,))
        value = {DP: 3e-15}
        again = pickle.loads(pickle.dumps(built))
        assert np.array_equal(again.solve(value).outputs[VOLTAGE], built.solve(value).outputs[VOLTAGE])
        put(built, tmp_path)
        kept = taken(built.problem, tmp_path)
        assert kept is not None
        assert np.array_equal(kept.solve(value).outputs[VOLTAGE], built.solve(value).outputs[VOLTAGE])

    def test_the_kernel_gives_what_pybamms_solver_gives(self):
        built = simulation(GITT, cell(), current=np.where(TIMES % 500 < 200, 5.0, 0.0))
        plain = built.solved_by(_plain(built, {}))
        np.testing.assert_allclose(built.solve({}).outputs[VOLTAGE], plain.solve({}).outputs[VOLTAGE], atol=SAME)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"thermal": "lumped"}, r"'thermal' cannot be 'lumped' here"),
            ({"particle": "quadratic profile"}, r"'particle' cannot be 'quadratic profile'"),
            ({"open-circuit potential": "MSMR"}, r"'open-circuit potential' cannot be 'MSMR'"),
            ({"diffusivty": "single"}, r"'diffusivty' not recognised.*'diffusivity'"),
            ({"diffusivity": "sigmoid"}, r"'diffusivity' cannot be 'sigmoid'"),
        ],
    )
    def test_options_that_have_no_meaning_are_refused_by_name(self, options, said):
        with pytest.raises(ConfigurationError, match=said):
            simulation({"type": "GITTModel", "options": options}, cell())

    def test_missing_parameters_are_named_with_the_nearest(self):
        with pytest.raises(MissingParameterError, match=r"GITTModel lacks 1 parameters: 'Ohmic resistance \[Ohm\]'"):
            simulation(GITT, published())
        p = cell().without(["Positive particle radius [m]"]).merge({"Positive particle radus [m]": 1e-6}, Origin("t"))
        with pytest.raises(MissingParameterError) as missing:
            simulation(GITT, p)
        assert "'Positive particle radus [m]'" in missing.value.hint

    def test_a_fit_recovers_diffusivity_and_resistance(self):
        pulse = np.where(TIMES < 300, 2.5, 0.0)
        data = {"Time [s]": TIMES, "Current [A]": pulse, "Voltage [V]": curve("GITTModel", cell(), pulse)}
        fit = cw.DataFit(
            objectives={"pulse": cw.objectives.CurrentDriven(data, options={"model": cw.models.GITTModel()})},
            parameters={
                DP: cw.Parameter(DP, initial_value=1e-14, bounds=(1e-16, 1e-12)),
                R: cw.Parameter(R, initial_value=0.05, bounds=(0, 0.2)),
            },
        )
        known = cw.direct_entries.DirectEntry({n: v for n, v in cell().values_.items() if n not in {DP, R}})
        found = cw.run(cw.Pipeline({"known": known, "fit": fit})).parameters
        # The data have no noise; the integrator's error of 0.1 mV is 0.2 % of the diffusive overpotential.
        assert found[DP] == pytest.approx(published()[DP], rel=1e-2)
        assert found[R] == pytest.approx(0.02, rel=1e-2)


NEGATIVE, SEPARATOR, POSITIVE = "Negative electrode", "Separator", "Positive electrode"
FAST = {f"{electrode} exchange-current density [A.m-2]": 1e8 for electrode in (NEGATIVE, POSITIVE)}
"""Kinetics that lose less than a nanovolt, so that all that a cell loses is in groups."""
PHYSICAL = published().merge(
    {
        **FAST,
        "Contact resistance [Ohm]": 0.02,
        "Electrolyte diffusivity [m2.s-1]": 2e-10,
        "Electrolyte conductivity [S.m-1]": 0.9,
    },
    Origin("test"),
)
SPMR, SPMER = {"type": "LumpedSPMR"}, {"type": "LumpedSPMeR"}
CONTACT = {"contact resistance": "true"}


@pytest.fixture(scope="module")
def cells():
    """The groups of the cell for a model without electrolyte, and for one with it."""
    with_electrolyte = grouped(PHYSICAL)
    return [with_electrolyte.merge({SERIES: 0.02}, Origin("test")), with_electrolyte]


class TestLumped:
    @pytest.mark.oracle("LumpedSPMR")
    @pytest.mark.parametrize("current", [5.0, np.where(TIMES % 500 < 200, 5.0, 0.0)], ids=["constant", "pulses"])
    def test_without_electrolyte_it_is_pybamms_spm(self, cells, current):
        theirs = curve(ModelSpec("SPM", CONTACT, settings=PYBAMM), PHYSICAL, current)
        np.testing.assert_allclose(curve(SPMR, cells[0], current), theirs, rtol=0, atol=SAME)

    @pytest.mark.oracle("LumpedSPMeR")
    @pytest.mark.parametrize("current", [5.0, np.where(TIMES % 500 < 200, 5.0, 0.0)], ids=["constant", "pulses"])
    def test_with_electrolyte_it_is_pybamms_spme(self, cells, current):
        # PyBaMM integrates its parabolic potentials by the midpoint rule: that is 17 uV off in its 20 layers, 2 in 60.
        layers = {"var_pts": dict.fromkeys(("x_n", "x_s", "x_p"), 60)}
        theirs = curve(ModelSpec("SPMe", CONTACT, settings={**PYBAMM, **layers}), PHYSICAL, current)
        ours = curve(spec_of(SPMER, {**TIGHT, **layers}), cells[1], current)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)

    @pytest.mark.parametrize("surface", ["ambient", "lumped"])
    def test_its_temperature_is_pybamms(self, cells, surface):
        layers = ("Negative current collector", NEGATIVE, SEPARATOR, POSITIVE, "Positive current collector")
        thicknesses = [PHYSICAL[f"{layer} thickness [m]"] for layer in layers]
        heats = [
            PHYSICAL[f"{layer} density [kg.m-3]"] * PHYSICAL[f"{layer} specific heat capacity [J.kg-1.K-1]"]
            for layer in layers
        ]
        capacity = np.average(heats, weights=thicknesses) * PHYSICAL["Cell volume [m3]"]
        both = {
            f"{NEGATIVE} OCP entropic change [V.K-1]": 1e-4,
            f"{POSITIVE} OCP entropic change [V.K-1]": -2e-4,
            "Environment thermal resistance [K.W-1]": 3.0,
            "Casing heat capacity [J.K-1]": 20.0,
        }
        options = {"thermal": "lumped", "surface temperature": surface}
        names = (VOLTAGE, "Volume-averaged cell temperature [K]", "Surface temperature [K]")
        p = cells[0].merge({**both, "Cell heat capacity [J.K-1]": capacity}, Origin("test"))
        ours = simulation({**SPMR, "options": options}, p, variables=names).solve({}).outputs
        spm = ModelSpec("SPM", {**CONTACT, **options}, settings=PYBAMM)
        theirs = simulation(spm, PHYSICAL.merge(both, Origin("test")), variables=names).solve({}).outputs
        assert np.ptp(theirs[names[1]]) > 10
        for name in names:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=SAME)

    def test_kinetics_near_rest_are_a_resistance(self):
        p, series = grouped(PHYSICAL.merge(dict.fromkeys(FAST, 3.0), Origin("test"))), 0.02
        for electrode in ELECTRODES:
            name = names_of(electrode)
            surface = 3 * p[name.volume_fraction] / p[name.particle_radius] * p[name.thickness] * 0.065 * 1.58
            series += grouping.charge_transfer_resistance(298.15, 3.0 * surface)
        current = 0.05  # of the exchange currents, 100 and 60 A, it is so little that arsinh is a line to 1e-7
        theirs = curve(ModelSpec("SPM", CONTACT, settings=PYBAMM), p, current)
        ours = curve(SPMR, p.merge({SERIES: series}, Origin("test")), current)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=SAME)

    def test_the_diffusion_time_may_be_a_function_of_stoichiometry_and_temperature(self, cells):
        name = names_of("positive").diffusion_time
        shape = Function.trace(lambda sto, T: cells[0][name] * (1 + 0 * sto) * (T / 298.15))
        with_shape = cells[0].merge({name: shape}, Origin("test"))
        np.testing.assert_allclose(curve(SPMR, with_shape), curve(SPMR, cells[0]), rtol=0, atol=SAME)

    def test_what_it_starts_from(self, cells):
        negative, positive = (names_of(one) for one in ELECTRODES)
        window = {
            negative.stoichiometry_at(0): 0.03,
            negative.stoichiometry_at(100): 0.9,
            positive.stoichiometry_at(0): 0.85,
            positive.stoichiometry_at(100): 0.85 - 0.87 * cells[0][negative.capacity] / cells[0][positive.capacity],
        }
        states = [negative.initial_stoichiometry, positive.initial_stoichiometry]
        p = cells[0].without([negative.initial_concentration, positive.initial_concentration, *states])
        p = p.merge(window, Origin("test"))

        def begin(p, **rest):
            names = (VOLTAGE, "SoC", "Average positive particle stoichiometry")
            out = simulation(SPMR, p, 0.0, names, **rest).solve({}).outputs
            return [float(out[name][0]) for name in names]

        voltage, soc, theta = begin(p.merge({"Initial SOC [%]": 60.0}, Origin("test")))
        assert soc == pytest.approx(0.6, abs=1e-9)
        assert theta == pytest.approx(0.85 + 0.6 * (window[positive.stoichiometry_at(100)] - 0.85), abs=1e-9)
        # The voltage leads back to the same state, by the lithium of the window or by that which is given.
        assert begin(p, initial_voltage=voltage) == pytest.approx([voltage, soc, theta], abs=1e-6)
        held = sum(cells[0][name.capacity] * window[name.stoichiometry_at(100)] for name in (negative, positive))
        lithium = p.without(window).merge({"Cyclable lithium capacity [A.h]": held}, Origin("test"))
        lithium = lithium.merge({negative.stoichiometry_at(0): 0.03, negative.stoichiometry_at(100): 0.9}, Origin("t"))
        assert begin(lithium, initial_voltage=voltage) == pytest.approx([voltage, soc, theta], abs=1e-6)
        with pytest.raises(MissingParameterError, match="in which state the simulation starts"):
            begin(p.without(window), initial_voltage=voltage)

    def test_what_it_starts_from_may_be_free(self, cells):
        negative, positive = (names_of(one) for one in ELECTRODES)
        ends = {
            negative.stoichiometry_at(0): 0.03,
            negative.stoichiometry_at(100): 0.9,
            positive.stoichiometry_at(0): 0.85,
            positive.stoichiometry_at(100): 0.27,
        }
        states = [names_of(one).initial_stoichiometry for one in ELECTRODES]
        p = cells[0].merge({**ends, "Initial SOC [%]": 60.0}, Origin("test")).without(states)
        free = (positive.stoichiometry_at(100), "Initial SOC [%]", positive.capacity)
        values = {positive.stoichiometry_at(100): 0.3, "Initial SOC [%]": 50.0, positive.capacity: 8.0}
        built = simulation(SPMR, p.without(free), free=free)
        assert built.portable
        assert built.used == frozenset(free)
        given = curve(SPMR, p.merge(values, Origin("test")))
        np.testing.assert_allclose(built.solve(values).outputs[VOLTAGE], given, rtol=0, atol=SAME)

    def test_concentrations_serve_where_no_stoichiometry_is_given(self, cells):
        states = [names_of(electrode).initial_stoichiometry for electrode in ELECTRODES]
        np.testing.assert_allclose(curve(SPMR, cells[0].without(states)), curve(SPMR, cells[0]), rtol=0, atol=SAME)

    def test_a_state_that_no_electrode_has_is_a_failed_solve(self, cells):
        name = names_of("negative").initial_stoichiometry
        built = simulation(SPMR, cells[0], free=(name,))
        assert built.solve({name: 1.1}).message == "the negative electrode would start at a stoichiometry of 1.1"
        assert (
            "must be positive"
            in simulation(SPMR, cells[0], free=(names_of("negative").diffusion_time,))
            .solve({names_of("negative").diffusion_time: 0.0})
            .message
        )

    def test_salt_that_is_used_up_ends_the_simulation(self, cells):
        little = cells[1].merge({f"{POSITIVE} electrolyte capacity [A.h]": 0.005}, Origin("test"))
        solved = simulation(SPMER, little).solve({})
        assert solved.status == "ended early"
        assert "electrolyte concentration" in solved.message

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"working electrode": "positive"}, "working electrode"),
            ({"thermal": "x-full"}, "thermal"),
            ({"themal": "lumped"}, "did you mean 'thermal'"),
        ],
    )
    def test_options_are_refused_by_name(self, options, said):
        with pytest.raises(ConfigurationError, match=said):
            cw.models.LumpedSPMR(options)
        with pytest.raises(ConfigurationError, match=said):
            simulation(ModelSpec("LumpedSPMR", options, "cellwright"), PHYSICAL)

    def test_all_that_is_lost_is_heat(self, cells):
        entropic = {f"{electrode} OCP entropic change [V.K-1]": 0.0 for electrode in (NEGATIVE, POSITIVE)}
        p = cells[1].merge({**entropic, "Cell heat capacity [J.K-1]": 40.0}, Origin("test"))
        names = (VOLTAGE, SURFACE_OCV, "Total heating [W]")
        out = simulation({**SPMER, "options": {"thermal": "lumped"}}, p, variables=names).solve({}).outputs
        np.testing.assert_allclose(out[names[2]], 5 * (out[SURFACE_OCV] - out[VOLTAGE]), rtol=1e-9)

    def test_a_fit_recovers_the_groups_of_a_cell(self, cells):
        # Where the potentials are steep: in the plateaus of graphite its diffusion time does not show in the voltage.
        states = dict(zip((names_of(one).initial_stoichiometry for one in ELECTRODES), (0.3, 0.66), strict=True))
        truth = cells[0].merge(states, Origin("test"))
        free = [names_of("positive").diffusion_time, names_of("negative").diffusion_time, SERIES]
        pulses = np.where(TIMES % 500 < 200, 5.0, -1.0)
        noise = 2e-4 * np.random.default_rng(0).normal(size=TIMES.size)
        data = {"Time [s]": TIMES, "Current [A]": pulses, "Voltage [V]": curve(SPMR, truth, pulses) + noise}
        fit = cw.DataFit(
            objectives={"pulses": cw.objectives.CurrentDriven(data, options={"model": cw.models.LumpedSPMR()})},
            parameters={
                name: cw.Parameter(name, initial_value=2 * truth[name], bounds=(truth[name] / 10, truth[name] * 10))
                for name in free
            },
        )
        known = cw.direct_entries.DirectEntry({n: v for n, v in truth.values_.items() if n not in free})
        found = cw.run(cw.Pipeline({"known": known, "fit": fit})).parameters
        # 0.2 mV of noise on 151 rows, where 20 % of the least certain, the negative time, are 0.8 mV: 0.4 % (1 sigma).
        for name in free:
            assert found[name] == pytest.approx(truth[name], rel=0.02), name


SINGLE = {"type": "SingleElectrodeLumpedSPMR"}
TAU, CAPACITY = 3000.0, 5.0
ONE = ParameterSet().merge(
    {
        "Lumped electrode OCP [V]": Function.trace(lambda sto: 4.2 - sto),
        "Lumped electrode capacity [A.h]": CAPACITY,
        "Particle diffusion time [s]": TAU,
        SERIES: 0.02,
        "Initial SOC [%]": 90.0,
        "Ambient temperature [K]": 298.15,
        "R1 [Ohm]": 0.01,
        "C1 [F]": 3000.0,
        "R2 [Ohm]": 0.02,
        "C2 [F]": 30000.0,
    },
    Origin("test"),
)
STEP = 4.2 - sphere(TIMES[1:], TAU, CAPACITY, begin=0.1) - 0.1


def pairs(number, **dependencies):
    options = {"rc pairs": str(number)}
    return {**SINGLE, "options": {**options, **({"parameter_dependencies": dependencies} if dependencies else {})}}


class TestSingleElectrode:
    @pytest.mark.oracle("SingleElectrodeLumpedSPMR")
    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_a_step_of_the_current_goes_by_the_closed_forms(self, number):
        time = TIMES[1:]
        lost = sum(5 * R * (1 - np.exp(-time / (R * C))) for R, C in [(0.01, 3000.0), (0.02, 30000.0)][:number])
        ours = curve(pairs(number), ONE)[1:]
        # From 10 s on, 3e-3 of the diffusion time, the 20 shells are within 0.3 mV of 280 mV.
        np.testing.assert_allclose(ours, STEP - lost, rtol=0, atol=3e-4)

    def test_more_shells_come_nearer_to_the_closed_form(self):
        errors = [
            np.abs(curve(spec_of(SINGLE, {**TIGHT, "var_pts": {"r": shells}}), ONE)[1:] - STEP).max()
            for shells in (10, 20, 40, 80)
        ]
        assert all(finer < coarser / 2.5 for coarser, finer in pairwise(errors)), errors

    def test_charge_is_counted_and_the_particle_keeps_its_lithium(self):
        out = simulation(SINGLE, ONE, variables=("SoC", "Discharge capacity [A.h]")).solve({}).outputs
        np.testing.assert_allclose(out["SoC"], 0.9 - out["Discharge capacity [A.h]"] / CAPACITY, rtol=0, atol=1e-9)

    def test_a_voltage_is_where_the_potential_has_it(self):
        started = curve(SINGLE, ONE.without(["Initial SOC [%]"]), 0.0, initial_voltage=3.7)
        np.testing.assert_allclose(started, 3.7, atol=1e-9)

    def test_parameters_follow_the_states_that_are_named_for_them(self):
        # A resistance of 0.02 (1 - current / 10) at 5 A, a diffusion time of 1.5 times at 298.15 K.
        given = ONE.merge(
            {
                "R1 [Ohm]": Function.trace(lambda current: 0.02 * (1 - current / 10)),
                "Particle diffusion time [s]": Function.trace(lambda T: 3000 * T / 298.15),
            },
            Origin("test"),
        )
        ours = curve(pairs(1, R_rc=["current"], tau="temperature"), given)
        np.testing.assert_allclose(ours, curve(pairs(1), ONE), rtol=0, atol=SAME)

    def test_where_no_state_is_named_it_is_the_state_of_charge(self):
        given = ONE.merge({"Particle diffusion time [s]": Function.trace(lambda soc: 2000.0 + 4000 * soc)}, Origin("t"))
        solved = simulation(SINGLE, given, 0.5).solve({}).outputs[VOLTAGE]
        # The current is so small that the particle stays near 88 % charge: 5520 s.
        slow = curve(SINGLE, ONE.merge({"Particle diffusion time [s]": 5520.0}, Origin("t")), 0.5)
        np.testing.assert_allclose(solved, slow, rtol=0, atol=1e-3)
        assert np.abs(solved - curve(SINGLE, ONE, 0.5)).max() > 4e-3

    def test_a_fit_recovers_diffusion_time_and_pair(self):
        free = ("Particle diffusion time [s]", "R1 [Ohm]", "C1 [F]", SERIES)
        pulses = np.where(TIMES % 500 < 200, 5.0, 0.0)
        noise = 2e-4 * np.random.default_rng(0).normal(size=TIMES.size)
        data = {"Time [s]": TIMES, "Current [A]": pulses, "Voltage [V]": curve(pairs(1), ONE, pulses) + noise}
        model = cw.models.SingleElectrodeLumpedSPMR({"rc pairs": "1"})
        fit = cw.DataFit(
            objectives={"pulses": cw.objectives.CurrentDriven(data, options={"model": model})},
            parameters={
                name: cw.Parameter(name, initial_value=2 * ONE[name], bounds=(ONE[name] / 10, ONE[name] * 10))
                for name in free
            },
        )
        known = cw.direct_entries.DirectEntry({n: v for n, v in ONE.values_.items() if n not in free})
        found = cw.run(cw.Pipeline({"known": known, "fit": fit})).parameters
        # With other noise of the same size, 0.2 mV, the capacitance scatters by 0.7 % (1 sigma), the others less.
        for name in free:
            assert found[name] == pytest.approx(ONE[name], rel=0.03), name

    @pytest.mark.parametrize(
        ("dependencies", "said"),
        [
            ({"taw": ["soc"]}, "is called 'taw'.*did you mean 'tau'"),
            ({"tau": ["SOC"]}, "'tau' cannot depend on 'SOC'.*did you mean 'soc'"),
        ],
    )
    def test_other_dependencies_are_refused(self, dependencies, said):
        with pytest.raises(ConfigurationError, match=said):
            simulation(pairs(0, **dependencies), ONE)

    def test_missing_pairs_are_named(self):
        with pytest.raises(MissingParameterError) as missing:
            simulation(pairs(3), ONE)
        assert missing.value.detail["missing"] == ["C3 [F]", "R3 [Ohm]"]


def test_the_impedance_of_a_particle_is_that_of_finite_diffusion_in_a_sphere():
    frequencies = np.logspace(-5, -3, 5)
    p = ONE.merge({"Initial stoichiometry in lumped electrode": 0.1}, Origin("test"))
    spec = spec_of(pairs(1), {"var_pts": {"r": 60}})
    solved = build(ImpedanceProblem(spec, p, frequencies)).solve({})
    omega = 2j * np.pi * frequencies
    root = np.sqrt(omega * TAU)
    diffusive = TAU / (3 * 3600 * CAPACITY) * np.tanh(root) / (root - np.tanh(root))
    exact = 0.02 + 0.01 / (1 + omega * 0.01 * 3000) + diffusive
    ours = solved.outputs["Z_Re [Ohm]"] + 1j * solved.outputs["Z_Im [Ohm]"]
    # 60 shells: their error goes with the square of the thinnest, 0.4 % of the radius, beside a fifth of it as layer.
    np.testing.assert_allclose(ours, exact, rtol=2e-3)


@pytest.mark.parametrize("model", [GITT, SPMR, SPMER, pairs(1)], ids=lambda model: model["type"])
def test_experiments_run_on_it(model, cells):
    p = cells[1].merge({**ONE.values_, R: 0.02, "Initial temperature [K]": 298.15}, Origin("test"))
    if model["type"] != SINGLE["type"]:
        p = p.without(["Initial SOC [%]"])
    steps = ("Discharge at 1C for 10 minutes", "Charge at 1C until 4.0 V", "Hold at 4.0 V until 50 mA")
    measures = {name: cw.metrics.Last(name) for name in (VOLTAGE, "Current [A]")}
    solved = build(ExperimentProblem(spec_of(model), p, (steps,), measures)).solve({})
    assert solved.status == "solved", solved.message
    assert solved.outputs[VOLTAGE][0] == pytest.approx(4.0, abs=1e-3)
    assert solved.outputs["Current [A]"][0] == pytest.approx(-0.05, abs=1e-3)
