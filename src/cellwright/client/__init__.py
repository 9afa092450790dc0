"""The Python client: the same calls on a server and on this computer."""

from cellwright.client.cell_specifications import CellSpecificationRecord
from cellwright.client.client import Client
from cellwright.client.jobs import JobRecord
from cellwright.client.pipelines import ElementProgress, PipelineRecord
from cellwright.client.waiting import PipelineTimeoutError

__all__ = [
    "CellSpecificationRecord",
    "Client",
    "ElementProgress",
    "JobRecord",
    "PipelineRecord",
    "PipelineTimeoutError",
]
