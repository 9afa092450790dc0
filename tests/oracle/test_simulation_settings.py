"""Simulation settings on every model: they are used, a finer mesh converges, and what is misspelt is told."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.named_models import spec_of
from cellwright.errors import ConfigurationError
from cellwright.models.build import build
from cellwright.models.published import published
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import SimulationProblem
from cellwright.schema.values import Function

TIMES = np.linspace(0, 600, 31)
SOLVER = {"rtol": 1e-8, "atol": 1e-10}
"""The integrator's error, a nanovolt, is not seen beside that of the mesh."""
CELL = published().merge(
    {
        "Ohmic resistance [Ohm]": 0.02,
        "Series resistance [Ohm]": 0.02,
        "Negative electrode capacity [A.h]": 5.8,
        "Positive electrode capacity [A.h]": 8.7,
        "Negative particle diffusion time [s]": 1000.0,
        "Positive particle diffusion time [s]": 7000.0,
        "Negative electrode electrolyte capacity [A.h]": 0.08,
        "Separator electrolyte capacity [A.h]": 0.02,
        "Positive electrode electrolyte capacity [A.h]": 0.09,
        "Negative electrode electrolyte diffusion time [s]": 70.0,
        "Separator electrolyte diffusion time [s]": 1.0,
        "Positive electrode electrolyte diffusion time [s]": 50.0,
        "Electrolyte overpotential factor": 1.5,
        "Lumped electrode OCP [V]": Function.trace(lambda sto: 4.2 - sto),
        "Lumped electrode capacity [A.h]": 5.0,
        "Particle diffusion time [s]": 3000.0,
        "Initial stoichiometry in lumped electrode": 0.1,
        "Electrolyte diffusivity [m2.s-1]": 2e-10,
    },
    Origin("test"),
)
CIRCUIT = published("ECM_Example").merge({"Diffusion time constant [s]": 500.0}, Origin("test"))


def model(kind, **settings):
    given = {"simulation_settings": cw.models.SimulationSettings(solver=SOLVER, **settings)}
    match kind:
        case "Thevenin":
            return cw.models.PyBaMMModel(kind, {"diffusion element": "true"}, module="equivalent_circuit", **given)
        case "SPM" | "SPMe":
            return cw.models.PyBaMMModel(kind, **given)
        case _:
            return getattr(cw.models, kind)(**given)


def curve(given, p: ParameterSet | None = None):
    p = p or (CIRCUIT if getattr(given, "module", None) == "equivalent_circuit" else CELL)
    solved = build(SimulationProblem(spec_of(given), p, TIMES, np.full(31, 5.0), TIMES, ("Voltage [V]",))).solve({})
    assert solved.status == "solved", solved.message
    return solved.outputs["Voltage [V]"]


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        ("SPM", ("r_n", "r_p")),
        ("SPMe", ("x_n", "x_s", "x_p")),
        ("Thevenin", ("x ECMD",)),
        ("GITTModel", ("r_n", "r_p")),
        ("LumpedSPMR", ("r_n", "r_p")),
        ("LumpedSPMeR", ("x_n", "x_s", "x_p")),
        ("SingleElectrodeLumpedSPMR", ("r",)),
    ],
)
def test_a_finer_mesh_converges(kind, variables):
    coarse, finer, fine, finest = (curve(model(kind, var_pts=dict.fromkeys(variables, n))) for n in (10, 20, 40, 160))
    errors = [np.abs(one - finest).max() for one in (coarse, finer, fine)]
    assert errors[0] > 1e-6, "the mesh is not used"
    assert errors[0] > 1.7 * errors[1] > 1.7 * 1.7 * errors[2], errors


@pytest.mark.parametrize("kind", ["SPM", "GITTModel", "LumpedSPMR"])
def test_shells_that_are_thinner_at_the_surface_are_nearer_to_the_truth(kind):
    def error(name, **parameters):
        shells = {"class": name, "submesh_params": parameters}
        submeshes = {f"{electrode} particle": shells for electrode in ("negative", "positive")}
        return np.abs(curve(model(kind, submesh_types=submeshes)) - truth)[1:].max()

    truth = curve(model(kind, var_pts={"r_n": 300, "r_p": 300}))
    assert error("Exponential1DSubMesh", side="right", stretch=2.5) < 0.4 * error("Uniform1DSubMesh")


