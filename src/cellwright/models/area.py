"""The area of a cell's electrodes."""

from collections.abc import Collection

from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.parameters import ParameterSet

AREA = "Electrode cross-sectional area [m2]"
"""The area of all electrodes together, across which the current of the cell goes."""
ONE_LAYER = "Electrode area [m2]"
SIDES = ("Electrode height [m]", "Electrode width [m]")
LAYERS = "Number of electrodes connected in parallel to make a cell"


def electrode_area(p: ParameterSet, free: Collection[str] = ()) -> Expression:
    """Return the area of a cell's electrodes [m2], the one that is given or free, as an expression of parameters.

    Else it is that of one layer, which may be height × width, times their number, which is 1 where nobody gives it.
    """
    known = {*p.values_, *free}
    if AREA in known:
        return parameter(AREA)
    layer = parameter(ONE_LAYER) if ONE_LAYER in known else parameter(SIDES[0]) * parameter(SIDES[1])
    return layer * parameter(LAYERS) if LAYERS in known else layer
