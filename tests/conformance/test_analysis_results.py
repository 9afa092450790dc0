"""The official result classes read what intervals, sensitivities and arrays of fits are on the wire."""

from typing import Any

import ionworks_schema.results as official
import pytest

import cellwright as cw
from cellwright.testing.cells import discharge, published

NAME = "Positive particle diffusivity [m2.s-1]"


@pytest.fixture(scope="module")
def run() -> Any:
    cell = published()
    known = cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n != NAME}, source="published")
    objective = cw.objectives.CurrentDriven(discharge(cell, points=21, noise=1e-3), options={"model": "SPM"})
    free = {NAME: cw.Parameter(NAME, 4e-15, (1e-15, 1e-14))}
    return cw.run(
        cw.Pipeline({
            "known": known,
            "array": cw.ArrayDataFit({"298.15": objective}, parameters=free),
            "fit": cw.DataFit({"o": objective}, parameters=free),
            "interval": cw.LinearConfidenceInterval({"o": objective}, parameters=free),
            "sobol": cw.SobolSensitivity({"o": objective}, parameters=free, n_samples=16),
        })
    )  # fmt: skip


def read(run: Any, element: str) -> Any:
    return official.from_config(dict(run.element(element).result))


def test_intervals_are_read(run: Any) -> None:
    found = read(run, "interval")
    assert isinstance(found, official.ConfidenceIntervalResult)
    low, high = found.bounds_for(NAME)
    assert low < run.parameters.number(NAME) < high
    assert found.width(NAME) == pytest.approx(high - low)
    assert run.element("interval").intervals[NAME] == (low, high)
    # The interval that every fit tells is the same, of the same point and the same steps.
    assert run.element("fit").intervals[NAME] == pytest.approx((low, high), rel=1e-9)


def test_sensitivities_are_read(run: Any) -> None:
    found = read(run, "sobol")
    assert isinstance(found, official.SensitivityResult)
    assert found.top_contributors(1) == run.element("sobol").top_contributors(1)
    # One parameter makes all of the variance; 16 base points tell it within a half.
    assert found.total_order[NAME] == pytest.approx(1.0, abs=0.5)


def test_arrays_of_fits_are_read(run: Any) -> None:
    found = read(run, "array")
    assert isinstance(found, official.ParameterEstimatorResult)
    assert found.parameter_values[NAME]["data"][0] == [298.15]
