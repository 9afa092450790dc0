"""A posterior in reports: its table, the density of each parameter, the ways of its chains."""

import json
import re
from html import unescape

import numpy as np
import pytest
from rich.console import Console

from cellwright.report.page import render
from cellwright.report.posterior import marginals, posterior_facts, posterior_rows, ways
from cellwright.report.text import summary
from cellwright.schema.posterior import CHAINS, stored
from cellwright.schema.results import ElementRecord, PipelineResult

NAMES = ("Negative particle diffusivity [m2.s-1]", "offset")
DRAWS = np.random.default_rng(0).normal([3e-14, 5.0], [1e-15, 0.5], (3, 200, 2))


def sampled(draws=DRAWS, **fields):
    rows = [{"name": n, "initial": 1.0, "value": 1.0, "lower": None, "upper": None, "at_bound": None} for n in NAMES]
    row = {"mean": 3e-14, "std": 1.23456e-15, "median": 3.01e-14, "q05": 2.8e-14, "q95": 3.2e-14}
    result = {
        "type": "PosteriorResult",
        "parameter_values": dict.fromkeys(NAMES, 1.0),
        "cost": -3.0,
        "message": "3 chains of 200 draws",
        "parameters": rows,
        "parameter_names": list(NAMES),
        "burnin": 20,
        "method": "DramACMC",
        "acceptance_rate": 0.254,
        "r_hat": {NAMES[0]: 1.0034, NAMES[1]: None},
        "ess": {NAMES[0]: 412.3, NAMES[1]: None},
        "posterior_summary": dict.fromkeys(NAMES, row),
    }
    series = {CHAINS: stored(NAMES, draws, -np.ones(draws.shape[:2]))}
    return ElementRecord("sample", "data_fit", "DataFit", "completed", result=result | fields, series=series)


def page(record):
    return render(PipelineResult("1", "run", "completed", (record,), {}))


def test_the_table_tells_moments_quantiles_and_how_far_to_trust_them():
    first, second = posterior_rows(sampled())
    assert (first.base, first.unit) == ("Negative particle diffusivity", "m² s⁻¹")
    assert (first.mean, first.std, first.low, first.high) == ("3e-14", "1.23e-15", "2.8e-14", "3.2e-14")
    assert (first.r_hat, first.ess) == ("1.003", "412")
    assert (second.r_hat, second.ess) == ("none", "none")
    said = "DramACMC: 3 chains of 200 draws, the first 20 left out; 25.4 % of the draws are new."
    assert posterior_facts(sampled()) == said
    assert posterior_rows(ElementRecord("fit", "data_fit", "DataFit")) == []
    assert posterior_facts(ElementRecord("fit", "data_fit", "DataFit")) == ""


def test_a_density_encloses_one_over_the_draws_after_the_burn_in():
    for plot, draws in zip(marginals(sampled()), np.moveaxis(DRAWS[:, 20:], -1, 0), strict=True):
        (line,) = plot.panels[0].lines
        assert (line.values[:-1] * np.diff(plot.x)).sum() == pytest.approx(1.0)
        assert (plot.x[0], plot.x[-1]) == (draws.min(), draws.max())
    still = list(marginals(sampled(np.full((2, 40, 2), 3.0))))
    assert all(np.isfinite(plot.x).all() and np.isfinite(plot.panels[0].lines[0].values).all() for plot in still)


def test_every_chain_has_its_way():
    plots = list(ways(sampled()))
    assert [len(plot.panels[0].lines) for plot in plots] == [3, 3]
    assert np.array_equal(plots[1].panels[0].lines[2].values, DRAWS[2, :, 1])
    assert plots[0].x[0] == 1


def test_the_page_and_the_terminal_show_it():
    html = page(sampled())
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    assert "Posterior DramACMC: 3 chains of 200 draws" in text
    assert "Standard deviation" in text
    drawn = json.loads(re.search(r'id="plots">(.*?)</script>', html, re.DOTALL)[1])
    roles = [line["role"] for plot in drawn.values() for panel in plot["panels"] for line in panel["lines"]]
    assert roles.count("chain") == 6
    assert "no curves were kept" not in unescape(text)
    without = page(ElementRecord("fit", "data_fit", "DataFit", "completed", result={"parameter_values": {}}))
    assert "Posterior" not in without
    console = Console(width=120, record=True)
    console.print(summary(PipelineResult("1", "run", "completed", (sampled(),), {})))
    said = console.export_text()
    assert re.search(r"Posterior +Mean +Std +5 % +95 % +R-hat +ESS", said)
    assert re.search(r"diffusivity +3e-14 +1.23e-15 +2.8e-14 +3.2e-14 +1.003 +412", said)


def test_a_posterior_whose_draws_were_not_loaded_has_its_table_all_the_same():
    record = ElementRecord.from_dict(sampled().to_dict())
    assert "Independent draws" in page(record)
    assert list(marginals(record)) == list(ways(record)) == []
