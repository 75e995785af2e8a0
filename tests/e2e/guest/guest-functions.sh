#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the scripts of this directory share. Read with `source`; does nothing by itself.

guest_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=config/setup-functions.sh
source "$guest_here/../../../config/setup-functions.sh"

# Meson counts exit code 77 as skipped; the last line says why.
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

codename() { . /etc/os-release && echo "$VERSION_CODENAME"; }

# The archive this machine's own packages come from, for `codename`, as its apt knows it.
archive_of() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
    awk -v name="$1" '$2 == name && $3 == "Debian" { print $1; exit }'
}

# An apt of its own: lists and archives below $1/apt, nothing of the machine's touched but read. private_apt DIR COMMAND...
private_apt() {
  local state=$1/apt
  shift
  apt-get -q -o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=$state/empty" \
    -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state" -o APT::Sandbox::User=root "$@" </dev/null
}

# private_apt_setup DIR CODENAME ARCHIVE
private_apt_setup() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg suite
  mkdir -p "$1/apt/lists/partial" "$1/apt/archives/partial" "$1/apt/empty"
  for suite in "$2" "$2-backports"; do echo "deb [signed-by=$keys] $3 $suite main"; done >"$1/apt/sources.list"
  private_apt "$1" update >/dev/null
}
