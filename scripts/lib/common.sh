# Shared by the scripts in this directory's parent; to be sourced. Needs bash, a JDK 17 or newer, and Maven to build.

# The project's directory.
nucleusmem_home() {
  (cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
}

# Writes what went wrong and ends the script.
die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# Builds a module with what it needs, unless it is built: build_once HOME MODULE. A build leaves the class path of the
# module in MODULE/target/classpath; sources that are newer than it are built again.
build_once() {
  local home="$1" module="$2" path="$1/$2/target/classpath"
  if [ -s "$path" ] &&
    [ -z "$(find "$home"/pom.xml "$home"/*/pom.xml "$home"/*/src/main -newer "$path" -print -quit)" ]; then
    return
  fi
  command -v mvn > /dev/null || die "nothing is built yet, and building needs Maven (mvn)"
  echo "building $module and what it needs" >&2
  (
    cd "$home" &&
      mvn -q -B -DskipTests -pl "$module" -am package \
        dependency:build-classpath -Dmdep.outputFile=target/classpath.tmp -Dmdep.includeScope=runtime >&2
  ) || die "the build failed"
  [ -s "$home/$module/target/classpath.tmp" ] || die "the build left no class path"
  mv "$home/$module/target/classpath.tmp" "$path"
}

# The class path of a built module: class_path HOME MODULE. Jars only, the project's own come from the build as well.
class_path() {
  local home="$1" module="$2" jar
  for jar in "$home/$module/target/$module"-*.jar; do
    case "$jar" in
      *-tests.jar | *-sources.jar) ;;
      *) break ;;
    esac
  done
  printf '%s:%s' "$jar" "$(cat "$home/$module/target/classpath")"
}

# An archive of the classes that a node loads: halves the work of its start. Made once after a build, by starting a node
# on an empty directory and stopping it; without it a node only starts slower. Prints the JVM's options for it.
class_archive() {
  local home="$1" file="$1/runtime/target/node.jsa" data
  if [ ! "$file" -nt "$home/runtime/target/classpath" ]; then
    data="$(mktemp -d)"
    rm -f "$file"
    "$(java_command)" -Djava.util.concurrent.ForkJoinPool.common.parallelism=2 \
      -XX:ArchiveClassesAtExit="$file" -cp "$(class_path "$home" runtime)" \
      io.nucleusmem.cli.NodeCommand --data "$data/data" --port 0 --check > /dev/null 2>&1 || true
    rm -rf "$data"
  fi
  if [ -s "$file" ]; then
    printf '%s\n' "-XX:SharedArchiveFile=$file" "-Xlog:cds=off" "-Xlog:cds+dynamic=off"
  fi
}

# Options of every JVM of ours, one per line. With two processors the common pool has one thread, and CompletableFuture
# then starts a thread for each asynchronous stage, 18 times slower: at least 2.
jvm_options() {
  local cores
  cores="$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)"
  [ "$cores" -gt 2 ] 2> /dev/null || cores=2
  printf '%s\n' "-Djava.util.concurrent.ForkJoinPool.common.parallelism=$cores" "-Dfile.encoding=UTF-8" \
    "-XX:+ExitOnOutOfMemoryError"
}

# The java of JAVA_HOME, or the one on the PATH.
java_command() {
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
    echo "$JAVA_HOME/bin/java"
  else
    command -v java || die "there is no java on the PATH; JDK 17 or newer is needed"
  fi
}

# Replaces the script by a JVM: run_java HOME MODULE MAIN-CLASS [ARGUMENT…]. More options: NUCLEUSMEM_JAVA_OPTS.
run_java() {
  local home="$1" module="$2" main="$3" java
  shift 3
  build_once "$home" "$module"
  java="$(java_command)"
  local options=()
  while IFS= read -r option; do options+=("$option"); done < <(jvm_options)
  # shellcheck disable=SC2206 # several options in one variable
  options+=(${NUCLEUSMEM_JAVA_OPTS:-})
  exec "$java" "${options[@]}" -cp "$(class_path "$home" "$module")" "$main" "$@"
}
