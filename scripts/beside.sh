#!/usr/bin/env bash
# beside.sh COMMAND COMMAND: runs two commands at the same time, each by bash. Prints the output of the second after that
# of the first. Fails if one of them does.
set -uo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
bash -c "$2" >"$output" 2>&1 &
second=$!
trap 'kill $second 2>/dev/null; rm -f "$output"' EXIT
status=0
bash -c "$1" || status=$?
wait $second || status=$?
cat "$output"
exit $status
