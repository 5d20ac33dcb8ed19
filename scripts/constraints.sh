#!/usr/bin/env bash
# Chooses the newest versions that fit pyproject.toml. usage: constraints.sh UV EXTRAS
# For every platform and Python at once, and without a word of where they were found.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
extras=()
for extra in ${2//,/ }; do extras+=(--extra "$extra"); done
command -v "$uv" >/dev/null || uv=uv

header='# Exact versions, so that two set-ups are alike. Made by `make constraints`.'
resolved=$("$uv" pip compile --quiet --universal --upgrade --no-header --no-annotate \
    "${extras[@]}" pyproject.toml)
printf '%s\n%s\n' "$header" "$resolved" >constraints.txt
