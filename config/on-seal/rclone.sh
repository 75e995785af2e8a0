#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# For --on-seal: copies a sealed file and what stands beside it to an object store, and asks the store what it has got.
#   WIRESPOOL_REMOTE  where to: rclone's REMOTE:BUCKET[/FOLDER], as in "store:captures/probe1"
#   WIRESPOOL_DELETE  yes: the local files go once they are there
# The remote is made with `rclone config`, or by its environment:
#   RCLONE_CONFIG_STORE_TYPE=s3 RCLONE_CONFIG_STORE_ENDPOINT=https://... RCLONE_CONFIG_STORE_ACCESS_KEY_ID=... and so on.
set -eu
: "${WIRESPOOL_REMOTE:?where to: REMOTE:BUCKET/FOLDER}"
folder=$(dirname "$1")
name=$(basename "$1")
stem=${name%.pcap*}

# The pcap last: whoever sees it in the store finds its index there as well.
for file in "$stem.idx" "$name.sha256" "$name"; do
  [ -e "$folder/$file" ] || continue
  rclone copyto --retries 1 --low-level-retries 3 "$folder/$file" "$WIRESPOOL_REMOTE/$file"
  rclone check --one-way "$folder" "$WIRESPOOL_REMOTE" --include "/$file"
done
if [ "${WIRESPOOL_DELETE:-}" = yes ]; then rm -f "$folder/$stem.idx" "$folder/$name.sha256" "$1"; fi
