"""Sizes and mean properties of whole cells. All functions take floats, arrays and expressions; SI units."""

import math
from typing import Any


def cylinder_volume(radius: Any, height: Any) -> Any:
    """Return the volume π r² h of a cylinder [m3]."""
    return math.pi * radius**2 * height


def cylinder_surface(radius: Any, height: Any) -> Any:
    """Return the surface of a cylinder with both ends, 2 π r h + 2 π r² [m2]."""
    return 2 * math.pi * radius * (height + radius)


def box_volume(height: Any, width: Any, thickness: Any) -> Any:
    """Return the volume h w t of a box [m3]."""
    return height * width * thickness


def box_surface(height: Any, width: Any, thickness: Any) -> Any:
    """Return the surface of a box, all six faces, 2 (h w + h t + w t) [m2]."""
    return 2 * (height * width + height * thickness + width * thickness)
