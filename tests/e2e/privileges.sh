#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a capture, a reader and the metrics endpoint need: each tried as nobody (or as root with nothing else) with exactly that, and
# with one less, which must be told in a line. Prints the table of config/PRIVILEGES.md. usage: WIRESPOOL=PROGRAM tests/e2e/privileges.sh
# shellcheck disable=SC2317  # functions that trap calls
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

work='' sender=wsp$$a space=wsp$$b
clean_up() {
  rmdir "/run/dpdk/wsp$$" 2>/dev/null || true # DPDK leaves it
  ip netns del "$sender" 2>/dev/null
  ip netns del "$space" 2>/dev/null
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "only root can try what others may"
  for tool in setpriv ip taskset python3; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install util-linux iproute2 python3"
  done
  [ -x "${WIRESPOOL:-}" ] || skip_all "WIRESPOOL does not name the program"
  id -u nobody >/dev/null 2>&1 || skip_all "there is no user nobody"
  memory=(--in-memory -m 192)
  set_up_hugepages 256 || memory=(--no-huge -m 256)
}

# Where nobody gets to: the program, a directory of nobody's, one of root's that nobody only sees, and one of a group.
make_ground() {
  local gid
  chmod 755 "$work"
  install -m 755 "$WIRESPOOL" "$work/wirespool"
  install -d -m 755 "$work/roots"
  gid=$(id -g nobody)
  install -d -m 750 -o nobody -g "$gid" "$work/nobodys" "$work/run"
  install -d -m 750 -o root -g "$group" "$work/groups"
  make_wire "$sender" wire0 "$space" wire1 2>/dev/null || skip_all "no network namespaces can be made here"
  ip netns exec "$space" ip link set lo up
}

# as_user USER RIGHTS COMMAND...: by as USER with these and no more; RIGHTS as "net_raw ipc_lock", or "".
as_user() {
  local user=$1 rights=$2 right list=-all
  shift 2
  for right in $rights; do list+=,+$right; done
  if [ "$user" = root ]; then
    "${place[@]}" setpriv --bounding-set="$list" --inh-caps=-all "$@"
  else
    "${place[@]}" setpriv --reuid=nobody --regid="${own_group:-$(id -g nobody)}" --clear-groups --inh-caps="$list" --ambient-caps="$list" \
      --bounding-set="$list" "$@"
  fi
}

# capture USER RIGHTS DEVICE OPTION...: a second of it, in the namespace with the wire
capture() {
  local user=$1 rights=$2 device=$3
  shift 3
  (
    cd "$work" && ulimit -l 64 && export XDG_RUNTIME_DIR=$work/run || exit
    place=(ip netns exec "$space")
    as_user "$user" "$rights" timeout -s INT 60 "$work/wirespool" capture --lcores "$(two_cpus)" "${memory[@]}" --no-pci \
      --no-telemetry --file-prefix "wsp$$" "--vdev=$device" -- --duration 300ms --stats none "$@"
  ) </dev/null >"$work/out.txt" 2>"$work/err.txt"
}

reader() { as_user nobody "" "$work/wirespool" "$@" </dev/null >"$work/out.txt" 2>"$work/err.txt"; }

# row WHAT RIGHTS COMMAND...: works with exactly that
row() {
  local what=$1 rights=$2
  shift 2
  if "$@"; then
    pass "$what: $rights"
    table+=("| $what | $rights | works | |")
  else
    fail "$what: $rights: $(grep -v '^ ' "$work/err.txt" | tail -n 2 | tr '\n' ' ')"
  fi
}

# less WHAT WITHOUT SAYS COMMAND...: is refused with one less, in a line that says so
less() {
  local what=$1 without=$2 says=$3 line
  shift 3
  if "$@"; then
    fail "$what: it works without $without"
    return
  fi
  line=$(cat "$work/err.txt" "$work/out.txt" | grep -a -m 1 -e "$says" | sed "s|$work/||g")
  if [ -n "$line" ]; then
    pass "$what without $without: $line"
    table+=("| | less $without | refused | \`$line\` |")
  else
    fail "$what without $without says: $(tail -n 2 "$work/err.txt" | tr '\n' ' ')"
  fi
}

