#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Takes the program out of the image that container.sh made: it runs on any x86-64-v3 CPU with Debian 12's libraries, so in
# the test guest as well. usage: tests/e2e/program-of-image.sh FILE
set -eu
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/podman-functions.sh
source "$(dirname "$0")/podman-functions.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
podman_set_up "$work"
podman image exists "$program_image"
container=$(podman create "$program_image")
podman cp "$container:/usr/local/bin/wirespool" "$1"
podman rm "$container"
"$1" --version
