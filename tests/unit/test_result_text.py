"""What a result says of itself where it is printed: short, and with what is to be taken with care."""

import pybamm

import cellwright as cw
from cellwright.testing.cells import discharge, published

DN, A, B = "Negative particle diffusivity [m2.s-1]", "a", "b"


def test_a_printed_result_has_the_values_and_what_the_data_leave_open():
    cell = published()
    fit = cw.DataFit(
        cw.objectives.CurrentDriven(discharge(cell, noise=1e-3), {"model": "SPM"}),
        parameters={
            A: cw.Parameter(A, 1.5, (0.1, 10.0)),
            B: cw.Parameter(B, 1.5e-14, (1e-15, 1e-13)),
            DN: pybamm.Parameter(A) * pybamm.Parameter(B),
        },
    )
    result = cw.run(cw.Pipeline({"known": cw.from_pybamm("Chen2020"), "fit": fit}, name="product"))
    text = str(result)
    assert text.startswith("product: completed\nknown: DirectEntry, completed\n")
    assert "a and b cannot be told apart by these data: only their product is determined" in text
    assert f"  a: {result.element('fit').result['parameter_values'][A]:.5g} (not determined)" in text.splitlines()
    assert len(text) < 2000
    assert repr(result) == "<PipelineResult 'product': completed; elements: known, fit>"
    assert repr(result.element("fit")) == "<ElementRecord 'fit': DataFit, completed>"


def test_analyses_and_validations_are_told_in_lines():
    objective = cw.objectives.CurrentDriven(discharge(published(), noise=1e-3), {"model": "SPM"})
    free = {DN: cw.transforms.Log10(cw.Parameter(DN, 3e-14, (1e-15, 1e-12)))}
    elements = {
        "known": cw.from_pybamm("Chen2020"),
        "fit": cw.DataFit(objective, parameters=free),
        "interval": cw.LinearConfidenceInterval(objective, parameters=free),
        "sobol": cw.SobolSensitivity(objective, parameters=free, n_samples=8),
        "judged": cw.Validation({"again": objective}),
    }
    result = cw.run(cw.Pipeline(elements))
    (low, high), printed = result.element("interval").intervals[DN], str(result.element("interval"))
    assert printed.splitlines()[1] == f"  {DN}: {low:.5g} to {high:.5g}"
    assert f"{DN}: total index" in str(result.element("sobol"))
    assert "RMSE [mV] (Voltage [V]): " in str(result.element("judged"))


def test_a_search_that_did_not_arrive_says_so():
    objective = cw.objectives.CurrentDriven(discharge(published()), {"model": "SPM"})
    free = {DN: cw.transforms.Log10(cw.Parameter(DN, 3e-14, (1e-15, 1e-12)))}
    fit = cw.DataFit(objective, parameters=free, optimizer=cw.optimizers.ScipyLeastSquares(max_nfev=1))
    text = str(cw.run(cw.Pipeline({"known": cw.from_pybamm("Chen2020"), "fit": fit})))
    assert "  the search did not converge: The maximum number of function evaluations is exceeded." in text
