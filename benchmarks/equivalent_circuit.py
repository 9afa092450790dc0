"""Time of the fit of two RC pairs and 16 knots to 5,000 rows, beside the same fit done naively, turn by turn.

    python benchmarks/equivalent_circuit.py

Naively: `scipy.optimize.least_squares` with differences on the same unknowns, from a usual guess, and from our start.
Both simulate with our recursion; what a loop over the rows in Python takes for one simulation is told beside it. All
use one thread of BLAS.
"""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

from cellwright.engine.circuit_fit import FINE, CircuitData, Unknowns, first_circuit, fit_circuit, knot_plan
from cellwright.physics.equivalent_circuit import Circuit, Course, state_of_charge, voltage

ROWS, KNOTS, OCV_KNOTS, CAPACITY, NOISE = 5000, 16, 32, 5.0, 1e-3
ROUNDS = 3


def measurement(rng: np.random.Generator) -> CircuitData:
    """Return twenty-five pulses with rests and short charges over most of a cell, with noise."""
    t = np.linspace(0, 20000, ROWS)
    amps = np.zeros(ROWS)
    length = ROWS // 25
    for start in range(0, ROWS, length):
        amps[start + 10 : start + 10 + int(0.45 * length)] = 1.0
        amps[start + 10 + int(0.6 * length) : start + 15 + int(0.6 * length)] = -0.5
    starts = np.array([0])
    amps *= 0.93 * CAPACITY / Course(t, amps, starts).charge[-1]
    course, initial, capacity = Course(t, amps, starts), np.array([1.0]), np.array([CAPACITY])
    z = np.linspace(0, 1, 101)
    truth = Circuit(
        ocv_knots=z,
        ocv=3.2 + 0.8 * z + 0.05 * np.sin(9 * z),
        r0_knots=z,
        r0=0.02 + 0.01 * np.exp(-5 * z),
        knots=z,
        r=np.array([0.010 + 0.008 * (1 - z) ** 2, 0.015 + 0.006 * np.sin(3 * z)]),
        tau=np.array([15 + 10 * z, 300 + 200 * z]),
    )
    clean = voltage(truth, course, state_of_charge(course, initial, capacity))
    return CircuitData(course, clean + NOISE * rng.standard_normal(ROWS), initial, capacity)


def rmse(data: CircuitData, circuit: Circuit) -> float:
    """Return the error in mV."""
    return float(1e3 * np.sqrt(np.mean((voltage(circuit, data.course, data.soc) - data.voltage) ** 2)))


def usual_guess(start: Circuit) -> Circuit:
    """Return a straight open-circuit voltage, 10 mOhm everywhere, and time constants of 10 and 1000 s."""
    flat = np.full_like(start.r, 0.01)
    tau = np.ones_like(start.tau) * np.array([[10.0], [1000.0]])
    return replace(start, ocv=np.linspace(3.2, 4.0, OCV_KNOTS), r0=np.full_like(start.r0, 0.01), r=flat, tau=tau)


def in_a_loop(circuit: Circuit, data: CircuitData) -> list[float]:
    """Return the voltage, row by row."""
    soc, I, h = data.soc, data.course.current, data.course.interval  # noqa: E741 (the symbol of current)
    v = [0.0] * circuit.pairs
    found = []
    for row in range(data.course.rows):
        for k in range(circuit.pairs):
            alpha = np.interp(soc[row], circuit.knots, circuit.alpha[k])
            beta = np.interp(soc[row], circuit.knots, circuit.beta[k])
            decay = math.exp(-beta * h[row])
            v[k] = decay * v[k] + alpha / beta * (1 - decay) * I[row]
        ocv, r0 = np.interp(soc[row], circuit.ocv_knots, circuit.ocv), np.interp(soc[row], circuit.r0_knots, circuit.r0)
        found.append(float(ocv - I[row] * r0 - sum(v)))
    return found


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call takes, and what it returns."""
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def main() -> None:
    """Print the times."""
    data = measurement(np.random.default_rng(0))
    plan = knot_plan(
        data.soc, knots=KNOTS, r0_knots=KNOTS, ocv_knots=OCV_KNOTS, schedule=None, strength=0.0, clamp=10.0
    )
    times: dict[str, list[float]] = {}
    told: dict[str, str] = {}
    with threadpool_limits(limits=1, user_api="blas"):
        start = first_circuit(data, plan, 2, None)
        for _ in range(ROUNDS):
            spent, found = seconds(lambda: fit_circuit(data, plan, 2))
            times.setdefault("ours", []).append(spent)
            told["ours"] = f"{found.steps} steps, {rmse(data, found.circuit):.3f} mV"
            for name, guess in (("naive, usual guess", usual_guess(start)), ("naive, our start", start)):
                unknowns = Unknowns(data, plan, guess, KNOTS, True, None)
                naive = partial(
                    least_squares, unknowns.residuals, unknowns.start, bounds=unknowns.bounds, x_scale="jac", ftol=FINE
                )
                spent, answer = seconds(naive)
                times.setdefault(name, []).append(spent)
                told[name] = f"{answer.njev} steps, {rmse(data, unknowns.at(answer.x)[0]):.3f} mV"
        once = seconds(lambda: voltage(start, data.course, data.soc))[0]
        loop = seconds(lambda: in_a_loop(start, data))[0]
    print(f"{ROWS} rows, {len(unknowns.start)} unknowns, noise {1e3 * NOISE:.0f} mV")
    for name, spent in times.items():
        ratio = statistics.median(one / own for one, own in zip(spent, times["ours"], strict=True))
        print(f"{name:20} {statistics.median(spent):7.2f} s  {ratio:6.1f} times  {told[name]}")
    print(f"one simulation: {1e3 * once:.1f} ms, in a loop over the rows {1e3 * loop:.0f} ms")


if __name__ == "__main__":
    main()
