#!/usr/bin/env bash
# Compiles the examples. The same sources give the same bytes wherever they lie: nothing of this machine's paths gets
# into them, and debug information other than BTF is taken out. With --check it compiles elsewhere and compares.
set -euo pipefail
cd "$(dirname "$0")"
clang=${CLANG:-clang-19}
strip=${LLVM_STRIP:-llvm-strip-19}
out=.
[ "${1-}" = --check ] && out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT

compile() { # target, source, object
  "$clang" -O2 -g -Wall -Werror -target "$1" -mcpu=v3 -idirafter "/usr/include/$(uname -m)-linux-gnu" \
    -fdebug-compilation-dir=. -ffile-prefix-map="$PWD"=. -c "$2" -o "$out/$3"
  "$strip" -g "$out/$3"
}

for source in *.bpf.c; do compile bpf "$source" "${source%.bpf.c}.o"; done
compile bpfeb xdp-steer.bpf.c xdp-steer.be.o

[ "$out" = . ] && exit 0
stale=0
for object in "$out"/*.o; do
  cmp -s "$object" "$(basename "$object")" || { echo "examples/$(basename "$object") is not current"; stale=1; }
done
exit "$stale"
