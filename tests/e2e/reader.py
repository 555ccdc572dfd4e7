"""Somebody with a clone and an empty HOME, who types what the pages say, line by line."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from mlops_foundation.local import process
from mlops_foundation.usecases import local
from pages import Line, blocks
from ports import free_port

ROOT = Path(__file__).parents[2]
CLONE = "mlops-foundation"
_KEPT = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "MLOPS_SANDBOX",
    "PIP_",
    "UV_",
    "HTTP",
    "NO_PROXY",
)
_KEPT_FILES = (".config/pip", ".config/uv", ".pip", ".npmrc")
"""What a machine needs that no page can know: certificate authorities, package indexes, whether it allows a sandbox."""
_TIMEOUT_S = 900


class Reader:
    """Somebody with a clone and an empty HOME, who copies what the pages say.

    Args:
        folder: Of everything that is made: a new one, or that of a reader of the README, who goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platform = folder / "my-platform"
        self._port = free_port()
        if self.platform.exists():
            process.start(self.platform / ".mlops", self._port)
        else:
            self._begin()

    def _begin(self) -> None:
        folder = self.folder
        (folder / "home" / ".config").mkdir(parents=True)
        for name in _KEPT_FILES:
            if (Path.home() / name).exists():
                (folder / "home" / name).symlink_to(Path.home() / name)
        (folder / CLONE).mkdir()
        (folder / CLONE / ".venv").symlink_to(Path(sys.executable).parents[1])  # what make setup leaves there

    def read(self, page: str) -> str:
        """Type a page's lines into a terminal of its own, and return what is wrong with the first that fails."""
        lines = [line for block in blocks(ROOT / page) if not block.not_run for line in block.lines]
        start = self.folder / CLONE if page == "README.md" else self.folder
        reached, said = self.folder / "reached", self.folder / "said"
        with said.open("a") as output:
            code = subprocess.run(
                ["bash", "-c", self._typed(lines, reached, said)],
                cwd=start,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
            ).returncode
        if code == 0:
            return ""
        line = {str(line.number): line for line in lines}[reached.read_text().strip()]
        output_text = textwrap.indent(said.read_text()[-3000:], "  ")
        return f"{page}:{line.number}: exit code {code}\n  $ {line.text}\n{output_text}"

    def _typed(self, lines: list[Line], reached: Path, said: Path) -> str:
        """Return a program that types lines as a person does: what one changes stays, the first that fails ends it."""
        typed = []
        for line in lines:
            # Every test has a port of its own; a person has 4566.
            text = line.text.replace("mlops local start", f"mlops local start --port {self._port}")
            typed += [f"echo {line.number} > '{reached}'; : > '{said}'", text, "code=$?; [ $code = 0 ] || exit $code"]
        return "\n".join(typed)

    def _environment(self) -> dict[str, str]:
        caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # runtimes need not be built again
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
        own = {"HOME": str(self.folder / "home"), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        return {**own, **kept, "XDG_CACHE_HOME": caches}

    def leave(self) -> None:
        """Remove the cloud, wherever the reading ended."""
        local.reset(self.platform / ".mlops")
