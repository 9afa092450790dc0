"""The resistance of a cell over its state of charge, in closed form."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import PlainValidator

from cellwright.catalog.named_models import model_of
from cellwright.errors import ConfigurationError, DataError, MissingParameterError, did_you_mean
from cellwright.schema.expressions import Expression, parameter, scalar
from cellwright.schema.families import FittingObjective, Model
from cellwright.schema.names import base_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedFormula
from cellwright.schema.simulation import Simulate
from cellwright.schema.tables import Columns
from cellwright.schema.values import Function, free_names, normalise, written
from cellwright.schema.variant import Example, Schema

SOC, RESISTANCE = "SOC", "Resistance [Ohm]"
PERCENT = 2.0
"""State of charge above which a column seems to be in percent."""


def _formula(given: Any) -> Any:
    """Return a formula as an expression or a function; a model stays one, by its name or as an object."""
    if given is None or isinstance(given, Model | Expression | Function):
        return given
    if isinstance(given, str):
        return given if given.isidentifier() else _as_expression(written(given))
    if isinstance(given, Mapping) and not ("expression" in given or "$type" in given):
        return model_of(given)
    return _as_expression(normalise(given)) if callable(given) or not hasattr(given, "rhs") else model_of(given)


def _as_expression(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return scalar(value)
    if isinstance(value, Expression | Function):
        return value
    raise ConfigurationError(f"a resistance is a formula, not {value!r:.80}")


Formula = Annotated[
    str | Model | Expression | Function | None,
    PlainValidator(_formula, json_schema_input_type=str | dict[str, Any] | None),
]


class ResistanceOptions(Schema):
    """The model of the resistance.

    In Python a function of the state of charge, in a file `{arguments: [soc], expression: "'R0 [Ohm]' + 'k [Ohm]' *
    soc"}` or a formula in text, in which the names of columns and parameters stand in quotes: `"'R0 [Ohm]' + 'k [Ohm]'
    * 'SOC'"`.
    """

    only_set = True

    model: Formula = None


class Resistance(FittingObjective):
    """The resistance of a cell over its state of charge, compared with the measured one.

    r = R_model(z_i) - R_i [Ohm] at the states of charge z_i of the data. The columns are `SOC` (a fraction),
    `Resistance [Ohm]` and what else the model asks for. The model is a formula; without one it is the parameter
    `Resistance [Ohm]`, a number or a function of the state of charge. An argument of a function is the column of its
    name (without unit, in any case, `_` for a space); the first one that is no column is the state of charge. Other
    names in the formula are columns where there are such, else parameters.

    Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 2.
    """

    example: ClassVar = Example(fields={"data": {"SOC": [0.2, 0.8], "Resistance [Ohm]": [0.03, 0.02]}})

    type: Literal["Resistance"] = "Resistance"
    options: ResistanceOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedFormula:
        """Put the parameters into the formula.

        Raises: `DataError` for missing columns and values that are no numbers, `ConfigurationError` for a model that is
        no formula and an argument that is no column, `MissingParameterError` for parameters that nobody provides.
        """
        own = self.parameters or {}
        p = p.merge(own, Origin("objective"))
        open_names = {name for name in free if name not in own}
        table = self.data_input.table
        observed = {name: table.numbers(name) for name in (SOC, RESISTANCE)}
        if np.abs(observed[SOC]).max(initial=0.0) > PERCENT:
            most = np.abs(observed[SOC]).max()
            said = f"the column {SOC!r} runs to {most:.4g}, and a state of charge is a fraction of 1"
            raise DataError(said, hint="divide it by 100")
        formula = _bound(self._model(p, open_names), table)
        columns = table.keys() - {RESISTANCE}
        outer = formula.names - columns - open_names
        known = {name: p.values_[name] for name in outer if name in p.values_}
        whole = formula.substitute(known)
        lacking = sorted(free_names(whole) - columns - open_names)
        if lacking:
            raise MissingParameterError(
                f"the resistance lacks {', '.join(map(repr, lacking))}",
                hint=did_you_mean(lacking[0], [*table, *p.values_, *free]),
                detail={"missing": lacking},
            )
        asked = {RESISTANCE} if self._own is None else set()
        return PreparedFormula(
            x_name=SOC,
            x=observed[SOC],
            observed={RESISTANCE: observed[RESISTANCE]},
            used=free_names(whole) & open_names,
            reads=_behind(asked | outer | (formula.names & open_names), p),
            formula=whole if isinstance(whole, Expression) else scalar(whole),
            columns={name: table.numbers(name) for name in sorted(free_names(whole) & columns)},
        )

    @property
    def _own(self) -> Any:
        return None if self.options is None else self.options.model

    def _model(self, p: ParameterSet, free: set[str]) -> Expression | Function:
        """Return the formula, or in its place the parameter `Resistance [Ohm]`."""
        if self._own is None:
            found = parameter(RESISTANCE) if RESISTANCE in free else p.values_.get(RESISTANCE)
            if found is None:
                raise MissingParameterError(
                    f"nothing says how the resistance depends on the state of charge: there is no model and no "
                    f"parameter {RESISTANCE!r}",
                    hint="give a formula as the model, or the parameter as a function or a number",
                    detail={"missing": [RESISTANCE]},
                )
            formula: Expression | Function = _as_expression(found)
            return formula
        if isinstance(self._own, Expression | Function):
            return self._own
        name = self._own if isinstance(self._own, str) else getattr(self._own, "type", None)
        raise ConfigurationError(
            f"the model {name!r} is no formula of the state of charge",
            at=("options", "model"),
            hint="give a function, for example {arguments: [soc], expression: \"'R0 [Ohm]' * (2 - soc)\"}",
        )


def _bound(formula: Expression | Function, table: Columns) -> Expression:
    """Return the formula with columns in the places of a function's arguments."""
    if isinstance(formula, Expression):
        return formula
    by_key = {key: name for name in table for key in (_key(base_of(name)), name)}
    found = {one: by_key.get(one) or by_key.get(_key(one)) for one in formula.arguments}
    strangers = [one for one, column in found.items() if column is None]
    if strangers and SOC not in found.values():
        found[strangers.pop(0)] = SOC
    if strangers:
        raise ConfigurationError(
            f"the resistance depends on {strangers[0]!r}, and the data have no such column",
            at=("options", "model"),
            hint=did_you_mean(strangers[0], table) or f"there are {', '.join(map(repr, table))}",
        )
    body: Expression = _as_expression(formula(*(parameter(str(column)) for column in found.values())))
    return body


def _key(name: str) -> str:
    return name.lower().replace("_", " ")


def _behind(names: set[str], p: ParameterSet) -> frozenset[str]:
    """Return the names and those in their definitions, however far back."""
    found: set[str] = set()
    while names:
        name = names.pop()
        found.add(name)
        names |= free_names(p.definitions.get(name)) - found
    return frozenset(found)