@pytest.mark.parametrize(
    ("kind", "domain", "variable"),
    [("GITTModel", "positive particle", "r_p"), ("SingleElectrodeLumpedSPMR", "lumped particle", "r")],
)
def test_a_spatial_method_and_an_extent_are_used(kind, domain, variable):
    plain = curve(model(kind))
    by_volumes = curve(model(kind, spatial_methods={domain: "FiniteVolume"}))
    np.testing.assert_array_equal(by_volumes, plain)
    whole = curve(model(kind, geometry={domain: {variable: {"min": 0, "max": 1}}}))
    np.testing.assert_array_equal(whole, plain)
    hollow = curve(model(kind, geometry={domain: {variable: {"min": 0.5, "max": 1}}}))
    assert np.abs(hollow - plain).max() > 1e-4


def test_the_settings_of_a_model_and_of_an_objective_are_merged():
    kwargs = {"var_pts": {"r_n": 10}}
    spec = spec_of(model("LumpedSPMR", var_pts={"r_n": 5, "r_p": 7}), kwargs)
    assert spec.settings["var_pts"] == {"r_n": 10, "r_p": 7}
    assert spec.settings["solver"] == SOLVER


@pytest.mark.parametrize(
    ("kind", "settings", "said", "hint"),
    [
        ("GITTModel", {"var_pts": {"r_m": 10}}, "spatial variable 'r_m'", "'r_n'"),
        ("SingleElectrodeLumpedSPMR", {"var_pts": {"r_n": 10}}, "spatial variable 'r_n'", "r"),
        ("Thevenin", {"var_pts": {"x_ECMD": 10}}, "spatial variable 'x_ECMD'", "'x ECMD'"),
        ("LumpedSPMR", {"submesh_types": {"negtive particle": "Uniform1DSubMesh"}}, "domain", "'negative particle'"),
        ("LumpedSPMeR", {"geometry": {"seperator": {"x_s": {"min": 0, "max": 1}}}}, "domain", "'separator'"),
        ("LumpedSPMeR", {"geometry": {"separator": {"xs": {"min": 0, "max": 1}}}}, "spatial variable 'xs'", "'x_s'"),
        ("SPM", {"spatial_methods": {"negative particel": "FiniteVolume"}}, "domain", "'negative particle'"),
        ("GITTModel", {"submesh_types": {"positive particle": "Exponential1DMesh"}}, "no submesh", "1DSubMesh"),
    ],
)
def test_what_a_model_does_not_have_is_told_with_the_nearest(kind, settings, said, hint):
    with pytest.raises(ConfigurationError, match=said) as error:
        curve(model(kind, **settings))
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("kind", "points"), [("SPM", {"r_n": 2}), ("LumpedSPMeR", {"x_s": 0}), ("GITTModel", {"r_p": 1})]
)
def test_too_few_points_are_told(kind, points):
    ((name, count),) = points.items()
    with pytest.raises(ConfigurationError, match=f"'{name}' has {count} points, and needs a whole number"):
        curve(model(kind, var_pts=points))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"var_pts": 10}, "'var_pts' names a spatial variable and its value, and is not 10"),
        ({"var_pts": {"r_n": "10"}}, "'r_n' has '10' points"),
        ({"geometry": {"negative particle": 1.0}}, "'geometry' names a spatial variable and its value"),
    ],
)
def test_settings_of_another_shape_are_told(settings, said):
    with pytest.raises(ConfigurationError, match=said):
        build(SimulationProblem(spec_of("GITTModel", settings), CELL, TIMES, 0 * TIMES, TIMES, ("Voltage [V]",)))


def test_methods_of_single_domains_of_pybamms_models_are_taken():
    assert curve(model("SPMe", spatial_methods={"negative electrode": "FiniteVolume"})).shape == TIMES.shape
