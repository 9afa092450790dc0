"""Compilation of a kernel's functions to machine code, beside the work, kept on disk.

CasADi writes C; the system's compiler makes a shared library of it, in a process of its own. Floating-point
contraction is off, so that compiled and interpreted functions agree to the bit. Where there is no compiler, or it
fails, the functions stay interpreted.
"""

import contextlib
import os
import shutil
import subprocess
import time
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


class Compilation:
    """The compiled form of some functions: there already, under way, or not begun.

    `texts` are the functions as CasADi serialises them. The library lies in the folder under the digest of these, the
    flags, the compiler and CasADi's version.
    """

    def __init__(self, functions: Mapping[str, Any], texts: Mapping[str, str], folder: Path) -> None:
        self._functions = functions
        self._names = {role: one.name() for role, one in functions.items() if one.n_in()}
        content = "\0".join([str(_compiler()), *FLAGS, version("casadi"), *map(texts.__getitem__, sorted(texts))])
        self._library = folder / f"{sha256(content.encode()).hexdigest()[:40]}.so"
        self._size = sum(map(len, texts.values()))
        self._process: subprocess.Popen[bytes] | None = None
        self._given_up = _compiler() is None

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
        except RuntimeError:  # the file is no library of this system
            self._given_up = True
            return None
        return {**self._functions, **external}

    def begin_if_worth(self, spent: float) -> None:
        """Begin once as much time has been spent solving as the compilation takes.

        Nobody knows how long a search will go on; by this rule it never takes more than twice as long as with the
        best decision (the problem of the hired skis).
        """
        if not self._given_up and self._process is None and spent >= self.seconds:
            self._begin()

    def _begin(self) -> None:
        self._given_up = True  # one attempt
        mark = self._library.with_suffix(".begun")
        try:
            mark.parent.mkdir(parents=True, exist_ok=True)
            if mark.exists() and time.time() - mark.stat().st_mtime < ABANDONED:
                return
            mark.touch()
            work = Path(mkdtemp(dir=mark.parent))
            (work / "kernel.c").write_text(_source(map(self._functions.__getitem__, self._names)), encoding="ascii")
            self._process = subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", _SCRIPT, "sh", str(work), str(self._library), str(mark), str(_compiler()), *FLAGS],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:  # no room, no permission: interpreted functions do as well
            return


_SCRIPT = """
work=$1 library=$2 mark=$3 compiler=$4; shift 4
nice "$compiler" "$@" -o "$work/kernel.so" "$work/kernel.c" -lm && mv "$work/kernel.so" "$library"
rm -rf "$work" "$mark"
"""
"""Compiles aside and moves the library into place, so that nobody loads half of one."""


def _source(functions: Iterable[Any]) -> str:
    writer = casadi.CodeGenerator("kernel.c")
    for one in functions:
        writer.add(one)
    return str(writer.dump())


@lru_cache(maxsize=1)
def _compiler() -> str | None:
    """Return the C compiler that `CC` names, or the system's; None where there is none."""
    given = os.environ.get("CC")
    with contextlib.suppress(OSError):
        return shutil.which(given) if given else shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return None
