#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# For --on-seal: the file's SHA-256 beside it, and in SHA256SUMS of its directory (sha256sum -c SHA256SUMS checks them all).
# Appears whole or not at all; may be run twice.
set -eu
cd "$(dirname "$1")"
file=$(basename "$1")
sha256sum "$file" >".$file.sha256.new"
mv ".$file.sha256.new" "$file.sha256"
if ! grep -qsF "  $file" SHA256SUMS; then cat "$file.sha256" >>SHA256SUMS; fi
