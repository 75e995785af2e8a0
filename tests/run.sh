#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is needed, builds and runs all tests. Safe to run twice; leaves build-tests/ and build-instructions/ behind
# (ignored by git).
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

say() { printf '== %4d s: %s\n' "$SECONDS" "$*"; } # as setup-functions has it, and when

usage() {
  cat <<'TEXT'
usage: tests/run.sh [--quick] [--no-sanitizers] [--werror] [SUITE...]
  SUITE            unit, spool, eal; default: these three. e2e: the quickstart, Debian 13, the Debian package, containers, a guest, systemd, an
                   object store
  --quick          the release build and its suites only
  --no-sanitizers  all but the sanitizer builds
  --werror         warnings are errors in builds for a CPU that is named, not for the one that happens to be here
The last line is "N passed, N failed, N skipped". Exit code 0: none failed.
TEXT
}

quick='' sanitizers=yes werror=false end_to_end='' suites=()
read_arguments() {
  local word
  for word in "$@"; do
    case $word in
      --quick) quick=yes sanitizers='' ;;
      --no-sanitizers) sanitizers='' ;;
      --werror) werror=true ;;
      --help | -h) usage && exit 0 ;;
      e2e) end_to_end=yes ;;
      unit | spool | eal) suites+=("$word") ;;
      *) complain "unknown argument: $word" && usage >&2 && exit 1 ;;
    esac
  done
  [ ${#suites[@]} -gt 0 ] || [ -n "$end_to_end" ] || suites=(unit spool eal)
}

wrapper=(env)
passed=0 failed=0 skipped=0 failures=()
count_pass() { passed=$((passed + 1)); }
count_fail() { failed=$((failed + 1)) && failures+=("$1") && printf '   FAILED: %s\n' "$1"; }
count_skip() { skipped=$((skipped + 1)) && printf '   skipped: %s\n' "$1"; }

started=$SECONDS
finish() {
  local failure
  restore_hugepages
  rmdir /run/dpdk/wst[0-9]* 2>/dev/null # run-time directories of the tests' EALs, which DPDK leaves behind
  [ -z "${build_root:-}" ] || give_back "$build_root"
  say "took $((SECONDS - started)) s"
  # Last, as often only the end of what was printed is kept.
  for failure in "${failures[@]}"; do printf 'FAILED: %s\n' "$failure"; done
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ]
  exit $?
}
# --- what there is before and after -----------------------------------------------------------------------------------

# Only things that look like the tests' own: other programs on the machine may come and go.
own_leftovers() {
  ip -o link show 2>/dev/null | awk -F': ' '$2 ~ /^wst[0-9]/ { print "interface " $2 }'
  find /run/netns -maxdepth 1 -name 'wst[0-9]*' -printf 'namespace %f\n' 2>/dev/null
  awk '$2 ~ /wirespool-test|build-tests/ { print "mount " $2 }' /proc/mounts
  losetup -n -O NAME,BACK-FILE 2>/dev/null | awk '$2 ~ /wirespool-test|build-tests/ { print "loop " $1 " of " $2 }'
  find /dev/hugepages -maxdepth 1 -name '*map_*' -printf 'hugepage map %f\n' 2>/dev/null
  find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'wirespool-test-*' -printf 'directory %p\n' 2>/dev/null
  find "$build_root" -maxdepth 2 -name 'wirespool-test-*' -printf 'directory %p\n' 2>/dev/null
}

check_leftovers() {
  local new
  new=$(comm -13 <(sort -u <<<"$leftovers_before") <(own_leftovers | sort -u))
  if [ -z "$new" ]; then
    say "no interface, namespace, mount, loop device, hugepage map or directory was left behind"
    count_pass
  else
    printf '%s\n' "$new"
    count_fail "the tests left the above behind"
  fi
}

# --- builds and suites ------------------------------------------------------------------------------------------------

# build NAME MESON_OPTION...: 1 if it does not build.
build() {
  local name=$1 folder=$build_root/$1 log=$build_root/$1.log
  shift
  say "building $name ($*)"
  {
    if [ -f "$folder/build.ninja" ]; then meson configure "$folder" "$@"; else meson setup "$folder" "$here" "$@"; fi &&
      ninja -C "$folder"
  } >"$log" 2>&1 && return 0
  tail -n 60 "$log"
  count_fail "build $name"
  return 1
}

# not_run NAME SUITE...: what a failed build kept from running has failed, each by its name.
not_run() {
  local name=$1 suite
  shift
  for suite in "$@"; do count_fail "$name: suite $suite did not run: $name was not built"; done
}

