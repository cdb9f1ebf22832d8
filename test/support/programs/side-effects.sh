#!/bin/sh
# An agent (with a message on its standard input) and a command (with its words as arguments) that note what they do in a
# file beside the configuration, so that how often each ran can be counted outside the gateway:
#   say ID         answers at once
#   slow ID        answers after a fifth of a second
#   stream ID      answers in three pieces
#   long ID        says something at once and answers after more than a second
#   note ID PAUSE  a command: done after PAUSE seconds
#   wait ID        a command: done when the file `go-ID` is there, or after some seconds
if [ $# -eq 0 ]; then
  IFS= read -r line || true
  # shellcheck disable=SC2086 # Its words are what is wanted.
  set -- $line
fi
file=${0%/*}/effects.txt
printf 'begun %s %s %s\n' "$1" "$2" "$SLUICE_WORK_ID" >>"$file"
case $1 in
  slow) sleep 0.2 ;;
  stream) printf 'first of %s\n' "$2"; sleep 0.05; printf 'second of %s\n' "$2"; sleep 0.05 ;;
  long) printf 'first of %s\n' "$2"; sleep 0.6; printf 'second of %s\n' "$2"; sleep 0.8 ;;
  note) sleep "$3" ;;
  wait)
    left=500
    while [ ! -e "${0%/*}/go-$2" ] && [ $left -gt 0 ]; do
      left=$((left - 1))
      sleep 0.02
    done
    ;;
esac
printf 'ended %s %s %s\n' "$1" "$2" "$SLUICE_WORK_ID" >>"$file"
printf 'answer to %s\n' "$2"
