"""The Python client: the same calls on a server and on this computer."""

from cellwright.client.client import Client
from cellwright.client.jobs import JobRecord
from cellwright.client.pipelines import ElementProgress, PipelineRecord
from cellwright.client.waiting import PipelineTimeoutError

__all__ = ["Client", "ElementProgress", "JobRecord", "PipelineRecord", "PipelineTimeoutError"]
