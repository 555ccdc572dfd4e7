"""Studio: domains and user profiles. They can be described and checked; there is no Studio to open on this machine."""

from typing import Final

from mlops_foundation.core import clock
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.sagemaker.resources import (
    SERVICE_PRINCIPAL,
    Kind,
    Resources,
    adds_tags,
    refuse_other,
)

DOMAIN: Final = Kind("Domain", "domain")
USER_PROFILE: Final = Kind("UserProfile", "user-profile")
_DEFAULTS_PASSED: Final = {
    "DefaultUserSettings.ExecutionRole": SERVICE_PRINCIPAL,
    "DefaultSpaceSettings.ExecutionRole": SERVICE_PRINCIPAL,
}
_CREATE_PASSED: Final = _DEFAULTS_PASSED | {
    "DomainSettings.RStudioServerProDomainSettings.DomainExecutionRoleArn": SERVICE_PRINCIPAL,
}
_UPDATE_PASSED: Final = _DEFAULTS_PASSED | {
    "DomainSettingsForUpdate.RStudioServerProDomainSettingsForUpdate.DomainExecutionRoleArn": SERVICE_PRINCIPAL,
}
_USER_PASSED: Final = {"UserSettings.ExecutionRole": SERVICE_PRINCIPAL}
_DOMAIN_UPDATES: Final = {
    "DomainId", "DefaultUserSettings", "DomainSettingsForUpdate", "AppSecurityGroupManagement", "DefaultSpaceSettings",
    "SubnetIds", "AppNetworkAccessType", "TagPropagation", "VpcId",
}  # fmt: skip


def _domain_arn(_service: object, call: Call, request: Json) -> str:
    return DOMAIN.arn(call, request.get("DomainId", "*"))


def _profile_arn(_service: object, call: Call, request: Json) -> str:
    return USER_PROFILE.arn(call, f"{request['DomainId']}/{request['UserProfileName']}")


def _network(_service: object, _call: Call, request: Json) -> Json:
    settings = request.get("DefaultUserSettings") or request.get("UserSettings") or {}
    keys = {
        "sagemaker:AppNetworkAccessType": request.get("AppNetworkAccessType"),
        "sagemaker:DomainSharingOutputKmsKey": settings.get("SharingSettings", {}).get("S3KmsKeyId"),
        "sagemaker:VpcSubnets": request.get("SubnetIds"),
        "sagemaker:VpcSecurityGroupIds": settings.get("SecurityGroups"),
    }
    return {key: value for key, value in keys.items() if value is not None}


def _check_single_sign_on(domain: Json, request: Json) -> None:
    """Source: CreateUserProfile in the SageMaker API reference."""
    members = ("SingleSignOnUserIdentifier", "SingleSignOnUserValue")
    given = [member for member in members if request.get(member)]
    if domain["AuthMode"] == "SSO":
        for member in set(members) - set(given):
            raise ServiceError("ValidationException", f"{member} is required in a domain with AuthMode SSO.")
    elif given:
        raise ServiceError("ValidationException", f"{given[0]} cannot be specified in a domain with AuthMode IAM.")


