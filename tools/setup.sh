#!/bin/sh
# Make .venv with everything, from the lock file. What the system lacks is named, and installed where that is allowed.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
"$python" - <<'PY' || { echo "Python 3.11 or newer is needed; set PYTHON to one" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

[ -x .venv/bin/python ] || "$python" -m venv .venv
uv_pin=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements/dev.txt)
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_pin"
# Compiled once here: the CDK alone takes three seconds more to import without bytecode.
.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .

# Jobs run in bubblewrap where there is one; without it the local cloud falls back to unshare or to rewritten paths.
if ! command -v bwrap >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get install -y -qq bubblewrap || { apt-get update -qq && apt-get install -y -qq bubblewrap; }; } >/dev/null 2>&1 ||
        echo "bubblewrap could not be installed; jobs run in a weaker sandbox" >&2
fi
touch .venv/.complete
