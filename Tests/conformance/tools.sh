# Shared by the scripts in this folder and in mail/, after deploy/lib.sh: the judges' tools, which are in the folder of
# the installation that they judge.
# shellcheck shell=bash
work=$local_dir/conformance
mkdir -p "$work"

# install_python: the Python tools, in an environment of their own.
install_python() {
  python=$work/venv/bin
  ! cmp -s "$root/Tests/conformance/requirements.txt" "$work/requirements.txt" || return 0
  say "installing the Python tools in $CLUB_LOCAL"
  python3 -m venv "$work/venv"
  "$python/pip" -q install -r "$root/Tests/conformance/requirements.txt" > "$work/pip.log" 2>&1 || die "pip failed: $(tail -n 3 "$work/pip.log")"
  cp "$root/Tests/conformance/requirements.txt" "$work/"
}

# unpack PACKAGE FILE: unpacks a package that would start a server if it were installed; FILE is one that it has.
unpack() {
  [[ ! -e $work/$2 ]] || return 0
  (cd "$work" && apt-get -q download "$1" > apt.log 2>&1 && dpkg-deb -x "$1"_*.deb . && rm "$1"_*.deb) ||
    die "the package $1 could not be fetched: $(tail -n 3 "$work/apt.log")"
}

# create_mail_keys: the keys that mails are signed with, and verified with their public halves.
create_mail_keys() {
  export DKIM_KEYS_FILE=$work/dkim/keys.json
  [[ ! -f $DKIM_KEYS_FILE ]] || return 0
  mkdir -p "$work/dkim"
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/dkim/rsa.pem" 2> /dev/null || die "openssl made no RSA key"
  openssl genpkey -algorithm ED25519 -out "$work/dkim/ed25519.pem" || die "openssl made no Ed25519 key"
  cat > "$DKIM_KEYS_FILE" <<'JSON'
{"domain": "club.example", "keys": [
  {"selector": "rsa", "algorithm": "rsa-sha256", "file": "rsa.pem"},
  {"selector": "ed25519", "algorithm": "ed25519-sha256", "file": "ed25519.pem"}]}
JSON
}

failed=()
judge() { # judge NAME COMMAND…
  local name=$1
  shift
  if "$@" > "$work/$name.log" 2>&1; then
    say "passed  $name: $(tail -n 1 "$work/$name.log")"
  else
    failed+=("$name")
    say "FAILED  $name: see $work/$name.log"
  fi
}
all_passed() { ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"; }
