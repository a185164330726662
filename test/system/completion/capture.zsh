# Prints what zsh offers for the last word of a command line, one a line. Starts an interactive zsh in a pseudo-terminal
# and types the line; `compadd`, by which every completion is added, is replaced by a function that prints too.
# Usage: zsh -f capture.zsh COMPLETIONS LINE
zmodload zsh/zpty || exit 3
inner=$(mktemp)
trap 'rm -f $inner' EXIT
cat > $inner <<'INNER'
PROMPT=
autoload -Uz compinit && compinit -u -D
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
finish() { exit }
comppostfuncs=(finish)
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return $?
  fi
  local -a offered
  builtin compadd -A offered "$@"
  local each
  for each in $offered; do print -r -- "OFFERED ${(Q)each}"; done
  builtin compadd "$@"
}
INNER
zpty shell zsh -f -i
zpty -w shell "source $inner; source $1; print READ''Y"
until [[ $all == *READY* ]]; do zpty -r shell chunk || exit 4; all+=$chunk; done
zpty -w -n shell "$2"$'\t'
all=
while zpty -r shell chunk; do all+=$chunk; done
print -r -- $all | tr -d '\r' | sed -n 's/^.*OFFERED //p'
