"""Cellwright: parameterised battery cell models from datasheets, literature and measured curves.

The names of this module are loaded on first use, so that importing it costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellwright import models, pipelines
    from cellwright.catalog import actions, calculations, costs, metrics, objective_functions, objectives, transforms
    from cellwright.catalog import distributions as stats
    from cellwright.catalog import entries as direct_entries
    from cellwright.catalog import estimators as optimizers
    from cellwright.catalog import estimators as parameter_estimators
    from cellwright.catalog import regularizers as priors
    from cellwright.catalog import samplers as distribution_samplers
    from cellwright.catalog.library import Library, Material
    from cellwright.client import Client
    from cellwright.data.pulses import split_pulses
    from cellwright.engine.check import CheckReport
    from cellwright.errors import CellwrightError
    from cellwright.models.exchange import from_bpx, from_pybamm
    from cellwright.schema.datasource import (
        AnalysisSpec,
        DataLoaderOptions,
        DataLoaderTransforms,
        DataPayloadSpec,
        MetadataSpec,
        TimeRangeSpec,
        TimeSeriesSpec,
    )
    from cellwright.schema.document import Pipeline, SimplePipeline
    from cellwright.schema.elements import (
        ArrayDataFit,
        DataFit,
        DataFitOptions,
        LinearConfidenceInterval,
        SobolSensitivity,
        Validation,
    )
    from cellwright.schema.free_parameter import Parameter
    from cellwright.schema.parameters import ParameterSet
    from cellwright.schema.results import PipelineResult
    from cellwright.service import ecm
    from cellwright.service.assembly import check_pipeline as check
    from cellwright.service.assembly import run_pipeline as run
    from cellwright.service.exports import export, parameter_values

__version__ = "0.1.0"

_MODULES = {
    "actions": "cellwright.catalog.actions",
    "calculations": "cellwright.catalog.calculations",
    "costs": "cellwright.catalog.costs",
    "direct_entries": "cellwright.catalog.entries",
    "distribution_samplers": "cellwright.catalog.samplers",
    "ecm": "cellwright.service.ecm",
    "metrics": "cellwright.catalog.metrics",
    "models": "cellwright.models",
    "objective_functions": "cellwright.catalog.objective_functions",
    "objectives": "cellwright.catalog.objectives",
    "optimizers": "cellwright.catalog.estimators",
    "parameter_estimators": "cellwright.catalog.estimators",
    "pipelines": "cellwright.pipelines",
    "priors": "cellwright.catalog.regularizers",
    "stats": "cellwright.catalog.distributions",
    "transforms": "cellwright.catalog.transforms",
}
_NAMES = {
    "AnalysisSpec": "cellwright.schema.datasource:AnalysisSpec",
    "ArrayDataFit": "cellwright.schema.elements:ArrayDataFit",
    "CellwrightError": "cellwright.errors:CellwrightError",
    "CheckReport": "cellwright.engine.check:CheckReport",
    "Client": "cellwright.client:Client",
    "DataFit": "cellwright.schema.elements:DataFit",
    "DataFitOptions": "cellwright.schema.elements:DataFitOptions",
    "DataLoaderOptions": "cellwright.schema.datasource:DataLoaderOptions",
    "DataLoaderTransforms": "cellwright.schema.datasource:DataLoaderTransforms",
    "DataPayloadSpec": "cellwright.schema.datasource:DataPayloadSpec",
    "Library": "cellwright.catalog.library:Library",
    "LinearConfidenceInterval": "cellwright.schema.elements:LinearConfidenceInterval",
    "Material": "cellwright.catalog.library:Material",
    "MetadataSpec": "cellwright.schema.datasource:MetadataSpec",
    "Parameter": "cellwright.schema.free_parameter:Parameter",
    "ParameterSet": "cellwright.schema.parameters:ParameterSet",
    "Pipeline": "cellwright.schema.document:Pipeline",
    "PipelineResult": "cellwright.schema.results:PipelineResult",
    "SimplePipeline": "cellwright.schema.document:SimplePipeline",
    "SobolSensitivity": "cellwright.schema.elements:SobolSensitivity",
    "TimeRangeSpec": "cellwright.schema.datasource:TimeRangeSpec",
    "TimeSeriesSpec": "cellwright.schema.datasource:TimeSeriesSpec",
    "Validation": "cellwright.schema.elements:Validation",
    "check": "cellwright.service.assembly:check_pipeline",
    "export": "cellwright.service.exports:export",
    "from_bpx": "cellwright.models.exchange:from_bpx",
    "from_pybamm": "cellwright.models.exchange:from_pybamm",
    "parameter_values": "cellwright.service.exports:parameter_values",
    "run": "cellwright.service.assembly:run_pipeline",
    "split_pulses": "cellwright.data.pulses:split_pulses",
}

__all__ = [
    "AnalysisSpec",
    "ArrayDataFit",
    "CellwrightError",
    "CheckReport",
    "Client",
    "DataFit",
    "DataFitOptions",
    "DataLoaderOptions",
    "DataLoaderTransforms",
    "DataPayloadSpec",
    "Library",
    "LinearConfidenceInterval",
    "Material",
    "MetadataSpec",
    "Parameter",
    "ParameterSet",
    "Pipeline",
    "PipelineResult",
    "SimplePipeline",
    "SobolSensitivity",
    "TimeRangeSpec",
    "TimeSeriesSpec",
    "Validation",
    "actions",
    "calculations",
    "check",
    "costs",
    "direct_entries",
    "distribution_samplers",
    "ecm",
    "export",
    "from_bpx",
    "from_pybamm",
    "metrics",
    "models",
    "objective_functions",
    "objectives",
    "optimizers",
    "parameter_estimators",
    "parameter_values",
    "pipelines",
    "priors",
    "run",
    "split_pulses",
    "stats",
    "transforms",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(_MODULES[name])
    elif name in _NAMES:
        module, attribute = _NAMES[name].split(":")
        value = getattr(import_module(module), attribute)
    else:
        raise AttributeError(f"module 'cellwright' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
