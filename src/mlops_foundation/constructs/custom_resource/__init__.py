"""The function behind a custom resource: its code, its narrow role and its log.

The code is a folder with ``index.py``, whose ``handler`` hands over to ``answer.respond``; ``answer.py`` is put beside
it, so that every function of ours answers CloudFormation alike.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import NIST, acknowledge, acknowledge_function, acknowledge_wildcards
from mlops_foundation.constructs.policies import allow
from mlops_foundation.constructs.stack import FoundationStack

ANSWER: Final = Path(__file__).parent / "functions" / "answer.py"
_PATIENCE_S: Final = 30


@dataclass(frozen=True)
class Work:
    """What a custom resource's function does.

    Attributes:
        name: Name of the function and of its role.
        description: One line for both.
        code: The folder with ``index.py``.
        timeout_s: Seconds it may take.
        statements: What it may do, beside writing its log.
        wildcards: Why some of that names no single resource.
    """

    name: str
    description: str
    code: Path
    timeout_s: int
    statements: Sequence[iam.PolicyStatement]
    wildcards: str


def copy_code(code: Path, folder: Path) -> None:
    """Put a function's own code and ``answer.py`` into a folder, as Lambda gets them."""
    shutil.copytree(code, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy(ANSWER, folder)


class ResourceFunction:
    """A function that CloudFormation calls.

    Args:
        stack: Where.
        construct_id: Construct of the function; those of its role and log begin with it.
        context: What the stack is built from.
        work: What it does.
        key: Encrypts its log; CloudWatch's own key when left out, for a log without data.
    """

    def __init__(
        self, stack: FoundationStack, construct_id: str, context: StackContext, work: Work, key: kms.Key | None = None
    ) -> None:
        self._stack, self._id, self._context, self._work = stack, construct_id, context, work
        log_group = self._log_group(key)
        role = self._role()
        role.node.add_dependency(log_group)
        with tempfile.TemporaryDirectory() as folder:
            copy_code(work.code, Path(folder))
            self._function = lambda_.Function(
                stack,
                construct_id,
                function_name=work.name,
                description=work.description,
                code=lambda_.Code.from_asset(folder),
                handler="index.handler",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                timeout=cdk.Duration.seconds(work.timeout_s),
                memory_size=256,
                role=role,
                log_group=log_group,
            )
        acknowledge_function(self._function)

    def resource(self, construct_id: str, kind: str, properties: dict[str, object]) -> cdk.CustomResource:
        """Return a custom resource that this function makes.

        Args:
            construct_id: Its construct.
            kind: What comes after ``Custom::`` in its type.
            properties: What the function is told.
        """
        made = cdk.CustomResource(
            self._stack,
            construct_id,
            service_token=self._function.function_arn,
            service_timeout=cdk.Duration.seconds(self._work.timeout_s + _PATIENCE_S),
            resource_type=f"Custom::{kind}",
            properties=properties,
        )
        # The function's last words are written after it has answered: its log has to go last.
        made.node.add_dependency(self._stack.node.find_child(f"{self._id}Log"))
        return made

    @property
    def _group_name(self) -> str:
        return f"/aws/lambda/{self._work.name}"

    def _log_group(self, key: kms.Key | None) -> logs.LogGroup:
        if key:
            arn = self._context.arn("logs", f"log-group:{self._group_name}")
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="Logs",
                    principals=[iam.ServicePrincipal(f"logs.{self._context.region}.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                    resources=["*"],
                    conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}},
                )
            )
        made = logs.LogGroup(
            self._stack,
            f"{self._id}Log",
            log_group_name=self._group_name,
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        if key is None:
            reason = "CloudWatch encrypts it with its own key: the log says what was asked and how it went, no data."
            acknowledge(made, f"{NIST}-CloudWatchLogGroupEncrypted", reason)
        return made

    def _role(self) -> iam.Role:
        work = self._work
        log = [self._context.arn("logs", f"log-group:{self._group_name}:*")]
        statements = [*work.statements, allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], log)]
        role = iam.Role(
            self._stack,
            f"{self._id}Role",
            role_name=work.name,
            path=self._context.names.role_path,
            description=work.description,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"work": iam.PolicyDocument(statements=statements)},
        )
        acknowledge_wildcards(role, statements, work.wildcards)
        return role
