"""The evaluation kernel: a discretised model as CasADi functions that IDA integrates, many points at a time.

A kernel is plain data: it can be pickled, sent to another process and used there without PyBaMM, whose import takes
seconds. It goes to pybammsolvers by the same door as PyBaMM's own solver. That door is not documented, so
`models.simulate` compares the two before a search trusts a kernel.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import casadi
import numpy as np
from pybammsolvers import idaklu

from cellwright.models.compilation import Compilation
from cellwright.schema.simulation import Array

AT_EVENT = 2
"""IDA's return flag where an event ended the integration."""
WORTH_A_TEAM = 250
"""States of all points of a batch from which on it is worth several threads."""
FUNCTIONS = 48
"""How many functions are kept in this process: those of about four models."""


@dataclass(frozen=True)
class Kernel:
    """A discretised model M dy/dt = f(t, y, p) with its Jacobian, events, initial state and output variables.

    `functions` holds each function serialised, by its role; the last entry of p is the applied current [A].
    """

    inputs: tuple[str, ...]
    """The names of the entries of p before the current, in order."""
    variables: tuple[str, ...]
    functions: Mapping[str, str]
    differential: tuple[bool, ...]
    """Of each state, whether it has a time derivative."""
    events: tuple[str, ...]
    rtol: float
    atol: float
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Course:
    """What came of one integration: outputs (times, variables) at the times that it reached, and how it ended."""

    times: Array
    outputs: Array
    flag: int
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the solver gave up."""
        return self.flag < 0


class Integrator:
    """A kernel made ready to solve in this process, with a current that is piecewise linear between knots.

    The functions are interpreted at first. Once the solves have taken as long as a compilation would, the functions
    are compiled beside the search and taken over when that is done; a kernel that was compiled before is compiled from
    the first solve on. Interpreted and compiled functions do the same operations in the same order, so that the
    numbers do not depend on when that is.
    """

    def __init__(self, kernel: Kernel, knots: Array, current: Array, folder: Path | None = None) -> None:
        self._kernel = kernel
        self._constant = float(current[0]) if np.ptp(current) == 0 else None
        self._course = (knots, current)
        functions = {role: _function(text) for role, text in kernel.functions.items()}
        self._compilation = Compilation(functions, kernel.functions, folder) if folder is not None else None
        self._made: dict[tuple[int, int], Any] = {}
        self.compiled = False
        self._take_compiled()
        if not self.compiled:
            self._use(functions, kernel.functions)

    def solve(self, points: Array, stops: Array, times: Array) -> list[Course]:
        """Return the courses at points (n, inputs), on as many threads as this process may use.

        `stops` [s] are where the integrator starts anew, the first and the last time among them; `times` [s] where the
        outputs are wanted.
        """
        self._take_compiled()
        began = time.perf_counter()
        courses = self._solved(self._arguments(points), stops, times)
        seconds = time.perf_counter() - began
        if self._compilation is not None and not self.compiled:
            self._compilation.begin_if_worth(seconds)
        return courses

    def _arguments(self, points: Array) -> Array:
        if self._constant is None:
            return np.ascontiguousarray(points, dtype=float)
        return np.column_stack([points, np.full(len(points), self._constant)])

    def _solved(self, points: Array, stops: Array, times: Array) -> list[Course]:
        try:
            return self._batch(points, stops, times)
        except ValueError as cause:  # one point at which not even the first step succeeds ends the whole batch
            if len(points) == 1:
                return [Course(np.zeros(0), np.zeros((0, len(self._kernel.variables))), -1, _said(cause))]
            return [self._solved(points[i : i + 1], stops, times)[0] for i in range(len(points))]

    def _batch(self, points: Array, stops: Array, times: Array) -> list[Course]:
        begins = [self._functions["start"](point) for point in points]
        states, slopes = (np.array([_flat(begin[i]) for begin in begins]) for i in (0, 1))
        group = self._group(len(points))
        solutions = group.solve(stops, times, states, slopes, points, logger=None, pbar=np.empty((0, 0)))
        return [self._course_of(point, solution) for point, solution in zip(points, solutions, strict=True)]

    def _course_of(self, point: Array, solution: Any) -> Course:
        flag = int(solution.flag)
        outputs = np.reshape(solution.y, (-1, len(self._kernel.variables)))
        message = "final time"
        if flag < 0:
            message = str(idaklu.sundials_error_message(flag))
        elif flag == AT_EVENT and self._kernel.events:
            values = _flat(self._functions["events"](solution.t[-1], np.ravel(solution.y_term), point))
            message = f"event: {self._kernel.events[int(np.nanargmin(np.abs(values)))]}"
        return Course(np.asarray(solution.t), outputs, flag, message)

    def _take_compiled(self) -> None:
        if self._compilation is None or self.compiled:
            return
        functions = self._compilation.result()
        if functions is not None:
            self.compiled = True
            self._use(functions, {})

    def _use(self, functions: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        """Solve with these functions from now on; `texts` are those that are serialised already."""
        if self._constant is None:
            current = casadi.interpolant("current", "linear", [self._course[0].tolist()], self._course[1].tolist())
            functions, texts = {role: _driven(role, one, current) for role, one in functions.items()}, {}
        self._functions, self._texts, self._made = functions, texts, {}

    def _group(self, points: int) -> Any:
        """Return the solvers for so many points, one for each thread; made with the first solve of this process.

        A batch that is over in a millisecond or two is solved on one thread: on a busy machine the threads of a team
        wait for each other longer than that.
        """
        threads = _team() if points * len(self._kernel.differential) >= WORTH_A_TEAM else 1
        made = (os.getpid(), threads)
        if made not in self._made:
            self._made[made] = self._solvers(threads)
        return self._made[made]

    def _solvers(self, threads: int) -> Any:
        kernel, functions = self._kernel, self._functions
        texts = {role: self._texts.get(role) or one.serialize() for role, one in functions.items()}
        roles = {role: idaklu.generate_function(text) for role, text in texts.items()}
        pattern = functions["jac_times_cjmass"].sparsity_out(0)
        return idaklu.create_casadi_solver_group(
            number_of_states=len(kernel.differential),
            number_of_parameters=0,
            rhs_alg=roles["rhs_alg"],
            jac_times_cjmass=roles["jac_times_cjmass"],
            jac_times_cjmass_colptrs=np.array(pattern.colind(), dtype=np.int64),
            jac_times_cjmass_rowvals=np.array(pattern.row(), dtype=np.int64),
            jac_times_cjmass_nnz=pattern.nnz(),
            jac_bandwidth_lower=pattern.bw_lower(),
            jac_bandwidth_upper=pattern.bw_upper(),
            jac_action=roles["jac_action"],
            mass_action=roles["mass_action"],
            sens=idaklu.generate_function(casadi.Function("sens", [], []).serialize()),
            events=roles["events"],
            number_of_events=len(kernel.events),
            rhs_alg_id=np.array(kernel.differential, dtype=float),
            atol=np.full(len(kernel.differential), kernel.atol),
            rtol=kernel.rtol,
            inputs=len(kernel.inputs) + (self._constant is not None),
            var_fcns=[roles[f"variable_{i}"] for i in range(len(kernel.variables))],
            dvar_dy_fcns=[],
            dvar_dp_fcns=[],
            options={**kernel.options, "num_threads": threads, "num_solvers": threads},
            alg_res=roles["alg_res"],
            alg_jac=roles["alg_jac"],
        )


@lru_cache(maxsize=FUNCTIONS)
def _function(text: str) -> Any:
    """Return a function as it was serialised; those of a model serve each of its measurements."""
    return casadi.Function.deserialize(text)


def _flat(matrix: Any) -> Array:
    """Return the entries of a CasADi matrix."""
    return np.ravel(matrix.full())


def _driven(role: str, function: Any, current: Any) -> Any:
    """Return the function of time, state and the inputs before the current, which follows its course."""
    arguments = [casadi.MX.sym(f"x{i}", function.sparsity_in(i)) for i in range(function.n_in())]
    if not arguments or role == "mass_action":
        return function
    place, at = (0, casadi.MX(0.0)) if role == "start" else (2, arguments[0])
    inputs = casadi.MX.sym("p", function.size1_in(place) - 1)
    given = [*arguments[:place], casadi.vertcat(inputs, current(at)), *arguments[place + 1 :]]
    arguments[place] = inputs
    return casadi.Function(role, arguments, function.call(given))


_threaded: set[int] = set()
"""The processes, this one and those that it was forked from, that have solved on several threads."""


def _team() -> int:
    """Return on how many threads to solve: one where OpenMP's went lost in a fork, whose next team would never meet."""
    if _threaded - {os.getpid()}:
        return 1
    threads = processors()
    if threads > 1:
        _threaded.add(os.getpid())
    return threads


def processors() -> int:
    """Return how many threads this process may use: `OMP_NUM_THREADS`, else its processors."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _said(cause: Exception) -> str:
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)[:200]
