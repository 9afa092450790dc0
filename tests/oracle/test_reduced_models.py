"""Models of our own against PyBaMM's and against closed forms."""

import pickle

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.models import spec_of
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.build import build
from cellwright.models.shelf import put, taken
from cellwright.models.simulate import _plain
from cellwright.schema.names import names_of
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.testing.cells import published

TIMES = np.linspace(0, 1500, 151)
VOLTAGE, SURFACE_OCV = "Voltage [V]", "Surface open-circuit voltage [V]"
DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
R = "Ohmic resistance [Ohm]"
AREA = "Electrode cross-sectional area [m2]"
TIGHT = {"solver": {"rtol": 1e-8, "atol": 1e-10}}
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


EQUAL = {f"{electrode} particle": "Uniform1DSubMesh" for electrode in ("negative", "positive")}
"""The shells of PyBaMM's single particle model, for comparison."""
GITT = {"type": "GITTModel", "simulation_settings": {"submesh_types": EQUAL}}
HALF = {
    "type": "GITTModel",
    "options": {"working electrode": "positive"},
    "simulation_settings": {"submesh_types": {"positive particle": "Uniform1DSubMesh"}},
}


class TestGITT:
    @pytest.mark.oracle("GITTModel")
    @pytest.mark.parametrize("current", [5.0, -0.5])
    def test_it_is_the_open_circuit_voltage_at_the_surfaces_of_spm_less_the_resistance(self, current):
        spm = ModelSpec("SPM", settings=TIGHT)
        theirs = simulation(spm, cell(), current, (SURFACE_OCV,)).solve({}).outputs[SURFACE_OCV]
        # The Chen2020 set has no entropic change, which the model leaves out.
        np.testing.assert_allclose(curve(GITT, cell(), current), theirs - current * 0.02, atol=SAME)

    def test_of_a_half_cell_it_is_the_positive_electrode_alone(self):
        p = cell()
        variables = ("X-averaged positive electrode open-circuit potential [V]",)
        spm = ModelSpec("SPM", settings=TIGHT)
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
