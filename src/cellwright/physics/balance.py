"""How much lithium an electrode holds along a measured curve.

Of the capacity Q [A.h] of an electrode the curve uses its span S; L lies below and U above the part in use, Q = L + S +
U. With x the lithium that has entered [A.h] since the point of the curve where the electrode holds least,

θ = (L + x) / Q.

A capacity d that has been discharged since the point of highest voltage has entered the positive electrode, x_p = d,
and left the negative one, x_n = S - d. So L is what a negative electrode still holds where the cell is empty, and a
positive one where it is full.

Source: Dubarry, Truchot & Liaw, J. Power Sources 219 (2012) 204, doi:10.1016/j.jpowsour.2012.07.016; Dahn, Smith,
Burns, Stevens & Dahn, J. Electrochem. Soc. 159 (2012) A1405, doi:10.1149/2.013209jes.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Part = Literal["lower", "whole", "upper"]
PARTS: tuple[Part, ...] = ("lower", "whole", "upper")
_EFFECTS: dict[tuple[frozenset[Part], Part], tuple[float, float]] = {
    (frozenset({"lower", "whole"}), "lower"): (1, 0),
    (frozenset({"lower", "whole"}), "whole"): (0, 1),
    (frozenset({"lower", "upper"}), "lower"): (1, 1),
    (frozenset({"lower", "upper"}), "upper"): (0, 1),
    (frozenset({"whole", "upper"}), "whole"): (1, 1),
    (frozenset({"whole", "upper"}), "upper"): (-1, 0),
}
"""The derivatives of L and Q by the one of the two known parts that is named second."""


@dataclass(frozen=True)
class Share:
    """The parts of an electrode's capacity [A.h]: L below, Q the whole and U above a span S of a curve."""

    lower: float
    whole: float
    upper: float

    @classmethod
    def of(cls, span: float, known: dict[Part, float]) -> "Share":
        """Return all three from two of them and the span of the curve."""
        lower, whole, upper = (known.get(part) for part in PARTS)
        if lower is None:
            assert whole is not None
            assert upper is not None
            return cls(whole - span - upper, whole, upper)
        if whole is None:
            assert upper is not None
            return cls(lower, lower + span + upper, upper)
        return cls(lower, whole, whole - span - lower)

    def stoichiometry(self, entered: Array) -> Array:
        """Return θ [-] where so much lithium has entered [A.h]."""
        return np.asarray((self.lower + entered) / self.whole)

    def slopes(self, theta: Array, known: frozenset[Part]) -> dict[Part, Array]:
        """Return the derivatives of θ [A-1.h-1] by the two parts that are known."""
        effects = {part: _EFFECTS[known, part] for part in known}
        return {part: (by_lower - theta * by_whole) / self.whole for part, (by_lower, by_whole) in effects.items()}
