#!/usr/bin/env bash
# Runs the long forms of the steps that .ci/run has in short forms. Needs root and the packages of scripts/debian.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run -s build
npm run -s test:nightly
npm run -s test:complete

# Compares the sources of the tables in src/bpf with today's packages.
kernels=$(mktemp -d)
trap 'rm -rf "$kernels"' EXIT
node scripts/kernel-facts.mjs "$kernels" --check
