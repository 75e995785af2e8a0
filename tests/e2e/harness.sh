#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The tests' own scripts, where what they need breaks: a build, an emulator. usage: tests/e2e/harness.sh
# shellcheck disable=SC2317  # functions that trap calls
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

work=''
clean_up() { if [ -n "$work" ]; then rm -rf "$work"; fi; }

# A compiler that compiles nothing; in a copy of the tree, so that its builds are nobody's.
check_failed_build() {
  local tree=$work/tree log=$work/run.txt suite
  mkdir "$tree"
  cp -r "$e2e_here"/../../{config,tests,src,include,bench,meson.build,meson_options.txt} "$tree"
  CXX=/bin/false "$tree/tests/run.sh" --quick unit spool eal </dev/null >"$log" 2>&1
  expect "a build that fails is a failure of tests/run.sh" test $? -eq 1
  for suite in unit spool eal; do
    expect "the suite $suite, which it kept from running, has failed by its name" \
      grep -q "^FAILED: release: suite $suite did not run" "$log"
  done
  expect "the last line counts the build and its three suites" grep -Eq '^[0-9]+ passed, 4 failed, 0 skipped$' <(tail -n 1 "$log")
}

# A guest of which nothing is real but its emulator's end.
make_dying_guest() {
  mkdir -p "$1"/{qemu/usr/bin,kernel/boot}
  touch "$1"/kernel/boot/vmlinuz-0 "$1"/kernel/vmlinuz "$1"/root.img "$1"/initramfs.cpio
  printf '#!/bin/sh\necho started >>%s\necho "Assertion failed" >&2\nkill -ABRT $$\n' "$work/starts" >"$1/qemu/usr/bin/qemu-system-x86_64"
  chmod 755 "$1/qemu/usr/bin/qemu-system-x86_64"
}

check_dying_emulator() {
  local log=$work/guest.txt
  make_dying_guest "$work/guest"
  WIRESPOOL=/bin/true WIRESPOOL_E2E_GUEST=$work/guest "$e2e_here/guest.sh" </dev/null >"$log" 2>&1
  if grep -q 'skipped: .* is not here\|no Debian archive' "$log"; then
    skip "an emulator that dies: $(grep -m 1 'skipped: ' "$log")"
    return
  fi
  expect "an emulator that dies is started again, twice" test "$(wc -l <"$work/starts")" -eq 3
  expect "guests that all die are one failure" grep -qx '0 passed, 1 failed, 0 skipped' <(tail -n 1 "$log")
  expect "which says why" grep -q 'FAILED: no guest run came to its end: .*the emulator died.*Assertion failed' "$log"
}

[ "$(id -u)" -eq 0 ] || skip_all "the scripts that are looked at need root"
work=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM
check_failed_build
check_dying_emulator
count_up
