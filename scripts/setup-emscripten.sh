#!/usr/bin/env bash
# setup-emscripten.sh PREFIX [SUITE ...]: a current Emscripten under PREFIX, on Debian (amd64).
#
# Debian 12's own Emscripten is from 2022. This takes a newer suite's packages (with their clang, lld,
# binaryen and the libraries that these need, libc too) and unpacks them into PREFIX, where every program is
# pointed at PREFIX's own loader and libraries. Nothing of the system is replaced; no root is needed. Suites are
# tried in order; default: forky sid (trixie's Emscripten is older than 4).
#
# Idempotent. After an interruption the downloaded packages are used again. The prefix cannot be moved.
set -euo pipefail
export LC_ALL=C
prefix=${1:?usage: setup-emscripten.sh PREFIX [SUITE ...]}; shift
suites=("$@"); [ ${#suites[@]} -gt 0 ] || suites=(forky sid)
log_name=emscripten
# shellcheck source=scripts/debian-apt.sh
. "$(dirname "$0")/debian-apt.sh"

recipe=1                                   # raise it to have old prefixes made again
mkdir -p "$prefix"; prefix=$(cd "$prefix" && pwd -P)
stamp=$prefix/.complete
# Held by whatever this script starts, too: what a killed run left behind must end before the next begins.
exec 9>"$prefix/.lock"; flock 9
if [ "$(head -1 "$stamp" 2>/dev/null)" = "recipe=$recipe" ] &&
  "$prefix/bin/emcc" --version >/dev/null 2>&1; then
  log "already there: $(sed -n 2p "$stamp")"; exit 0
fi

is_debian || die "this machine has no apt: put emcc >= 4 on PATH (emsdk, or the system's package manager)"
[ "$(dpkg --print-architecture)" = amd64 ] ||
  die "only amd64 is set up by itself: put emcc >= 4 on PATH (emsdk has it for other processors)"
for tool in python3 node patchelf; do command -v $tool >/dev/null || die "$tool is needed"; done

work=$prefix/.work
debs=$work/debs
root=$prefix/root
rm -rf "$stamp" "$root" "$prefix/cache" "$prefix/bin"
mkdir -p "$debs"

# ---- download ----
# Told to apt as installed, so that neither they nor what only they need is downloaded: what the machine has
# in its own way (python, node), and what only serves native compilation.
stub='^(python3(-minimal)?|nodejs|node-undici|node-xtend|ccache|debconf|dpkg|binutils|libcurl4.*|libpfm4'
stub+='|libc6-dev|lib(stdc\+\+|gcc|objc)-[0-9]+-dev)$'
# Tied to other packages by exact version, but not needed here:
drop='^(libclang1-[0-9]+|gcc-[0-9]+-base|libc-gconv-modules-extra)$'

# The packages that installing emscripten would bring in, one "name version architecture" a line.
simulate() {
  apt-get -s install emscripten >"$work/simulation" 2>&1 ||
    { log "$1: not installable: $(grep -m2 -E 'Depends|E:' "$work/simulation" | tr '\n' ' ')"; return 1; }
  sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*\[([a-z0-9]+)\]\).*/\1 \2 \3/p' "$work/simulation"
}

download() {                               # download SUITE: fills $debs
  local suite=$1 apt=$work/apt name version arch multi
  rm -rf "$apt"
  private_apt "$apt" "deb $suite" || return 1
  log "$suite: package lists fetched"
  export APT_CONFIG=$apt/apt.conf
  simulate "$suite" >"$work/all" || return 1
  while read -r name version arch; do
    [[ $name =~ $stub ]] || continue
    multi=no; case $name in python3 | nodejs) multi=allowed ;; esac
    # Not the archive's version, or apt would take the stub for the real package.
    printf '%s\n' "Package: $name" "Version: $version+stub" "Architecture: $arch" "Multi-Arch: $multi" \
      'Status: install ok installed' 'Maintainer: none' 'Description: stub' ''
  done <"$work/all" >"$apt/status"
  simulate "$suite" >"$work/all" || return 1
  while read -r name version arch; do
    [[ $name =~ $drop ]] || echo "$name=$version"
  done <"$work/all" >"$work/wanted"
  rm -f "$debs"/*
  log "$suite: downloading $(wc -l <"$work/wanted") packages ($(grep '^emscripten=' "$work/wanted"))"
  # apt checks each file against the signed lists.
  (cd "$debs" && xargs apt-get -q download <"$work/wanted") >"$work/download.log" 2>&1 ||
    { log "$suite: download failed: $(tail -1 "$work/download.log")"; return 1; }
  (cd "$debs" && echo "$suite" >SUITE && sha256sum -- *.deb >SHA256SUMS)
}

if [ -f "$debs/SHA256SUMS" ] && (cd "$debs" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1); then
  log "using the packages that an interrupted run has downloaded"
else
  found=
  for suite in "${suites[@]}"; do if (download "$suite"); then found=$suite; break; fi; done
  [ -n "$found" ] || die "none of these Debian suites could be used: ${suites[*]}"
fi

# ---- unpack ----
log "unpacking $(du -cm "$debs"/*.deb | tail -1 | cut -f1) MB"
mkdir -p "$root/usr/"{bin,lib,lib64,sbin}
for d in bin lib lib64 sbin; do ln -s usr/$d "$root/$d"; done     # merged /usr
for deb in "$debs"/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
    --exclude='./usr/share/lintian/*' -f -
done
llvm=$(find "$root/usr/lib" -maxdepth 1 -name 'llvm-*' | sort -V | tail -1)
emscripten=$root/usr/share/emscripten
libraries=$root/usr/lib/x86_64-linux-gnu
loader=$(readlink -f "$libraries/ld-linux-x86-64.so.2")
[ -e "$loader" ] || die "no loader in $libraries"
[[ $loader = "$root"/* ]] || die "the loader lies outside the prefix: $loader"

# ---- point every program at the prefix's own loader and libraries ----
log "patching programs"
: >"$work/patched"
while IFS= read -r -d '' file; do
  [ "$(head -c4 "$file" 2>/dev/null | tr -d '\0')" = $'\x7fELF' ] || continue
  [[ $(patchelf --print-interpreter "$file" 2>/dev/null || true) = */ld-linux-x86-64.so.2 ]] || continue
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries:$llvm/lib" "$file"
  echo "$file" >>"$work/patched"
