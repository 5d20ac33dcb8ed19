#!/usr/bin/env bash
# Makes a virtual environment and installs this checkout into it, with exact versions.
# usage: setup.sh VENV EXTRAS, with the interpreter to use in $PYTHON. scripts/setup_engines.sh also
# gives $CONSTRAINTS (a file of versions), $OVERRIDES (a file that corrects what packages ask for)
# and $FIRST (a package that pip must install before uv looks for it).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
extras=$2
python=${PYTHON:-python3}
constraints=${CONSTRAINTS:-constraints.txt}
overrides=${OVERRIDES:-}
first=${FIRST:-}

fail() {
    echo "setup: $1" >&2
    exit 2
}

command -v "$python" >/dev/null || fail "$python was not found; Robot Hub needs Python 3.11 or newer (Debian: apt install python3)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" -V) is too old: Robot Hub needs Python 3.11 or newer; name one by make PYTHON=python3.12"

# What was set up once is set up, whatever the files' dates say: this must work without a network.
stamp=$venv/.set-up
key="$extras $first $(cat pyproject.toml "$constraints" ${overrides:+"$overrides"} | cksum)"
if [ -x "$venv/bin/robot-hub" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ] &&
    "$venv/bin/python" -c '' 2>/dev/null; then
    touch "$stamp"
    scripts/build_page.sh "$venv" || true
    exit 0
fi

# An environment without a working interpreter is what an interrupted set-up or a moved checkout
# leaves behind.
if ! "$venv/bin/python" -c '' 2>/dev/null; then
    rm -rf "$venv"
    if command -v uv >/dev/null; then
        uv venv --quiet ${first:+--seed} --python "$python" "$venv"
    else
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "this Python cannot make virtual environments: install uv, or Debian's package python3-venv"
        "$python" -m venv "$venv"
    fi
fi

if command -v uv >/dev/null; then
    uv=uv
else
    uv=$venv/bin/uv
    [ -x "$uv" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$constraints" uv
fi

[ -z "$first" ] ||
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$constraints" "$first"

# uv's pip interface: it obeys the dependency metadata of pyproject.toml and leaves alone what
# somebody installed by hand.
"$uv" pip install --quiet --python "$venv/bin/python" -c "$constraints" \
    ${overrides:+--overrides "$overrides"} -e ".[$extras]"
echo "$key" >"$stamp"

# The hub runs without its page, too, so that no Node.js is no reason to fail.
scripts/build_page.sh "$venv" || true
