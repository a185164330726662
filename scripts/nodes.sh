#!/usr/bin/env bash
# nodes.sh [FILE…]: runs the unit tests, or these files of them, on each supported version of node, with the existing
# dist/. Versions other than the installed one come from the npm registry.
set -euo pipefail
cd "$(dirname "$0")/.."
for version in 20 22 24; do
  npx -y -p "node@$version" -- bash -c 'printf "\n== node %s\n" "$(node --version)" && node node_modules/vitest/vitest.mjs run --project unit "$@"' nodes "$@"
done
