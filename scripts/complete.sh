#!/usr/bin/env bash
# Runs all cases of the tests of which `npm test` runs a tenth (test/support/share.ts), and of a system test like them,
# which needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(grep -rlE '/share\.js"|COUNTERSIGN_COMPLETE ===' test --include='*.test.ts' | sort)
printf '%s\n' "${files[@]}"
projects=(unit commands conformance hostile system packages guests)
COUNTERSIGN_COMPLETE=1 npx vitest run "${projects[@]/#/--project=}" "${files[@]}"
