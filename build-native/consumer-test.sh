#!/bin/bash
# Uses LONGER as a stranger would: deploys it to an empty file repository, makes a project outside of this one from
# README.md alone and runs it on each JDK, on the class path and on the module path; then loads the natives where a host
# makes that hard. Usage: consumer-test.sh [<JUnit XML to write>]
#
# README.md marks its blocks by the HTML comment before them:
#   <!-- consumer-test: dependency -->  a ```xml block: one dependency, or whole <dependencies> and <dependencyManagement>
#   <!-- consumer-test: example -->     a ```java block: imports, then statements; runs as a main method in a folder that
#                                       holds the rating files of the quickstart
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
report=${1:-$root/build-native/target/consumer.xml}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cases=$work/cases.xml
failures=0
: > "$cases"

# check <name> <command…>: one test; exit code 77 means skipped, the last line says why.
check() {
  local name=$1 start=$EPOCHREALTIME status=0 seconds body=""
  shift
  "$@" > "$work/log" 2>&1 < /dev/null || status=$?
  seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f", b - a}')
  case $status in
    0) echo "ok       $name" ;;
    77)
      echo "skipped  $name: $(tail -n 1 "$work/log")"
      body="<skipped message=\"$(tail -n 1 "$work/log" | escape)\"/>"
      ;;
    *)
      echo "FAILED   $name"
      tail -n 40 "$work/log" | sed 's/^/    | /'
      body="<failure message=\"exit code $status: $(grep -m 1 -iE 'error|exception|expected' "$work/log" | cut -c1-200 | escape)\"/>"
      failures=$((failures + 1))
      ;;
  esac
  echo "<testcase classname=\"consumer\" name=\"$(escape <<< "$name")\" time=\"$seconds\">$body</testcase>" >> "$cases"
  [ "$status" = 0 ]
}
escape() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }
finish() {
  { echo '<?xml version="1.0" encoding="UTF-8"?><testsuite name="consumer">' && cat "$cases" && echo '</testsuite>'; } > "$report"
  exit $((failures > 0))
}

