"""The evaluation kernel against PyBaMM's own solver, interpreted against compiled, thinned against full."""

import logging
import multiprocessing
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pybamm
import pytest

from cellwright.catalog.named_models import spec_of
from cellwright.errors import ConfigurationError
from cellwright.models import compilation, simulate, simulation, trust
from cellwright.models.kernel import WORTH_A_TEAM
from cellwright.models.published import published
from cellwright.models.shelf import put, taken
from cellwright.models.simulate import build
from cellwright.physics.thinning import SCATTER, thinning
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.schema.values import Function

D_N, D_P = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
TRUE = {D_N: 3.3e-14, D_P: 4e-15}
END = 1500.0
SAME = 1e-6
"""Volts: interpreted and expanded functions add in another order, and the integrator's steps follow that a little."""


def problem(
    model="SPM", p=None, rows=151, current=None, free=(D_N, D_P), options=None, variables=("Voltage [V]",), **rest
):
    time = np.linspace(0, END, rows)
    amps = np.full(rows, 5.0) if current is None else current(time)
    spec = ModelSpec(model, options or {})
    return SimulationProblem(spec, p or published(), time, amps, time, variables, tuple(free), **rest)


def plain(built):
    return built.solved_by(simulate._plain(built, {}))


def pulses(time):
    return np.where(time % 500 < 200, 5.0, 0.0)


def noisy(time):
    return 5 + 1e-3 * np.random.default_rng(0).normal(size=len(time))


