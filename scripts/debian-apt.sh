# shellcheck shell=bash
# Sourced by the set-up scripts: packages of any Debian suite, downloaded and checked by apt against the
# archive's signatures, without touching the system's own lists, sources or packages. Needs no root.

kinglet_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

log() { printf '[%s %3ds] %s\n' "${log_name:-setup}" "$SECONDS" "$*" >&2; }
die() { log "error: $*"; exit 1; }

is_debian() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -r "$kinglet_keyring" ]; }

# The Debian mirror that this machine uses. A machine whose indexes were never fetched (a new container) lists
# no targets: its sources are read instead.
debian_mirror() {
  local found=${KINGLET_DEBIAN_MIRROR:-}
  [ -n "$found" ] || found=$(env -u APT_CONFIG apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Label: Debian' 2>/dev/null | sort -u | grep -v security | head -1) || true
  [ -n "$found" ] || found=$(
    { cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p'
      cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p'
    } | grep -E '/debian/?$' | head -1) || true
  [ -n "$found" ] || return 1
  printf '%s\n' "${found%/}"
}

# private_apt DIR LINE...: an apt of its own under DIR with the given sources ("deb" or "deb-src", suite).
# Afterwards `APT_CONFIG=DIR/apt.conf apt-get ...` uses it. Its "installed" packages are those of DIR/status.
private_apt() {
  local dir=$1 mirror line; shift
  mirror=$(debian_mirror) || { log "/etc/apt names no Debian mirror; set KINGLET_DEBIAN_MIRROR"; return 1; }
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,log}
  : >"$dir/status"
  for line in "$@"; do
    printf '%s [signed-by=%s] %s %s main\n' "${line%% *}" "$kinglet_keyring" "$mirror" "${line#* }"
  done >"$dir/sources.list"
  cat >"$dir/apt.conf" <<CONF
Dir::State "$dir"; Dir::State::Lists "$dir/lists"; Dir::State::status "$dir/status";
Dir::State::extended_states "$dir/extended_states";
Dir::Cache "$dir/cache"; Dir::Log "$dir/log";
Dir::Etc::SourceList "$dir/sources.list"; Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-"; Dir::Etc::PreferencesParts "-";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3"; APT::Sandbox::User "root"; APT::Install-Recommends "false";
APT::Architecture "$(dpkg --print-architecture)"; APT::Architectures { "$(dpkg --print-architecture)"; };
Debug::NoLocking "true";
CONF
  if ! APT_CONFIG=$dir/apt.conf apt-get -q update >"$dir/update.log" 2>&1; then
    if ! grep -q 'is expired' "$dir/update.log"; then
      log "apt-get update failed: $(tail -1 "$dir/update.log")"; return 1
    fi
    # A mirror that lags behind, or a wrong clock. The lists are signed all the same.
    log "the mirror's lists are older than they should be: using them as they are"
    echo 'Acquire::Check-Valid-Until "false";' >>"$dir/apt.conf"
    APT_CONFIG=$dir/apt.conf apt-get -q update >"$dir/update.log" 2>&1 ||
      { log "apt-get update failed: $(tail -1 "$dir/update.log")"; return 1; }
  fi
}
