"""SageMaker: jobs, pipelines, the model registry, hosting, Studio and projects.

| part | holds |
|---|---|
| ``jobs/`` | the kinds of jobs, one tuple: a command in an image's runtime, in the sandbox, as the job's role |
| ``pipelines/`` | definitions, expressions and the executor, which calls the other operations as the pipeline's role |
| ``registry/`` | model package groups, their policies, versions and approval |
| ``hosting/`` | models, endpoint configurations, endpoints and their model servers |
| ``studio.py``, ``tags.py`` | domains and profiles; tags |
| ``projects.py``, ``project_templates.py`` | projects from Service Catalog; the switch of SageMaker's own templates |
| ``types.py`` | the CloudFormation types, which call the operations |
"""

import threading
from collections.abc import Mapping
from typing import ClassVar, Final

from mlops_foundation.local.contract import Cloud, Handler, ResourceType
from mlops_foundation.local.services.sagemaker.hosting.endpoints import EndpointOperations
from mlops_foundation.local.services.sagemaker.jobs.operations import JOB_OPERATIONS
from mlops_foundation.local.services.sagemaker.machine import Machine
from mlops_foundation.local.services.sagemaker.pipelines.operations import PipelineOperations
from mlops_foundation.local.services.sagemaker.project_templates import ProjectTemplateOperations
from mlops_foundation.local.services.sagemaker.projects import ProjectOperations
from mlops_foundation.local.services.sagemaker.studio import StudioOperations
from mlops_foundation.local.services.sagemaker.tags import TagOperations
from mlops_foundation.local.services.sagemaker.types import RESOURCE_TYPES


class SageMaker(
    PipelineOperations,
    EndpointOperations,
    StudioOperations,
    ProjectOperations,
    ProjectTemplateOperations,
    TagOperations,
):
    """The service, put together from its groups of operations."""

    resource_types: ClassVar[Mapping[str, ResourceType]] = RESOURCE_TYPES
    operations: ClassVar[Mapping[str, Handler]] = JOB_OPERATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.machine = Machine(cloud)
        self.running = {}
        self.stopping = set()
        self.changed = threading.Condition()
        self.servers = {}
        self.closing = threading.Event()

    def start(self) -> None:
        """Mark what was interrupted, start the endpoints again."""
        self.end_interrupted_jobs()
        self.end_interrupted_executions()
        self.start_endpoints()

    def stop(self) -> None:
        """End all containers; jobs and executions are marked at the next start."""
        self.closing.set()
        for running in list(self.running.values()):
            running.kill()
        self.stop_endpoints()


SERVICE: Final = SageMaker
