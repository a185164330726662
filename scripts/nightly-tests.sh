#!/usr/bin/env bash
# Runs the long forms of the system tests that have one (test/system/nightly.ts), without those of the seal, which
# nightly.sh runs on each kernel. Needs root and the packages of scripts/debian.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(grep -rlE '/nightly\.js"|COUNTERSIGN_NIGHTLY' test/system --include='*.test.ts' | grep -v /seal/ | sort)
printf '%s\n' "${files[@]}"
COUNTERSIGN_NIGHTLY=1 npx vitest run --project system --project packages --project guests "${files[@]}"
