"""NumPy's global random state, lent to libraries that draw from it and know no generator."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np

_LENT = Lock()


class LentRandom:
    """A random state of its own that stands in for NumPy's global one while a library draws from that.

    It is seeded from a generator, goes on from where it was left, and the global state is put back unchanged.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        seed = rng.integers(2**32, size=4, dtype=np.uint32)
        self._state = np.random.RandomState(seed).get_state()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Put the state in the place of the global one."""
        with _LENT:
            before = np.random.get_state()  # noqa: NPY002
            np.random.set_state(self._state)  # noqa: NPY002
            try:
                yield
            finally:
                self._state = np.random.get_state()  # noqa: NPY002
                np.random.set_state(before)  # noqa: NPY002
