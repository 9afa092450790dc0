"""The only place that imports PyBaMM: symbols, simulations, and our own models."""

import os

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