try_captures() {
  local out=(--output "$work/nobodys") wire=net_af_packet0,iface=wire1
  local all="net_raw net_admin ipc_lock" become="setuid setgid" what
  what="capture as nobody, from a device that is in no kernel (net_null)"
  row "$what" "a directory of its own" capture nobody "" net_null0 "${out[@]}"
  less "$what" "the directory" "roots: Permission denied" capture nobody "" net_null0 --output "$work/roots"
  what="capture as nobody, from an interface (net_af_packet)"
  row "$what" "CAP_NET_RAW CAP_NET_ADMIN CAP_IPC_LOCK" capture nobody "$all" "$wire" "${out[@]}"
  less "$what" CAP_NET_RAW "no CAP_NET_RAW" capture nobody "net_admin ipc_lock" "$wire" "${out[@]}"
  less "$what" CAP_NET_ADMIN "no CAP_NET_ADMIN" capture nobody "net_raw ipc_lock" "$wire" "${out[@]}"
  less "$what" "CAP_IPC_LOCK (with 64 KiB of memlock)" "no CAP_IPC_LOCK" capture nobody "net_raw net_admin" "$wire" "${out[@]}"
  what="capture begun by root, \`--user nobody\`, the same"
  row "$what" "CAP_SETUID CAP_SETGID besides" capture root "$become $all" "$wire" "${out[@]}" --user nobody
  less "$what" CAP_SETUID "may not become nobody" capture root "setgid $all" "$wire" "${out[@]}" --user nobody
  less "$what" CAP_SETGID "may not become nobody" capture root "setuid $all" "$wire" "${out[@]}" --user nobody
  less "$what" "the directory" "chown nobody" capture root "$become $all" "$wire" --output "$work/roots" --user nobody
}

try_metrics() {
  local out=(--output "$work/nobodys") what
  what="metrics at a port below 1024"
  row "metrics at port 9100" "nothing more" capture nobody "" net_null0 "${out[@]}" --metrics :9100
  row "$what" CAP_NET_BIND_SERVICE capture nobody net_bind_service net_null0 "${out[@]}" --metrics :81
  less "$what" CAP_NET_BIND_SERVICE "--metrics" capture nobody "" net_null0 "${out[@]}" --metrics :81
}

try_readers() {
  local what="ls, extract, verify of somebody's files"
  cp "$work/nobodys/"wirespool-* "$work/groups/"
  chown root:"$group" "$work/groups/"*
  chmod 640 "$work/groups/"*
  own_group=$group row "$what" "the group of directory and files (0640)" read_all
  less "$what" "the group" "ermission denied" reader ls "$work/groups"
  what="repair, index, keep, manifest"
  row "$what" "a directory and files of one's own" own_all
  rm -f "$work/groups/"*.idx
  less "$what" "the directory" "no index: .*Permission denied" own_reader index "$work/groups"
}
own_reader() { own_group=$group reader "$@"; }
own_all() {
  reader repair "$work/nobodys" && reader index "$work/nobodys" && reader manifest "$work/nobodys" &&
    reader keep "$work/nobodys" --from -1h --to -0s
}
read_all() { reader ls "$work/groups" && reader verify "$work/groups" && reader extract "$work/groups" -w -; }

work=$(mktemp -d) group=$(id -g daemon) table=() own_group='' place=()
trap clean_up EXIT
trap 'exit 130' INT TERM
check_machine
make_ground
try_captures
try_metrics
try_readers
printf '\n| what | with exactly | | what it says |\n|---|---|---|---|\n'
printf '%s\n' "${table[@]}"
count_up
