"""Entropic changes: finite differences of the potential in the temperature, closed forms, SciPy's tables."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from cellwright.catalog.calculations import EntropicChangeDataInterpolant, EntropicChangeFromMSMRFunction
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.msmr import Sites, entropic_change, potential
from cellwright.schema.parameters import Origin, ParameterSet

CHANGE = "Negative electrode OCP entropic change [V.K-1]"
GRAPHITE = Sites([0.08843, 0.12799, 0.14331], [0.5, 0.3, 0.2], [0.08611, 0.08009, 0.72469])
T = 298.15


def named(sites):
    return {
        "Negative electrode host site standard potential [V]": list(sites.U0),
        "Negative electrode host site occupancy fraction": list(sites.X),
        "Negative electrode host site ideality factor": list(sites.w),
    }


@pytest.mark.oracle("EntropicChangeFromMSMRFunction")
def test_it_is_that_of_the_potential_with_temperature():
    p = ParameterSet(named(GRAPHITE))
    function = EntropicChangeFromMSMRFunction("negative", (0.03, 0.4)).compute(p)[CHANGE]
    x = np.linspace(0.02, 0.98, 501)
    step = 0.01
    difference = (potential(x, GRAPHITE, T + step) - potential(x, GRAPHITE, T - step)) / (2 * step)
    np.testing.assert_allclose(entropic_change(potential(x, GRAPHITE), GRAPHITE), difference, atol=1e-9)
    np.testing.assert_allclose(function(x), difference, atol=2e-8)
    warm = p.merge({"Ambient temperature [K]": 320.0}, Origin("x"))
    doubled = EntropicChangeFromMSMRFunction("negative", (0.03, 0.4), {"scale factor": 2.0}).compute(warm)[CHANGE]
    expected = 2 * entropic_change(potential(x, GRAPHITE, 320.0), GRAPHITE, 320.0)
    np.testing.assert_allclose(doubled(x), expected, atol=4e-8)


@pytest.mark.oracle("EntropicChangeFromMSMRFunction")
@pytest.mark.parametrize("w", [0.1, 1.0, 3.0])
def test_one_kind_of_sites_has_the_entropy_of_mixing(w):
    # U = U0 + (w R T/F) ln((1 - x)/x), hence dU/dT = (w R/F) ln((1 - x)/x).
    p = ParameterSet(named(Sites([0.1], [1.0], [w])))
    reach = 6 * w * GAS * T / FARADAY
    function = EntropicChangeFromMSMRFunction("negative", (0.1 - reach, 0.1 + reach)).compute(p)[CHANGE]
    x = np.linspace(0.01, 0.99, 333)
    np.testing.assert_allclose(function(x), w * GAS / FARADAY * np.log((1 - x) / x), atol=2e-8)


def test_standard_potentials_that_change_with_temperature_add_their_slopes():
    sites, slopes = GRAPHITE, [1e-4, -2e-4, 3e-4]
    x, step = np.linspace(0.05, 0.95, 51), 0.01

    def at(change):
        moved = Sites([U0 + slope * change for U0, slope in zip(sites.U0, slopes, strict=True)], sites.X, sites.w)
        return potential(x, moved, T + change)

    expected = (at(step) - at(-step)) / (2 * step)
    np.testing.assert_allclose(entropic_change(potential(x, sites), sites, T, slopes), expected, atol=1e-9)


def test_sets_and_limits_that_are_needed():
    with pytest.raises(MissingParameterError, match="an MSMR set is needed"):
        EntropicChangeFromMSMRFunction("negative", (0.03, 0.4)).compute(ParameterSet())
    with pytest.raises(ConfigurationError, match="a lower and an upper one"):
        EntropicChangeFromMSMRFunction("negative", (0.4, 0.03)).compute(ParameterSet(named(GRAPHITE)))


POINTS = np.array([0.0, 0.2, 0.4, 0.7, 1.0]), np.array([1e-4, 5e-5, -1e-4, -2e-4, 3e-4])
DATA = dict(zip(("Stoichiometry", "Entropic change [V.K-1]"), POINTS, strict=True))
AT = np.linspace(0.0, 1.0, 101)


@pytest.mark.oracle("EntropicChangeDataInterpolant")
@pytest.mark.parametrize(
    ("interpolator", "expected"),
    [
        ("linear", np.interp(AT, *POINTS)),
        ("cubic", CubicSpline(*POINTS)(AT)),
        ("pchip", PchipInterpolator(*POINTS)(AT)),
    ],
)
def test_measured_entropic_changes_are_joined_and_scaled(interpolator, expected):
    options = {"phase": "secondary", "scale factor": 0.5, "interpolator": interpolator}
    function = EntropicChangeDataInterpolant("negative", DATA, options).compute(ParameterSet())[f"Secondary: {CHANGE}"]
    np.testing.assert_allclose(function(AT), 0.5 * expected, atol=1e-16)


def test_data_that_are_no_entropic_change():
    percent = {**DATA, "Stoichiometry": 100 * POINTS[0]}
    with pytest.raises(DataError, match="goes from 0 to 100; stoichiometries lie between 0 and 1"):
        EntropicChangeDataInterpolant("negative", percent).compute(ParameterSet())
    one = {name: values[:1] for name, values in DATA.items()}
    with pytest.raises(DataError, match="at least two distinct points, the data have 1"):
        EntropicChangeDataInterpolant("negative", one).compute(ParameterSet())
