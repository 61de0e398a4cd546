# Shared by the scripts in this folder. Everything they write is in the clone, under .local/ and .build/.
# For a second club on one machine: CLUB_LOCAL (folder), CLUB_PORT_BASE (7000), CLUB_POSTGRES_PORT (7432).
# The public address of a service, if it is not this machine's port: CLUB_DIRECTORY_PUBLIC_URL, CLUB_CONTENT_PUBLIC_URL.
# CLUB_CONFIGURATION=debug runs what `swift build` has built during development.
# shellcheck shell=bash
set -euo pipefail
umask 077

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
local_dir=${CLUB_LOCAL:-$root/.local}
run_dir=$local_dir/run
log_dir=$local_dir/log
keys_dir=$local_dir/keys
secrets_dir=$local_dir/secrets
cluster_dir=$local_dir/postgres
services=(directory events content lobbying)
port_base=${CLUB_PORT_BASE:-7000}
declare -A api_port operator_port
for number in 1 2 3 4; do
  api_port[${services[number - 1]}]=$((port_base + number))
  operator_port[${services[number - 1]}]=$((port_base + 100 + number))
done
postgres_port=${CLUB_POSTGRES_PORT:-7432}
database=club
# The path of a socket has at most 107 bytes, and a comma would split it into two; then PostgreSQL is reached over
# loopback.
socket_dir=$run_dir/postgres
postgres_host=$socket_dir
[[ $(printf '%s' "$socket_dir" | wc -c) -lt 90 && $socket_dir != *,* ]] || postgres_host=127.0.0.1
configuration=${CLUB_CONFIGURATION:-release}

