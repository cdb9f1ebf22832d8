#!/bin/sh
# A stand-in agent that does what its message says, so that tests decide how long a turn takes:
#   wait NAME      prints "started NAME", waits until the FIFO NAME is written, prints "finished NAME"
#   deaf NAME      the same, and ignores TERM
#   fail TEXT      prints TEXT to stderr and exits with 3
#   flood BYTES    prints that many bytes
#   silent         prints nothing
#   anything else  is said back
IFS= read -r line || true
word=${line%% *}
rest=${line#* }
case $word in
  wait) echo "started $rest"; cat "$rest" >/dev/null; echo "finished $rest" ;;
  deaf) trap '' TERM; echo "started $rest"; cat "$rest" >/dev/null; echo "finished $rest" ;;
  fail) echo "$rest" >&2; exit 3 ;;
  flood) head -c "$rest" /dev/zero | tr '\0' 'x' ;;
  silent) ;;
  *) echo "echo: $line" ;;
esac
