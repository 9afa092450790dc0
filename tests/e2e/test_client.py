"""What users do with the client, on this computer and on a server: the same calls, the same answers."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cellwright as cw
from cellwright.client import PipelineTimeoutError
from cellwright.client.connection import ConnectionFailedError
from cellwright.errors import (
    CanceledError,
    CellwrightError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
)

CAPACITY = "Positive electrode capacity [A.h]"
KNOWN = {
    "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
    "Positive electrode active material volume fraction": 0.65,
    "Positive electrode thickness [m]": 80e-6,
    "Electrode area [m2]": 0.1,
}
BY_HAND = 51217.0 * 0.65 * 80e-6 * 0.1 * 96485.33212 / 3600
"""c_max ε L A F / 3600, in A.h."""


@pytest.fixture(scope="module", params=["embedded", "server"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[cw.Client]:
    if request.param == "embedded":
        client = cw.Client(home=tmp_path_factory.mktemp("home"))
    else:
        client = cw.Client(request.getfixturevalue("server").url)
    with client:
        yield client


def pipeline(known: dict[str, Any] = KNOWN, electrode: str = "positive") -> cw.Pipeline:
    return cw.Pipeline(
        {
            "known": cw.direct_entries.DirectEntry(parameters=known, source="datasheet"),
            "capacity": cw.calculations.ElectrodeCapacity(electrode=electrode),
        }
    )


def test_a_pipeline_is_submitted_followed_and_its_result_fetched(client: cw.Client) -> None:
    began = time.monotonic()
    run = client.pipeline.create(pipeline(), name="My cell", description="from its datasheet")
    assert time.monotonic() - began < 5  # it returns at once: the contract's clients give up after ten seconds
    assert (run.name, run.description, run.is_terminal) == ("My cell", "from its datasheet", False)
    done = client.pipeline.wait_for_completion(run.id, timeout=60)
    assert (done.status, done.is_terminal, done.is_failed, done.error) == ("completed", True, False, None)
    result = client.pipeline.result(run.id)
    assert result.parameters[CAPACITY] == pytest.approx(BY_HAND, rel=1e-9)  # the constants' digits
    assert result.result["parameter_values"][CAPACITY] == result.parameters[CAPACITY]
    assert result.element_results["capacity"]["parameter_values"] == {CAPACITY: result.parameters[CAPACITY]}
    assert result.element("known").origins["Electrode area [m2]"]["source"] == "datasheet"
    assert [element.name for element in result.elements] == ["known", "capacity"]
    assert [(e.name, e.element_type, e.status) for e in client.pipeline.elements(run.id)] == [
        ("known", "entry", "completed"),
        ("capacity", "calculation", "completed"),
    ]
    assert result.id == run.id
    assert {"cellwright", "pybamm", "pybammsolvers", "casadi", "numpy", "scipy"} <= set(result.versions)
    assert result.config == pipeline().to_config()


def test_a_dict_is_a_pipeline_too_and_gets_a_name(client: cw.Client) -> None:
    run = client.pipeline.create(pipeline().to_config())
    assert run.name
    assert client.pipeline.wait_for_completion(run.id, timeout=60, verbose=False).status == "completed"


def test_what_is_missing_stays_an_expression(client: cw.Client) -> None:
    known = {name: value for name, value in KNOWN.items() if "area" not in name}
    run = client.pipeline.create(pipeline(known))
    client.pipeline.wait_for_completion(run.id, timeout=60, verbose=False)
    result = client.pipeline.result(run.id)
    assert result.unresolved == {CAPACITY: ["Electrode area [m2]"]}
    symbol = result.parameters[CAPACITY]
    assert symbol.substitute({"Electrode area [m2]": 0.1}) == pytest.approx(BY_HAND, rel=1e-9)


def test_values_come_back_to_the_bit(client: cw.Client) -> None:
    known = {
        "Nominal cell capacity [A.h]": 0.1 + 0.2,
        "Upper voltage cut-off [V]": math.inf,
        "Contact resistance [Ohm]": 5e-324,
    }
    run = client.pipeline.create({"elements": {"known": {"element_type": "entry", "values": known}}})
    client.pipeline.wait_for_completion(run.id, timeout=60, verbose=False)
    assert dict(client.pipeline.result(run.id).parameters) == known


def test_runs_are_listed_renamed_and_deleted(client: cw.Client) -> None:
    run = client.pipeline.create(pipeline(), name="To be renamed")
    client.pipeline.wait_for_completion(run.id, timeout=60, verbose=False)
    assert run.id in [row.id for row in client.pipeline.list()]
    assert [row.id for row in client.pipeline.list(name="ilike.%BE REN%", status="in.(completed,failed)")] == [run.id]
    assert client.pipeline.list(name="To be") == []
    assert len(client.pipeline.list(limit=1)) == 1
    changed = client.pipeline.update(run.id, name="Renamed", description="why")
    assert (changed.name, changed.description) == ("Renamed", "why")
    assert client.pipeline.result(run.id).name == "Renamed"
    client.pipeline.delete(run.id)
    with pytest.raises(NotFoundError, match=run.id):
        client.pipeline.get(run.id)


def test_a_wrong_filter_names_the_right_one(client: cw.Client) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client.pipeline.list(nam="x")
    assert caught.value.hint == "did you mean 'name'?"


def test_a_wrong_document_is_refused_with_its_place_and_remedy(client: cw.Client) -> None:
    config = pipeline().to_config()
    config["elements"]["capacity"]["electrode"] = "positve"
    with pytest.raises(ConfigurationError) as caught:
        client.pipeline.create(config)
    assert caught.value.at == ("capacity", "electrode")
    assert caught.value.hint == "did you mean 'positive'?"


def test_a_failed_run_tells_its_element_and_the_remedy(client: cw.Client, fit_config: dict[str, Any]) -> None:
    config = {"elements": {**fit_config["elements"]}}
    known = dict(config["elements"]["known"]["values"])
    del known["Positive particle radius [m]"]
    config["elements"]["known"] = {"element_type": "entry", "values": known}
    run = client.pipeline.create(config)
    with pytest.raises(CellwrightError) as caught:
        client.pipeline.wait_for_completion(run.id, timeout=120, verbose=False)
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.at[0] == "fit"
    assert "Positive particle radius [m]" in str(caught.value)
    record = client.pipeline.wait_for_completion(run.id, raise_on_failure=False, verbose=False)
    assert record.is_failed
    assert str(record.error).startswith("Element 'fit'")
    assert "\n" not in str(record.error)
    with pytest.raises(ConfigurationError):
        client.pipeline.result(run.id)


def test_a_fit_leaves_its_curves_and_its_job(client: cw.Client, fit_config: dict[str, Any]) -> None:
    run = client.pipeline.create(fit_config, name="fit")
    with pytest.raises(ConflictError, match="wait_for_completion"):
        client.pipeline.result(run.id)
    with pytest.raises(PipelineTimeoutError, match=r"within 0\.2 seconds") as caught:
        client.pipeline.wait_for_completion(run.id, timeout=0.2, verbose=False)
    assert isinstance(caught.value, TimeoutError)
    client.pipeline.wait_for_completion(run.id, timeout=300, verbose=False)
    fit = client.pipeline.result(run.id).element("fit")
    assert fit.result["cost"] < 1e-4
    curves = fit.series["1C"]["optimal"]
    assert len(curves["Time [s]"]) == len(curves["Voltage [V] (model)"]) == 31
    (element,) = [e for e in client.pipeline.elements(run.id) if e.job_id]
    assert element.progress["best_cost"] == fit.result["cost"]
    job = client.job.get(str(element.job_id))
    assert (job.status, job.job_type, job.is_terminal) == ("completed", "data_fit", True)
    assert job.job_id in [row.job_id for row in client.job.list()]
    assert client.job.metadata(job.job_id)["intermediate_results"][-1]["best_cost"] == fit.result["cost"]


def test_a_posterior_comes_back_with_its_draws(client: cw.Client, fit_config: dict[str, Any]) -> None:
    sampled = {
        **fit_config["elements"]["fit"],
        "cost": {"type": "GaussianLogLikelihood", "sigma": {"Voltage [V]": 0.002}},
        "optimizer": {"type": "PintsSampler", "max_iterations": 12},
    }
    run = client.pipeline.create({"elements": {**fit_config["elements"], "fit": sampled}})
    client.pipeline.wait_for_completion(run.id, timeout=120, verbose=False)
    record = client.pipeline.result(run.id).element("fit")
    found = record.posterior
    assert found is not None
    assert found.chains.shape == (4, 12, 2)
    assert set(record.curves) == {"1C"}
    for name in found.parameter_names:
        assert found.marginal(name).mean() == pytest.approx(found.posterior_summary[name]["mean"], rel=1e-12)


def test_a_running_fit_is_canceled(client: cw.Client, fit_config: dict[str, Any]) -> None:
    config = {"elements": {**fit_config["elements"]}}
    endless = {"type": "PSO", "max_iterations": 10**6, "max_unchanged_iterations": 10**6, "xtol": 0.0,
               "population_convergence_tol": 0.0}  # fmt: skip
    config["elements"]["fit"] = {**config["elements"]["fit"], "optimizer": endless}
    run = client.pipeline.create(config)
    until = time.monotonic() + 60
    while client.pipeline.get(run.id).status == "pending" and time.monotonic() < until:
        time.sleep(0.05)
    client.pipeline.cancel(run.id)
    with pytest.raises(CanceledError):
        client.pipeline.wait_for_completion(run.id, timeout=60, verbose=False)
    assert client.pipeline.cancel(run.id).status == "canceled"


def test_files_are_read_here_and_sent_along(client: cw.Client, fit_config: dict[str, Any], tmp_path: Path) -> None:
    data = fit_config["elements"]["fit"]["objectives"]["1C"]["data"]["data"]
    rows = zip(*data.values(), strict=True)
    lines = [",".join(data), *(",".join(map(repr, row)) for row in rows)]
    (tmp_path / "discharge.csv").write_text("\n".join(lines))
    config = {"elements": {**fit_config["elements"]}}
    objective = {**config["elements"]["fit"]["objectives"]["1C"], "data": f"file:{tmp_path / 'discharge.csv'}"}
    config["elements"]["fit"] = {**config["elements"]["fit"], "objectives": {"1C": objective}}
    run = client.pipeline.create(config)
    (tmp_path / "discharge.csv").unlink()
    client.pipeline.wait_for_completion(run.id, timeout=300, verbose=False)
    sent = client.pipeline.result(run.id).config["elements"]["fit"]["objectives"]["1C"]["data"]
    assert sent["data"]["Voltage [V]"] == data["Voltage [V]"]


def test_the_client_says_where_it_is(client: cw.Client) -> None:
    assert client.health()["status"] == "ok"
    assert repr(client).startswith("Client(")


def test_no_server_there_is_told_with_a_remedy() -> None:
    with cw.Client("http://127.0.0.1:9") as client, pytest.raises(ConnectionFailedError) as caught:
        client.pipeline.list()
    assert "cellwright serve" in str(caught.value)


def test_the_worker_finishes_what_a_program_that_ends_has_left(home: Path) -> None:
    program = f"""
import cellwright as cw
client = cw.Client(home={str(home)!r})
print(client.pipeline.create({pipeline().to_config()!r}, name="left alone").id)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    run_id = done.stdout.strip()
    from cellwright.service.process import is_gone
    from cellwright.store import Store

    store = Store(home)
    while not store.runs.get(run_id).is_terminal and time.monotonic() - began < 60:
        time.sleep(0.1)
    assert store.runs.get(run_id).status == "completed"
    while [worker for worker in store.workers.since(store_silence()) if not is_gone(worker)]:
        assert time.monotonic() - began < 60, "the worker has stayed though its parent and its work are gone"
        time.sleep(0.1)


def store_silence() -> Any:
    from cellwright.service.supervisor import SILENCE

    return SILENCE


def test_importing_the_client_loads_no_server() -> None:
    program = "import sys, cellwright.client; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"fastapi", "sqlalchemy", "pybamm", "uvicorn"} & set(done.stdout.split())