say() { printf '%s\n' "$*"; }
die() {
  clear_line
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# --- progress: on a terminal one line that is rewritten, elsewhere plain lines -------------------------------------
# CLUB_PROGRESS_SECONDS: the interval between lines when there is no terminal (20).
stage_name=
stage_begun=0
stage_said=0

has_terminal() { [[ -t 1 && ${TERM:-dumb} != dumb ]]; }
terminal_columns() { tput cols 2> /dev/null || printf 80; }
clear_line() { [[ -z $stage_name ]] || ! has_terminal || printf '\r\033[K'; }
microseconds() { local now=$EPOCHREALTIME; printf '%s' "${now/[.,]/}"; }

# took MICROSECONDS: 0.4 s, 12 s, 3 min 05 s
took() {
  local tenths=$(($1 / 100000)) seconds=$(($1 / 1000000))
  if ((seconds < 10)); then
    printf '%d.%d s' "$seconds" "$((tenths % 10))"
  elif ((seconds < 60)); then
    printf '%d s' "$seconds"
  else
    printf '%d min %02d s' "$((seconds / 60))" "$((seconds % 60))"
  fi
}

# begin NAME: begins a stage; `done_stage` ends it and prints how long it took.
begin() {
  stage_name=$1
  stage_begun=$(microseconds)
  stage_said=$stage_begun
  ! has_terminal || printf '%s …' "$stage_name"
}

# progress TEXT: prints the stage's progress; without a terminal, at most once per interval.
progress() {
  local now
  now=$(microseconds)
  if has_terminal; then
    local line="$stage_name: $1, $(took $((now - stage_begun)))"
    printf '\r%s\033[K' "${line:0:$(($(terminal_columns) - 1))}"
  elif ((now - stage_said >= ${CLUB_PROGRESS_SECONDS:-20} * 1000000)); then
    stage_said=$now
    printf '%s: %s, %s\n' "$stage_name" "$1" "$(took $((now - stage_begun)))"
  fi
}

# done_stage [TEXT]
done_stage() {
  clear_line
  printf '%-24s %s%s\n' "$stage_name" "$(took $(($(microseconds) - stage_begun)))" "${1:+  ($1)}"
  stage_name=
}

# build_steps LOG: the progress of a build that writes to LOG: "120 of 345 steps" for SwiftPM's last `[120/345] …`.
build_steps() {
  local last
  last=$(tail -c 4096 "$1" 2> /dev/null | tr '\r' '\n' | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1) || true
  [[ $last =~ ([0-9]+)/([0-9]+) ]] && printf '%s of %s steps' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" ||
    printf 'reading the packages'
}

# demo_step LOG: the demo's current step.
demo_step() { tail -n 1 "$1"; }

# watch PREFIX HOW LOG COMMAND…: runs COMMAND with its output in LOG; meanwhile shows its progress, as printed by `HOW
# LOG`.
watch() {
  local prefix=$1 how=$2 log=$3 status=0
  shift 3
  : > "$log"
  # The command runs in the foreground, so that it gets the keyboard's signals.
  while sleep 0.5; do progress "$prefix$("$how" "$log")"; done &
  watcher=$!
  # Not SIGTERM: a parent process that ignores it passes that on.
  trap 'kill -KILL "$watcher" 2> /dev/null || true' EXIT
  "$@" > "$log" 2>&1 || status=$?
  kill -KILL "$watcher"
  wait "$watcher" 2> /dev/null || true
  trap - EXIT
  return "$status"
}

# need_packages NAME…: installs missing packages with apt; tells an ordinary user what to ask for.
need_packages() {
  local name missing=()
  command -v dpkg-query > /dev/null || { say "not a Debian or Ubuntu machine: install the equivalents of $* by hand"; return 0; }
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2> /dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      as_root=(sudo -n)
    else
      die "missing packages; run as root: apt-get install ${missing[*]}"
    fi
  fi
  say "installing ${missing[*]}"
  mkdir -p "$log_dir"
  # The package would create and start a system cluster; ours is private.
  if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
    "${as_root[@]}" mkdir -p -m 755 /etc/postgresql-common
    printf 'create_main_cluster = false\n' | "${as_root[@]}" sh -c 'umask 022; cat > /etc/postgresql-common/createcluster.conf'
  fi
  { "${as_root[@]}" apt-get -q update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"; } \
    > "$log_dir/apt.log" 2>&1 < /dev/null || die "installing ${missing[*]} failed: $(tail -n 3 "$log_dir/apt.log")"
}

need_swift() {
  command -v swift > /dev/null || die "Swift 6.2 or later is needed: https://www.swift.org/install/linux/"
}

# swift_tool TOOL ARGUMENT…: `swift build` or `swift package` with its caches and temporary files in .build, like its
# other output. SWIFT_TIMEOUT: a limit in seconds.
swift_tool() {
  local own=$root/.build/swiftpm
  mkdir -p "$own/tmp"
  (cd "$root" && TMPDIR=$own/tmp timeout --foreground --signal=INT --kill-after=30 "${SWIFT_TIMEOUT:-0}" \
    swift "$1" --cache-path "$own/cache" --security-path "$own/security" "${@:2}")
}

# How executables are compiled, here as in deploy/Dockerfile: the Swift runtime is a part of them, functions of one module
# are specialized and inlined in others (decision 47), and overlapping accesses to memory are checked in debug builds
# only, which are what the tests run (decision 46).
build_options=()
[[ $configuration != release ]] ||
  build_options=(--static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -cross-module-optimization)

# swift_build ARGUMENT…
swift_build() { swift_tool build "$@"; }

# postgres_bin [VERSION]: the folder of initdb and pg_ctl, of that version or of the newest.
postgres_bin() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/${1:-*}/bin | sort -rV); do
    [[ -x $folder/initdb ]] && { printf '%s' "$folder"; return 0; }
  done
  folder=$(command -v initdb) && [[ $("$folder" --version) == *" ${1-}"* ]] && dirname "$folder"
}

# pg_control ARGUMENT…: pg_ctl on our cluster, of the version that created it: no other can start it.
pg_control() { as_postgres "$(postgres_bin "$(cat "$cluster_dir/PG_VERSION")")/pg_ctl" -D "$cluster_dir" "$@"; }

cluster_running() { pg_control status > /dev/null 2>&1; }

