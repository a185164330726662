#!/usr/bin/env bash
# Runs the long forms of the steps that .ci/run has in short forms. Needs root and the packages of scripts/debian.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run -s build
npm run -s fuzz
npm run -s test:nightly
npm run -s test:nodes
npm run -s test:prove
# All virtual machines, and the seal on all kernels. CI boots a quarter of them, and seals one kernel.
COUNTERSIGN_NIGHTLY=1 npm run -s test:guests
npm run -s bench:seal
npm run -s bench:seal-tickets
npm run -s test:complete
npm run -s test:relocations

# All tools of libbpf-tools behind the gate on Debian's kernel, which has what this machine's may lack.
bash scripts/guest-ring.sh --module bcachefs --module btrfs --module f2fs --module nfs --module xfs --module md-mod \
  test/system/gate/stated-tools.test.ts

# Compares the sources of the tables in src/bpf with today's packages.
kernels=$(mktemp -d)
trap 'rm -rf "$kernels"' EXIT
node scripts/kernel-facts.mjs "$kernels" --check
node scripts/source-places.mjs "$kernels" --check
