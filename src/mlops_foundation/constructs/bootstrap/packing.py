"""What CloudFormation may do in an account, packed into as few managed policies as hold it.

A role takes ten managed policies, so one for each stack would end at the ninth stack. Statements go, in the order of
the stacks, into the first policy that has room: nothing is sorted, so that a stack that is added at the end leaves the
policies before it as they are.

Source: IAM User Guide, "IAM and AWS STS quotas".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_foundation.constructs.execution import Statement
from mlops_foundation.core.errors import PlanError
from mlops_foundation.core.names import PlatformNames

POLICY_MAX: Final = 6144
"""Characters of a managed policy, white space not counted."""
POLICIES_MAX: Final = 10
"""Managed policies of a role."""


@dataclass(frozen=True)
class ExecutionPolicy:
    """One managed policy of CloudFormation's role.

    Attributes:
        name: Its name.
        path: Its IAM path.
        account: The account it is in.
        statements: What it allows; each Sid begins with the stack that needs it.
    """

    name: str
    path: str
    account: str
    statements: tuple[Statement, ...]

    @property
    def arn(self) -> str:
        """ARN of the policy."""
        return f"arn:aws:iam::{self.account}:policy{self.path}{self.name}"

    @property
    def document(self) -> dict[str, Any]:
        """The policy document."""
        return _document(self.statements)


def pack(
    names: PlatformNames, account: str, by_stack: Mapping[str, Sequence[Statement]], files: Mapping[str, str]
) -> tuple[ExecutionPolicy, ...]:
    """Return the managed policies of one account, the same ones for the same rights.

    Args:
        names: Names of the platform.
        account: The account, for names and errors.
        by_stack: Statements by the stack that needs them.
        files: File and line where each stack says what it needs, for errors.

    Raises:
        PlanError: When a statement fits into no policy, or the policies are more than a role takes.
    """
    packed: list[list[Statement]] = []
    for stack, statements in by_stack.items():
        for statement in statements:
            marked = {**statement, "Sid": f"{stack.title()}{statement['Sid']}"}
            if size([marked]) > POLICY_MAX:
                raise PlanError(
                    f"the right {statement['Sid']} of the stack {stack} fits into no managed policy",
                    where=f"{files[stack]}, account {account}",
                    got=f"{size([marked])} characters",
                    expected=f"at most {POLICY_MAX}",
                    fix="split it, or name its resources by a pattern",
                )
            room = next((each for each in packed if size([*each, marked]) <= POLICY_MAX), None)
            if room is None:
                packed.append([marked])
            else:
                room.append(marked)
    if len(packed) > POLICIES_MAX:
        raise _too_many(names, f"account {account}", by_stack, files, len(packed))
    return tuple(
        ExecutionPolicy(f"{names.prefix}-cfn-{number}", names.role_path, account, tuple(statements))
        for number, statements in enumerate(packed, start=1)
    )


def size(statements: Sequence[Statement]) -> int:
    """Return the characters of a policy with these statements, as IAM counts them."""
    return len(json.dumps(_document(statements), separators=(",", ":")))


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _too_many(
    names: PlatformNames,
    where: str,
    by_stack: Mapping[str, Sequence[Statement]],
    files: Mapping[str, str],
    count: int,
) -> PlanError:
    sizes = {stack: size(statements) for stack, statements in by_stack.items()}
    largest = sorted(sizes, key=lambda stack: -sizes[stack])
    return PlanError(
        f"CloudFormation's role of {names.prefix} would have too many managed policies",
        where=f"{files[largest[0]]}, {where}",
        got=f"{count} policies: {', '.join(f'{stack} {sizes[stack]} characters' for stack in largest)}",
        expected=f"at most {POLICIES_MAX} of {POLICY_MAX} characters",
        fix="give the account fewer stacks, or write the rights of the largest shorter",
    )
