"""A run's page in a real browser: it draws, it answers the mouse, it asks no other host for anything."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellwright.report.page import render
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.values import Function
from cellwright.testing.results import example_result

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
PROBE = """
<script>
addEventListener("load", () => {
  const canvases = [...document.querySelectorAll("canvas")];
  const drawn = canvases.map((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size;
  });
  const figure = document.querySelector("[data-plot]:not(.small)");
  const over = figure && figure.querySelector(".u-over");
  const mouse = (kind, part) => {
    const box = over.getBoundingClientRect();
    const where = { clientX: box.left + box.width * part, clientY: box.top + box.height / 2, bubbles: true, button: 0 };
    const target = kind === "mouseup" ? document : over;
    target.dispatchEvent(new MouseEvent(kind, { ...where, movementX: 1, movementY: 0, view: window }));
  };
  const said = () => [...figure.querySelectorAll(".u-value")].map((cell) => cell.textContent);
  const later = (steps) => steps.length ? (steps[0](), setTimeout(() => later(steps.slice(1)), 60)) : null;
  const report = { drawn, wide: document.documentElement.scrollWidth, window: innerWidth };
  const find = document.getElementById("find");
  const rows = () => [...document.querySelectorAll("#parameter-table tbody tr")].filter((row) => !row.hidden);
  later([
    () => over && mouse("mousemove", 0.5),
    () => { if (over) report.hover = said(); },
    () => { if (over) { mouse("mousedown", 0.25); mouse("mousemove", 0.75); } },
    () => over && mouse("mouseup", 0.75),
    () => { if (over) { mouse("mousemove", 0.999); } },
    () => {
      if (over) report.zoomed = said();
      find.value = "diffusivity negative";
      find.dispatchEvent(new Event("input"));
      report.found = rows().map((row) => row.dataset.find);
      find.value = "";
      find.dispatchEvent(new Event("input"));
      document.querySelector("#parameter-table th:nth-child(2)").click();
      report.sorted = rows().map((row) => row.cells[1].dataset.sort).filter((value) => value !== undefined).map(Number);
      report.resources = performance.getEntriesByType("resource").map((entry) => entry.name);
      report.hostile = window.hostile ?? null;
      const out = document.createElement("pre");
      out.id = "probe";
      out.textContent = JSON.stringify(report);
      top.document.body.append(out);
    },
  ]);
});
</script>
"""
DOTS = """
<script>
addEventListener("load", () => setTimeout(() => {
  const canvas = document.querySelector("figure.plane canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const [xs, ys] = [[], []];
  for (let place = 0; place < data.length; place += 4) {
    const [red, green, blue, alpha] = data.subarray(place, place + 4);
    if (alpha < 250 || Math.abs(red - 22) + Math.abs(green - 25) + Math.abs(blue - 29) > 6) continue;
    xs.push((place / 4) % canvas.width);
    ys.push(Math.floor(place / 4 / canvas.width));
  }
  const size = (values) => (Math.max(...values) - Math.min(...values)) / devicePixelRatio;
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify({ width: size(xs), height: size(ys) });
  document.body.append(out);
}, 100));
</script>
"""
"""Tells how far apart the outermost dots of measured data are, in pixels."""


@dataclass(frozen=True)
class Visit:
    """What a browser made of a page: its document afterwards, what the console said, what the probe found."""

    dom: str
    console: list[str]
    probe: dict[str, Any]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Visit]:
    binary = next((found for name in NAMES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.fail(f"the tests in tests/web need one of {', '.join(NAMES)} on the PATH: 'make browser' installs it")

    def open_page(page: str, probed: bool = True) -> Visit:
        folder = tmp_path_factory.mktemp("page")
        path = folder / "report.html"
        path.write_text(without_policy(page) if probed else page, encoding="utf-8")
        return _visit(binary, path, folder)

    return open_page


def without_policy(page: str) -> str:
    """Return the page with the probe in it, a foreign script that its policy (see `test_policy`) would stop."""
    return re.sub(r"<meta http-equiv=.*?>", "", page).replace("</body>", PROBE + "</body>")


def _visit(binary: str, path: Path, folder: Path) -> Visit:
    more = (
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1200,900",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    )
    done = subprocess.run(
        [binary, *QUIET, *more, "--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    return Visit(done.stdout, console, json.loads(unescape(found[1])) if found else {})


@pytest.fixture(scope="module")
def page() -> str:
    return render(example_result())


@pytest.fixture(scope="module")
def wide(visit: Callable[..., Visit], page: str) -> Visit:
    return visit(page)


def test_every_plot_is_drawn_and_the_console_is_silent(wide: Visit, page: str) -> None:
    assert wide.console == []
    canvases = wide.probe["drawn"]
    # Two objectives and one held-out one with an error panel each, convergence, four traces, three curves.
    assert len(canvases) == 3 * 2 + 1 + 4 + 3
    assert min(canvases) > 10, "a canvas without curves, axes and labels has few colours"


def test_the_verdict_can_be_read(wide: Visit) -> None:
    text = unescape(re.sub(r"<[^>]+>", "", wide.dom.partition("<script")[0]))
    assert re.search(r"Fit error \d+\.\d → \d+\.\d\xa0mV RMSE on 1C discharge, the worst of 2", text)
    assert "objective 2C discharge failed" in text
    assert "Positive particle diffusivity ended at its upper bound" in text


def test_hovering_tells_values_and_dragging_zooms_both_panels(wide: Visit) -> None:
    time, data, initial, fitted, *_ = (float(value) for value in wide.probe["hover"][:4])
    assert time == pytest.approx(1700, abs=40)
    assert 3.0 < data < 4.2
    assert abs(fitted - data) < abs(initial - data)
    # Dragging from a quarter to three quarters leaves the middle half of 3400 s: it ends at 2550 s, in both panels.
    times = [float(value) for value in (wide.probe["zoomed"][0], wide.probe["zoomed"][4])]
    assert times == pytest.approx([2550, 2550], abs=40)


def test_the_parameters_are_searched_and_sorted(wide: Visit) -> None:
    assert wide.probe["found"] == ["Negative particle diffusivity [m2.s-1]"]
    assert wide.probe["sorted"] == sorted(wide.probe["sorted"])
    assert len(wide.probe["sorted"]) == 17


def test_no_other_host_is_asked(wide: Visit, page: str) -> None:
    assert wide.probe["resources"] == []
    assert "default-src 'none'" in unescape(page)
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//""", page)
    assert not re.search(r"url\(|@import", page)


