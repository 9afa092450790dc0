"""Compilation of a kernel's functions to machine code, beside the work, kept on disk.

CasADi writes C; the system's compiler makes a shared library of it, in a process of its own. Floating-point
contraction is off, so that compiled and interpreted functions agree to the bit. Where there is no compiler, or it
fails, the functions stay interpreted.
"""

import contextlib
import os
import platform
import shlex
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import casadi

FLAGS = ("-O1", "-fPIC", "-shared", "-ffp-contract=off")
"""`-O3` takes three times as long to compile and saves 2 to 4 % of the run."""
ABANDONED = 600.0
"""Seconds after which a compilation that another process has begun is taken to be dead."""
_spent: dict[Path, float] = defaultdict(float)
"""Seconds that this process has spent solving with interpreted functions, by the library that is not there."""


class Compilation:
    """The compiled form of some functions: there already, under way, or not begun.

    `texts` are the functions as CasADi serialises them. The library lies in the folder under the digest of these, the
    flags, the compiler, the system and CasADi's version.
    """

    def __init__(self, functions: Mapping[str, Any], texts: Mapping[str, str], folder: Path) -> None:
        self._functions = functions
        self._names = {role: one.name() for role, one in functions.items() if one.n_in()}
        made_by = [*_compiler(), *FLAGS, platform.system(), platform.machine(), version("casadi")]
        content = "\0".join([*made_by, *map(texts.__getitem__, sorted(texts))])
        self._library = folder / f"{sha256(content.encode()).hexdigest()[:40]}.so"
        self._size = sum(map(len, texts.values()))
        self._tried = not _compiler()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def seconds(self) -> float:
        """How long the compilation takes, about: measured on 0.16, 0.98 and 8.0 MB (SPM, SPMe, DFN)."""
        size = self._size / 1e6
        return 0.3 + 0.65 * size + 0.14 * size**2

    def result(self) -> dict[str, Any] | None:
        """Return the compiled functions by role, or None while they are not there."""
        if not self._library.exists():
            return None
        try:
            external = {role: casadi.external(name, str(self._library)) for role, name in self._names.items()}
        except RuntimeError:  # the file is no library of this system, or half of one: it is compiled again
            return None
        with contextlib.suppress(OSError):  # what was used last stays longest
            os.utime(self._library)
        return {**self._functions, **external}

    def begin_if_worth(self, seconds: float) -> None:
        """Take note of a solve that took so long, and begin once all in this process took as long as compiling does.

        Nobody knows how long a search will go on, or whether another follows; by this rule they never take more than
        twice as long as with the best decision (the problem of the hired skis).
        """
        _spent[self._library] += seconds
        if not self._tried and _spent[self._library] >= self.seconds:
            self._tried = True
            self._begin()

    def _begin(self) -> None:
        mark = self._library.with_suffix(".begun")
        work: Path | None = None
        try:
            mark.parent.mkdir(parents=True, exist_ok=True)
            _sweep(mark.parent)
            if mark.exists():
                return
            mark.touch()
            work = Path(mkdtemp(dir=mark.parent))
            (work / "kernel.c").write_text(_source(map(self._functions.__getitem__, self._names)), encoding="ascii")
            # S603: what is run is the system's compiler, or the one that the user's own CC names.
            self._process = subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", _SCRIPT, "sh", str(work), str(self._library), str(mark), *_compiler(), *FLAGS],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C ends the work and not the compilation, which tidies up
            )
        except OSError:  # no room, no permission: interpreted functions do as well
            if work is not None:
                shutil.rmtree(work, ignore_errors=True)
                mark.unlink(missing_ok=True)


_SCRIPT = """
work=$1 library=$2 mark=$3; shift 3
nice "$@" -o "$work/kernel.so" "$work/kernel.c" -lm && mv "$work/kernel.so" "$library"
rm -rf "$work" "$mark"
"""
"""Compiles aside and moves the library into place, so that nobody loads half of one."""


def _sweep(folder: Path) -> None:
    """Remove what compilations left that did not come to their end."""
    for left in (*folder.glob("*.begun"), *folder.glob("tmp*")):
        with contextlib.suppress(OSError):  # another process was quicker
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _source(functions: Iterable[Any]) -> str:
    writer = casadi.CodeGenerator("kernel.c")
    for one in functions:
        writer.add(one)
    return str(writer.dump())


@lru_cache(maxsize=1)
def _compiler() -> tuple[str, ...]:
    """Return the C compiler that `CC` names, which may be several words, or the system's; empty where there is none."""
    given = os.environ.get("CC")
    with contextlib.suppress(OSError, ValueError):
        for words in map(shlex.split, [given] if given else ["cc", "gcc", "clang"]):
            found = shutil.which(words[0]) if words else None
            if found:
                return (found, *words[1:])
    return ()