# build_and_run NAME TIMEOUT_FACTOR "SUITE..." MESON_OPTION...
build_and_run() {
  local name=$1 factor=$2 wanted
  read -r -a wanted <<<"$3"
  shift 3
  if build "$name" "$@"; then run_suites "$name" "$factor" "${wanted[@]}"; else not_run "$name" "${wanted[@]}"; fi
}

# what_failed LOG: "crash TIMEOUT after 300.05s", a line a program of a suite; then where and what, as Catch2 says it.
what_failed() {
  awk '$3 == "/" && $5 ~ /^(FAIL|TIMEOUT|ERROR)$/ { print $4, $5, "after", $6 }' "$1" | sort -u
  grep -A 3 -E '^[^ ]+\.cpp:[0-9]+: FAILED:' "$1" | grep -vE '^(--)?$' | sed 's/^ *//' | head -n 24 | paste -sd' ' | cut -c 1-1000
}

# Reads "Ok: 3", "Fail: 1", ... from what Meson printed last.
add_counts() {
  local ok bad skip failure
  ok=$(awk '/^(Ok|Expected Fail): / { n += $NF } END { print n + 0 }' "$1")
  bad=$(awk '/^(Fail|Unexpected Pass|Timeout): / { n += $NF } END { print n + 0 }' "$1")
  skip=$(awk '/^Skipped: / { n += $NF } END { print n + 0 }' "$1")
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
  if [ "$bad" -gt 0 ]; then
    while read -r failure; do failures+=("$2: $failure"); done < <(what_failed "$1")
  fi
}

# run_suites NAME TIMEOUT_FACTOR SUITE...
run_suites() {
  local name=$1 factor=$2 folder=$build_root/$1 suite jobs status log
  shift 2
  for suite in "$@"; do
    if ! meson test -C "$folder" --list --no-rebuild --suite "$suite" 2>/dev/null | grep -qv '^No suitable tests'; then
      notice "$name has no suite $suite"
      continue
    fi
    say "$name: suite $suite"
    log=$build_root/$name-$suite.txt
    jobs=$(nproc)
    [ "$suite" != eal ] || jobs=1 # lcores that poll want a CPU of their own
    "${wrapper[@]}" meson test -C "$folder" --no-rebuild --print-errorlogs --suite "$suite" --num-processes "$jobs" \
      --timeout-multiplier "$factor" >"$log" 2>&1
    status=$?
    # What a skipped test says is in Meson's own log only.
    cat "$log"
    add_counts "$log" "$name: suite $suite"
    [ "$status" -eq 0 ] || grep -Eq '^(Fail|Timeout|Unexpected Pass): +[1-9]' "$log" || count_fail "$name: suite $suite did not run"
  done
}

# What time-outs are multiplied with: a test that hangs is found later, one on a slow disk or a busy machine is not called hanging.
patience=4

wants() { printf '%s\n' "${suites[@]}" | grep -qx "$1"; }

# Suites asked for that are among those named.
among() {
  local suite
  for suite in "$@"; do if wants "$suite"; then echo "$suite"; fi; done
}

# As a user builds it: for the CPU that is here, with whatever compiler. Compilers warn of different things, and with each CPU of
# others (they are right about few): no warning is an error here.
run_release() { build_and_run release "$patience" "${suites[*]}" --buildtype=release -Dwerror=false; }

# Without DPDK, and without what else can be left out, which it has to say then (built as the release is: a compiler cache has most
# of it already). Or under ThreadSanitizer, which does not know what DPDK's rings do.
run_without_capture() {
  local wanted
  wanted=$(among unit spool | paste -sd' ')
  if [ -n "$sanitizers" ]; then
    run_thread_sanitizer "$wanted"
  else
    build_and_run without-capture "$patience" "$wanted" -Dcapture=disabled -Dmetrics=disabled -Dseccomp=disabled \
      --buildtype=release -Dwerror=false
  fi
}

run_address_sanitizer() {
  export ASAN_OPTIONS=halt_on_error=1:detect_stack_use_after_return=1:abort_on_error=0
  export LSAN_OPTIONS=suppressions=$here/tests/leaks-of-others.txt:print_suppressions=0
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  build_and_run asan 8 "${suites[*]}" --buildtype=debug -Doptimization=1 -Db_sanitize=address,undefined
  unset ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
}

run_thread_sanitizer() {
  # ThreadSanitizer's memory map does not go with as much address randomisation as newer kernels do.
  if setarch -R true 2>/dev/null; then wrapper=(setarch -R); fi
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  build_and_run without-capture-tsan 16 "$1" --buildtype=debug -Doptimization=1 -Db_sanitize=thread -Dcapture=disabled
  unset TSAN_OPTIONS
  wrapper=(env)
}

