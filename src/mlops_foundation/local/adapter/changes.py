"""Everything that is changed in ministack, in the order it is changed; nothing else of it is.

``tests/local/test_adapter_contract.py`` fails when a name is replaced that does not stand here, or the other way
round, and ``docs/local-cloud.md`` has the list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mlops_foundation.local.adapter import (
    cloudformation,
    dependent_actions,
    ec2_answers,
    events,
    functions,
    iam,
    killed_stacks,
    peering,
    requests,
    resource_names,
    saving,
    sessions,
    stack_checks,
    storage,
)


@dataclass(frozen=True)
class Change:
    """One thing that is changed.

    Attributes:
        name: What is so afterwards.
        why: What ministack does by itself.
        upstream: What ministack would have to do so that this can go; empty where it is about our services or the
            laptop, and stays ours.
        replaces: The names below ``ministack`` that get another value, tables that get other entries.
        install: Makes the change in the running process; takes the local cloud.
    """

    name: str
    why: str
    upstream: str
    replaces: tuple[str, ...]
    install: Callable[[Any], None]


_HANDLERS: Final = "app.SERVICE_HANDLERS"

CHANGES: Final[tuple[Change, ...]] = (
    Change(
        "`aws:PrincipalArn` of a session is its role",
        "it is the session's own ARN, so conditions that name roles never hold",
        "resolve the key as IAM does",
        ("core.iam_evaluator._resolve_condition_key",),
        iam.name_the_role,
    ),
    Change(
        "policy variables have the request's values",
        "`${aws:PrincipalTag/project}` is compared as it stands",
        "substitute them in resources and conditions, also of trust policies",
        ("core.iam_evaluator._first_match", "core.iam_evaluator._conditions_met"),
        iam.know_policy_variables,
    ),
    Change(
        "a managed policy that does not exist cannot be attached",
        "any ARN is attached",
        "refuse it as IAM does",
        ("services.iam._IAM_HANDLERS",),
        iam.refuse_unknown_policies,
    ),
    Change(
        "sessions of roles outlive a restart",
        "they are forgotten, and who had one signs in again",
        "keep them with the rest of its state",
        ("services.sts.get_state", "services.sts.load_persisted_state"),
        sessions.keep_sessions,
    ),
    Change(
        "the root of an account takes no role",
        "it may take every role that trusts its account",
        "refuse it as STS does",
        (_HANDLERS,),
        sessions.refuse_roles_to_root,
    ),
    Change(
        "a KMS key is found by its ARN from another account",
        "keys are looked for in the caller's account",
        "look in the account that the ARN names",
        ("services.kms._resolve_key", "services.kms.key_policy_for_arn"),
        storage.find_keys_by_arn,
    ),
    Change(
        "a bucket policy decides about a principal of another account",
        "it decides about that account's root",
        "ask it about the principal that signed",
        ("services.s3.bucket_policy_for_arn", "services.s3._foreign_bucket_allows"),
        storage.decide_by_principal,
    ),
    Change(
        "events reach our services",
        "a target that ministack does not have is left out",
        "",
        ("services.eventbridge._invoke_target",),
        events.deliver_to_services,
    ),
    Change(
        "events reach buses of other accounts",
        "the sender's account stays changed to the receiver's",
        "go back to the sender's account after delivery",
        ("services.eventbridge._dispatch_to_event_bus",),
        events.deliver_to_other_accounts,
    ),
    Change(
        "CloudFormation makes every type by calling operations, with the rights of the stack",
        "its provisioners write into its services past their API, for anybody, and take what is no property",
        "call the operations of each service, and check properties by the registry's schemas",
        (
            "services.cloudformation.provisioners._RESOURCE_HANDLERS",
            "services.cloudformation.provisioners._STACK_TAG_PROPERTY",
            "services.cloudformation.stacks._runs_on_worker_thread",
        ),
        cloudformation.provision_by_operations,
    ),
    Change(
        "the function of a custom resource is invoked with the rights of the stack",
        "it runs for anybody, and what it fails of is not said",
        "invoke it as a client does",
        (
            "services.cloudformation.provisioners._RESOURCE_HANDLERS",
            "services.cloudformation.provisioners._custom_resource_create",
            "services.cloudformation.provisioners._custom_resource_delete",
            "services.cloudformation.provisioners._custom_resource_update",
        ),
        cloudformation.provision_custom_resources,
    ),
    Change(
        "the registry's schemas say what replaces a resource",
        "tables of its own do, for some types",
        "read the schemas",
        (
            "services.cloudformation.provisioners._custom_named_replacement_error",
            "services.cloudformation.provisioners._property_recreation",
            "services.cloudformation.stacks._custom_named_replacement_error",
            "services.cloudformation.stacks._property_recreation",
        ),
        cloudformation.replace_by_schema,
    ),
    Change(
        "CloudFormation reads templates, parameters and secrets with rights",
        "it reads them for anybody",
        "ask as the caller, and as the stack's role",
        (
            "services.cloudformation.helpers._resolve_document",
            "services.ssm.resolve_parameter_value",
            "services.secretsmanager.resolve_secret_string",
        ),
        cloudformation.read_with_rights,
    ),
    Change(
        "a stack that was under way when the local cloud was killed has failed",
        "it stays under way for ever",
        "end it when the state is read",
        ("services.cloudformation.load_persisted_state",),
        killed_stacks.end_stacks_under_way,
    ),
    Change(
        "a template with a circle, an unknown function, a reference to nothing or no resources is refused",
        "a stack is made of it, as far as it goes",
        "refuse it as CloudFormation does",
        (
            "services.cloudformation.changesets.validate_template_support",
            "services.cloudformation.engine.validate_template_support",
            "services.cloudformation.handlers.validate_template_support",
        ),
        stack_checks.refuse_templates,
    ),
    Change(
        "a stack is not deleted while it is updated",
        "both go on beside each other",
        "refuse it as CloudFormation does",
        ("services.cloudformation.handlers._ACTION_HANDLERS",),
        stack_checks.refuse_deletes_during_updates,
    ),
    Change(
        "Service Catalog sets its `aws:servicecatalog:` tags",
        "tags that begin with `aws:` are refused whoever sets them",
        "",
        ("services.cloudformation.helpers._validate_stack_tags",),
        cloudformation.let_service_catalog_tag,
    ),
    Change(
        "a subnet says how many addresses are free",
        "the number does not go down",
        "count what endpoints and NAT gateways take",
        ("services.ec2._subnet_fields_xml",),
        ec2_answers.count_free_addresses,
    ),
    Change(
        "endpoints keep groups, policy and private name, and are found by filters",
        "these are dropped, and filters ignored",
        "keep and answer them",
        ("services.ec2._vpce_fields_xml", "services.ec2._ACTION_MAP"),
        ec2_answers.describe_endpoints_whole,
    ),
    Change(
        "an update of a function leaves workers of other accounts alone",
        "it ends the workers of every account with a function of that name",
        "name account and region when workers are ended",
        ("services.lambda_svc.invalidate_worker",),
        functions.keep_workers_apart,
    ),
    Change(
        "VPC peering fails where EC2 lets it fail",
        "any account accepts, and addresses may overlap",
        "check the accepter, the VPC and its addresses",
        ("services.ec2._ACTION_MAP",),
        peering.refuse_impossible_peering,
    ),
    Change(
        "loopback counts as secure transport",
        "plain HTTP never does",
        "",
        ("app.pin_request_origin",),
        requests.secure_loopback,
    ),
    Change(
        "an operation asks for the actions it depends on",
        "handing over a role and setting tags need no right of their own",
        "ask for `iam:PassRole` and for the tagging action",
        (_HANDLERS,),
        dependent_actions.ask_for_dependent_actions,
    ),
    Change(
        "IAM's and EC2's requests have their condition keys",
        "`iam:PermissionsBoundary`, `iam:PolicyARN` and the tags of what EC2 makes are not known",
        "give them",
        ("core.iam_actions._tag_operations", "core.iam_actions.request_tag_context"),
        dependent_actions.know_condition_keys,
    ),
    Change(
        "Lambda's requests are authorized as the operation that they are",
        "ending a layer has no action, and taking concurrency away that of setting it",
        "read the operation by the API's model",
        ("core.iam_actions._lambda_action",),
        resource_names.name_lambda_actions,
    ),
    Change(
        "requests are authorized on the resource that AWS names",
        "roles lose their path, policies that are made have no name, rules and peering connections another one",
        "name them as the service authorization reference does",
        ("core.iam_actions.extract_resource_arn",),
        resource_names.name_resources,
    ),
    Change(
        "services that nobody here has checked are refused",
        "it answers for more than a hundred services, some without behaviour",
        "",
        (_HANDLERS,),
        requests.offer_what_is_checked,
    ),
    Change(
        "an unknown service is refused at once",
        "the first such request reads all of botocore's models: 400 MB and seconds",
        "take the names without the models",
        ("core.router._KNOWN_AWS_SERVICE_NAMES",),
        requests.know_services_by_name,
    ),
    Change(
        "our services answer",
        "it has none of them, or others of their name",
        "",
        (
            _HANDLERS,
            "app.SERVICE_REGISTRY",
            "core.router.SERVICE_PATTERNS",
            "core.iam_actions.SERVICE_TO_IAM_NAMESPACE",
        ),
        requests.register_services,
    ),
    Change(
        "a stack operation has the rights of its role, which the caller must be allowed to pass",
        "stacks have no rights",
        "settle them before the operation starts",
        (_HANDLERS,),
        requests.settle_rights_of_stacks,
    ),
    Change(
        "private hosted zones answer in VPCs of other accounts",
        "zones know one account only",
        "offer authorizations and associations across accounts",
        (_HANDLERS, "services.route53._same_name_zone_with_vpc"),
        requests.join_zones_across_accounts,
    ),
    Change(
        "objects under a customer key need the key",
        "nobody is asked for it, and `aws:kms` without a key is refused",
        "ask for `kms:GenerateDataKey` and `kms:Decrypt`; without a key it is S3's own",
        (_HANDLERS,),
        requests.ask_for_keys_of_objects,
    ),
    Change(
        "`mlops local calls` knows what workloads call",
        "nothing is written down",
        "",
        ("core.iam_evaluator.enforce",),
        requests.note_actions,
    ),
    Change(
        "a request whose action cannot be told is refused",
        "only its signature is checked",
        "refuse it",
        ("app._authenticate_only",),
        requests.refuse_unknown_actions,
    ),
    Change(
        "state is copied in steps that no request can come between",
        "a save fails while a request changes what is saved",
        "copy under a lock",
        ("services.*.copy",),
        saving.copy_quickly,
    ),
)
