"""Jobs: a command in an image's runtime, with inputs from S3 and outputs to S3, as the job's role.

The kinds of jobs, in the order they are listed. Adding one is a module and a line.
"""

from typing import Final

from mlops_foundation.local.services.sagemaker.jobs.processing import PROCESSING_JOB
from mlops_foundation.local.services.sagemaker.jobs.run import JobKind
from mlops_foundation.local.services.sagemaker.jobs.training import TRAINING_JOB

JOB_KINDS: Final[tuple[JobKind, ...]] = (PROCESSING_JOB, TRAINING_JOB)
