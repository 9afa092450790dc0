"""The Arrhenius law. All functions take floats, arrays and expressions; temperatures in K."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import DataError
from cellwright.physics.constants import GAS


def arrhenius_factor(activation_energy: Any, reference_temperature: Any, temperature: Any) -> Any:
    """Return how much faster a process runs at T than at T_ref [-].

    exp(E / R · (1 / T_ref - 1 / T)), with E the activation energy [J.mol-1].

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """
    return np.exp(activation_energy / GAS * (1 / reference_temperature - 1 / temperature))


def boltzmann_factor(activation_energy: Any, temperature: Any) -> Any:
    """Return exp(-E / (R T)) [-], with E the activation energy [J.mol-1].

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """
    return np.exp(-activation_energy / GAS / temperature)


def log_linear_fit(
    temperature: NDArray[np.float64], value: NDArray[np.float64], reference_temperature: float | None = None
) -> tuple[float, float]:
    """Return the logarithm of the value at T_ref (at infinite T without one) and the activation energy [J.mol-1].

    The straight line of least squares ln k = ln k_ref - E / R · (1 / T - 1 / T_ref) through the logarithms, all points
    weighing the same.

    Raises: `DataError` for temperatures or values that are not above 0, and fewer than two distinct temperatures.

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """
    for what, column in (("temperature", temperature), ("value", value)):
        wrong = column[~(np.isfinite(column) & (column > 0))]
        if wrong.size:
            raise DataError(
                f"an Arrhenius line needs every {what} above 0, and one is {wrong[0]:.6g}",
                hint="temperatures are in K" if what == "temperature" else "remove the row",
            )
    if np.unique(temperature).size < 2:
        raise DataError(
            f"an Arrhenius line needs at least two different temperatures, the data have {np.unique(temperature).size}"
        )
    x, y = 1 / temperature, np.log(value)
    x_mean, y_mean = x.mean(), y.mean()
    slope = ((x - x_mean) @ (y - y_mean)) / ((x - x_mean) @ (x - x_mean))
    x_reference = 1 / reference_temperature if reference_temperature else 0.0
    return float(y_mean + slope * (x_reference - x_mean)), float(-slope * GAS)