# block <name>: the fenced block of README.md after the comment that names it.
block() {
  awk -v mark="<!-- consumer-test: $1 -->" '
    index($0, mark) {armed = 1; next}
    armed && /^```/ {if (inside) exit; inside = 1; next}
    inside {print}' "$root/README.md"
}

deploy() {
  cd "$root" && mvn -B -ntp -q deploy -Prelease -DskipTests -DskipChecks -Dlonger.cmake.tests=ON \
    -DaltDeploymentRepository="local::file://$work/repository" -pl java-api/bom,java-api/longer,java-api/report -am || return
  local module kind
  for module in longer longer-native longer-report; do
    for kind in .jar .pom -sources.jar -javadoc.jar; do
      ls "$work/repository/ai/longer/$module"/*/*"$kind" || return
    done
  done
  ls "$work"/repository/ai/longer/longer-native/*/*-linux-x86_64.jar "$work"/repository/ai/longer/longer-bom/*/*.pom
}

# Own local repository, so that nothing of LONGER comes from this machine's; what others publish may.
settings() {
  local local_repository=${HOME}/.m2/repository
  local repositories="<id>longer</id><url>file://$work/repository</url>"
  local cache="<id>cache</id><url>file://$local_repository</url>"
  cat << XML
<settings>
  <localRepository>$work/m2</localRepository>
  <profiles><profile><id>consumer</id>
    <repositories><repository>$repositories</repository><repository>$cache</repository></repositories>
    <pluginRepositories><pluginRepository>$cache</pluginRepository></pluginRepositories>
  </profile></profiles>
  <activeProfiles><activeProfile>consumer</activeProfile></activeProfiles>
</settings>
XML
}

project() {
  local dependency example
  dependency=$(block dependency)
  example=$(block example)
  [ -n "$dependency" ] && [ -n "$example" ] || {
    echo "error: README.md has no block marked consumer-test: dependency or consumer-test: example"
    return 1
  }
  case $dependency in *"<dependencies>"*) ;; *) dependency="<dependencies>$dependency</dependencies>" ;; esac
  mkdir -p "$work/app/src/main/java/consumer"
  cat > "$work/app/pom.xml" << XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>consumer</groupId><artifactId>consumer</artifactId><version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  $dependency
  <build><pluginManagement><plugins>
$(for plugin in resources:3.3.1 compiler:3.14.0 dependency:3.8.1; do
    echo "<plugin><artifactId>maven-${plugin%:*}-plugin</artifactId><version>${plugin#*:}</version></plugin>"
  done)
  </plugins></pluginManagement></build>
</project>
XML
  {
    echo 'package consumer;'
    grep -E '^import ' <<< "$example"
    echo 'public class Main { public static void main(String[] args) throws Exception {'
    grep -vE '^import ' <<< "$example"
    echo '} }'
  } > "$work/app/src/main/java/consumer/Main.java"
  settings > "$work/settings.xml"
  cd "$work/app" && mvn -B -ntp -q -gs "$work/settings.xml" -Dmaven.repo.local="$work/m2" compile \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lib" || return
  [ "$(find "$work/m2/ai/longer/longer" -name 'longer-[0-9]*.jar')" ]
}

# What a user of ai.longer:longer gets: these jars and no other, and little of it.
closure() {
  local expected size
  (cd "$work/lib" && ls) | sed -E 's/-[0-9][0-9.]*[0-9](-linux-x86_64)?\.jar$/\1/' | sort > "$work/closure"
  expected=$(printf '%s\n' javacpp longer longer-native longer-native-linux-x86_64 slf4j-api)
  [ "$(cat "$work/closure")" = "$expected" ] || {
    echo "error: expected $expected, got $(cat "$work/closure")"
    return 1
  }
  size=$(find "$work/lib" -name '*.jar' ! -name '*linux-x86_64*' -exec stat -c %s {} + | awk '{n += $1} END {print n}')
  echo "Java: $size bytes"
  [ "$size" -le 5242880 ] || {
    echo "error: more than 5 MB of Java"
    return 1
  }
}

# jdk <major>: the home of a JDK of that version on this machine.
jdk() {
  local home
  for home in "${JAVA_HOME:-}" "$(readlink -f "$(command -v java)" | sed 's|/bin/java$||')" /usr/lib/jvm/*; do
    if [ -x "$home/bin/java" ] && "$home/bin/java" -version 2>&1 | grep -q "version \"$1[.\"]"; then
      echo "$home"
      return
    fi
  done
  return 1
}

# runs <major> <class|module>: the example on that JDK and path, -Xcheck:jni on, in a locale that is not UTF-8.
runs() {
  local home flags=(-Xcheck:jni -Xmx512m) out status=0
  home=$(jdk "$1") || {
    echo "no JDK $1 on this machine"
    return 77
  }
  rm -rf "$work/run" "$work/modules"
  mkdir -p "$work/run" "$work/modules"
  cp "$root"/samples/quickstart/data/ml-latest-small/* "$work/run" || return
  cd "$work/run" || return
  if [ "$2" = class ]; then
    [ "$1" -lt 24 ] || flags+=(--illegal-native-access=deny --enable-native-access=ALL-UNNAMED)
    flags+=(-cp "$work/app/target/classes:$work/lib/*" consumer.Main)
  else
    echo 'module consumer { requires ai.longer; }' > "$work/modules/module-info.java"
    "$home/bin/javac" --release 17 -p "$work/lib" -d "$work/modules" "$work/modules/module-info.java" \
      "$work/app/src/main/java/consumer/Main.java" || return
    [ "$1" -lt 24 ] || flags+=(--illegal-native-access=deny --enable-native-access=org.bytedeco.javacpp,ai.longer.natives)
    flags+=(-p "$work/modules:$work/lib" -m consumer/consumer.Main)
  fi
  out=$(LC_ALL=C HOME=$work/home "$home/bin/java" -Duser.home="$work/home" "${flags[@]}" 2>&1) || status=$?
  echo "$out"
  if grep -qE 'WARNING in native method|FATAL ERROR in native|WARNING: .*native' <<< "$out"; then
    echo "error: -Xcheck:jni or the JDK complains"
    return 1
  fi
  return "$status"
}

natives() {
  mkdir -p "$work/natives" && cd "$work/natives" && unzip -qjo "$work"/lib/longer-native-*-linux-x86_64.jar '*/libjnilonger.so'
}

doctor() { # doctor [JVM option…]: loads the natives and reports
  "$(jdk 17)/bin/java" -Duser.home="$work/home" -cp "$work/lib/*" "$@" ai.longer.Doctor
}

# Runs a command with everything read-only and a temporary folder that nothing can be executed from.
locked_down() {
  unshare -m sh -c 'mount -t tmpfs -o noexec,mode=1777,size=16m tmpfs "$1/noexec" && mount -o remount,ro,bind / &&
    shift && exec "$@"' sh "$work" "$@"
}
as_nobody() { # as_nobody [JVM option…]: the doctor, locked down, as a user without a home
  mkdir -p "$work/noexec"
  chmod -R a+rX "$work"
  if [ "$(id -u)" != 0 ] || ! locked_down true 2> /dev/null; then
    echo "needs root and mount namespaces"
    return 77
  fi
  locked_down setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent "$(jdk 17)/bin/java" \
    -Duser.home=/nonexistent -Djava.io.tmpdir="$work/noexec" -cp "$work/lib/*" "$@" ai.longer.Doctor
}
native_path() {
  as_nobody -Dlonger.native.path="$work/natives"
}
no_place() { # without the option: one clear error that names it
  local out status=0
  out=$(as_nobody 2>&1) || status=$?
  echo "$out"
  [ "$status" != 77 ] || return 77
  grep -q 'longer.native.path' <<< "$out" || {
    echo "error: the message does not name -Dlonger.native.path"
    return 1
  }
}
missing_natives() { # no classifier jar: the message names the dependency to add
  local out
  mkdir -p "$work/bare" && find "$work/lib" -name '*.jar' ! -name '*linux-x86_64*' -exec cp {} "$work/bare" \;
  out=$("$(jdk 17)/bin/java" -Duser.home="$work/empty" -cp "$work/bare/*" ai.longer.Doctor 2>&1)
  echo "$out"
  grep -q 'longer-native' <<< "$out" && grep -q 'linux-x86_64' <<< "$out"
}

check "deploy to an empty repository" deploy || finish
check "project from README.md" project || finish
check "runtime closure" closure
for version in 17 25; do
  check "JDK $version, class path" runs "$version" class
  check "JDK $version, module path" runs "$version" module
done
check "doctor" doctor
if check "native library unpacked" natives; then
  check "read-only root, noexec temporary folder, not root: longer.native.path" native_path
  check "read-only root, noexec temporary folder, not root: the error says what to do" no_place
fi
check "no native library: the error names the dependency" missing_natives
finish
