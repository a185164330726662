#!/usr/bin/env bash
# beside.sh COMMAND…: runs commands at the same time, each by bash. Prints the output of the others after that of the
# first. Fails if one of them does.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
others=()
trap 'kill "${others[@]}" 2>/dev/null; rm -rf "$folder"' EXIT
for command in "${@:2}"; do
  bash -c "$command" >"$folder/${#others[@]}" 2>&1 &
  others+=($!)
done
status=0
bash -c "$1" || status=$?
for at in "${!others[@]}"; do
  wait "${others[at]}" || status=$?
  cat "$folder/$at"
done
others=()
exit $status
