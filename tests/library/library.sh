#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the library into a directory of its own, builds include/wirespool/example against it as its README says, and
# compares what that counts with tcpdump and capinfos. Exit code 77: something it needs is not here.
# usage: tests/library/library.sh SOURCE_ROOT BUILD_ROOT LAY_OUT_SPOOL VERSION
set -eu
source_root=$1 build_root=$2 lay_out_spool=$3 version=$4

skip() { echo "skipped: $*" && exit 77; }
fail() { echo "FAILED: $*" >&2 && exit 1; }
# same WHAT EXPECTED GOT
same() {
  if [ "$2" != "$3" ]; then fail "$1: expected '$2', got '$3'"; fi
  echo "passed: $1: $3"
}

for tool in meson pkg-config tcpdump capinfos; do command -v "$tool" >/dev/null || skip "$tool is not here"; done
work=$(mktemp -d -t wirespool-test-XXXXXX)
trap 'rm -rf "$work"' EXIT

meson install -C "$build_root" --no-rebuild --tags devel,runtime --destdir "$work/root" >"$work/install.txt" 2>&1 ||
  { cat "$work/install.txt" && fail "meson install"; }
pc=$(find "$work/root" -name wirespool.pc)
library=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
same "the version pkg-config gives" "$version" "$(pkg-config --modversion wirespool)"
test -f "$library/libwirespool.so.$version" || fail "there is no libwirespool.so.$version"

# Each header by itself, with nothing of this tree in reach.
read -r -a compiler <<<"${CXX:-g++}"
read -r -a flags <<<"$(pkg-config --cflags --libs wirespool)"
cd "$work"
for header in "$work"/root/*/*/include/wirespool/*.hpp "$work"/root/*/include/wirespool/*.hpp; do
  if [ -f "$header" ]; then echo "#include <wirespool/${header##*/}>" >"alone-${header##*/}.cpp"; fi
done
"${compiler[@]}" -Wall -Wextra -Werror -fsyntax-only alone-*.cpp "${flags[@]}" || fail "a header does not compile alone"
"${compiler[@]}" -Wall -Wextra -Werror -o count "$source_root/include/wirespool/example/count.cpp" "${flags[@]}" ||
  fail "the example does not build"

# It is the installed library that is used, and nothing of it is seen but its face.
ldd ./count | grep -q "libwirespool.so.* => $library/" || fail "the example does not run with the installed library"
if ldd "$library/libwirespool.so" | grep -q liburing; then fail "reading needs no liburing, and the library asks for it"; fi
strangers=$(nm -DC --defined-only "$library/libwirespool.so" |
  grep -Ev ' wirespool::((Filter|Follow|Merge|Spool|SpoolFile)::|rfc3339|from_rfc3339|parse_time|time_now)| (typeinfo|vtable) ' || true)
[ -z "$strangers" ] || fail "the library shows more than its face: $(head -n 5 <<<"$strangers")"

mkdir spool
"$lay_out_spool" spool
packets=0
for file in spool/*.pcap; do packets=$((packets + $(capinfos -MrTc "$file" | awk '{ print $NF }'))); done
counted() { ./count spool "$@" | sed 's/ packets.*//'; }
same "all packets, as capinfos counts them" "$packets" "$(counted)"
for expression in 'udp' 'ip6 and udp' 'greater 1000' 'vlan' 'not ip'; do
  packets=0
  for file in spool/*.pcap; do packets=$((packets + $(tcpdump --count -nr "$file" "$expression" 2>/dev/null | awk '{ print $1 }'))); done
  same "'$expression', as tcpdump counts them" "$packets" "$(counted "$expression")"
done
if ./count spool 'no such filter' 2>error.txt; then fail "a filter that is none is taken"; fi
grep -q '^count: no such filter: .*syntax error' error.txt || fail "a filter that is none: $(cat error.txt)"
