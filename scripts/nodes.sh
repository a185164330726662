#!/usr/bin/env bash
# nodes.sh [FILE…]: runs the unit tests, or these files of them, on each supported version of node, with the existing
# dist/. The versions come from the npm registry. In CI without the installed one, on which all tests run there.
set -euo pipefail
cd "$(dirname "$0")/.."
for version in 20 22 24; do
  if [ -n "${COUNTERSIGN_CI:-}" ] && node --version | grep -q "^v$version\."; then continue; fi
  npx -y -p "node@$version" -- bash -c 'printf "\n== node %s\n" "$(node --version)" && node node_modules/vitest/vitest.mjs run --project unit --project commands "$@"' nodes "$@"
done