done < <(find "$llvm/bin" "$root/usr/bin" -type f -perm -u+x -print0)
# A library's RUNPATH of its own would hide the programs' RPATH.
while IFS= read -r -d '' file; do
  if [ -n "$(patchelf --print-rpath "$file" 2>/dev/null)" ]; then
    patchelf --force-rpath --set-rpath "$libraries:$llvm/lib" "$file"
  fi
done < <(find "$llvm/lib" "$libraries" -maxdepth 1 -type f -name 'lib*.so*' -print0)
# Programs that lack a library (those that use libcurl or libpfm) are not needed.
while read -r file; do
  if "$loader" --list "$file" 2>&1 | grep -q 'not found'; then rm -f "$file"; fi
done <"$work/patched"
find "$root/usr/bin" "$llvm/bin" -xtype l -delete
for tool in "$llvm"/bin/{clang,clang++,wasm-ld,llvm-ar,llvm-nm,llvm-objcopy,llvm-ranlib} \
  "$root"/usr/bin/{wasm-opt,wasm-emscripten-finalize,wasm-metadce,wasm-ctor-eval}; do
  [ -x "$tool" ] || die "missing $tool"
done

# ---- configure ----
# Debian's node looks for modules in /usr/share/nodejs, others only in node_modules.
[ -e "$root/usr/share/node_modules" ] || ln -s nodejs "$root/usr/share/node_modules"
mkdir -p "$prefix/cache" "$prefix/bin"
cat >"$prefix/emscripten_config.py" <<CONF
import os, shutil
LLVM_ROOT = '$llvm/bin'
BINARYEN_ROOT = '$root/usr'
EMSCRIPTEN_ROOT = '$emscripten'
NODE_JS = os.environ.get('EM_NODE_JS') or shutil.which('node') or '/usr/bin/node'
CACHE = '$prefix/cache'
LLVM_ADD_VERSION = ''
CLANG_ADD_VERSION = ''
CONF
for tool in "$emscripten"/em*; do
  name=${tool##*/}; [[ $name = *.py || $name = emscripten-* || ! -x $tool || -d $tool ]] && continue
  printf '#!/bin/sh\nEM_CONFIG=${EM_CONFIG:-%s} exec %s "$@"\n' "$prefix/emscripten_config.py" "$tool" \
    >"$prefix/bin/$name"
  chmod +x "$prefix/bin/$name"
done
for tool in "$root"/usr/bin/wasm-{opt,dis,as,metadce,merge} "$llvm"/bin/llvm-{objdump,dwarfdump,size}; do
  if [ -x "$tool" ]; then ln -sf "$tool" "$prefix/bin/${tool##*/}"; fi
done
cat >"$prefix/env.sh" <<ENV
# Source this: it puts emcc on PATH.
export EM_CONFIG=$prefix/emscripten_config.py
export EMSCRIPTEN=$emscripten
export PATH=$prefix/bin:\$PATH
ENV

# ---- check, and build the system libraries that Kinglet links ----
# shellcheck disable=SC1091
. "$prefix/env.sh"
version=$(emcc --version | head -1)
log "$version"
log "building its C and C++ libraries, without and with threads, once (3 to 8 minutes on two cores, silently)"
cat >"$work/check.cpp" <<'CPP'
#include <emscripten/bind.h>
#include <pthread.h>
#include <cstdio>
#include <stdexcept>
int main(int argc, char**) {
  try {
    if (argc > 0) throw std::runtime_error("hello from wasm");
  } catch (const std::exception& error) {
    std::puts(error.what());
  }
}
#ifdef SHARED  // as in bindings/embind/threads.cpp, which says why
extern "C" int pthread_mutex_lock(pthread_mutex_t*) { return 0; }
extern "C" int pthread_mutex_unlock(pthread_mutex_t*) { return 0; }
#endif
EMSCRIPTEN_BINDINGS(check) { emscripten::function("check", +[](int x) { return x; }); }
CPP
flags=(-O2 -fwasm-exceptions -sSUPPORT_LONGJMP=0 -lembind)
build() { em++ "${flags[@]}" "$work/check.cpp" -o "$@" 2>"$work/check.log"; }
small=(-sMALLOC=emmalloc -sFILESYSTEM=0)
# As cmake/Wasm.cmake links the binaries with threads; their libraries take as long as all others. Without this the first
# build of the package would stand still for them.
shared=(-sSHARED_MEMORY -DSHARED -Wl,--no-check-features -lunwind-legacyexcept)
# `oz` is for packages of some operators alone.
if ! build "$work/check.cjs" || ! build "$work/small.cjs" "${small[@]}" || ! build "$work/oz.cjs" "${small[@]}" -Oz; then
  tail -20 "$work/check.log" >&2; die "the check program did not build"
fi
programs=(check small oz)
# The demo does without threads.
if build "$work/shared.cjs" "${small[@]}" "${shared[@]}"; then
  programs+=(shared)
else
  tail -20 "$work/check.log" >&2; log "the check program with threads did not build, so the package will not; the demo does"
fi
for program in "${programs[@]}"; do
  [ "$(node "$work/$program.cjs")" = "hello from wasm" ] || die "the check program did not run"
done

cp "$debs/SHA256SUMS" "$prefix/packages.sha256"
printf 'recipe=%s\n%s (%s)\n' "$recipe" "$version" "$(cat "$debs/SUITE")" >"$stamp"
rm -rf "$work"
log "done: $(du -sm "$prefix" | cut -f1) MB in $prefix"
