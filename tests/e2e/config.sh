#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The files of config/, each judged by the tool that owns its format, where this machine has it. usage: tests/e2e/config.sh
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
config=$e2e_here/../../config

# judge WHAT TOOL COMMAND...: skipped without the tool
judge() {
  local what=$1 tool=$2
  shift 2
  if command -v "$tool" >/dev/null; then expect "$what: $tool" "$@"; else skip "$what: $tool is not here"; fi
}

# check_unit NAME INSTANCE: a unit of config/systemd; verified where its program need not be installed
check_unit() {
  local unit=$work/$2 level
  sed 's#/usr/local/bin/wirespool#/bin/true#' "$config/systemd/$1" >"$unit"
  [ "$1" = "$2" ] || cp "$unit" "$work/$1"
  judge "systemd unit $1" systemd-analyze sh -c "said=\$(systemd-analyze verify '$unit' 2>&1 | grep -F wirespool); [ -z \"\$said\" ] || { echo \"\$said\"; exit 1; }"
  command -v systemd-analyze >/dev/null || return
  expect "systemd unit $1: exposure is 3.5 of 10 at most" systemd-analyze security --offline=yes --threshold=35 "$unit"
  level=$(systemd-analyze security --offline=yes --no-pager "$unit" 2>/dev/null | sed -n 's/.*Overall exposure level.*: //p')
  say "systemd-analyze security: $1: $level"
}

check_units() {
  check_unit wirespool@.service wirespool@probe.service
  check_unit wirespool-serve.service wirespool-serve.service
}

check_guest() {
  local rng=/usr/share/libvirt/schemas/domain.rng
  judge "libvirt domain" virt-xml-validate virt-xml-validate "$config/guest/wirespool.xml" domain
  if [ -e "$rng" ]; then
    judge "libvirt domain, libvirt's schema" xmllint xmllint --noout --relaxng "$rng" "$config/guest/wirespool.xml"
  else
    skip "libvirt domain: libvirt's schema is not here (package libvirt0)"
  fi
  judge "cloud-init" cloud-init cloud-init schema -c "$config/guest/user-data.yaml"
  expect "QEMU command line" "$config/guest/qemu.sh" --dry-run --vf 0000:3b:02.0 --nvme 0000:5e:00.0 --virtio /dev/sdz --disk image.qcow2
}

check_containers() {
  local quadlet=/usr/libexec/podman/quadlet file
  judge "compose" docker-compose sh -c "cd '$config/container' && docker-compose config -q"
  judge "compose" podman-compose sh -c "cd '$config/container' && podman-compose --dry-run up"
  if [ -x "$quadlet" ]; then
    expect "quadlet" env QUADLET_UNIT_DIRS="$config/container" "$quadlet" -dryrun
  else
    skip "quadlet: $quadlet is not here: podman is older than 4.4"
  fi
  for file in "$config"/container/kubernetes/*.yaml; do
    judge "Kubernetes, $(basename "$file")" kubeconform kubeconform -strict "$file"
  done
  judge "YAML" yamllint yamllint -d '{extends: relaxed, rules: {line-length: disable}}' "$config"
  expect "seccomp profile" python3 -m json.tool "$config/container/seccomp.json"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check_units
check_guest
check_containers
count_up
