#!/usr/bin/env bash
# A real systemd as process 1 of namespaces of its own (pid, mount, uts, ipc, cgroup), for tests of units.
#
#   BOX=FOLDER systemd-in-a-box.sh up | ctl ARGS... | exec COMMAND... | down
#
# `ctl` is systemctl inside; `exec journalctl -u NAME` reads the box's own journal. BOX is a folder for the state of
# one box (units go to BOX/units, then `ctl daemon-reload`); boxes with folders of different names live side by side.
# The network, /tmp and everything below / are the host's. Nothing of it is changed but for one new cgroup2 folder:
# /etc, /proc/sys and /sys are read-only inside, /run, journal, console and kernel log are the box's own. `down` ends
# every process in the box and removes the cgroup folder and what `up` made in BOX.
#
# Needs root, systemd, util-linux (unshare, nsenter) and a cgroup2 mount anywhere; hybrid hosts have one on
# /sys/fs/cgroup/unified. Controllers for memory and pids may be missing inside.
set -euo pipefail

BOX=${BOX:?a folder for the state of the box}
UNITS=$BOX/units
PATIENCE_TENTHS=100

cgroup() {
  local mount
  mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  echo "${mount:?no cgroup2 is mounted}/$(basename "$BOX")"
}
init_pid() { cat "$BOX/pid" 2>/dev/null; }
inside() { exec nsenter -t "$(init_pid)" -m -u -i -p -C -- "$@"; }

# Repeats a command until it succeeds, for ten seconds at most.
patiently() {
  local tenths=0
  until "$@"; do
    [ $((tenths += 1)) -lt $PATIENCE_TENTHS ] || return 1
    sleep 0.1
  done
}

# The one process of the cgroup that is process 1 of its own namespace and has become systemd.
find_init() {
  local pid
  for pid in $(cat "$1/cgroup.procs" "$1"/*/cgroup.procs 2>/dev/null); do
    [ "$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status" 2>/dev/null)" = 1 ] || continue
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd ] || continue
    echo "$pid" >"$BOX/pid"
    return 0
  done
  return 1
}
is_booted() { case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) ;; *) return 1 ;; esac }
is_empty() { ! [ -d "$1" ] || grep -qx 'populated 0' "$1/cgroup.events"; }

# Only what a service meets on a real system: the targets it depends on by default, and a journal.
write_units() {
  local target
  cat >"$UNITS/box.target" <<'UNIT'
[Unit]
Requires=systemd-journald.service
After=systemd-journald.service
AllowIsolate=yes
UNIT
  cat >"$UNITS/systemd-journald.socket" <<'UNIT'
[Unit]
DefaultDependencies=no
IgnoreOnIsolate=yes
[Socket]
ListenStream=/run/systemd/journal/stdout
ListenDatagram=/run/systemd/journal/socket
ReceiveBuffer=8M
SocketMode=0666
PassCredentials=yes
PassSecurity=yes
Service=systemd-journald.service
UNIT
  cat >"$UNITS/systemd-journald.service" <<'UNIT'
[Unit]
DefaultDependencies=no
Requires=systemd-journald.socket
After=systemd-journald.socket
IgnoreOnIsolate=yes
[Service]
Type=notify
ExecStart=/lib/systemd/systemd-journald
Sockets=systemd-journald.socket
StandardOutput=null
FileDescriptorStoreMax=4224
UNIT
  for target in sysinit basic multi-user shutdown umount final; do
    printf '[Unit]\nDefaultDependencies=no\n' >"$UNITS/$target.target"
  done
  printf '[Unit]\nDefaultDependencies=no\n[Slice]\n' >"$UNITS/system.slice"
}

# Runs as process 1 before systemd does. The mounts are seen in here only.
write_init() {
  cat >"$BOX/init.sh" <<'INIT'
#!/bin/sh
set -e
mount --make-rprivate /
umount -R -l /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -o remount,bind,ro /sys
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind /etc /etc
mount -o remount,bind,ro /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/systemd/journald.conf.d /run/lock /run/log/journal
printf '[Journal]\nStorage=volatile\n' >/run/systemd/journald.conf.d/box.conf
mount --bind /dev/null /dev/console
if [ -e /dev/kmsg ]; then mount --bind /dev/null /dev/kmsg; fi
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 container=box SYSTEMD_PROC_CMDLINE= \
  SYSTEMD_UNIT_PATH="$1" /lib/systemd/systemd --system --unit=box.target --show-status=0 --log-target=journal-or-kmsg
INIT
  chmod +x "$BOX/init.sh"
}

up() {
  local cgroup
  cgroup=$(cgroup)
  mkdir -p "$UNITS" "$cgroup"
  write_units
  write_init
  # Into the cgroup first, so that the cgroup namespace has its root there.
  setsid -f sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare --pid --mount --uts --ipc --cgroup --fork \
    --kill-child=KILL --mount-proc "$2/init.sh" "$2/units" >"$2/init.log" 2>&1 </dev/null' sh "$cgroup" "$BOX"
  if ! patiently find_init "$cgroup" || ! patiently is_booted; then
    echo 'systemd did not come up:' >&2
    cat "$BOX/init.log" >&2
    down
    exit 1
  fi
}

# With process 1 its whole namespace dies, and with that the mounts.
down() {
  local cgroup pid
  cgroup=$(cgroup)
  for pid in $(init_pid || cat "$cgroup/cgroup.procs" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || true; done
  patiently is_empty "$cgroup"
  if [ -d "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} +; fi
  rm -rf "$BOX/pid" "$BOX/init.sh" "$BOX/init.log" "$UNITS"
}

case ${1:-} in
up) up ;;
ctl) shift && inside systemctl "$@" ;;
exec) shift && inside "$@" ;;
down) down ;;
*) sed -n '2,4p' "$0" >&2 && exit 2 ;;
esac