# Two of the fuzz targets for a minute each, side by side: day by day all of them have their turn.
run_fuzz_in_turn() {
  local corpora=("$here"/tests/fuzz/corpus/*) day target i targets=() pids=()
  day=$(($(date +%s) / 86400))
  for i in 0 1; do
    target=$(basename "${corpora[(2 * day + i) % ${#corpora[@]}]}")
    targets+=("$target")
    timeout 300 "$build_root/release/tests/fuzz/fuzz_$target" "$here/tests/fuzz/corpus/$target" "$day" 60 >"$build_root/fuzz-$i.txt" 2>&1 &
    pids+=($!)
  done
  for i in 0 1; do
    if wait "${pids[i]}"; then count_pass; else count_fail "fuzz: ${targets[i]}"; fi
    say "fuzz: ${targets[i]}: $(paste -sd' ' "$build_root/fuzz-$i.txt" | tail -c 300)"
  done
}

# has_time_for WHAT LONGEST: LONGEST: seconds it may take on two busy CPUs without anything in the compiler's cache; it is skipped
# if they would end behind WIRESPOOL_TESTS_WITHIN.
has_time_for() {
  local used=$((SECONDS - started)) within=${WIRESPOOL_TESTS_WITHIN:-86400}
  [ $((used + $2)) -gt "$within" ] || return 0
  count_skip "$1: $used s are used up, and it may take $2: it was to end within $within s (WIRESPOOL_TESTS_WITHIN)"
  return 1
}

# --- the program for other CPUs ---------------------------------------------------------------------------------------

# What the C library says of the CPU that is here.
runs_here() {
  [ "$1" = generic ] || /lib64/ld-linux-x86-64.so.2 --help 2>/dev/null | grep -q "^ *$1 (supported"
}

# environment_of TEST: what the release build's Meson gives that test, a VARIABLE=VALUE a line.
environment_of() {
  meson introspect --tests "$build_root/release" | python3 -c '
import json, sys
for test in json.load(sys.stdin):
    if test["name"] == sys.argv[1] and "eal" in str(test["suite"]):
        print(*(f"{name}={value}" for name, value in test["env"].items()), sep="\n")' "$1"
}

# A few of the release build's test programs, with the program built for another CPU: what it stores, and reads back.
run_variant() {
  local cpu=$1 name log variables
  for name in traces reading; do
    log=$build_root/cpu-$cpu-$name.txt
    mapfile -t variables < <(environment_of "$name")
    if env "${variables[@]}" "WIRESPOOL=$build_root/cpu-$cpu/src/wirespool" \
      timeout 300 "$build_root/release/tests/eal/eal_$name" >"$log" 2>&1 </dev/null; then
      count_pass
    else
      tail -n 60 "$log"
      count_fail "$cpu: $name"
    fi
  done
}

# generic as a package is built; the others, whose intrinsics are what may go wrong, with less optimisation: half the time.
run_variants() {
  local cpu options longest
  for cpu in generic x86-64-v4 x86-64-v3; do
    options=(-Doptimization=1 -Dwerror=false) longest=300 # what a compiler only suspects differs from CPU to CPU
    [ "$cpu" != generic ] || { options=(-Doptimization=3 "-Dwerror=$werror") && longest=420; }
    has_time_for "for $cpu" "$longest" || continue
    build "cpu-$cpu" --buildtype=release "-Dcpu=$cpu" -Dtests=disabled "${options[@]}" || { not_run "cpu-$cpu" "of a few"; continue; }
    count_pass
    if ! runs_here "$cpu"; then
      count_skip "$cpu: it is built, and this CPU cannot run it"
    elif [ -x "$build_root/release/tests/eal/eal_stop" ]; then
      say "$cpu: a few of the tests"
      run_variant "$cpu"
    else
      not_run "cpu-$cpu with the tests of release" "of a few"
    fi
  done
}

# --- the text itself --------------------------------------------------------------------------------------------------

check_format() {
  local files
  say "clang-format and shellcheck"
  mapfile -t files < <(find "$here/src" "$here/include" "$here/tests" "$here/bench" -name '*.[ch]pp' 2>/dev/null | sort)
  # Versions disagree in details: 14 is what Debian 12 has.
  if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    count_skip "clang-format 14 is not here"
  elif clang-format --dry-run -Werror "${files[@]}"; then
    count_pass
  else
    count_fail "clang-format"
  fi
  mapfile -t files < <(find "$here/config" "$here/tests" "$here/bench" -name '*.sh' 2>/dev/null | sort)
  if ! command -v shellcheck >/dev/null; then
    count_skip "shellcheck is not here"
  elif (cd "$here" && shellcheck -x "${files[@]}" .ci/run); then
    count_pass
  else
    count_fail "shellcheck"
  fi
}

# The program that measures, by tests of its own.
check_measuring() {
  say "tests of bench/measure"
  if "$here/bench/tests.sh"; then count_pass; else count_fail "tests of bench/measure"; fi
}

# Instructions per packet against those kept for this compiler and DPDK: a regression that no clock here would show.
check_instructions() {
  local status=0
  say "instructions per packet"
  "$here/bench/instructions.sh" || status=$?
  case $status in
    0) count_pass ;;
    1) count_fail "more instructions per packet than bench/instructions/baseline.json has" ;;
    3) count_skip "no instructions are kept for this compiler and DPDK" ;;
    *) count_skip "instructions per packet could not be counted: see above" ;;
  esac
}

# --- the real thing ---------------------------------------------------------------------------------------------------

# run_script NAME LONGEST [VARIABLE=VALUE...]: adds up its last line.
run_script() {
  local name=$1 log=$build_root/e2e-$1.txt counts longest=$2
  shift 2
  has_time_for "e2e: $name" "$longest" || return
  say "e2e: $name"
  env "$@" "$here/tests/e2e/$name.sh" 2>&1 | tee "$log"
  counts=$(tail -n 1 "$log")
  if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    if [ "${BASH_REMATCH[2]}" -gt 0 ]; then failures+=("e2e: $name"); fi
  else
    count_fail "e2e: $name did not end"
  fi
}

# What a new user meets first.
run_first_minutes() {
  command -v npm >/dev/null || packages_e2e+=(npm)
  install_packages "${packages_e2e[@]}" || notice "what lacks a package is skipped"
  run_script config 60
  run_script harness 60
  run_script quickstart 420
}

# With a browser, which is installed only if there is time to use it.
run_page() {
  has_time_for "e2e: page" 400 || return
  install_packages "${packages_page[@]}" || notice "without Chromium the page is skipped"
  run_script page 240 "WIRESPOOL=$1"
}

# One image for all: made by the first, kept for the others, whose program is the image's.
run_deployments() {
  local image=localhost/wirespool-test:latest program=$build_root/e2e-wirespool keep=(WIRESPOOL_E2E_KEEP=use)
  if command -v podman >/dev/null; then podman image rm -f "$image" >/dev/null 2>&1; fi
  run_script debian13 1500 "WIRESPOOL_E2E_SUITES=unit spool" # and the quickstart's capture: the eal suite takes too long twice
  run_script deb 500
  run_script container 700 "${keep[@]}"
  "$here/tests/e2e/program-of-image.sh" "$program" >/dev/null 2>&1 || notice "no program from the image: guest, privileges, on-seal, metrics and page are skipped"
  run_script systemd 300 "${keep[@]}"
  run_script privileges 120 "WIRESPOOL=$program"
  run_script on-seal 120 "WIRESPOOL=$program"
  run_script metrics 150 "WIRESPOOL=$program"
  run_page "$program"
  run_script guest 900 "WIRESPOOL=$program" "WIRESPOOL_E2E_GUEST=${WIRESPOOL_E2E_GUEST:-}"
  if command -v podman >/dev/null; then podman image rm -f "$image" >/dev/null 2>&1; fi
  rm -f "$program"
}

# --- all of it --------------------------------------------------------------------------------------------------------

run_builds() {
  run_release
  if [ -z "$quick" ]; then
    check_format
    check_measuring
    check_instructions
    run_fuzz_in_turn
    run_without_capture
  fi
}

main() {
  read_arguments "$@"
  become_root "$@"
  trap 'count_fail "interrupted"; finish' INT TERM

  install_packages "${packages_build[@]}" "${packages_capture[@]}" "${packages_test[@]}" || { count_fail "packages"; finish; }
  choose_compiler || { count_fail "compiler"; finish; }

  build_root=$here/build-tests
  mkdir -p "$build_root" 2>/dev/null && [ -w "$build_root" ] || build_root=$(mktemp -d)
  say "building in $build_root"
  leftovers_before=$(own_leftovers)

  if ! set_up_hugepages 1024; then
    notice "the EAL tests run with --no-huge"
    export WIRESPOOL_TEST_NO_HUGE=1
  fi

  if [ ${#suites[@]} -gt 0 ]; then run_builds; fi
  if [ -n "$end_to_end" ]; then run_first_minutes; fi
  if [ -z "$quick" ] && wants eal; then run_variants; fi
  if [ -n "$sanitizers" ]; then run_address_sanitizer; fi
  if [ -n "$end_to_end" ]; then run_deployments; fi
  check_leftovers
  finish
}

# A function, so that bash has read all of this file before it begins: it may be edited meanwhile.
main "$@"
