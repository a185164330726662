#!/usr/bin/env bash
# Runs the system tests and, beside them, those that have virtual machines of their own: these use one processor for
# minutes, while the others mostly wait. Prints the output of the second after that of the first.
set -uo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
npm run -s test:guests >"$output" 2>&1 &
guests=$!
trap 'kill $guests 2>/dev/null; rm -f "$output"' EXIT
status=0
npm run -s test:system || status=$?
wait $guests || status=$?
cat "$output"
exit $status
