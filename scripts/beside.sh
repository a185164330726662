#!/usr/bin/env bash
# beside.sh COMMAND…: runs commands at the same time, each by bash. Prints the output of the others after that of the
# first. Fails if one of them does, and then prints the last lines of each that failed once more, so that the end of
# the output says why.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
others=()
trap 'kill "${others[@]}" 2>/dev/null; rm -rf "$folder"' EXIT
for command in "${@:2}"; do
  others+=('')
  bash -c "$command" >"$folder/${#others[@]}" 2>&1 &
  others[-1]=$!
done
failed=()
bash -c "$1" 2>&1 | tee "$folder/0" || failed+=(0)
for at in "${!others[@]}"; do
  wait "${others[at]}" || failed+=($((at + 1)))
  cat "$folder/$((at + 1))"
done
others=()
for at in "${failed[@]}"; do
  printf '\n== failed, number %d of the commands at the same time; its last lines:\n' $((at + 1))
  tail -n 40 "$folder/$at"
done
[ ${#failed[@]} = 0 ]
