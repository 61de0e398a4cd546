# Shared by the scripts of this folder. Everything they write stands in the clone, under .local/ and .build/.
# For a second club on one machine: CLUB_LOCAL (folder), CLUB_PORT_BASE (7000), CLUB_POSTGRES_PORT (7432).
# CLUB_CONFIGURATION=debug runs what `swift build` has built while developing.
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
configuration=${CLUB_CONFIGURATION:-release}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# need_packages NAME…: installs by apt what is missing; an ordinary user is told what to ask for.
need_packages() {
  local name missing=()
  command -v dpkg-query > /dev/null || { say "not a Debian or Ubuntu machine: install by hand what $* stand for"; return 0; }
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2> /dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  local apt=(apt-get)
  if [[ $(id -u) != 0 ]]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      apt=(sudo -n apt-get)
    else
      die "missing packages; run as root: apt-get install ${missing[*]}"
    fi
  fi
  say "installing ${missing[*]}"
  mkdir -p "$log_dir"
  # The package would make and start a cluster of the system's; ours is private.
  if [[ " ${missing[*]} " == *" postgresql "* && $(id -u) == 0 && ! -e /etc/postgresql-common/createcluster.conf ]]; then
    mkdir -p /etc/postgresql-common
    printf 'create_main_cluster = false\n' > /etc/postgresql-common/createcluster.conf
  fi
  { "${apt[@]}" -q update && DEBIAN_FRONTEND=noninteractive "${apt[@]}" -q install -y --no-install-recommends "${missing[@]}"; } \
    > "$log_dir/apt.log" 2>&1 < /dev/null || die "installing ${missing[*]} failed: $(tail -n 3 "$log_dir/apt.log")"
}

need_swift() {
  command -v swift > /dev/null || die "Swift 6.2 or later is needed: https://www.swift.org/install/linux/"
}

# swift_build ARGUMENT…: `swift build` with its caches and temporary files in .build, where the rest of its work is.
swift_build() {
  local own=$root/.build/swiftpm
  mkdir -p "$own/tmp"
  (cd "$root" && TMPDIR=$own/tmp swift build --cache-path "$own/cache" --security-path "$own/security" "$@")
}

# postgres_bin: the folder of initdb and pg_ctl, newest version first.
postgres_bin() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    [[ -x $folder/initdb ]] && { printf '%s' "$folder"; return 0; }
  done
  command -v initdb > /dev/null && { dirname "$(command -v initdb)"; return 0; }
  return 1
}

# as_postgres COMMAND…: PostgreSQL refuses to run as root; root hands over to the user of the package. That user may
# not be let into a clone in somebody's home: then it is given the right to pass through folders, and no other.
as_postgres() {
  if [[ $(id -u) != 0 ]]; then
    "$@"
  elif setpriv --reuid postgres --regid postgres --init-groups test -x "$local_dir" 2> /dev/null; then
    setpriv --reuid postgres --regid postgres --init-groups "$@"
  else
    setpriv --reuid postgres --regid postgres --init-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search "$@"
  fi
}

# alive NAME: whether the process that we started under this name still runs that program.
alive() {
  local pid
  pid=$(cat "$run_dir/$1.pid" 2> /dev/null) && [[ -n $pid ]] && [[ $(readlink "/proc/$pid/exe" 2> /dev/null) == */"$1"* ]]
}

# bin NAME: the built executable.
bin() { printf '%s/.build/%s/%s' "$root" "$configuration" "$1"; }

random_secret() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# local_environment: what `club` and the services of this machine are told.
local_environment() {
  local service upper
  for service in "${services[@]}"; do
    upper=${service^^}
    export "${upper}_URL=http://127.0.0.1:${api_port[$service]}"
    export "${upper}_OPERATOR_URL=http://127.0.0.1:${operator_port[$service]}"
  done
  export TRUST_FILE=$keys_dir/trust.json OPERATOR_KEY_FILE=$keys_dir/operator.json
}

cluster_running() { as_postgres "$(postgres_bin)/pg_ctl" -D "$cluster_dir" status > /dev/null 2>&1; }

# start_service NAME: in a session of its own, its output appended to .local/log/NAME.log.
start_service() {
  env PORT="${api_port[$1]}" OPERATOR_PORT="${operator_port[$1]}" \
    PUBLIC_URL="${PUBLIC_URL:-http://127.0.0.1:${api_port[$1]}}" \
    DATABASE_URL_FILE="$secrets_dir/$1.url" SIGNING_KEY_FILE="$keys_dir/$1.json" \
    MAIL_URL="${MAIL_URL:-maildir:$local_dir/mail}" LOG_LEVEL="${LOG_LEVEL:-info}" LOG_FORMAT="${LOG_FORMAT:-json}" \
    setsid "$(bin "$1")" serve >> "$log_dir/$1.log" 2>&1 < /dev/null &
  printf '%s\n' "$!" > "$run_dir/$1.pid"
}
