#!/bin/bash
# Tests everything that this machine can test. What fails fastest comes first.
# Usage: test.sh [quick|full|long]
#   quick (default)  checks, native tests, Java tests with the oracle, quickstart in small; 15 minutes and 6 GB on 2 cores
#   full             also sanitizers, fuzzing, CUDA compilation, consumer test; what CI runs; 45 minutes
#   long             200 killed trainings, 20 minutes of churn, two builds with the same bytes, the bundle for GPU hosts, 10^7
#                    executions of each fuzz target, three quickstart seeds and the benchmarks with their gates; hours;
#                    writes JSON under build-native/target/long
# Writes test-summary.json: every test with its result and seconds, every skip with its reason. Logs of the steps lie
# under build-native/target/test. LONGER_JOBS: parallel compilers (default: the processors). LONGER_REQUIRE_NVCC=1: a
# missing nvcc is a failure.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
root=$PWD
mode=${1:-quick}
case $mode in quick | full | long) ;; *)
  echo "usage: build-native/test.sh [quick|full|long]" >&2
  exit 64
  ;;
esac
build-native/prerequisites.sh test || exit 2

jobs=${LONGER_JOBS:-$(nproc)}
target=$root/build-native/target
core=$target/linux-x86_64
logs=$target/test
steps=$logs/steps.tsv
rm -rf "$logs"
mkdir -p "$logs"
: > "$steps"

record() { # record <name> <result> <seconds> <reason> <reports>
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(tr '\t\n' '  ' <<< "$4")" "$5" >> "$steps"
}

# step <name> <where its JUnit XML will lie, or ""> <command…>: exit code 77 means skipped, the last line says why.
step() {
  local name=$1 reports=$2 log start status=0 result reason="" seconds
  shift 2
  log=$logs/$(printf '%02d' "$(($(wc -l < "$steps") + 1))")-${name// /-}.log
  printf '%-28s' "$name"
  start=$EPOCHREALTIME
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}')
  case $status in
    0) result=passed ;;
    77) result=skipped reason=$(tail -n 1 "$log") reports="" ;;
    *) result=failed reason="exit code $status, see ${log#"$root"/}: $(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -m 1 -iE 'error|fail' | cut -c1-200)" ;;
  esac
  record "$name" "$result" "$seconds" "$reason" "$reports"
  printf '%-8s %7.1f s\n' "$result" "$seconds"
  [ "$result" != failed ] || tail -n 25 "$log" | sed 's/^/    | /'
  [ "$status" = 0 ]
}

churn=3 # seconds of the Java churn test

maven() {
  mvn -B -ntp -Dlonger.cmake.tests=ON "$@"
}

# ctest of one build folder; the report has every test's name, time and, for the failed ones, output.
native_tests() { # native_tests <build folder> <report> [ctest option…]
  local folder=$1 report=$2
  shift 2
  ctest --test-dir "$folder" --output-junit "$report" --output-on-failure --parallel "$jobs" --timeout 600 \
    --no-tests=error "$@"
}

release_build() {
  build-native/build-core.sh longer_core native "$core/cmake" "$core/install" -DLONGER_CUDA=OFF -DLONGER_TESTS=ON \
    -DLONGER_BENCHMARKS=OFF &&
    cmake --build "$core/cmake" --parallel "$jobs"
}

sanitized_build() { # sanitized_build <folder> <sanitizers> [target…]
  local folder=$1 sanitizers=$2
  shift 2
  cmake -G Ninja -S native -B "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLONGER_SANITIZE="$sanitizers" -DLONGER_BENCHMARKS=OFF \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" && cmake --build "$folder" --parallel "$jobs" --target "${@:-all}"
}

java_tests() {
  find . -path '*/target/surefire-reports/*' -delete 2> /dev/null
  LONGER_CHURN_SECONDS=$churn maven verify -fae
}

cuda() {
  if ! command -v nvcc > /dev/null; then
    echo "CUDA: not compiled (no nvcc)"
    [ "${LONGER_REQUIRE_NVCC:-0}" != 1 ] && return 77
    return 1
  fi
  maven -q -Pcuda -pl java-api/longer -am -Dtest='ai.longer.device.*Test' -Dsurefire.failIfNoSpecifiedTests=false package &&
    cmake --build "$core/cmake" --parallel "$jobs" --target cuda_own_tests cuda_fault_test cuda_choosers_test &&
    "$core/cmake/tests/cuda_choosers_test" &&
    build-native/checks/artifacts.sh . linux-x86_64-cuda13 62914560
}

