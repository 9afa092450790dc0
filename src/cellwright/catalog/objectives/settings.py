"""Settings of simulations, as the `simulation_kwargs` of an objective give them."""

from collections.abc import Mapping
from typing import Any, Literal

from cellwright.errors import ConfigurationError
from cellwright.schema.metrics import Metric

KWARGS = ("options", "simulation_kwargs")
MODE, SOLVER, SOLVE = "experiment_model_mode", "solver_kwargs", "solve_kwargs"


def split_settings(given: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the simulation settings, and what was meant for each solve.

    The keywords of the solver are its settings, unless a solver is given.
    """
    settings = dict(given or {})
    solver, solve = (settings.pop(name, None) or {} for name in (SOLVER, SOLVE))
    own = {name: value for name, value in solver.items() if name != "store_first_last"}
    if own and settings.get("solver") is None:
        settings["solver"] = own
    return settings, dict(solve)


def refuse(solve: Mapping[str, Any], ignored: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` for keywords of a solve, but those that do not matter."""
    for name in solve:
        if name not in ignored and solve[name] is not None:
            raise ConfigurationError(
                f"{name!r} cannot be handed to each solve",
                at=(*KWARGS, SOLVE, name),
                hint="the initial state is that of the parameters: 'Initial SOC [%]'",
            )


def model_mode(given: Any) -> Literal["unified", "legacy"]:
    """Return how PyBaMM is to model the steps of an experiment. Raises: `ConfigurationError` for what is no way."""
    if given not in {None, "unified", "legacy"}:
        raise ConfigurationError(f"{MODE!r} is 'unified' or 'legacy', not {given!r}", at=(*KWARGS, MODE))
    return "legacy" if given == "legacy" else "unified"


def ends_alone(given: Mapping[str, Any] | None, measures: Mapping[str, Metric]) -> bool | None:
    """Return whether the ends of steps alone are to be recorded, None where nothing is said.

    Raises: `ConfigurationError` where the metrics read more.
    """
    asked = ((given or {}).get(SOLVER) or {}).get("store_first_last")
    if asked and not all(one.kept_at_ends for one in measures.values()):
        raise ConfigurationError(
            "the metrics read more than the first and the last moment of each step",
            at=(*KWARGS, SOLVER, "store_first_last"),
            hint="leave it out",
        )
    return None if asked is None else bool(asked)
