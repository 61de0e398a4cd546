# Shared by the benchmarks of the directory's reads: an installation of its own with 7,000 experts, what is requested
# of it, and the load. Everything is in .local-benchmark.
#
# PEERS names a folder with servers of other stacks, which are not part of this repository: executables `<name>peer`,
# such as `gopeer`. Each listens on PORT, connects to PGDSN (libpq's keywords) or PGURL with CONNS connections, and
# answers `/members/{id}` and `/members?after={name}`, 50 rows, from the table of peers.sql.
#   PEERS= SECONDS_EACH=5 CONNECTIONS=32
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
export CLUB_LOCAL=$root/.local-benchmark CLUB_PORT_BASE=17000 CLUB_POSTGRES_PORT=17432 CLUB_DEMO=no
. "$root/deploy/lib.sh"
seconds=${SECONDS_EACH:-5}
connections=${CONNECTIONS:-32}
work=$local_dir/benchmark
base=http://127.0.0.1:${api_port[directory]}

sql() { as_admin -At "$@"; }

# prepare_reads: starts the club, fills it, and sets `token`. Writes the identifiers of all experts to ids.txt, and to
# pages.txt the 50-row pages that begin after any expert of a list.
prepare_reads() {
  need_packages wrk curl
  "$root/deploy/up" > /dev/null
  local_environment
  mkdir -p "$work"
  if [[ $(sql -d club -c "select count(*) from directory.expert") != 7000 ]]; then
    sql -d club -f "$root/Tests/Benchmarks/seed.sql"
  fi
  sql -d club -c "select id from directory.expert order by id" > "$work/ids.txt"
  token=$("$(bin club)" token --role operator --ttl 1h)
  write_pages
  cat > "$work/paths.lua" <<'LUA'
local prefix, paths = os.getenv("ROUTE"), {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = prefix .. line end
math.randomseed(42)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
LUA
}

# A page may begin after any expert in the list, as the peers' pages do after any name: a cursor is valid for every
# limit.
write_pages() {
  local list="/v1/experts?subKind=webAgency&departement=64&limit=50" page cursor=
  : > "$work/cursors.txt"
  while :; do
    page=$(curl -sf -H "Authorization: Bearer $token" "$base${list/limit=50/limit=1}${cursor:+&cursor=$cursor}")
    cursor=$(sed -nE 's/.*"next":"([^"]+)"\}?.*$/\1/p' <<< "$page")
    [[ -n $cursor ]] || break
    printf '%s&cursor=%s\n' "$list" "$cursor" >> "$work/cursors.txt"
  done
  # After each of the last 49 there are fewer than 50 experts.
  head -n -49 "$work/cursors.txt" > "$work/pages.txt"
  (($(wc -l < "$work/pages.txt") >= 100)) || die "the list has too few pages to choose from"
}

# A command that runs wrk, and observes meanwhile: `perf stat … --`.
observer=()

# load URL ROUTE PATHS [HEADER]: requests these paths for some seconds; wrk's report is in wrk.txt.
load() {
  ROUTE=$2 PATHS=$3 "${observer[@]}" wrk -t1 -c"$connections" -d"${seconds}s" -H "${4:-X-None: 1}" -s "$work/paths.lua" "$1" > "$work/wrk.txt"
  ! grep -E 'Non-2xx|Socket errors' "$work/wrk.txt" >&2 || die "$1 answered with errors"
}

# load_directory KIND: by identifier (`one`) or 50-row pages (`many`).
load_directory() {
  case $1 in
    one) load "$base" /v1/experts/ "$work/ids.txt" "Authorization: Bearer $token" ;;
    many) load "$base" "" "$work/pages.txt" "Authorization: Bearer $token" ;;
  esac
}

names=(ours)
declare -A server_pid url
started=()

# launch_peers: starts the servers of other stacks with a database of their own, and adds them to `names`.
launch_peers() {
  local peer name port=17500 database_socket number
  [[ -n ${PEERS-} ]] || { say "PEERS is not set: the servers of other stacks are left out"; return 0; }
  sql -d postgres -c "select 1 from pg_database where datname = 'stack'" | grep -q 1 || sql -d postgres -c "create database stack"
  sql -d stack -f "$root/Tests/Benchmarks/peers.sql"
  for number in $(seq 1000 5000); do printf 'Agence%%20%s\n' "$number"; done > "$work/after.txt"
  database_socket="host='$postgres_host' port=$postgres_port user=admin password=$(cat "$secrets_dir/admin.password") dbname=stack"
  for peer in "$PEERS"/*peer; do
    [[ -f $peer && -x $peer ]] || continue
    name=${peer##*/} name=${name%peer}
    env PORT="$port" PGDSN="$database_socket" PGURL="$(database_url admin stack)" CONNS=2 "$(realpath "$peer")" > "$work/$name.log" 2>&1 &
    started+=("$!")
    server_pid[$name]=$! url[$name]=http://127.0.0.1:$port
    port=$((port + 1))
    for number in $(seq 100); do
      curl -sf -o /dev/null "${url[$name]}/members?after=Agence" && { names+=("$name"); continue 2; }
      sleep 0.1
    done
    say "the $name server did not start and is left out: see $work/$name.log"
  done
  ((${#started[@]})) || die "PEERS: no executable named <name>peer in $PEERS"
}

# stop_benchmark: ends what this script has started.
stop_benchmark() {
  local pid
  for pid in "${started[@]}"; do kill -TERM "$pid" 2> /dev/null || true; done
  "$root/deploy/down" > /dev/null
}

# load_server KIND NAME: as load_directory, for any of `names`.
load_server() {
  case $2:$1 in
    ours:*) load_directory "$1" ;;
    *:one) load "${url[$2]}" /members/ "$work/ids.txt" ;;
    *:many) load "${url[$2]}" '/members?after=' "$work/after.txt" ;;
  esac
}

# Of the last load.
requests_per_second() { awk '/Requests\/sec/ {print $2}' "$work/wrk.txt"; }
requests() { awk '/ requests in / {print $1}' "$work/wrk.txt"; }

# await_directory: until it is ready.
await_directory() {
  local tries
  for tries in $(seq 1000); do
    curl -sf -o /dev/null "http://127.0.0.1:${operator_port[directory]}/health/ready" && return
    sleep 0.01
  done
  die "the directory does not start: $(tail -n 2 "$log_dir/directory.log")"
}
