#!/usr/bin/env bash
# Chooses the newest versions that fit pyproject.toml. usage: constraints.sh UV EXTRAS ENGINE_EXTRAS
# constraints.txt is for every platform and Python at once; constraints-engines.txt for this one,
# with the same versions wherever the engines allow it. Neither says where anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
command -v "$uv" >/dev/null || uv=uv

header='# Exact versions, so that two set-ups are alike. Made by `make constraints`.'

# usage: compile EXTRAS OPTION...
compile() {
    local extras=()
    for extra in ${1//,/ }; do extras+=(--extra "$extra"); done
    "$uv" pip compile --quiet --no-header --no-annotate "${extras[@]}" "${@:2}" pyproject.toml
}

resolved=$(compile "$2" --universal --upgrade)
printf '%s\n%s\n' "$header" "$resolved" >constraints.txt

# What uv finds in its output file, it prefers.
mkdir -p build
preferred=build/constraints-engines.txt
cp constraints.txt "$preferred"
compile "$3" --overrides scripts/engines-overrides.txt --output-file "$preferred" >/dev/null
# A CPU build of torch brings none of CUDA's libraries, and another build knows its own; nvidia-ml-py
# is ours.
resolved=$(grep -v -E '^(nvidia-[^m]|cuda-)' "$preferred")
printf '%s\n%s\n' "$header" "$resolved" >constraints-engines.txt
