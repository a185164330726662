# Sourced by scripts that run several steps: `step NAME COMMAND…` runs a command under a name. At the end, also after a
# step that failed, the seconds of each step are printed.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  times+="$(printf '%5d s  %s' $((SECONDS - start)) "$name")"$'\n'
  printf '== %s: %d s\n' "$name" $((SECONDS - start))
  return $status
}
times=
trap 'printf "\n== seconds\n%s%5d s  all\n" "$times" $SECONDS' EXIT
