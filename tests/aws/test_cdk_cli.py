"""The pinned cdk CLI: what is locked, whose variables it sees, and what its failures say.

A small script takes the CLI's place in the cache, so that nothing is downloaded; it runs on the package's own Node.
"""

import datetime as dt
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mlops_foundation.aws import cdk_cli, deploy
from mlops_foundation.core import clock, node
from mlops_foundation.core.errors import DeployError, StackFailed

LOCK = json.loads((files("mlops_foundation.aws") / "cdk" / "package-lock.json").read_text())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mlops-foundation"


def put_script(cache: Path, text: str) -> Path:
    script = cache / f"aws-cdk-{cdk_cli.version()}" / "node_modules" / "aws-cdk" / "bin" / "cdk"
    script.parent.mkdir(parents=True)
    script.write_text(text)
    return script


def test_the_lock_pins_every_package_by_its_hash_and_names_no_registry() -> None:
    packages = {name: each for name, each in LOCK["packages"].items() if name}
    assert packages["node_modules/aws-cdk"]["version"] == cdk_cli.version()
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name


def test_the_pin_is_exact() -> None:
    assert cdk_cli.version().replace(".", "").isdigit()


def test_a_cli_that_is_installed_is_taken_as_it_is(cache: Path) -> None:
    script = put_script(cache, "")
    assert cdk_cli.install() == script


def test_without_a_registry_the_error_says_what_npm_said_and_nothing_half_installed_stays(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(cache / "npm"))
    with pytest.raises(DeployError, match=f"the cdk CLI {cdk_cli.version()} cannot be installed") as raised:
        cdk_cli.install()
    assert "ECONNREFUSED" in raised.value.problems[0].got
    assert [each.name for each in cache.iterdir()] == ["npm"]


def test_the_cli_sees_the_deployers_credentials_and_nobody_elses(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "private")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "private")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/ca.pem")
    put_script(cache, "console.log(JSON.stringify({env: process.env, argv: process.argv.slice(2)}))")
    with cdk_cli.running(["deploy", "a b"], {"AWS_ACCESS_KEY_ID": "deployer"}) as process:
        said = json.loads(process.stdout.read())  # type: ignore[union-attr]
    aws = {name: value for name, value in said["env"].items() if name.startswith("AWS_")}
    assert aws == {
        "AWS_ACCESS_KEY_ID": "deployer",
        "AWS_CA_BUNDLE": "/ca.pem",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert said["argv"] == ["deploy", "a b"]
    assert said["env"]["PATH"].startswith(str(node.bin_folder()))


def test_both_streams_are_passed_on_line_by_line_without_colors(cache: Path) -> None:
    put_script(cache, r"console.log('\x1b[32mone\x1b[0m\n\n'); console.error('two'); process.exitCode = 3")
    lines: list[str] = []
    done = deploy.run([], {}, lines.append)
    assert sorted(lines) == ["one", "two"]
    assert (done.exit_code, sorted(done.lines)) == (3, ["one", "two"])


def deployed(cache: Path, script: str) -> list[str]:
    put_script(cache, script)
    lines: list[str] = []
    deploy.deploy(Path("out"), "mlops-toolkit", ["default-dev/*"], ["-v"], {}, lines.append)
    return lines


def test_deploy_asks_for_one_run_over_all_accounts(cache: Path) -> None:
    (said,) = deployed(cache, "console.log(JSON.stringify(process.argv.slice(2)))")
    arguments = json.loads(said)
    assert arguments[:4] == ["deploy", "--app", "out", "--toolkit-stack-name=mlops-toolkit"]
    assert arguments[-2:] == ["-v", "default-dev/*"]
    assert "--require-approval=never" in arguments


def test_a_failed_deployment_says_the_clis_own_error_first(cache: Path) -> None:
    script = (
        "console.log('x: creating'); console.log('❌ x failed: no rights'); console.log('Error: y'); process.exit(1)"
    )
    with pytest.raises(StackFailed, match="❌ x failed: no rights") as raised:
        deployed(cache, script)
    assert raised.value.problems[0].got == "Error: y"
    assert raised.value.problems[0].where == "cdk deploy default-dev/*"


FAILURE = [
    "mlops-catalog-dev | 0/10 | 8:42:24 AM | UPDATE_FAILED | AWS::IAM::Role | LaunchRole",
    "❌  mlops-catalog-dev failed to deploy",
    "‣ DeploymentError: Resource updates failed:",
    "default-dev/Catalog/LaunchRole  (AWS::IAM::Role LaunchRole)",
    "mlops-network-dev | 3/40 | 8:42:25 AM | CREATE_COMPLETE | AWS::EC2::VPC | Vpc",
    "✅  default-dev/Targets (mlops-targets-dev)",
    "Stack ARN:",
    "arn:aws:cloudformation:eu-west-1:222222222222:stack/mlops-targets-dev/1",
    "  The role has another owner.",
]


def test_a_failed_deployment_says_the_reason_below_it_and_not_what_others_do(cache: Path) -> None:
    with pytest.raises(StackFailed, match="❌  mlops-catalog-dev failed to deploy") as raised:
        deployed(cache, f"for (const line of {json.dumps(FAILURE)}) console.log(line); process.exit(1)")
    (problem,) = raised.value.problems
    assert problem.got.splitlines() == [
        "‣ DeploymentError: Resource updates failed:",
        "default-dev/Catalog/LaunchRole  (AWS::IAM::Role LaunchRole)",
        "The role has another owner.",
    ]


def test_a_failure_without_an_error_line_says_the_last_lines(cache: Path) -> None:
    with pytest.raises(StackFailed, match=r"^line 3$"):
        deployed(cache, "for (let i = 0; i < 8; i++) console.log('line ' + i); process.exit(1)")


def test_a_certificate_that_npm_does_not_trust_is_told_with_the_variable_that_helps(
    cache: Path, monkeypatch: pytest.MonkeyPatch, untrusted_registry: str
) -> None:
    monkeypatch.setenv("npm_config_registry", untrusted_registry)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(cache / "npm"))
    with pytest.raises(DeployError) as raised:
        cdk_cli.install()
    assert "NODE_EXTRA_CA_CERTS" in raised.value.problems[0].fix


@pytest.fixture
def untrusted_registry(tmp_path: Path) -> Iterator[str]:
    """An HTTPS server on this machine whose certificate nobody has signed."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = clock.now()
    made = x509.CertificateBuilder(
        name, name, private.public_key(), 1, today - dt.timedelta(days=1), today + dt.timedelta(days=1)
    ).sign(private, hashes.SHA256())
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()
