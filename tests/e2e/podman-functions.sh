#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Images and containers for the end-to-end tests, without a registry. Read with `source` after e2e-functions.sh.

podman_here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
base_image=docker.io/library/debian:bookworm-slim
# shellcheck disable=SC2034  # used by the scripts that source this file
program_image=localhost/wirespool-test:latest
made_base='' podman_folder=''

# podman_set_up FOLDER: crun refuses machines with both kinds of cgroups, runc does not; no service manager is asked.
podman_set_up() {
  podman_folder=$1
  cat >"$podman_folder/containers.conf" <<'TEXT'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
TEXT
  export CONTAINERS_CONF=$podman_folder/containers.conf
  podman info >/dev/null 2>"$podman_folder/podman.txt"
}

# The archive this machine's own packages come from.
archive_of() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
    awk -v name="$1" '$2 == name && $3 == "Debian" { print $1; exit }'
}

# The image that FROM names, made from packages if it is not there: make_base_image
make_base_image() {
  local archive
  podman image exists "$base_image" && { say "$base_image is here already"; return 0; }
  archive=$(archive_of bookworm)
  [ -n "$archive" ] || { complain "no Debian 12 archive among this machine's apt sources"; return 1; }
  say "making $base_image from packages (a minute)"
  debootstrap --variant=minbase bookworm "$podman_folder/base" "$archive" >"$podman_folder/debootstrap.txt" 2>&1 ||
    { tail -n 5 "$podman_folder/debootstrap.txt"; return 1; }
  # Inside, packages come from where they come from here.
  printf 'deb %s bookworm main\n' "$archive" >"$podman_folder/base/etc/apt/sources.list"
  tar -C "$podman_folder/base" -c . | podman import - "$base_image" >/dev/null 2>"$podman_folder/import.txt" || return 1
  rm -rf "$podman_folder/base"
  made_base=yes
}

# Kept for the other tests of one run, and used if it is there, if WIRESPOOL_E2E_KEEP is set. No layers are kept: nothing
# would remove them.
make_program_image() {
  if [ -n "${WIRESPOOL_E2E_KEEP:-}" ] && podman image exists "$program_image"; then return 0; fi
  make_base_image || return 1
  say "building the image from the Dockerfile (some minutes)"
  podman build --layers=false --network=host --isolation=chroot -t "$program_image" "$podman_here" >"$podman_folder/build.txt" 2>&1 ||
    { tail -n 20 "$podman_folder/build.txt"; return 1; }
}

remove_images() {
  [ -z "${WIRESPOOL_E2E_KEEP:-}" ] || return 0
  podman image rm -f "$program_image" >/dev/null 2>&1 || true
  if [ -n "$made_base" ]; then podman image rm -f "$base_image" >/dev/null 2>&1 || true; fi
}
