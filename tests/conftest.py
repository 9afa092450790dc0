"""Deployments that stories are told on, and pipelines to tell them with."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

START_LIMIT = 60.0
"""Seconds that a server may take to start on a busy machine."""
DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that tests keep lands in the folder of the one who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLWRIGHT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@dataclass(frozen=True)
class Server:
    url: str
    home: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`python -m cellwright.http.serve` on loopback, with its worker."""
    home = tmp_path_factory.mktemp("server")
    port = free_port()
    command = [sys.executable, "-m", "cellwright.http.serve", "--port", str(port), "--home", str(home)]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + START_LIMIT
    while not answers(url):
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"the server did not start:\n{(home / 'server.log').read_text()}")
        time.sleep(0.1)
    yield Server(url, home, process)
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def worker_processes(home: Path) -> list[int]:
    """The ids of the workers of a home that are alive (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if "cellwright.service.worker" in words and str(home) in words:
            found.append(int(entry.name))
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for an embedded client; its workers are ended with the test."""
    yield tmp_path / "home"
    for process in worker_processes(tmp_path / "home"):
        os.kill(process, signal.SIGTERM)


@pytest.fixture(scope="session")
def fit_config() -> dict[str, Any]:
    """A fit of two parameters to a synthetic discharge, in six generations of twelve points."""
    from cellwright.testing.cells import discharge, published

    truth = published()
    known = {name: value for name, value in truth.to_wire().items() if name != DIFFUSIVITY}
    data = discharge(truth, duration=3000.0, points=31)
    fit = {
        "element_type": "data_fit",
        "objectives": {"1C": {"type": "CurrentDriven", "options": {"model": "SPM"}, "data": {"data": data}}},
        "parameters": {
            DIFFUSIVITY: {"initial_value": 1e-15, "bounds": [1e-16, 1e-13], "transform": "Log10"},
            "Negative particle radius [m]": {"initial_value": 5e-6, "bounds": [3e-6, 9e-6]},
        },
        "optimizer": {"type": "ScipyDifferentialEvolution", "maxiter": 5, "popsize": 6},
        "options": {"seed": 3},
    }
    return {"elements": {"known": {"element_type": "entry", "values": known}, "fit": fit}}
