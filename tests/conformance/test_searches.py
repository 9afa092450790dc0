"""Every estimator proves what `cellwright.testing.searches` asks of it; `tools/estimators.py` prints the table."""

import pytest

from cellwright.testing import searches

SUBJECTS = searches.subjects()
PROOFS = [
    pytest.param(claim, name, id=f"{name}: {claim}", marks=[pytest.mark.slow] * (name in searches.FEW))
    for name, estimator in SUBJECTS.items()
    for claim in searches.PROPERTIES
    if searches.applies(claim, name, estimator)
]


@pytest.mark.parametrize(("claim", "name"), PROOFS)
def test_estimator(claim, name):
    searches.PROPERTIES[claim](SUBJECTS[name])
