#!/bin/sh
# Starts clamd, and freshclam beside it unless GREENROOM_SIGNATURES=demo.
set -eu

config=/etc/greenroom/clamd.conf
retry_seconds=600  # the mirrors shut out who asks too often

# Process 1 has no default way to end, and a shell handles a signal only between its children.
trap 'exit 143' TERM INT
run() {
    "$@" &
    wait $!
}

refresh() {
    run freshclam --config-file=/etc/greenroom/freshclam.conf "$@" || echo "clamav: freshclam ended with $?" >&2
}

have_signatures() {
    [ -e /var/lib/clamav/main.cvd ] || [ -e /var/lib/clamav/main.cld ]
}

# What a killed clamd was scanning is still here after a restart of the same container, and what a killed freshclam
# was downloading.
find /var/lib/greenroom/clamd-tmp -mindepth 1 -delete
rm -rf /var/lib/clamav/tmp.*

case "${GREENROOM_SIGNATURES:-official}" in
official)
    # Greenroom's own report what clamd cannot look into; clamd takes one folder only, and freshclam leaves them alone.
    cp /usr/share/greenroom/signatures/* /var/lib/clamav/
    refresh
    # clamd does not start without a database.
    until have_signatures; do
        echo "clamav: no signatures yet, next try in $retry_seconds s" >&2
        run sleep "$retry_seconds"
        refresh
    done
    # clamd takes this shell's place, so it is this loop that starts a dead freshclam again.
    while :; do
        refresh --daemon
        run sleep "$retry_seconds"
    done &
    ;;
demo)
    echo "clamav: demo signatures: not protection" >&2
    sed 's|^DatabaseDirectory .*|DatabaseDirectory /usr/share/greenroom/demo-signatures|' "$config" > /tmp/clamd.conf
    config=/tmp/clamd.conf
    ;;
*)
    echo "clamav: GREENROOM_SIGNATURES must be official or demo, not '$GREENROOM_SIGNATURES'" >&2
    exit 64
    ;;
esac

exec clamd --foreground --config-file="$config"
