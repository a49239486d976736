#!/usr/bin/env bash
# Install the Debian packages that are missing for: venv (making .venv), run (make run), test (make test).
# Says what it installs; uses sudo when not root; exits 1 naming the packages when it may not.
set -euo pipefail

missing=()
want() { # PACKAGE COMMAND...: the package is missing when the command fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

python=${PYTHON:-python3}
case ${1:-} in
venv)
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "greenroom: Python 3.11 or newer is needed, $python is not (choose one: make PYTHON=python3.12)" >&2
        exit 1
    fi
    want python3-venv "$python" -c 'import ensurepip, venv'
    ;;
run | test)
    want clamav-daemon test -x /usr/sbin/clamd
    want libmagic1 "$python" -c 'import ctypes; ctypes.CDLL("libmagic.so.1")'
    if [ "$1" = test ]; then
        want postgresql bash -c 'ls /usr/lib/postgresql/*/bin/initdb'
        want chromium test -x /usr/bin/chromium
        # The smallest package whose letters are Latin and Arabic: without it there would be boxes to look at.
        want fonts-dejavu-core test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
    fi
    ;;
*)
    echo "usage: $0 venv|run|test" >&2
    exit 2
    ;;
esac
[ ${#missing[@]} -gt 0 ] || exit 0

refuse() {
    echo "greenroom: missing system packages, and $1; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
}
command -v apt-get >/dev/null || refuse "there is no apt-get here"
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || refuse "this is neither root nor is there sudo"
    # Without a terminal sudo could not ask for a password.
    [ -t 0 ] || sudo -n true 2>/dev/null || refuse "sudo may not be used here"
    root=(sudo)
fi

echo "greenroom: installing system packages with apt: ${missing[*]}"
# Their system services are not wanted: the stack starts its own clamd. This file is Debian's way to say so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
fi
"${root[@]}" apt-get -qq update || echo "greenroom: apt-get update failed, trying with the lists at hand" >&2
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" \
    >/dev/null || refuse "apt-get could not install them"
