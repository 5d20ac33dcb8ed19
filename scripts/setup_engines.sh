#!/usr/bin/env bash
# Makes the environment of the heavy engines: some three gigabytes, apart from the one that people
# use. On a machine without a GPU they are tested in it; with the third argument "gpu" it is the one
# that make bench-gpu measures in. usage: setup_engines.sh VENV EXTRAS [gpu]
set -euo pipefail
cd "$(dirname "$0")/.."

# A GPU takes what its vLLM asks for; the held versions are those of the CPU's build, which asks for
# others.
if [ "${3:-}" = gpu ]; then
    export CONSTRAINTS=/dev/null
    exec scripts/setup.sh "$1" "$2"
fi

# uv reads none of pip's configuration, and a machine may offer pip a CPU build of torch. What pip
# has installed is what uv goes on with; an index that has only CUDA's build serves as well.
export FIRST=torch==2.13.0
export CONSTRAINTS=constraints-engines.txt
export OVERRIDES=scripts/engines-overrides.txt
exec scripts/setup.sh "$@"
