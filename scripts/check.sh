#!/usr/bin/env bash
# What must hold before each commit: as an ordinary user, in less than three minutes on two idle processors.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

step 'build' node scripts/build.mjs --quiet
step 'lint' npm run -s lint
step 'arrows' npm run -s arrows
step 'names' npm run -s names
step 'modules' npm run -s modules
step 'types' npm run -s types
step 'unit' node scripts/test.mjs unit
