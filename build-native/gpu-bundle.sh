#!/bin/bash
# Makes an archive that runs the GPU tests and benches on a Linux host with an NVIDIA driver and nothing else: a Java
# runtime, the jars with the CUDA natives, native tests and benches, a console for JUnit, MovieLens latest-small (its terms
# beside it). The host unpacks it and runs longer-gpu/run.sh.
# Usage: gpu-bundle.sh [<archive to write>] [<folder of data to add>…]
# Needs what the build needs, nvcc 13 and a JDK with its jmods; no GPU. LONGER_JOBS: parallel compilers.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/build-native/target
archive=$(realpath -m "${1:-$target/longer-gpu.tar.gz}")
[ $# = 0 ] || shift
limit=47185920 # 45 MiB
cmake=$target/linux-x86_64/cmake
work=$target/gpu-bundle
bundle=$work/longer-gpu
command -v nvcc > /dev/null || [ -x /usr/local/cuda/bin/nvcc ] || {
  echo "gpu-bundle.sh: nvcc is missing (CUDA toolkit 13 or later)" >&2
  exit 2
}
javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v "$javac")")")")

rm -rf "$work"
mkdir -p "$bundle"/{lib,tests,bin,data}

echo "Jars"
(cd "$root" && mvn -B -ntp -q -Pcuda -DskipTests -DskipChecks -Dlonger.cmake.tests=ON -pl samples/quickstart,samples/cli -am \
  package dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/test-class-path.txt)
console=$(sed -n 's|.*<junit.version>5\(.*\)</junit.version>.*|1\1|p' "$root/pom.xml")
(cd "$root" && mvn -B -ntp -q -N dependency:copy -DoutputDirectory="$bundle/tests" \
  -Dartifact=org.junit.platform:junit-platform-console-standalone:"$console")
{
  cat "$root/samples/quickstart/target/class-path.txt" && echo
  cat "$root/java-api/longer/target/test-class-path.txt" && echo
} | tr ':' '\n' | sort -u | while read -r jar; do
  case ${jar##*/} in
    "" | junit-* | opentest4j-* | apiguardian-* | archunit* | byte-buddy-* | jazzer*) ;; # in the console, or not needed
    assertj-* | jqwik-api-*) cp "$jar" "$bundle/tests" ;;
    jqwik-*) ;; # property tests are for a machine with the sources
    *.jar) cp "$jar" "$bundle/lib" ;;
    *) echo "gpu-bundle.sh: $jar is no jar" >&2 && exit 1 ;;
  esac
done
cp "$target"/longer-native-*-linux-x86_64-cuda13.jar "$bundle/lib"
pack() { # pack <jar> <folder of classes>
  "$jdk/bin/jar" --create --file "$1" -C "$2" .
}
pack "$bundle/lib/quickstart.jar" "$root/samples/quickstart/target/classes"
pack "$bundle/lib/cli.jar" "$root/samples/cli/target/classes"
pack "$bundle/tests/longer-tests.jar" "$root/java-api/longer/target/test-classes"

echo "Native tests and benches"
cmake -G Ninja -S "$root/native" -B "$cmake" -DCMAKE_BUILD_TYPE=Release -DLONGER_CUDA=ON -DLONGER_TESTS=ON \
  -DLONGER_BENCHMARKS=ON > "$work/configure.log"
cmake --build "$cmake" --parallel "${LONGER_JOBS:-$(nproc)}" --target cuda_test cuda_fault_test benchmarks/all
for program in "$cmake"/tests/cuda_test "$cmake"/tests/cuda_fault_test $(find "$cmake/benchmarks" -maxdepth 1 -type f -executable); do
  strip -o "$bundle/bin/$(basename "$program")" "$program"
done
for library in libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$(g++ -print-file-name=$library)" "$bundle/bin"
done

echo "Java runtime"
"$jdk/bin/jlink" --output "$bundle/runtime" --strip-debug --no-header-files --no-man-pages --add-modules \
  java.base,java.logging,java.management,java.naming,java.sql,java.xml,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs
find "$bundle/runtime" -name '*.so' -exec strip --strip-unneeded {} +

echo "Data"
cp -r "$root/samples/quickstart/data/ml-latest-small" "$bundle/data"
for folder in "$@"; do cp -r "$folder" "$bundle/data"; done
cp "$root/build-native/gpu-bundle/run.sh" "$root/LICENSE" "$root/NOTICE" "$bundle"
git -C "$root" rev-parse HEAD > "$bundle/REVISION" 2> /dev/null || rm -f "$bundle/REVISION"

tar -C "$work" --sort=name --owner=0 --group=0 -cf - longer-gpu | gzip -9n > "$archive"
size=$(stat -c %s "$archive")
echo "$archive: $size bytes of $limit"
du -sh "$bundle"/* | sed "s|$bundle/||"
[ "$size" -le "$limit" ]