class StudioOperations(Resources):
    """Operations on domains and user profiles."""

    @operation(resource=_domain_arn, context=_network, passes=_CREATE_PASSED, more=adds_tags(_domain_arn))
    def create_domain(self, call: Call, request: Json) -> Json:
        """Make a domain."""
        if any(known["Name"] == request["DomainName"] for known in self.records.all(call.scope, DOMAIN.path)):
            raise ServiceError("ResourceInUse", f"Domain with name {request['DomainName']} already exists.")
        domain_id = f"d-{clock.new_token()}"
        url = f"https://{domain_id}.studio.{call.region}.sagemaker.aws"
        defaults = {"AppNetworkAccessType": "PublicInternetOnly", "TagPropagation": "DISABLED"}
        record = defaults | request | {
            "DomainId": domain_id,
            "HomeEfsFileSystemId": f"fs-{clock.new_token(17, '0123456789abcdef')}",
            "Status": "InService",
            "Url": url,
        }  # fmt: skip
        made = self.create(call, DOMAIN, domain_id, record)
        return {"DomainArn": made["Arn"], "DomainId": domain_id, "Url": url}

    @operation(resource=_domain_arn)
    def describe_domain(self, call: Call, request: Json) -> Json:
        """Return a domain."""
        return DOMAIN.answer("DescribeDomain", self._domain(call, request["DomainId"]))

    @operation()
    def list_domains(self, call: Call, request: Json) -> Json:
        """List domains."""
        return DOMAIN.page("ListDomains", request, self.records.all(call.scope, DOMAIN.path))

    @operation(resource=_domain_arn, context=_network, passes=_UPDATE_PASSED)
    def update_domain(self, call: Call, request: Json) -> Json:
        """Change what of a domain can be changed; its name, authentication and key cannot."""
        refuse_other("UpdateDomain", request, _DOMAIN_UPDATES)
        domain = self._domain(call, request["DomainId"])
        changes = {key: value for key, value in request.items() if key not in {"DomainId", "DomainSettingsForUpdate"}}
        settings = domain.get("DomainSettings", {}) | request.get("DomainSettingsForUpdate", {})
        self.change(call.scope, DOMAIN, request["DomainId"], changes | {"DomainSettings": settings})
        return {"DomainArn": domain["Arn"]}

    @operation(resource=_domain_arn)
    def delete_domain(self, call: Call, request: Json) -> Json:
        """Remove a domain that has no user profiles left."""
        domain_id = self._domain(call, request["DomainId"])["DomainId"]
        if any(user["DomainId"] == domain_id for user in self.records.all(call.scope, USER_PROFILE.path)):
            raise ServiceError("ResourceInUse", f"Unable to delete Domain {domain_id} because UserProfile(s) exist.")
        self.remove(call.scope, DOMAIN, domain_id)
        return {}

    @operation(resource=_profile_arn, context=_network, passes=_USER_PASSED, more=adds_tags(_profile_arn))
    def create_user_profile(self, call: Call, request: Json) -> Json:
        """Make a user profile; in a domain with single sign-on, of one of the directory's users."""
        _check_single_sign_on(self._domain(call, request["DomainId"]), request)
        name, key = request["UserProfileName"], f"{request['DomainId']}/{request['UserProfileName']}"
        if self.records.get(call.scope, USER_PROFILE.path, key):
            raise ServiceError("ResourceInUse", f"UserProfile with name {name} already exists.")
        made = self.create(call, USER_PROFILE, key, request | {"Status": "InService", "HomeEfsFileSystemUid": "200001"})
        return {"UserProfileArn": made["Arn"]}

    @operation(resource=_profile_arn)
    def create_presigned_domain_url(self, call: Call, request: Json) -> Json:
        """Refuse the link to a domain: with single sign-on as AWS does, else because there is no Studio to open."""
        self._profile(call, request)
        if self._domain(call, request["DomainId"])["AuthMode"] != "IAM":
            message = (
                f"CreatePresignedDomainUrl is only for domains with AuthMode IAM, which {request['DomainId']} has not."
            )
            raise ServiceError("ValidationException", message)
        raise not_supported("opening Studio")

    @operation(resource=_profile_arn)
    def describe_user_profile(self, call: Call, request: Json) -> Json:
        """Return a user profile."""
        return USER_PROFILE.answer("DescribeUserProfile", self._profile(call, request))

    @operation()
    def list_user_profiles(self, call: Call, request: Json) -> Json:
        """List user profiles."""
        filters = {
            key: value
            for key, value in request.items()
            if not key.endswith("Equals") and key != "UserProfileNameContains"
        }
        records = [
            record
            for record in self.records.all(call.scope, USER_PROFILE.path)
            if request.get("DomainIdEquals", record["DomainId"]) == record["DomainId"]
            and request.get("UserProfileNameContains", "") in record["Name"]
        ]
        return USER_PROFILE.page("ListUserProfiles", filters, records)

    @operation(resource=_profile_arn, context=_network, passes=_USER_PASSED)
    def update_user_profile(self, call: Call, request: Json) -> Json:
        """Change a user profile's settings."""
        profile = self._profile(call, request)
        key = f"{request['DomainId']}/{request['UserProfileName']}"
        self.change(call.scope, USER_PROFILE, key, {"UserSettings": request.get("UserSettings", {})})
        return {"UserProfileArn": profile["Arn"]}

    @operation(resource=_profile_arn)
    def delete_user_profile(self, call: Call, request: Json) -> Json:
        """Remove a user profile."""
        self._profile(call, request)
        self.remove(call.scope, USER_PROFILE, f"{request['DomainId']}/{request['UserProfileName']}")
        return {}

    def _domain(self, call: Call, domain_id: str) -> Json:
        record = self.records.get(call.scope, DOMAIN.path, domain_id)
        if record is None:
            raise ServiceError("ResourceNotFound", f"Domain [{domain_id}] does not exist.")
        return record

    def _profile(self, call: Call, request: Json) -> Json:
        self._domain(call, request["DomainId"])
        key = f"{request['DomainId']}/{request['UserProfileName']}"
        record = self.records.get(call.scope, USER_PROFILE.path, key)
        if record is None:
            raise ServiceError("ResourceNotFound", f"User Profile [{request['UserProfileName']}] does not exist.")
        return record
