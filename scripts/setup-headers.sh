#!/usr/bin/env bash
# setup-headers.sh PREFIX: the C++ libraries that the build needs, from Debian's packages, into PREFIX:
#   PREFIX/include/{xtensor,xtl,nlohmann,protozero}   header-only libraries
#   PREFIX/catch2/extras/catch_amalgamated.{hpp,cpp}  the test framework's source
# No root, nothing is installed into the system. Idempotent; an interrupted run leaves PREFIX as it was.
set -euo pipefail
export LC_ALL=C
prefix=${1:?usage: setup-headers.sh PREFIX}
log_name=headers
# shellcheck source=scripts/debian-apt.sh
. "$(dirname "$0")/debian-apt.sh"

recipe=1                                  # raise it to have old prefixes made again
stamp=$prefix/.complete
if [ "$(cat "$stamp" 2>/dev/null)" = "recipe=$recipe" ]; then log "already there"; exit 0; fi
is_debian || die "this machine has no apt: install xtensor, nlohmann-json and protozero in its own way"

mkdir -p "$(dirname "$prefix")"
work=$(mktemp -d "$(cd "$(dirname "$prefix")" && pwd -P)/.headers.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{debs,root,new/include,new/catch2}

private_apt_get() { APT_CONFIG=$work/apt/apt.conf apt-get -q "$@"; }

packages=(libxtensor-dev xtl-dev nlohmann-json3-dev libprotozero-dev)
log "fetching package lists"
# Both suites have xtensor with its headers in one folder; newer releases have moved them.
fetched=
for suite in bookworm trixie; do
  rm -rf "$work/apt"
  if private_apt "$work/apt" "deb $suite" &&
    (cd "$work/debs" && private_apt_get download "${packages[@]}") >"$work/log" 2>&1; then
    fetched=$suite; break
  fi
  [ ! -s "$work/log" ] || log "$suite: $(tail -1 "$work/log")"
done
[ -n "$fetched" ] || die "the C++ libraries could not be downloaded: ${packages[*]}"
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
for folder in xtensor xtl nlohmann protozero; do
  mv "$work/root/usr/include/$folder" "$work/new/include/$folder"
done
log "unpacked ${packages[*]} ($fetched)"

fetched=
for suite in bookworm-backports trixie forky; do
  rm -rf "$work/apt" "$work/src"; mkdir "$work/src"
  if private_apt "$work/apt" "deb-src $suite" &&
    (cd "$work/src" && private_apt_get source --download-only --tar-only catch2) >"$work/log" 2>&1 &&
    tar -xf "$work"/src/catch2_3*.orig.tar.* -C "$work/new/catch2" --strip-components=1 --wildcards \
      '*/extras/catch_amalgamated.*' '*/LICENSE.txt' 2>>"$work/log"; then
    fetched=$suite; break
  fi
  [ ! -s "$work/log" ] || log "$suite: $(tail -1 "$work/log")"
done
[ -n "$fetched" ] || die "the source of Catch2 3 could not be downloaded"
[ -s "$work/new/catch2/extras/catch_amalgamated.cpp" ] || die "Catch2's source has no amalgamated file"
log "unpacked Catch2's source ($fetched)"

printf 'recipe=%s\n' "$recipe" >"$work/new/.complete"
rm -rf "$prefix"
mv "$work/new" "$prefix"
log "done: $prefix"
