"""Built models of every kind of problem."""

from pathlib import Path

from cellwright.errors import ConfigurationError
from cellwright.models import experiment, linearise, simulate
from cellwright.models.numerics import AT
from cellwright.schema.simulation import ExperimentProblem, ImpedanceProblem, Problem, Simulation

OF_THE_MODEL = ("options", "model", "simulation_settings")


def build(problem: Problem, folder: Path | None = None) -> Simulation:
    """Return the built model of a problem; nothing is integrated. Compiled functions are kept in the folder, if any.

    Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter that the
    model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
    """
    try:
        return _built(problem, folder)
    except ConfigurationError as error:
        if error.at[:2] == AT and problem.model.own_settings.intersection(error.at[2:3]):
            error.at = (*OF_THE_MODEL, *error.at[2:])
        raise


def _built(problem: Problem, folder: Path | None) -> Simulation:
    match problem:
        case ImpedanceProblem():
            return linearise.build(problem)
        case ExperimentProblem():
            return experiment.build(problem)
        case _:
            return simulate.build(problem, folder)