def test_a_phone_shows_the_whole_width(visit: Callable[..., Visit], page: str) -> None:
    # Chromium has no window as narrow as a phone, so the page stands in a frame of that width.
    inner = escape(without_policy(page), quote=True)
    narrow = visit(
        f'<body><iframe style="width:390px;height:800px;border:0" srcdoc="{inner}"></iframe></body>', probed=False
    )
    assert narrow.probe["window"] == 390
    assert narrow.probe["wide"] <= 390


def test_what_users_write_never_becomes_script(visit: Callable[..., Visit]) -> None:
    evil = "</script><script>window.hostile = 1</script><img src=x onerror='window.hostile = 2'>"
    hostile = visit(render(named(example_result(), evil)))
    assert hostile.probe["hostile"] is None
    assert hostile.console == []
    assert min(hostile.probe["drawn"]) > 10


def test_a_spectrum_has_an_ohm_as_long_upward_as_to_the_right(visit: Callable[..., Visit]) -> None:
    corners = np.array([[0.01, 0.02, 0.02, 0.01], [-0.01, -0.01, 0.0, 0.0]])
    parts = dict(zip(("Z_Re [Ohm]", "Z_Im [Ohm]"), corners, strict=True))
    channels = {f"{name} ({kind})": values for name, values in parts.items() for kind in ("data", "model")}
    series = {"square": {"optimal": {"Frequency [Hz]": np.array([1.0, 10.0, 100.0, 1000.0]), **channels}}}
    record = ElementRecord(
        "fit", "data_fit", "DataFit", "completed", result={"objectives": {"square": {}}}, series=series
    )
    page = render(PipelineResult("r", "r", "completed", (record,), {}))
    seen = visit(re.sub(r"<meta http-equiv=.*?>", "", page).replace("</body>", DOTS + "</body>"), probed=False)
    assert seen.console == []
    assert seen.probe["width"] > 100
    assert seen.probe["width"] == pytest.approx(seen.probe["height"], abs=2)


def test_policy(visit: Callable[..., Visit], page: str) -> None:
    kept = visit(page, probed=False)
    assert kept.console == []
    assert kept.dom.count("<canvas") == 14
    foreign = visit(page.replace("</body>", "<script>document.title = 'foreign'</script></body>"), probed=False)
    assert "<title>foreign</title>" not in foreign.dom
    assert any("Content Security Policy" in line for line in foreign.console)


def named(result: PipelineResult, evil: str) -> PipelineResult:
    """Return the result with the text wherever a user may write one."""
    parameters = result.parameters.merge({f"{evil} [V]": evil}, Origin(evil, evil, evil))
    elements = tuple(
        replace(
            record,
            name=f"{record.name} {evil}",
            series={f"{objective} {evil}": series for objective, series in record.series.items()},
            warnings=(evil,),
        )
        for record in result.elements
    )
    return replace(
        result, name=evil, elements=elements, parameters=parameters, config={evil: {"seed": evil}}, warnings=(evil,)
    )


def test_the_windows_of_the_electrodes_are_drawn(visit: Callable[..., Visit]) -> None:
    given: dict[str, Any] = {
        "Negative electrode stoichiometry at 0% SOC": 0.05, "Negative electrode stoichiometry at 100% SOC": 0.9,
        "Positive electrode stoichiometry at 0% SOC": 0.95, "Positive electrode stoichiometry at 100% SOC": 0.3,
        "Negative electrode OCP [V]": Function.trace(lambda sto: 0.5 - 0.4 * sto),
        "Positive electrode OCP [V]": Function.table("sto", [0.25, 1.0], [4.4, 3.5]),
    }  # fmt: skip
    parameters = ParameterSet(given, dict.fromkeys(given, Origin("balance")))
    seen = visit(render(PipelineResult("r", "r", "completed", (), {}, parameters)))
    assert seen.console == []
    # Both potentials over the state of charge, and the curve of each by itself.
    assert len(seen.probe["drawn"]) == 4
    assert min(seen.probe["drawn"]) > 10