# start_cluster: sets where it listens at each start, since the folder or the port may have changed.
start_cluster() {
  local sockets=
  [[ $postgres_host != "$socket_dir" ]] || sockets=${socket_dir//\'/\'\\\'\'}
  # pg_ctl passes the options to a shell.
  pg_control -w -t 30 -l "$cluster_dir/server.log" -o "-h 127.0.0.1 -p $postgres_port -k '$sockets'" start
}

# as_admin ARGUMENT…: psql as the superuser of our cluster.
as_admin() {
  PGPASSWORD=$(cat "$secrets_dir/admin.password") \
    psql -X -q -v ON_ERROR_STOP=1 -h "$postgres_host" -p "$postgres_port" -U admin "$@"
}

# encoded TEXT: percent-encoded for a URL.
encoded() {
  local LC_ALL=C text=$1 character place
  for ((place = 0; place < ${#text}; place++)); do
    character=${text:place:1}
    case $character in
      [a-zA-Z0-9._~/-]) printf '%s' "$character" ;;
      *) printf '%s' "$character" | od -An -v -tx1 | tr -d '\n' | tr ' a-f' '%A-F' ;;
    esac
  done
}

# database_url ROLE [DATABASE]
database_url() {
  printf 'postgresql:///%s?host=%s&port=%s&user=%s&password=%s' \
    "${2:-$database}" "$(encoded "$postgres_host")" "$postgres_port" "$1" "$(cat "$secrets_dir/$1.password")"
}

# as_postgres COMMAND…: PostgreSQL refuses to run as root; root switches to the package's user. If that user may not
# enter the clone, for example in a home directory, it gets the capability to read and search any folder, and no other.
as_postgres() {
  if [[ $(id -u) != 0 ]]; then
    "$@"
  elif setpriv --reuid postgres --regid postgres --init-groups test -x "$local_dir" 2> /dev/null; then
    setpriv --reuid postgres --regid postgres --init-groups "$@"
  else
    setpriv --reuid postgres --regid postgres --init-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search "$@"
  fi
}

# alive NAME: whether the process that we started under NAME still runs that program, possibly replaced by a build
# since.
alive() {
  local pid program
  pid=$(cat "$run_dir/$1.pid" 2> /dev/null) && [[ -n $pid ]] || return 1
  program=$(readlink "/proc/$pid/exe" 2> /dev/null) && [[ ${program% (deleted)} == */"$1" ]]
}

# current NAME: whether the process that we started under NAME runs the program's current build.
current() { alive "$1" && [[ /proc/$(cat "$run_dir/$1.pid")/exe -ef $(bin "$1") ]]; }

# bin NAME: the built executable.
bin() { printf '%s/.build/%s/%s' "$root" "$configuration" "$1"; }

random_secret() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# local_environment: the environment of `club` and the services on this machine.
local_environment() {
  local service upper public
  for service in "${services[@]}"; do
    upper=${service^^}
    export "${upper}_URL=http://127.0.0.1:${api_port[$service]}"
    export "${upper}_OPERATOR_URL=http://127.0.0.1:${operator_port[$service]}"
    public=CLUB_${upper}_PUBLIC_URL
    export "${upper}_PUBLIC_URL=${!public:-http://127.0.0.1:${api_port[$service]}}"
  done
  export TRUST_FILE=$keys_dir/trust.json OPERATOR_KEY_FILE=$keys_dir/operator.json
}

# start_service NAME: in a session of its own, with its output appended to .local/log/NAME.log.
start_service() {
  local public=${1^^}_PUBLIC_URL
  env PORT="${api_port[$1]}" OPERATOR_PORT="${operator_port[$1]}" PUBLIC_URL="${!public}" \
    DATABASE_URL_FILE="$secrets_dir/$1.url" SIGNING_KEY_FILE="$keys_dir/$1.json" \
    MAIL_URL="${MAIL_URL:-maildir:$local_dir/mail}" SENDER_FILE="${SENDER_FILE:-$root/deploy/sender.json}" LOG_LEVEL="${LOG_LEVEL:-info}" LOG_FORMAT="${LOG_FORMAT:-json}" \
    setsid "$(bin "$1")" serve >> "$log_dir/$1.log" 2>&1 < /dev/null &
  printf '%s\n' "$!" > "$run_dir/$1.pid"
}

# stop_services NAME…: stops those that run, all at once; one that does not end within 30 s is killed.
stop_services() {
  local service
  for service in "$@"; do
    ! alive "$service" || kill -TERM "$(cat "$run_dir/$service.pid")"
  done
  for service in "$@"; do
    for _ in $(seq 300); do alive "$service" || break; sleep 0.1; done
    if alive "$service"; then
      say "$service did not stop within 30 s and is killed"
      kill -KILL "$(cat "$run_dir/$service.pid")"
    fi
    rm -f "$run_dir/$service.pid"
  done
}
