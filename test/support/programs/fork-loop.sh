#!/bin/sh
# Forks children that are deaf to TERM as fast as it can, says "ready" after the tenth, and stops at the given
# number.
trap '' TERM
n=0
while [ "$n" -lt "$1" ]; do
  n=$((n + 1))
  sleep 100 &
  [ "$n" -ne 10 ] || echo ready
done
wait
