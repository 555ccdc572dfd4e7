#!/bin/sh
# The quick part on every other Python of this machine: set-up in a clone of its own, the demo, the tests without a cloud.
# One interpreter for each version: those on PATH, the system's, pyenv's. `every_python.sh list` names them, one to a line;
# `every_python.sh 3.12.1` tries one.
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-all}
full='import sys; print("%d.%d.%d" % sys.version_info[:3] if (3, 11) <= sys.version_info < (3, 14) else "")'
seen=" $(.venv/bin/python -c "$full") "
tried=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

for python in $(command -v python3.11 python3.12 python3.13 || true) /usr/bin/python3 /usr/bin/python3.1? /usr/local/bin/python3.1? "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1?.*/bin/python3; do
    [ -x "$python" ] || continue
    version=$("$python" -c "$full" 2>/dev/null || true)
    case "$seen" in *" $version "*) continue ;; esac
    [ -n "$version" ] || continue
    seen="$seen$version "
    case "$wanted" in
    list) echo "$version" && continue ;;
    all | "$version") ;;
    *) continue ;;
    esac
    tried="$tried $version"
    echo "== Python $version ($python)"
    git clone --quiet . "$scratch/$version"
    # The demo needs what a newcomer has; the tests that follow need the developers' tools.
    (cd "$scratch/$version" && make --no-print-directory demo unit PYTHON="$python" && git status --porcelain | { ! grep .; })
    rm -rf "${scratch:?}/$version"
done
case "$wanted" in
list) ;;
all) echo "== tried beside our own:${tried:- none, there is no other on this machine}" ;;
*) [ -n "$tried" ] || { echo "there is no Python $wanted on this machine; tools/every_python.sh list names those there are" >&2 && exit 1; } ;;
esac
