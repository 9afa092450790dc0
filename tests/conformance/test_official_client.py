"""The unmodified client of the contract, pointed at our server, does what its documentation promises."""

import contextlib
import gzip
import io
from collections.abc import Iterator
from typing import Any

import httpx
import ionworks_schema as iws
import numpy as np
import pybamm
import pytest
from ionworks import Ionworks, IonworksError
from pybamm.expression_tree.operations.serialise import convert_symbol_from_json

import cellwright as cw

CAPACITY = "Positive electrode capacity [A.h]"
KNOWN = {
    "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
    "Positive electrode active material volume fraction": 0.65,
    "Positive electrode thickness [m]": 80e-6,
    "Electrode area [m2]": 0.1,
}
BY_HAND = 51217.0 * 0.65 * 80e-6 * 0.1 * 96485.33212 / 3600
"""c_max ε L A F / 3600, in A.h."""


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[Ionworks]:
    """The client as its documentation has it: the address, key and project come from the environment."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("IONWORKS_API_URL", server.url)
        environment.setenv("IONWORKS_API_KEY", "any")
        environment.setenv("IONWORKS_PROJECT_ID", "my-project")
        yield Ionworks()


def documented(known: dict[str, Any] = KNOWN) -> iws.Pipeline:
    return iws.Pipeline(
        {
            "known": iws.direct_entries.DirectEntry(parameters=known, source="datasheet"),
            "Q_pos": iws.calculations.ElectrodeCapacity(electrode="positive"),
        }
    )


def wait(client: Ionworks, run_id: str, **options: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        record = client.pipeline.wait_for_completion(run_id, timeout=120, poll_interval=1, **options)
    assert "Pipeline finished with status" in said.getvalue() or record.status != "completed"
    return record


def test_the_documented_program(client: Ionworks) -> None:
    run = client.pipeline.create(documented(), name="Capacity pipeline", description="as documented")
    assert (run.name, run.status, run.is_terminal, run.is_failed) == ("Capacity pipeline", "pending", False, False)
    done = wait(client, run.id)
    assert (done.status, done.is_terminal, done.error) == ("completed", True, None)
    result = client.pipeline.result(run.id)
    assert result.element_results["Q_pos"]["parameter_values"][CAPACITY] == pytest.approx(BY_HAND, rel=1e-9)
    assert result.result["parameter_values"][CAPACITY] == pytest.approx(BY_HAND, rel=1e-9)
    element = result.element("Q_pos")
    assert type(element).__name__ == "PassthroughResult"
    assert element.parameter_values[CAPACITY] == pytest.approx(BY_HAND, rel=1e-9)


def test_the_documented_minimal_program_leaves_expressions(client: Ionworks) -> None:
    run = client.pipeline.create(documented({"Ambient temperature [K]": 298.15}))
    assert run.name
    wait(client, run.id)
    values = client.pipeline.result(run.id).element("Q_pos").parameter_values
    symbol = convert_symbol_from_json(values[CAPACITY])
    free = {leaf.name for leaf in symbol.pre_order() if isinstance(leaf, pybamm.Parameter)}
    assert free == set(KNOWN)
    assert pybamm.ParameterValues(KNOWN).evaluate(symbol) == pytest.approx(BY_HAND, rel=1e-9)


def test_lists_changes_and_deletion(client: Ionworks) -> None:
    run = client.pipeline.create(documented(), name="Before")
    wait(client, run.id)
    assert run.id in [row.id for row in client.pipeline.list()]
    assert [row.id for row in client.pipeline.list(name="Before", status="in.(completed,failed)")] == [run.id]
    assert list(client.pipeline.list(created_at_gt="2999-01-01T00:00:00+00:00")) == []
    assert len(client.pipeline.list(limit=1, order_by="name", order="asc")) == 1
    changed = client.pipeline.update(run.id, name="After", description="why")
    assert (changed.name, changed.description) == ("After", "why")
    client.pipeline.delete(run.id)
    with pytest.raises(IonworksError) as caught:
        client.pipeline.get(run.id)
    assert (caught.value.status_code, caught.value.error_code) == (404, "NOT_FOUND")


def test_a_fit_its_curves_trace_and_series(client: Ionworks, fit_config: dict[str, Any]) -> None:
    run = client.pipeline.create(fit_config, name="fit")
    with pytest.raises(IonworksError) as caught:
        client.pipeline.result(run.id)
    assert caught.value.status_code == 409
    wait(client, run.id)
    fit = client.pipeline.result(run.id).element("fit")
    assert type(fit).__name__ == "OptimizationResult"
    assert fit.cost < 1e-3
    (job,) = [row for row in client.job.list() if getattr(row, "pipeline_id", None) == run.id]
    record = client.job.get(job.job_id)
    assert (record.status, record.is_terminal, record.is_failed) == ("completed", True, False)
    trace = client.job.get_parameter_trace(job.job_id)
    assert len(trace) >= 1
    assert client.job.get_series_channels(job.job_id)["1C"]["optimal"]
    columns = client.job.get_series(job.job_id, objective="1C", max_points=100)
    assert len(columns["Time [s]"]) == 31
    plot = client.job.get_plot_data(job.job_id, objective_name="1C", plot_index=0)
    assert [trace["name"].split()[0] for trace in plot["traces"]] == ["Data", "Fit"]


def test_a_posterior_its_chains_and_intervals(client: Ionworks, server: Any, fit_config: dict[str, Any]) -> None:
    known, fit = (fit_config["elements"][name] for name in ("known", "fit"))
    sampled = {
        **fit,
        "cost": {"type": "GaussianLogLikelihood", "sigma": {"Voltage [V]": 0.002}},
        "optimizer": {"type": "PintsSampler", "method": "HaarioBardenetACMC", "max_iterations": 40},
    }
    run = client.pipeline.create({"elements": {"known": known, "fit": sampled}}, name="posterior")
    wait(client, run.id)
    result = client.pipeline.result(run.id)
    found = result.element("fit")
    assert type(found).__name__ == "PosteriorResult"
    assert result.element_results["fit"]["chains"] is None
    names = found.parameter_names
    assert set(names) == set(fit["parameters"])
    # The draws do not come with the result, but with the metadata of its job.
    ours = cw.Client(server.url).pipeline.result(run.id).element("fit").posterior
    assert np.array_equal(found.chains, ours.chains)
    assert found.chains.shape == (4, 40, 2)
    assert (found.burnin, found.method) == (4, "HaarioBardenetACMC")
    assert dict(zip(names, found.x, strict=True)) == found.parameter_values
    assert np.array_equal(found.x, ours.x)
    for name in names:
        assert np.array_equal(found.marginal(name), ours.marginal(name))
        assert found.marginal(name).shape == (4 * 36,)
        assert found.credible_interval(name, 0.9) == pytest.approx(ours.credible_interval(name, 0.9))
    assert found.posterior_mean() == ours.posterior_mean()
    assert found.r_hat == ours.r_hat
    assert found.ess == ours.ess
    assert 0 < found.acceptance_rate < 1
    assert found.posterior.keys() == {"samples", "sample_costs", "sample_param_names", "sample_burnin"}
    assert np.array_equal(found.posterior["sample_costs"], -ours.log_pdfs)
    # They are no curves of an objective.
    assert set(found.series) == {"1C"}
    assert set(found.overlay) == {"1C"}
    assert found.trace


def test_a_grid_gives_its_points_as_samples(client: Ionworks, fit_config: dict[str, Any]) -> None:
    fit = {**fit_config["elements"]["fit"], "optimizer": {"type": "GridSearch", "npts": 2}}
    run = client.pipeline.create({"elements": {**fit_config["elements"], "fit": fit}})
    wait(client, run.id)
    found = client.pipeline.result(run.id).element("fit")
    assert {name: len(values) for name, values in found.posterior["samples"].items()} == dict.fromkeys(
        fit["parameters"], 4
    )
    assert len(found.posterior["sample_costs"]) == 4
    assert found.posterior["sample_burnin"] is None


def test_a_failed_run_tells_one_sentence_with_its_element(client: Ionworks, fit_config: dict[str, Any]) -> None:
    known = {k: v for k, v in fit_config["elements"]["known"]["values"].items() if k != "Positive particle radius [m]"}
    elements = {**fit_config["elements"], "known": {"element_type": "entry", "values": known}}
    run = client.pipeline.create({"elements": elements})
    with pytest.raises(IonworksError, match=r"Element 'fit'.*Positive particle radius \[m\]"):
        wait(client, run.id)
    assert wait(client, run.id, raise_on_failure=False).is_failed


def test_a_run_is_canceled(client: Ionworks, fit_config: dict[str, Any]) -> None:
    fit = {**fit_config["elements"]["fit"], "options": {"seed": 5}}
    run = client.pipeline.create({"elements": {**fit_config["elements"], "fit": fit}})
    client.pipeline.cancel(run.id)
    with pytest.raises(IonworksError, match="canceled"):
        wait(client, run.id)
    assert client.pipeline.cancel(run.id).status == "canceled"


def test_a_large_pipeline_is_sent_packed(client: Ionworks) -> None:
    values = {"Negative electrode OCP [V]": 0.1, "Nominal cell capacity [A.h]": 5.0}
    note = "x" * 600_000  # beyond the size from which the client packs
    config = {"elements": {"known": {"element_type": "entry", "values": values, "source": note}}}
    run = client.pipeline.create(config)
    assert wait(client, run.id).status == "completed"


def test_who_and_where(client: Ionworks) -> None:
    assert client.health_check()["status"] == "ok"
    assert [project.id for project in client.project.list()] == ["default"]


def test_what_is_not_built_says_so(client: Ionworks) -> None:
    with pytest.raises(IonworksError, match="not available on this server"):
        client.cell_instance.list("any")


SPECIFICATION = {
    "name": "LG M50",
    "form_factor": "21700",
    "ratings": {"capacity": {"value": 5000, "unit": "mAh"}},
    "anode": {
        "material_id": "graphite",
        "properties": {"thickness": {"value": 72.225, "unit": "um"}, "porosity": {"value": 40, "unit": "percent"}},
    },
}
MAPPING = {
    "Negative electrode thickness [m]": "anode.properties.thickness",
    "Negative electrode porosity": "anode.properties.porosity",
    "Nominal cell capacity [A.h]": "ratings.capacity",
}


def test_a_cell_specification_and_a_pipeline_that_reads_it(client: Ionworks) -> None:
    kept = client.cell_spec.create(SPECIFICATION)
    assert kept.model_dump().items() >= (SPECIFICATION | {"project_id": "my-project"}).items()
    assert client.cell_spec.create_or_get(SPECIFICATION).id == kept.id
    design = iws.direct_entries.DirectEntry(cell_spec_id=kept.id, mapping=MAPPING, source="design")
    run = client.pipeline.create(iws.Pipeline({"design": design}))
    thicker = client.cell_spec.update(kept.id, {"anode": {"properties": {"thickness": {"value": 80.0}}}})
    assert thicker.anode["properties"] == {
        "thickness": {"value": 80.0, "unit": "um"},
        "porosity": {"value": 40, "unit": "percent"},
    }
    wait(client, run.id)
    assert client.pipeline.result(run.id).element("design").parameter_values == {
        "Negative electrode thickness [m]": 7.2225e-05,
        "Negative electrode porosity": 0.4,
        "Nominal cell capacity [A.h]": 5.0,
    }
    read = client.get(f"/pipelines/{run.id}/config")["elements"]["design"]
    assert iws.direct_entries.DirectEntry(
        parameters=read["values"], source=read["source"], provenance=read["provenance"]
    ).to_config() == {**read, "element_type": "entry"}
    assert read["provenance"]["Negative electrode thickness [m]"] == {
        "path": "anode.properties.thickness",
        "value": 72.225,
        "unit": "um",
    }
    client.cell_spec.delete(kept.id)
    with pytest.raises(IonworksError) as caught:
        client.cell_spec.get(kept.id)
    assert (caught.value.status_code, caught.value.error_code) == (404, "NOT_FOUND")
    with pytest.raises(IonworksError, match=r"Cell specification .* not found"):
        client.pipeline.create(iws.Pipeline({"design": design}))


def test_lists_of_cell_specifications(client: Ionworks) -> None:
    first = client.cell_spec.create({**SPECIFICATION, "name": "first"})
    second = client.cell_spec.create({"name": "second", "cathode": {"material_id": "graphite"}})
    third = client.cell_spec.create({"name": "third", "anode": {"material_id": "graphite"}})
    found = client.cell_spec.list(include_components=True, order_by="name", order="asc")
    assert ([one.name for one in found], found.total) == (["first", "second", "third"], 3)
    assert found[0].anode == SPECIFICATION["anode"]
    assert not hasattr(client.cell_spec.list(name_exact="first")[0], "anode")
    assert [one.id for one in client.cell_spec.list(form_factor="21700")] == [first.id]
    assert [one.id for one in client.cell_spec.list(limit=1, offset=1)] == [second.id]
    assert {one.id for one in client.cell_spec.related_specs(first.id)} == {second.id, third.id}
    assert [one.id for one in client.cell_spec.related_specs(first.id, slots=["anode"])] == [third.id]
    assert list(client.cell_spec.list(material_id="LFP")) == []


def test_a_pipeline_that_reads_the_result_of_another(client: Ionworks) -> None:
    first = client.pipeline.create(documented(), name="first")
    wait(client, first.id)
    names = [CAPACITY, "Electrode area [m2]"]
    earlier = iws.direct_entries.DirectEntry(pipeline_id=first.id, keep=names)
    run = client.pipeline.create(iws.Pipeline({"earlier": earlier}))
    whole = client.pipeline.create(iws.Pipeline({"all": iws.direct_entries.DirectEntry(pipeline_id=first.id)}))
    client.pipeline.delete(first.id)
    wait(client, run.id)
    values = client.pipeline.result(run.id).result["parameter_values"]
    assert values == {CAPACITY: pytest.approx(BY_HAND, rel=1e-9), "Electrode area [m2]": 0.1}
    wait(client, whole.id)
    assert client.pipeline.result(whole.id).result["parameter_values"].keys() == {*KNOWN, CAPACITY}
    with pytest.raises(IonworksError, match=f"earlier › pipeline_id: Pipeline '{first.id}' not found"):
        client.pipeline.create(iws.Pipeline({"earlier": earlier}))


@pytest.fixture(scope="module")
def http(server: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as http:
        yield http


class TestRules:
    """The rules of the contract that its client breaks on, seen on the wire."""

    def test_json_is_called_exactly_json(self, http: httpx.Client) -> None:
        for path in ("/healthz", "/pipelines", "/jobs/", "/pipelines/nothing", "/nothing", "/pipelines?limit=many"):
            assert http.get(path).headers["content-type"] == "application/json"

    @pytest.mark.parametrize(
        ("method", "path", "content", "status"),
        [
            ("GET", "/nothing", None, 404),
            ("GET", "/pipelines/nothing", None, 404),
            ("GET", "/pipelines/nothing/elements", None, 404),
            ("GET", "/pipelines/nothing/result", None, 404),
            ("GET", "/jobs/nothing", None, 404),
            ("GET", "/jobs/nothing/metadata", None, 404),
            ("PUT", "/pipelines", "{}", 405),
            ("GET", "/pipelines?limit=many", None, 422),
            ("GET", "/pipelines?nam=x", None, 422),
            ("POST", "/pipelines", "{", 400),
            ("POST", "/pipelines", "[]", 400),
            ("POST", "/pipelines", "[" * 100_000, 400),
            ("POST", "/pipelines", "{}", 422),
            ("POST", "/pipelines", '{"elements": {"a": {"element_type": "nothing"}}}', 422),
            ("POST", "/pipelines", '{"elements": {}, "name": 3}', 422),
            ("POST", "/pipelines", '{"elements": {}, "options": []}', 422),
            ("POST", "/jobs/", "{}", 410),
            ("GET", "/cell_specifications/nothing", None, 404),
            ("PATCH", "/cell_specifications/nothing", "{}", 404),
            ("DELETE", "/cell_specifications/nothing", None, 404),
            ("GET", "/cell_specifications?nam=x", None, 422),
            ("POST", "/cell_specifications", "{}", 422),
            ("POST", "/cell_specifications", "[]", 400),
        ],
    )
    def test_every_error_has_the_one_shape(
        self, http: httpx.Client, method: str, path: str, content: str | None, status: int
    ) -> None:
        answer = http.request(method, path, content=content, headers={"Content-Type": "application/json"})
        body = answer.json()
        assert answer.status_code == status, body
        assert set(body) == {"error_code", "message", "detail"}
        assert isinstance(body["error_code"], str)
        assert isinstance(body["message"], str)
        assert body["detail"] is None or isinstance(body["detail"], dict)

    def test_bodies_that_cannot_be_read_are_refused(self, http: httpx.Client) -> None:
        json = {"Content-Type": "application/json"}
        whole = gzip.compress(b'{"elements": {}}')
        for content, headers, status in (
            (b"no gzip", {**json, "Content-Encoding": "gzip"}, 400),
            (whole[:-6], {**json, "Content-Encoding": "gzip"}, 400),
            (whole, {**json, "Content-Encoding": "br"}, 415),
            (b"{}", {"Content-Type": "text/plain"}, 415),
        ):
            answer = http.post("/pipelines", content=content, headers=headers)
            assert (answer.status_code, answer.json()["error_code"]) == (status, "BAD_REQUEST")

    def test_jobs_are_a_bare_array_and_pipelines_are_nested(self, http: httpx.Client) -> None:
        assert isinstance(http.get("/jobs/").json(), list)
        assert set(http.get("/pipelines").json()) == {"pipelines", "total", "count"}

    def test_page_sizes_are_clamped_not_refused(self, http: httpx.Client) -> None:
        assert http.get("/pipelines", params={"limit": 10**9}).status_code == 200
