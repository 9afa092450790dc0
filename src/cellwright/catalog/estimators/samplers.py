"""Estimators that draw samples of the parameters' probability."""

from typing import ClassVar, Literal

from cellwright.schema.families import Estimator
from cellwright.schema.variant import Example


class PintsSampler(Estimator):
    """Markov chains whose points are distributed as the parameters are, given the data.

    The first `burnin_iterations` (a tenth of `max_iterations`) are thrown away, in the first
    `initial_phase_iterations` the chain adapts its steps.

    Source: Haario, Laine, Mira & Saksman, Stat. Comput. 16 (2006) 339, doi:10.1007/s11222-006-9438-0 (DRAM, the
    default method).
    """

    positional = ("method", "log_to_screen", "max_iterations", "burnin_iterations", "initial_phase_iterations")
    samples: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"method": "HaarioBardenetACMC", "max_iterations": 500})

    type: Literal["PintsSampler"] = "PintsSampler"
    method: str = "DramACMC"
    log_to_screen: bool = False
    max_iterations: int = 1000
    burnin_iterations: int | None = None
    initial_phase_iterations: int | None = None
