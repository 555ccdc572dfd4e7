"""Print a digest of every file that synth writes for every shape of accounts: equal digests, equal templates.

    python tools/fingerprint.py > before.txt

A change that only moves code is proven by it: what it prints before and after is equal. The last line is the digest of
all lines. The folder of the shapes is left out of what is printed, so that any two checkouts can be compared.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.synth import synth

sys.path.append(str(Path(__file__).parents[1] / "tests" / "config"))
from config_samples import TOPOLOGIES

_NOT_OURS = {"validation-report.json"}
"""Reports name the machine's folders, and carry the time."""


def lines(folder: Path) -> Iterator[str]:
    """Yield digest and path of each file of each assembly."""
    for name in ("example", *TOPOLOGIES):
        config = folder / name / "mlops.yaml"
        config.parent.mkdir()
        if name in TOPOLOGIES:
            config.write_text(json.dumps(TOPOLOGIES[name]), encoding="utf-8")
        else:
            write_config(config, Answers())
        made = synth(config, config.parent / "out").directory
        for path in sorted(made.rglob("*")):
            if path.is_file() and path.name not in _NOT_OURS:
                yield f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}/{path.relative_to(made)}"


def main() -> None:
    """Print the lines and the digest of all of them."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(lines(Path(folder)))
    print("\n".join(found))
    print(hashlib.sha256("\n".join(found).encode()).hexdigest(), f" {len(found)} files")


if __name__ == "__main__":
    main()
