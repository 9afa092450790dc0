"""How finely predictions are known, and what may be told from small differences of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resolution:
    """The steps of differences that find slopes at a point, and what these slopes are good for.

    Source: Gill, Murray & Wright, Practical Optimization (1981), section 4.6 (the step follows from the error of the
    function: its cube root for central differences).
    """

    step: float
    """Step as a fraction of the parameter's value."""
    share: float
    """Largest step as a fraction of the range between the bounds."""
    effect: float
    """Change of the predictions over one step, as a fraction of the data, below which a parameter has no effect."""
    rank: float
    """Singular value of the Jacobian with columns of length 1 below which a direction counts as flat."""


INTEGRATED = Resolution(step=2e-2, share=1e-2, effect=1e-6, rank=2e-3)
"""What a solver integrates, to tolerances of 1e-4 to 1e-6.

The step is large beside these, and small enough that what a parabola misses, about step²/6 of the slope, stays below
1e-3 of it. It leaves about 1e-3 of a column uncertain: a smaller singular value cannot be told from 0.
"""
CLOSED_FORM = Resolution(step=1e-5, share=1e-5, effect=1e-13, rank=1e-8)
"""What a formula gives, to rounding: a slope errs by about 1e-10 of itself."""
