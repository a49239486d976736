#!/bin/sh
# Healthy means: clamd answers, and finds the EICAR test file in a stream. PING alone stays green when a reload
# left it without signatures.
set -eu

config=/etc/greenroom/clamd.conf
clamdscan --config-file="$config" --ping 1 > /dev/null
# In two halves, so that no scanner takes this file for the test file.
found=$(printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD' '-ANTIVIRUS-TEST-FILE!$H+H*' \
    | clamdscan --config-file="$config" --no-summary - || true)
case "$found" in
"stream: "*" FOUND") ;;
*)
    echo "clamav: EICAR was not found: $found" >&2
    exit 1
    ;;
esac