quickstart_small() {
  samples/quickstart/run.sh --small
}

checks() {
  step "include graph" "" java build-native/checks/IncludeGraph.java native
  step "text" "" build-native/checks/text.sh .
  step "public headers" "" build-native/checks/headers.sh native
  step "clang-format" "" build-native/checks/clang-format.sh .
}

quick() {
  checks
  step "java format" "" mvn -B -ntp -q -fae spotless:check -pl '!java-api/bom'
  step "native build" "" release_build &&
    step "native tests" "$logs/native.xml" native_tests "$core/cmake" "$logs/native.xml"
  step "java tests" "$root/java-api $root/samples $root/benchmarks $root/build-native" java_tests &&
    step "artifacts" "" build-native/checks/artifacts.sh . linux-x86_64 10485760
  step "quickstart in small" "" quickstart_small
}

full() {
  churn=60
  quick
  step "consumer" "$logs/consumer.xml" build-native/consumer-test.sh "$logs/consumer.xml"
  step "CUDA" "" cuda
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  step "asan+ubsan build" "" sanitized_build "$target/asan" address,undefined &&
    step "asan+ubsan tests" "$logs/asan.xml" native_tests "$target/asan" "$logs/asan.xml" -E "$reference_alone"
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  step "tsan build" "" sanitized_build "$target/tsan" thread "${concurrent_programs[@]}" &&
    LONGER_CHURN_SECONDS=$churn step "tsan tests" "$logs/tsan.xml" native_tests "$target/tsan" "$logs/tsan.xml" -R "$concurrent"
  step "fuzzing" "" build-native/fuzz.sh native seconds 60
  step "fuzzing Java" "" build-native/fuzz.sh java seconds 60
}

# Tests of the tests' own reference: long, and they run no line of the library.
reference_alone=ReferenceGradients

# Tests that use more than one thread at a time, and the programs that hold them.
concurrent='[Tt]hread|[Cc]oncurren|Ranker\.|RankerChurn|UserKvCache|LiveCount|Submission|BatchReading|ShardsApi'
concurrent_programs=(core_test ops_test embedding_test data_test training_test serving_test c_api_test)

killed_trainings() {
  maven -q -pl java-api/longer -am -Dlonger.kills=100 -Dtest=KilledTrainingTest \
    -Dsurefire.failIfNoSpecifiedTests=false package
}

long_churn() {
  local -x LONGER_CHURN_SECONDS=600
  release_build && "$core/cmake/tests/serving_test" --gtest_filter='*Churn*' &&
    maven -q -pl java-api/longer -am -Dtest=RankerChurnTest \
      -Dsurefire.failIfNoSpecifiedTests=false package
}

# Unpacked elsewhere and run without a JDK; what needs a GPU is skipped on a machine without one.
gpu_bundle() {
  if ! command -v nvcc > /dev/null; then
    echo "GPU bundle: not made (no nvcc)"
    return 77
  fi
  local place
  place=$(mktemp -d) && build-native/gpu-bundle.sh "$place/longer-gpu.tar.gz" && tar -C "$place" -xzf "$place/longer-gpu.tar.gz" &&
    env -i PATH=/usr/bin:/bin "$place/longer-gpu/run.sh" doctor &&
    env -i PATH=/usr/bin:/bin LONGER_REQUIRE_DEVICE= "$place/longer-gpu/run.sh" java-tests
  local status=$?
  rm -rf "$place"
  return "$status"
}

long() {
  mkdir -p "$target/long"
  export LONGER_RECORDS=$target/long
  step "killed trainings" "" killed_trainings
  step "churn" "" long_churn
  step "reproducible jars" "" build-native/checks/reproducible.sh . "$target/long/reproducible"
  step "fuzzing" "" build-native/fuzz.sh native runs 10000000 "$target/long/fuzzing.json"
  step "fuzzing Java" "" build-native/fuzz.sh java runs 10000000 "$target/long/fuzzing.json"
  step "quickstart, three seeds" "" samples/quickstart/run.sh --seeds 3
  step "GPU bundle" "" gpu_bundle
  step "benchmarks" "" benchmarks/run.sh "$target/long"
}

"$mode"
java build-native/checks/TestSummary.java "$steps" "$mode" test-summary.json
