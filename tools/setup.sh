#!/bin/sh
# Make .venv from the lock file, or repair it: `setup.sh run` with what the platform needs, `setup.sh dev` with the tools
# of its developers too. Nothing is done when it is as it should be. Each step says how long it took.
set -eu
cd "$(dirname "$0")/.."

wanted=${1:-run}
[ "$wanted" = dev ] || [ ! -f .venv/.dev ] || wanted=dev  # what is there stays
lock=requirements/$wanted.txt
stamp=.venv/.complete
oldest=11 newest=13
# A clone that was moved has scripts that name the old place; another lock has other packages.
state="$PWD $wanted $(cat "$lock" pyproject.toml tools/setup.sh | cksum)"

fail() {
    echo "set-up: $1" >&2
    shift
    for line in "$@"; do echo "  $line" >&2; done
    exit 1
}

minor_of() { # of an interpreter of CPython 3; nothing for anything else
    "$1" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else "")' 2>/dev/null || true
}

supported() {
    minor=$(minor_of "$1")
    [ -n "$minor" ] && [ "$minor" -ge $oldest ] && [ "$minor" -le $newest ]
}

complete() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/mlops ] && [ "$(cat $stamp 2>/dev/null)" = "$state" ] &&
        { [ -z "${PYTHON:-}" ] || [ "$(minor_of .venv/bin/python)" = "$(minor_of "$PYTHON")" ]; }
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        supported "$PYTHON" || fail "PYTHON is not a Python that this runs on" "got       $PYTHON ($("$PYTHON" -V 2>&1 || true))" \
            "expected  CPython 3.$oldest to 3.$newest" "fix       make setup PYTHON=python3.12"
        python=$PYTHON
        return
    fi
    for python in python3 python3.13 python3.12 python3.11; do
        if supported "$python"; then return; fi
    done
    fail "there is no Python that this runs on" "got       $(python3 -V 2>&1 || true)" \
        "expected  CPython 3.$oldest to 3.$newest on PATH" "fix       install one, or name it: make setup PYTHON=/path/to/python3.12"
}

check_folder() { # can be written, and has room: folder, megabytes, what for
    mkdir -p "$1" 2>/dev/null && : 2>/dev/null >"$1/.mlops-set-up" || fail "$3 cannot be written" "where     $1" \
        "expected  a folder of yours" "fix       set ${4:-XDG_CACHE_HOME to a folder that you may write to}"
    rm -f "$1/.mlops-set-up"
    free=$(df -Pm "$1" 2>/dev/null | awk 'NR == 2 { print $4 }')
    [ -z "$free" ] || [ "$free" -ge "$2" ] || fail "there is not enough room for $3" "where     $1" \
        "got       $free MB free" "expected  $2 MB" "fix       ${5:-make room there, or set XDG_CACHE_HOME to a folder on another disk}"
}

step() { # name, command...: run it, say how long it took, show what it said only when it fails
    printf '  %-46s' "$1"
    shift
    began=$(date +%s)
    if "$@" >.venv.log 2>&1 </dev/null; then
        echo "$(($(date +%s) - began)) s"
        rm -f .venv.log
        return
    fi
    echo "failed"
    cat .venv.log >&2
    rm -f .venv.log
    fail "this step failed; what it said is above" "fix       put it right, then run the same command again: it goes on from here"
}

make_environment() {
    rm -rf .venv
    "$python" -m venv --without-pip .venv
}

install_uv() { # with the pip of the Python that was chosen, or the one that it brings for environments
    wheel="uv==$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' "$lock")"
    if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d ' ' -f 2)" = "${wheel#uv==}" ]; then return; fi
    base=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
    if "$base" -m pip --python .venv/bin/python install --quiet "$wheel"; then return; fi
    # Debian keeps that one in a package of its own.
    .venv/bin/python -m ensurepip || { can_install && install_package "python3.$(minor_of "$base")-venv" && .venv/bin/python -m ensurepip; } ||
        { echo "install pip for $base (Debian, Ubuntu: apt-get install python3-venv)" && return 1; }
    .venv/bin/python -m pip install --quiet "$wheel"
}

can_install() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }

install_package() {
    apt-get install -y -qq "$1" || { apt-get update -qq && apt-get install -y -qq "$1"; }
}

install_packages() {
    # Not compiled: most of the CDK is never imported, and what is gets compiled by the first run.
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes "$lock"
}

install_platform() {
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

if complete; then exit 0; fi

caches=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
check_folder "$PWD" 900 "this folder" "the clone's owner to you, or clone it again" "make room there, or clone it to another disk"
check_folder "$caches" 2200 "the folder of caches"
reuse=
if [ -x .venv/bin/python ] && supported .venv/bin/python &&
    [ "$(cut -d ' ' -f 1 .venv/.place 2>/dev/null)" = "$(echo "$PWD" | cksum | cut -d ' ' -f 1)" ] &&
    { [ -z "${PYTHON:-}" ] || [ "$(minor_of .venv/bin/python)" = "$(minor_of "$PYTHON")" ]; }; then
    reuse=yes
fi
if [ -n "$reuse" ]; then python=.venv/bin/python; else choose_python; fi
echo "set-up: .venv with $("$python" -V 2>&1); takes 0.8 GB here and, with a first demo, 2 GB in $caches"
if [ -z "$reuse" ]; then
    [ ! -e .venv ] || echo "  .venv is of another place or Python, or is not whole: it is made anew"
    step "Python environment" make_environment
    echo "$PWD" | cksum >.venv/.place
fi
rm -f $stamp
step "uv, which installs the rest" install_uv
step "$(grep -c '^[a-z].*==' "$lock") packages" install_packages
step "the platform itself" install_platform
# Jobs run in bubblewrap where there is one; without it the local cloud falls back to unshare or to rewritten paths.
if ! command -v bwrap >/dev/null; then
    if can_install && install_package bubblewrap >/dev/null 2>&1; then
        echo "  bubblewrap installed, in which jobs run"
    else
        echo "  no bubblewrap: jobs run in a weaker sandbox (better: apt-get install bubblewrap)"
    fi
fi
[ "$wanted" = run ] || : >.venv/.dev
echo "$state" >$stamp
