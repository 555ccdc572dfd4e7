"""Source actions: CodeCommit and S3.

Source: "CodeCommit source action reference", "Amazon S3 source action reference".
"""

from mlops_foundation.local.contract import ServiceError
from mlops_foundation.local.services.codepipeline.actions.base import ActionContext, ActionFailed, Outcome

_SUMMARY_LENGTH = 2048


def codecommit(context: ActionContext) -> Outcome:
    """Put the files of a branch's commit into the output artifact."""
    repository, branch = context.configuration["RepositoryName"], context.configuration["BranchName"]
    commit_id = context.revision
    try:
        if not commit_id:
            named = {"repositoryName": repository, "branchName": branch}
            commit_id = context.invoke("codecommit", "GetBranch", named)["branch"]["commitId"]
        found = {"repositoryName": repository, "commitId": commit_id}
        commit = context.invoke("codecommit", "GetCommit", found)["commit"]
        (place,) = context.outputs.values()
        context.invoke("codecommit", "UploadArchive", {**found, "s3": context.put_parameters(place)})
    except ServiceError as error:
        if "Access" in error.code:
            raise
        raise ActionFailed("ConfigurationError", f"{repository}, branch {branch}: {error.message}") from error
    message = commit["message"].strip()[:_SUMMARY_LENGTH]
    return Outcome(
        variables={
            "RepositoryName": repository,
            "BranchName": branch,
            "CommitId": commit_id,
            "CommitMessage": message,
            "AuthorDate": commit["author"]["date"],
            "CommitterDate": commit["committer"]["date"],
        },
        summary=message,
        revision={"revisionId": commit_id, "revisionSummary": message or None},
    )


def s3(context: ActionContext) -> Outcome:
    """Copy an object of a versioned bucket into the output artifact."""
    client = context.client("s3")
    bucket, key = context.configuration["S3Bucket"], context.configuration["S3ObjectKey"]
    if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise ActionFailed("ConfigurationError", f"The source bucket {bucket} must have versioning enabled")
    wanted = {"VersionId": context.revision} if context.revision else {}
    found = client.get_object(Bucket=bucket, Key=key, **wanted)
    (place,) = context.outputs.values()
    client.put_object(Body=found["Body"].read(), **context.put_parameters(place))
    version = found.get("VersionId", "null")
    return Outcome(
        variables={"BucketName": bucket, "ObjectKey": key, "VersionId": version, "ETag": found["ETag"].strip('"')},
        summary=f"Amazon S3 version id: {version}",
        revision={"revisionId": version, "revisionSummary": f"Amazon S3 version id: {version}"},
    )
