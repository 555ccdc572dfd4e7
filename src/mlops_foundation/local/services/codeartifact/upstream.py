"""This machine's own package index, which stands where the public one is: the links of a package, and its files.

Which index that is, is what pip finds on this machine (variables, its files, its own default); uv's variables go first.
Files are kept by their digest in the user's cache folder, so that every local cloud of the user shares them.

Source: "Simple repository API" in the Python packaging user guide.
"""

import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from mlops_foundation.core.caches import cache_folder

_PAGE_S: Final = 300
"""How long the links of a package are believed."""
_TIMEOUT_S: Final = 60
_SAID: Final = frozenset({"data-requires-python", "data-yanked"})
"""What is passed on about a file; the rest leads to files that are not served."""
_CHUNK_BYTES: Final = 1 << 18
_OPTIONS: Final = """
import ensurepip, glob, json, os, sys, sysconfig
bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
places = [bundled, sysconfig.get_config_var("WHEEL_PKG_DIR") or ""]
sys.path += [wheel for place in places for wheel in glob.glob(os.path.join(place, "pip-*.whl"))]
from pip._internal.commands import create_command
options, _ = create_command("download").parse_args([])
print(json.dumps([options.index_url, *options.extra_index_urls]))
"""


class UpstreamError(Exception):
    """The machine's package index does not answer; the message says which address and why."""


@dataclass(frozen=True)
class Link:
    """One file of a package.

    Attributes:
        filename: Its name.
        url: Where it is, without the digest.
        sha256: Its digest, empty when the index names none.
        attributes: What the index says about it, such as ``data-requires-python``.
    """

    filename: str
    url: str
    sha256: str
    attributes: Mapping[str, str]

    @property
    def version(self) -> str:
        """Version in the file's name."""
        stem = re.sub(r"\.(tar\.(gz|bz2|xz)|tgz|zip|whl|egg|exe)$", "", self.filename)
        parts = stem.split("-")
        return parts[1] if self.filename.endswith(".whl") and len(parts) > 1 else parts[-1]


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append({name: value or "" for name, value in attrs})


class Upstream:
    """The machine's index, asked when it is needed.

    Args:
        machine: Variables that say which index, proxies and certificates this machine uses.
    """

    def __init__(self, machine: Mapping[str, str]) -> None:
        self._machine = machine
        self._pages: dict[str, tuple[float, dict[str, Link]]] = {}
        self._files = cache_folder("packages")

    @cached_property
    def indexes(self) -> list[str]:
        """Addresses of the indexes, the first one first.

        Raises:
            UpstreamError: When pip cannot be asked.
        """
        command = [sys.executable, "-I", "-c", _OPTIONS]
        done = subprocess.run(command, env=_environment(self._machine), capture_output=True, text=True, check=False)
        if done.returncode:
            raise UpstreamError(f"pip does not say which index it uses: {done.stderr.strip()}")
        found: list[str] = json.loads(done.stdout)
        uv = self._machine.get("UV_DEFAULT_INDEX") or self._machine.get("UV_INDEX_URL")
        return [url.rstrip("/") + "/" for url in ([uv] if uv else []) + found]

    def links(self, package: str) -> dict[str, Link]:
        """Return the files of a package by name; empty when no index has it.

        Args:
            package: Normalized name.

        Raises:
            UpstreamError: When an index does not answer.
        """
        kept = self._pages.get(package)
        if kept and time.monotonic() - kept[0] < _PAGE_S:
            return kept[1]
        links: dict[str, Link] = {}
        for index in self.indexes:
            for link in _links(f"{index}{package}/"):
                links.setdefault(link.filename, link)
        self._pages[package] = (time.monotonic(), links)
        return links

    def file(self, link: Link) -> Path | None:
        """Return a file that is kept already, or None."""
        kept = self._files / link.sha256 / link.filename
        return kept if link.sha256 and kept.is_file() else None

    def fetch(self, link: Link) -> Iterator[bytes]:
        """Yield a file while it comes, and keep it when it is what the index promised.

        Raises:
            UpstreamError: When it does not come, or is another file.
        """
        self._files.mkdir(parents=True, exist_ok=True)
        sha256 = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=self._files) as kept, _open(link.url) as answer:
            while chunk := answer.read(_CHUNK_BYTES):
                sha256.update(chunk)
                kept.write(chunk)
                yield chunk
            kept.flush()
            if not link.sha256:
                return
            if sha256.hexdigest() != link.sha256:
                raise UpstreamError(f"{link.url} is not the file with sha256 {link.sha256}")
            target = self._files / link.sha256 / link.filename
            target.parent.mkdir(exist_ok=True)
            if not target.exists():
                os.link(kept.name, target)


def _links(page: str) -> Iterator[Link]:
    try:
        with _open(page) as answer:
            text = answer.read().decode("utf-8", "replace")
    except UpstreamError as error:
        if isinstance(error.__cause__, FileNotFoundError | urllib.error.HTTPError) and _absent(error.__cause__):
            return
        raise
    anchors = _Anchors()
    anchors.feed(text)
    for attributes in anchors.found:
        url, fragment = urldefrag(urljoin(page, attributes.pop("href", "")))
        algorithm, _, digest = fragment.partition("=")
        said = {name: value for name, value in attributes.items() if name in _SAID}
        name = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        yield Link(name, url, digest if algorithm == "sha256" else "", said)


def _absent(cause: BaseException) -> bool:
    return isinstance(cause, FileNotFoundError) or getattr(cause, "code", 0) in {404, 410}


def _open(url: str) -> IO[bytes]:
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            path = Path(unquote(parts.path))
            return (path / "index.html" if path.is_dir() or url.endswith("/") else path).open("rb")
        request = urllib.request.Request(_without_login(url), headers=_headers(url))  # noqa: S310
        opened: IO[bytes] = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310  the machine's own index
    except OSError as error:
        raise UpstreamError(f"{parts.scheme}://{parts.hostname or ''}{parts.path}: {error}") from error
    return opened


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _headers(url: str) -> dict[str, str]:
    headers = {"Accept": "text/html", "User-Agent": "mlops-foundation"}
    login = urlsplit(url).netloc.rpartition("@")[0]
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(unquote(login).encode()).decode()
    return headers


def _environment(machine: Mapping[str, str]) -> dict[str, str]:
    return dict(machine) | {"HOME": str(Path.home())}