@pytest.mark.parametrize("current", [None, pulses, noisy], ids=["constant", "pulses", "noisy"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("SPM", {}),
        ("SPM", {"thermal": "lumped"}),
        ("SPM", {"particle": "quadratic profile"}),
        ("SPM", {"SEI": "solvent-diffusion limited"}),
        ("SPMe", {}),
        ("SPMe", {"surface form": "differential"}),
        ("DFN", {}),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
def test_the_kernel_gives_what_pybamms_solver_gives(model, options, current):
    names = ("Voltage [V]", "Discharge capacity [A.h]", "Volume-averaged cell temperature [K]")
    built = build(problem(model, options=options, current=current, variables=names))
    assert built.portable
    ours, theirs = built.solve(TRUE), plain(built).solve(TRUE)
    assert ours.status == theirs.status == "solved"
    for name in names:
        scale = np.max(np.abs(theirs.outputs[name]))
        # Noise in the current keeps the DFN's steps at the tolerance: they differ where the last bits do.
        tolerance = 1e-5 if current is noisy else SAME
        np.testing.assert_allclose(ours.outputs[name], theirs.outputs[name], rtol=0, atol=tolerance * scale)


def test_tables_that_cannot_be_expanded_stay_as_they_are():
    x = np.linspace(0.01, 0.99, 50)
    ocp = Function.table("sto", x, 4.3 - 0.9 * x, "cubic")
    built = build(problem(p=published().merge({"Positive electrode OCP [V]": ocp}, Origin("test"))))
    assert built.portable
    ours, theirs = built.solve(TRUE), plain(built).solve(TRUE)
    np.testing.assert_allclose(ours.outputs["Voltage [V]"], theirs.outputs["Voltage [V]"], rtol=0, atol=SAME)


@pytest.mark.parametrize("current", [None, noisy], ids=["constant", "noisy"])
@pytest.mark.parametrize("model", ["SPM", "SPMe"])
def test_compiled_functions_give_the_same_bits(model, current, tmp_path):
    built = build(problem(model, current=current), tmp_path)
    integrator = built._integrator_at(())
    points = [{name: value * factor for name, value in TRUE.items()} for factor in (0.7, 1.0, 1.4)]
    before = built.solve_many(points)
    assert not integrator.compiled
    integrator._compilation.begin_if_worth(float("inf"))
    deadline = time.monotonic() + 60
    while not integrator.compiled and time.monotonic() < deadline:
        time.sleep(0.05)
        after = built.solve_many(points)
    assert integrator.compiled
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.outputs["Voltage [V]"], other.outputs["Voltage [V]"])
    again = build(problem(model, current=noisy), tmp_path)._integrator_at(())
    assert again.compiled, "the same model with another current is compiled from the start"


def test_without_a_compiler_the_functions_stay_interpreted(tmp_path, monkeypatch):
    monkeypatch.setattr("cellwright.models.compilation._compiler", lambda: ())
    built = build(problem(), tmp_path)
    built._integrator_at(())._compilation.begin_if_worth(float("inf"))
    assert built.solve(TRUE).status == "solved"
    assert not list(tmp_path.glob("*.so"))


class TestCompilation:
    def compiled(self, folder):
        integrator = build(problem(), folder)._integrator_at(())
        integrator._compilation.begin_if_worth(float("inf"))
        deadline = time.monotonic() + 60
        while not integrator.compiled and time.monotonic() < deadline:
            time.sleep(0.05)
            integrator._take_compiled()
        return integrator.compiled

    def test_a_library_that_cannot_be_loaded_is_compiled_again(self, tmp_path):
        library = build(problem(), tmp_path)._integrator_at(())._compilation._library
        library.write_bytes(b"\x7fELF, and then nothing")
        assert not build(problem(), tmp_path)._integrator_at(()).compiled
        assert self.compiled(tmp_path)

    def test_a_compiler_may_be_several_words(self, monkeypatch):
        compilation._compiler.cache_clear()
        monkeypatch.setenv("CC", "env -i cc")
        found = compilation._compiler()
        monkeypatch.setenv("CC", "/no/such/compiler")
        compilation._compiler.cache_clear()
        nothing = compilation._compiler()
        compilation._compiler.cache_clear()
        assert (found[0].endswith("env"), *found[1:], nothing) == (True, "-i", "cc", ())

    def test_ctrl_c_ends_no_compilation_so_that_it_tidies_up(self, tmp_path):
        one = build(problem(), tmp_path)._integrator_at(())._compilation
        one.begin_if_worth(float("inf"))
        assert os.getpgid(one._process.pid) != os.getpgid(0)
        assert one._process.wait(60) == 0
        assert [file.suffix for file in tmp_path.iterdir()] == [".so"]

    def test_what_was_abandoned_is_swept_away_and_begun_anew(self, tmp_path):
        one = build(problem(), tmp_path)._integrator_at(())._compilation
        mark, left = one._library.with_suffix(".begun"), tmp_path / "tmpabandoned"
        mark.touch()
        left.mkdir()
        for path in (mark, left):
            os.utime(path, (0, 0))
        assert self.compiled(tmp_path)
        assert not left.exists()

    def test_without_room_nothing_is_left_behind(self, tmp_path, monkeypatch):
        def full(*given, **rest):
            raise OSError("no space left on device")

        monkeypatch.setattr(compilation.subprocess, "Popen", full)
        build(problem(), tmp_path)._integrator_at(())._compilation.begin_if_worth(float("inf"))
        assert not list(tmp_path.iterdir())


def test_a_point_that_cannot_begin_fails_alone():
    built = build(problem("DFN", free=(D_N, "Initial concentration in electrolyte [mol.m-3]")))
    start = "Initial concentration in electrolyte [mol.m-3]"
    points = [{D_N: 3.3e-14, start: 1000.0}, {D_N: 3.3e-14, start: 0.0}, {D_N: 3e-14, start: 1000.0}]
    answers = built.solve_many(points)
    assert [answer.status for answer in answers] == ["solved", "failed", "solved"]
    assert answers[1].message
    alone = built.solve(points[2])
    np.testing.assert_array_equal(answers[2].outputs["Voltage [V]"], alone.outputs["Voltage [V]"])


def test_a_batch_gives_what_its_points_give_alone():
    built = build(problem("SPMe"))
    points = [{D_N: 3.3e-14 * f, D_P: 4e-15 / f} for f in np.linspace(0.5, 2, 7)]
    for together, point in zip(built.solve_many(points), points, strict=True):
        alone = built.solve(point)
        np.testing.assert_array_equal(together.outputs["Voltage [V]"], alone.outputs["Voltage [V]"])


def test_a_built_simulation_solves_in_a_process_without_pybamm(tmp_path):
    built = build(problem("SPMe", current=pulses))
    (tmp_path / "built").write_bytes(pickle.dumps(built))
    script = (
        "import pickle, sys; built = pickle.load(open(sys.argv[1], 'rb'));"
        f"solved = built.solve({TRUE!r}); assert 'pybamm' not in sys.modules;"
        "print(solved.status, repr(float(solved.outputs['Voltage [V]'][-1])))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "built")], capture_output=True, text=True, check=True
    )
    assert said.stderr == ""
    status, last = said.stdout.split()
    assert status == "solved"
    assert float(last) == built.solve(TRUE).outputs["Voltage [V]"][-1]


def test_a_fork_of_a_process_that_has_solved_solves_too(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # threads of OpenMP do not come along; waiting for them never ends
    built = build(problem())
    points = [{**TRUE, D_N: 1e-14 * 1.01**k} for k in range(WORTH_A_TEAM // 10)]
    here = [float(one.outputs["Voltage [V]"][-1]) for one in built.solve_many(points)]
    assert any(threads == 2 for _, threads in built._integrator_at(())._made)
    fork = multiprocessing.get_context("fork")
    for simulation_ in (built, build(problem())):
        receiving, sending = fork.Pipe(duplex=False)

        def solve(one=simulation_, end=sending):
            end.send([float(answer.outputs["Voltage [V]"][-1]) for answer in one.solve_many(points)])

        child = fork.Process(target=solve)
        child.start()
        answered = receiving.poll(30)
        if not answered:
            child.kill()
        child.join()
        assert answered, "the fork hangs"
        assert receiving.recv() == here


class OwnTimes(pybamm.lithium_ion.SPM):
    """Charge appears for a second at a time of the model's own, which a long step would pass over."""

    def __init__(self, options=None):
        super().__init__({"x-average side reactions": "true", **(options or {})})
        charge = next(variable for variable in self.rhs if variable.name == "Discharge capacity [A.h]")
        self.rhs[charge] = self.rhs[charge] + (pybamm.t > 500) * (pybamm.t < 501)
        self.variables["Voltage integral [V.s]"] = pybamm.ExplicitTimeIntegral(
            self.variables["Voltage [V]"], pybamm.Scalar(0)
        )


def own_times(variable):
    time = np.linspace(0, 600, 13)
    return build(SimulationProblem(spec_of(OwnTimes()), published(), time, np.full(13, 1e-3), time, (variable,)))


def test_a_model_that_jumps_at_times_of_its_own_is_solved_by_pybamm():
    built = own_times("Discharge capacity [A.h]")
    assert not built.portable
    # One second of 1 A.h.s-1, beside 1 mA for 600 s.
    assert built.solve({}).outputs["Discharge capacity [A.h]"][-1] == pytest.approx(1 + 1e-3 / 6, abs=1e-6)


def test_an_integral_over_the_whole_time_is_no_course():
    with pytest.raises(ConfigurationError, match=r"Voltage integral.*over the whole simulation"):
        own_times("Voltage integral [V.s]")


class TestTrust:
    def test_a_kind_of_model_is_compared_once(self, tmp_path, monkeypatch):
        monkeypatch.setattr(trust, "_trusted", set())
        compared = []
        monkeypatch.setattr(simulate, "agree", lambda *given: compared.append(given) or True)
        for _ in range(2):
            build(problem(), tmp_path).thinned([TRUE])
        monkeypatch.setattr(trust, "_trusted", set())  # another process
        build(problem(), tmp_path).thinned([TRUE])
        assert len(compared) == 1

    def test_where_answers_differ_pybamms_solver_does_the_work(self, monkeypatch, caplog):
        monkeypatch.setattr(trust, "_trusted", set())
        built = build(problem())
        right = built.solve(TRUE).outputs["Voltage [V]"]
        wrong = type(built._integrator_at(())).solve

        def shifted(self, *given):
            courses = wrong(self, *given)
            return [type(one)(one.times, one.outputs + 0.01, one.flag, one.message) for one in courses]

        monkeypatch.setattr(simulation.Integrator, "solve", shifted)
        with caplog.at_level(logging.WARNING):
            checked = built.thinned([TRUE])
        assert "answers differ" in caplog.text
        assert not checked.portable
        np.testing.assert_allclose(checked.solve(TRUE).outputs["Voltage [V]"], right, rtol=0, atol=1e-4)

    def test_where_the_door_has_changed_pybamms_solver_does_the_work(self, monkeypatch, caplog):
        monkeypatch.setattr(simulate, "kernel_of", lambda *_: [].no_such_attribute)
        with caplog.at_level(logging.WARNING):
            built = build(problem())
        assert "own solver" in caplog.text
        assert not built.portable
        assert built.solve(TRUE).status == "solved"


class TestShelf:
    def test_what_was_built_is_taken_and_gives_the_same(self, tmp_path):
        built = build(problem("SPMe"), tmp_path)
        put(built, tmp_path)
        again = taken(problem("SPMe"), tmp_path)
        assert again.kernel == built.kernel
        assert again.reads == built.reads
        assert again.used == built.used
        np.testing.assert_array_equal(
            again.solve(TRUE).outputs["Voltage [V]"], built.solve(TRUE).outputs["Voltage [V]"]
        )

    @pytest.mark.parametrize(
        "other",
        [
            {"model": "SPMe"},
            {"options": {"thermal": "lumped"}},
            {"free": (D_N,)},
            {"voltage_window": (2.0, 4.5)},  # there is one where there was none
            {"variables": ("Voltage [V]", "Current [A]")},
            {"p": published().without(["Contact resistance [Ohm]"])},
        ],
        ids=str,
    )
    def test_another_problem_is_another_model(self, other, tmp_path):
        put(build(problem(), tmp_path), tmp_path)
        assert taken(problem(), tmp_path) is not None
        assert taken(problem(**other), tmp_path) is None

    def test_a_broken_file_is_as_none(self, tmp_path):
        put(build(problem(), tmp_path), tmp_path)
        (file,) = tmp_path.glob("*.model")
        file.write_bytes(file.read_bytes()[:100])
        assert taken(problem(), tmp_path) is None

    def test_the_oldest_make_room(self, tmp_path, monkeypatch):
        monkeypatch.setattr("cellwright.models.shelf.ROOM", 1)
        (tmp_path / "of another.so").write_bytes(b"machine code")
        os.utime(tmp_path / "of another.so", (0, 0))
        put(build(problem(), tmp_path), tmp_path)
        assert not list(tmp_path.iterdir())


class TestThinning:
    """No more than `THINNED` of the range beside the full evaluation, wherever the search goes."""

    SEARCHED = ({D_N: 1e-14, D_P: 1.2e-14}, {D_N: 1e-13, D_P: 2e-15}, {D_N: 2e-14, D_P: 3e-15})

    @pytest.mark.parametrize("current", [None, pulses, noisy], ids=["constant", "pulses", "noisy"])
    def test_thirty_thousand_rows_are_given_by_few(self, current):
        built = build(problem("SPMe", rows=30_001, current=current))
        thin = built.thinned([TRUE, *self.SEARCHED])
        assert len(thin.few.kept) < 500
        for point in ({D_N: 2.5e-14, D_P: 6e-15}, TRUE):
            full, few = (one.solve(point).outputs["Voltage [V]"] for one in (built, thin))
            allowed = simulation.THINNED * np.ptp(full)
            assert np.sqrt(np.mean((full - few) ** 2)) < (2 if current is noisy else 1) * allowed
            assert np.max(np.abs(full - few)) < SCATTER * allowed

    def test_a_course_that_ends_early_is_known_to_its_end(self):
        end = build(problem("SPM", rows=1501)).solve(TRUE).outputs["Voltage [V]"][-1]
        built = build(problem("SPM", rows=1501, voltage_window=(end - 1e-3, 4.5)))
        thin = built.thinned([TRUE])
        assert thin.few is not None
        for point in ({D_N: 3.3e-14, D_P: 2e-15}, {D_N: 1.5e-14, D_P: 3e-15}):
            full, few = built.solve(point), thin.solve(point)
            assert full.status == few.status == "ended early"
            np.testing.assert_array_equal(full.outputs["Voltage [V]"], few.outputs["Voltage [V]"])

    def test_cubics_are_given_exactly_and_no_cubic_reaches_over_a_stop(self):
        x = np.linspace(0, 1, 501)
        y = np.where(x < 0.5, x**3, 2 - x**2)[:, None]
        few = thinning(x, y, np.array([0.0, 0.498, 0.5, 1.0]), x, 1e-9)
        assert len(few.kept) < 40
        np.testing.assert_allclose(few.spread(y[np.searchsorted(x, few.kept)]), y, atol=1e-12)

    def test_what_is_not_smooth_stays_as_it_is(self):
        x = np.linspace(0, 1, 501)
        assert thinning(x, np.random.default_rng(0).normal(size=(501, 1)), x[[0, -1]], x, 1e-3) is None

    def test_few_rows_are_left_alone(self):
        built = build(problem(rows=61))
        assert built.thinned([TRUE]) is built
