"""What AWS has in which region, as far as endpoints and their policies depend on it: dated tables, no look-ups."""

from typing import Final

TABLES_DATE: Final = "2026-11-21"
"""When the tables of this module were last held against their sources."""

REGIONS: Final = frozenset({
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
})  # fmt: skip
"""The regions of the aws partition, by botocore's endpoint data (1.43)."""

LACKING: Final[dict[str, frozenset[str]]] = {
    "codebuild": frozenset({"ap-east-2", "ca-west-1", "mx-central-1"}),
    "codecommit": frozenset({
        "ap-east-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1",
        "eu-central-2", "eu-south-2", "mx-central-1",
    }),
    "codepipeline": frozenset({"ap-east-2", "ap-southeast-7", "ca-west-1", "mx-central-1"}),
    "servicecatalog": frozenset({"ap-east-2", "ap-southeast-5", "ap-southeast-7", "mx-central-1"}),
}  # fmt: skip
"""Commercial regions that a service is not in. Based on botocore's endpoint data (1.43): a service that is in a region
is taken to have its VPC endpoint there. The services that are not named here are everywhere, but CodeArtifact."""

CODEARTIFACT_BUCKET_ACCOUNTS: Final[dict[str, str]] = {
    "ap-northeast-1": "660291247815",
    "ap-south-1": "681137435769",
    "ap-southeast-1": "421485864821",
    "ap-southeast-2": "860415559748",
    "eu-central-1": "769407342218",
    "eu-north-1": "611884512288",
    "eu-south-1": "484130244270",
    "eu-west-1": "438097961670",
    "eu-west-2": "247805302724",
    "eu-west-3": "762466490029",
    "us-east-1": "193858265520",
    "us-east-2": "250872398865",
    "us-west-2": "787052242323",
}
"""AWS's account whose bucket holds CodeArtifact's files: "Create the Amazon S3 gateway endpoint", CodeArtifact user
guide."""

FRAMEWORK_IMAGE_ACCOUNTS: Final[dict[str, str]] = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""AWS's account with the scikit-learn images of SageMaker: image_uri_config/sklearn.json of the SageMaker SDK 3.27."""
