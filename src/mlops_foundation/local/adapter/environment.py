"""Settings that ministack reads from the environment when it is first imported."""

import os
from pathlib import Path


def prepare(state_dir: Path, port: int) -> None:
    """Set ministack's environment; call before anything of ministack is imported.

    The AWS_* variables of the person who starts the cloud must not become the cloud's own: ministack takes its root
    credentials from them, and its clients would follow an endpoint found there.
    """
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[name]
    os.environ |= {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state_dir / "ministack"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state_dir / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("MLOPS_LOG_LEVEL", "WARNING"),
    }
