#!/usr/bin/env bash
# Runs the tests of policies, then decides about BPF objects. CONFIG is the configuration, OBJECTS has patterns of
# files, COUNTERSIGN the command's words. Exits with the status of the first command that fails, or 2 if a pattern has
# no file.
set -euo pipefail
read -ra command <<<"${COUNTERSIGN:-countersign}"
read -ra patterns <<<"${OBJECTS:-}"

"${command[@]}" test --config "$CONFIG"

objects=()
for pattern in "${patterns[@]}"; do
  mapfile -t found < <(compgen -G "$pattern" | sort)
  if [ ${#found[@]} -eq 0 ]; then
    echo "no file matches \`$pattern\`" >&2
    exit 2
  fi
  objects+=("${found[@]}")
done
[ ${#objects[@]} -eq 0 ] || "${command[@]}" check --config "$CONFIG" "${objects[@]}"
