#!/usr/bin/env bash
# The long forms of what .ci/run does in short forms. Needs root and the packages of scripts/debian.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run -s build
npm run -s test:nightly
npm run -s test:complete

# what the tables of src/bpf were made from, against the packages of today
kernels=$(mktemp -d)
trap 'rm -rf "$kernels"' EXIT
node scripts/kernel-facts.mjs "$kernels" --check
