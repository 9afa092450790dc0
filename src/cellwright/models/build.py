"""Built models of every kind of problem."""

from pathlib import Path

from cellwright.models import experiment, linearise, simulate
from cellwright.schema.simulation import ExperimentProblem, ImpedanceProblem, Problem, Simulation


def build(problem: Problem, folder: Path | None = None) -> Simulation:
    """Return the built model of a problem; nothing is integrated. Compiled functions are kept in the folder, if any.

    Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter that the
    model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
    """
    match problem:
        case ImpedanceProblem():
            return linearise.build(problem)
        case ExperimentProblem():
            return experiment.build(problem)
        case _:
            return simulate.build(problem, folder)
