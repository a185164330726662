#!/usr/bin/env bash
# The long forms of what .ci/run does in short forms. Needs root and the packages of scripts/debian.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run -s build
npm run -s test:nightly
npm run -s test:complete
