"""Jobs give the same numbers wherever they are done, also where their models cannot travel."""

import pickle

import numpy as np
import pytest

from cellwright.catalog.objectives import CurrentDriven
from cellwright.engine.job import ObjectiveJob
from cellwright.models.simulate import build
from cellwright.schema.work import Task
from cellwright.testing.cells import discharge, published

RADIUS, D_P = "Positive particle radius [m]", "Positive particle diffusivity [m2.s-1]"
AT = {RADIUS: 5e-6, D_P: 4e-15}


OWN_MESH = {"submesh_types": {"positive particle": "Uniform1DSubMesh"}}
"""One that does not stretch, so that a model is built for each radius."""


@pytest.mark.parametrize("shaped", [RADIUS, None], ids=["built there", "sent"])
def test_a_search_has_the_same_numbers_here_and_where_it_is_sent(shaped):
    free = tuple(name for name in (shaped, D_P) if name)
    options = {"model": "SPM", "simulation_kwargs": OWN_MESH if shaped else None}
    one = CurrentDriven(data_input=discharge(published(), duration=1500.0, points=301), options=options)
    p = published().without(free)
    ready = one.prepare(p, free, build)
    assert ready.portable == (shaped is None)
    whole = ObjectiveJob.of({"a": ready}, {"a": one}, p, free, build)
    search = whole.thinned([{name: AT[name] * factor for name in free} for factor in (1.0, 0.8)])
    task = Task("a", {name: AT[name] * 1.1 for name in free})
    voltages = {}
    for name, job in (("whole", whole), ("search", search)):
        here, there = (done()([task])[0].predicted["Voltage [V]"] for done in (job, pickle.loads(pickle.dumps(job))))
        np.testing.assert_array_equal(here, there)
        voltages[name] = here
    assert np.any(voltages["search"] != voltages["whole"]), "the search is not thinned"
