"""CodeArtifact with the clients that use it: boto3, CloudFormation, pip and uv against an index made by hand."""

import base64
import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.local import process
from mlops_foundation.local.services.codeartifact.upstream import Link, Upstream, UpstreamError
from ports import free_port

pytestmark = pytest.mark.cloud
UV = str(Path(sys.executable).with_name("uv"))


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """Write a package with one module."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(path, text)
    return file


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A package index on this machine that holds one package, and where its files are."""
    root = tmp_path_factory.mktemp("index")
    page = root / "simple" / "tiny-package"
    page.mkdir(parents=True)
    wheel = make_wheel(page, "tiny_package", "1.2.3")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (page / "index.html").write_text(f'<a href="{wheel.name}#sha256={digest}" data-requires-python="&gt;=3.9">w</a>')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple", root
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shop(cloud: Any, index: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cloud on a machine whose package index is that one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
            patch.delenv(name)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_INDEX_URL", index[0])
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        state_dir = tmp_path_factory.mktemp("shop")
        yield type(cloud)(process.start(state_dir, free_port()))
        process.stop(state_dir)


@pytest.fixture(scope="module")
def account(shop: Any) -> str:
    """An account with a domain and a repository that is connected to the public index."""
    account = shop.new_account()
    artifacts = shop.client("codeartifact", account)
    artifacts.create_domain(domain="team")
    artifacts.create_repository(domain="team", repository="python")
    artifacts.associate_external_connection(domain="team", repository="python", externalConnection="public:pypi")
    return account


def address(shop: Any, account: str, token: str = "", repository: str = "python") -> str:
    artifacts = shop.client("codeartifact", account)
    token = token or artifacts.get_authorization_token(domain="team")["authorizationToken"]
    endpoint = artifacts.get_repository_endpoint(domain="team", repository=repository, format="pypi")
    scheme, rest = endpoint["repositoryEndpoint"].split("://")
    return f"{scheme}://aws:{token}@{rest}simple/"


def error_of(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(Exception) as raised:  # noqa: PT011  botocore makes the class
        call(**request)
    error = raised.value.response["Error"]  # type: ignore[attr-defined]
    return error["Code"], error["Message"]


def status_of(url: str, user: str, password: str) -> int:
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"} if user else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_pip_and_uv_install_through_it(shop: Any, account: str, tool: str, tmp_path: Path) -> None:
    target, url = tmp_path / "installed", address(shop, account)
    command = {
        "pip": [sys.executable, "-m", "pip", "install", "--index-url", url, "--no-cache-dir"],
        "uv": [UV, "pip", "install", "--default-index", url, "--no-cache", "--no-config"],
    }[tool]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    done = subprocess.run(
        [*command, "--target", str(target), "tiny.package==1.2.3"],
        env=clean | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (target / "tiny_package.py").read_text() == 'VERSION = "1.2.3"\n'


def test_a_file_is_kept_and_served_again_without_the_machines_index(
    shop: Any, account: str, index: tuple[str, Path]
) -> None:
    page = address(shop, account)
    token = page.split("aws:")[1].split("@")[0]
    url = page.replace(f"aws:{token}@", "") + "tiny-package/1.2.3/tiny_package-1.2.3-py3-none-any.whl"
    assert status_of(url, "aws", token) == 200
    wheel = next(index[1].rglob("*.whl"))
    hidden = wheel.rename(wheel.with_suffix(".hidden"))
    try:
        assert status_of(url, "aws", token) == 200
    finally:
        hidden.rename(wheel)


@pytest.mark.parametrize(
    ("path", "user", "good_token", "status"),
    [
        ("tiny-package/", "aws", True, 200),
        ("tiny-package/", "", True, 401),
        ("tiny-package/", "aws", False, 401),
        ("tiny-package/", "somebody", True, 401),
        ("no-such-package/", "aws", True, 404),
        ("tiny-package/1.2.3/other.whl", "aws", True, 404),
    ],
)
def test_who_gets_what(shop: Any, account: str, path: str, user: str, good_token: bool, status: int) -> None:
    page = address(shop, account)
    token = page.split("aws:")[1].split("@")[0]
    url = page.replace(f"aws:{token}@", "") + path
    assert status_of(url, user, token if good_token else "wrong") == status


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def role(shop: Any, account: str, name: str, actions: list[str], condition: Any = None) -> str:
    iam = shop.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"} | (
        {"Condition": condition} if condition else {}
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    return name


def test_a_token_needs_both_actions_and_is_its_maker(shop: Any, account: str) -> None:
    half = role(shop, account, "half", ["codeartifact:GetAuthorizationToken"])
    call = shop.client("codeartifact", account, half).get_authorization_token
    assert "sts:GetServiceBearerToken" in error_of(call, domain="team")[1]
    condition = {"StringEqualsIfExists": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
    actions = ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]
    token_only = role(shop, account, "token-only", actions, condition)
    token = shop.client("codeartifact", account, token_only).get_authorization_token(domain="team")
    page = address(shop, account, "x").replace("aws:x@", "") + "tiny-package/"
    assert status_of(page, "aws", token["authorizationToken"]) == 403


def test_a_repository_without_a_connection_holds_nothing(shop: Any, account: str) -> None:
    artifacts = shop.client("codeartifact", account)
    artifacts.create_repository(domain="team", repository="empty")
    artifacts.create_repository(domain="team", repository="downstream", upstreams=[{"repositoryName": "python"}])
    token = artifacts.get_authorization_token(domain="team")["authorizationToken"]
    for repository, status in (("empty", 404), ("downstream", 200)):
        page = address(shop, account, "x", repository).replace("aws:x@", "")
        assert status_of(f"{page}tiny-package/", "aws", token) == status


def test_operations_answer_like_aws(shop: Any, account: str) -> None:
    artifacts = shop.client("codeartifact", account)
    domain = artifacts.describe_domain(domain="team")["domain"]
    assert (domain["owner"], domain["status"]) == (account, "Active")
    repository = artifacts.describe_repository(domain="team", repository="python")["repository"]
    assert repository["externalConnections"][0]["externalConnectionName"] == "public:pypi"
    arn = repository["arn"]
    assert arn == f"arn:aws:codeartifact:eu-west-1:{account}:repository/team/python"
    artifacts.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    artifacts.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert artifacts.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    assert error_of(artifacts.create_domain, domain="team")[0] == "ConflictException"
    assert error_of(artifacts.describe_domain, domain="other")[0] == "ResourceNotFoundException"
    assert error_of(artifacts.delete_domain, domain="team")[0] == "ConflictException"
    npm = {"domain": "team", "repository": "python", "format": "npm"}
    assert error_of(artifacts.get_repository_endpoint, **npm)[0] == "NotSupportedException"
    assert error_of(artifacts.list_packages, domain="team", repository="python")[0] == "NotSupportedException"
    assert error_of(artifacts.get_authorization_token, domain="team", durationSeconds=10)[0] == "ValidationException"


TEMPLATE = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
        "Domain": {
            "Type": "AWS::CodeArtifact::Domain",
            "Properties": {"DomainName": "stacked", "EncryptionKey": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
        "Repository": {
            "Type": "AWS::CodeArtifact::Repository",
            "Properties": {
                "DomainName": {"Fn::GetAtt": ["Domain", "Name"]},
                "RepositoryName": "python",
                "ExternalConnections": ["public:pypi"],
                "Tags": [{"Key": "CostCenter", "Value": "1"}],
            },
        },
    },
    "Outputs": {"Arn": {"Value": {"Ref": "Repository"}}},
}


def test_a_stack_makes_and_removes_them(shop: Any, account: str) -> None:
    stacks = shop.client("cloudformation", account)
    template = json.loads(json.dumps(TEMPLATE))
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    template["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"] = [allowed]
    stacks.create_stack(StackName="packages", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="packages", WaiterConfig={"Delay": 1})
    (output,) = stacks.describe_stacks(StackName="packages")["Stacks"][0]["Outputs"]
    artifacts = shop.client("codeartifact", account)
    tags = artifacts.list_tags_for_resource(resourceArn=output["OutputValue"])["tags"]
    assert {"key": "CostCenter", "value": "1"} in tags
    assert ":key/" in artifacts.describe_domain(domain="stacked")["domain"]["encryptionKey"]
    template["Resources"]["Repository"]["Properties"]["Description"] = "packages of builds"
    stacks.update_stack(StackName="packages", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete").wait(StackName="packages", WaiterConfig={"Delay": 1})
    found = artifacts.describe_repository(domain="stacked", repository="python")["repository"]
    assert found["description"] == "packages of builds"
    stacks.delete_stack(StackName="packages")
    stacks.get_waiter("stack_delete_complete").wait(StackName="packages", WaiterConfig={"Delay": 1})
    assert error_of(artifacts.describe_domain, domain="stacked")[0] == "ResourceNotFoundException"


def test_a_file_that_is_not_what_was_promised_is_not_kept(index: tuple[str, Path]) -> None:
    (wheel,) = index[1].rglob("*.whl")
    link = Link(wheel.name, f"{index[0]}/tiny-package/{wheel.name}", "0" * 64, {})
    upstream = Upstream({})
    with pytest.raises(UpstreamError, match="is not the file"):
        list(upstream.fetch(link))
    assert upstream.file(link) is None


def test_extra_indexes_and_folders_are_asked_too(index: tuple[str, Path], tmp_path: Path) -> None:
    page = tmp_path / "tiny-package"
    page.mkdir()
    wheel = make_wheel(page, "tiny_package", "9.0")
    (page / "index.html").write_text(f'<a href="{wheel.name}">w</a>')
    machine = {"PIP_INDEX_URL": index[0], "PIP_EXTRA_INDEX_URL": tmp_path.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    found = Upstream(machine).links("tiny-package")
    assert {link.version for link in found.values()} == {"1.2.3", "9.0"}
    assert Upstream(machine).links("other") == {}
