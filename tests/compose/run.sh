#!/usr/bin/env bash
# Brings docker-compose.yml up for real, with the demo signatures, sends it a clean file and EICAR, looks at what
# its containers may do, and takes it down. For root on Debian 12, with or without a Docker engine: it uses podman
# and podman-compose, builds every image itself, and pulls nothing.
# Exit code 0 only if every check held.
set -euo pipefail
cd "$(dirname "$0")/../.."

PROJECT=greenroom-compose-test
SERVICES=(postgres store clamav migrate worker web metrics console)

say() { echo "compose-test: $*" >&2; }
fail() {
    say "FAILED: $*"
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "must run as root"
exec 9> /run/lock/greenroom-compose-test
flock --nonblock 9 || fail "another run is under way"
work=$(mktemp -d /tmp/greenroom-compose.XXXXXX)
trap 'rm -rf "$work"' EXIT

# shellcheck source=tests/compose/machine.sh
. tests/compose/machine.sh

# --- the stack

# By itself podman gives a read-only container writable /run and /var/tmp, which Docker does not: only what the
# compose file names may be writable here.
compose() {
    .venv/bin/podman-compose --project-name "$PROJECT" --podman-run-args=--read-only-tmpfs=false "$@"
}

container() { echo "${PROJECT}_$1_1"; }

take_down() {
    local code=$?
    if [ "$code" -ne 0 ]; then
        [ ! -e "$work/up.log" ] || tail -n 5 "$work/up.log" | cut -c 1-300 >&2
        for service in "${SERVICES[@]}"; do
            say "last lines of $service:"
            podman logs --tail 15 "$(container "$service")" 2>&1 | cut -c 1-300 >&2 || true
        done
    fi
    compose down --timeout 2 --volumes > "$work/down.log" 2>&1 || { cat "$work/down.log" >&2; code=1; }
    rm -rf "$work"
    exit "$code"
}

# within SECONDS WHAT COMMAND...: until the command succeeds
within() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" > "$work/last.log" 2>&1; do
        [ "$SECONDS" -lt "$until" ] || { tail -n 5 "$work/last.log" >&2; fail "$what took too long"; }
        sleep 1
    done
    say "$what: yes"
}

# In the order of depends_on, by hand: podman before 4.6 cannot wait for a container's health.
bring_up() {
    compose up --detach --no-deps postgres store clamav > "$work/up.log" 2>&1
    for service in postgres store clamav; do
        within 120 "$service is healthy" podman healthcheck run "$(container "$service")"
    done
    compose up --detach --no-deps migrate >> "$work/up.log" 2>&1
    [ "$(podman wait "$(container migrate)")" -eq 0 ] || fail "migrate ended with an error"
    compose up --detach --no-deps worker web metrics console >> "$work/up.log" 2>&1
    within 60 "web is healthy" podman healthcheck run "$(container web)"
    within 60 "console is healthy" podman healthcheck run "$(container console)"
    within 60 "metrics is healthy" podman healthcheck run "$(container metrics)"
    within 300 "/readyz says 200" curl --silent --fail --max-time 10 "$URL/readyz"
    within 120 "worker is healthy" podman healthcheck run "$(container worker)"
}

# --- the checks

# expect STATE FILE: sends the file, and its state must be that
expect() {
    local state
    curl --silent --show-error --max-time 90 --header "Authorization: Bearer $KEY" --data-binary "@$2" \
        --header "Content-Type: application/octet-stream" "$URL/v1/uploads?meeting=compose&name=$(basename "$2")" \
        > "$work/answer.json"
    state=$(.venv/bin/python -c 'import json, sys; print(json.load(sys.stdin).get("state"))' < "$work/answer.json")
    [ "$state" = "$1" ] || fail "$(basename "$2") is $state, not $1: $(cat "$work/answer.json")"
    say "$(basename "$2") is $state: yes"
}

check_uploads() {
    KEY=$(podman exec "$(container web)" python3 -m service keys create --account compose-test | sed -n 's/^KEY=//p')
    [ -n "$KEY" ] || fail "no API key was made"
    echo "The agenda of the meeting" > "$work/agenda.txt"
    # In two halves, so that no scanner takes this script for the test file.
    printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD' '-ANTIVIRUS-TEST-FILE!$H+H*' > "$work/eicar.txt"
    expect released "$work/agenda.txt"
    expect blocked "$work/eicar.txt"
    curl --silent --fail --max-time 10 "$URL/widget/greenroom-upload.js" | grep greenroom-upload > "$work/widget.txt" \
        || fail "the upload widget is not handed out"
    say "the upload widget is handed out: yes"
}

# The only door of the console is its form, and who the operator adds comes in by it.
check_console() {
    local cookie token code password="made by compose-test $RANDOM$RANDOM$RANDOM"
    podman exec --interactive "$(container console)" python3 -m service reviewers add compose --password-stdin \
        <<< "$password" > "$work/reviewer.txt" || fail "no reviewer was made"
    curl --silent --fail --max-time 10 --dump-header "$work/head.txt" "$CONSOLE/sign-in" > "$work/page.html"
    cookie=$(tr -d '\r' < "$work/head.txt" | sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\).*/\1/p')
    token=$(sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$work/page.html" | head -n 1)
    code=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --header "Cookie: $cookie" \
        --header "Origin: $CONSOLE" --data-urlencode "csrf=$token" --data-urlencode name=compose \
        --data-urlencode "password=$password" "$CONSOLE/sign-in")
    [ "$code" = 303 ] || fail "the console answered $code to its reviewer"
    code=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$CONSOLE/")
    [ "$code" = 303 ] || fail "the console answered $code to a stranger"
    say "a reviewer signs in to the console, a stranger does not: yes"
}

check_ports() {
    local published
    published=$(podman ps --all --filter "label=io.podman.compose.project=$PROJECT" --format '{{.Names}} {{.Ports}}' \
        | awk 'NF > 1' | sort)
    [ "$published" = "$(container console) 127.0.0.1:$GREENROOM_CONSOLE_PORT->8090/tcp
$(container metrics) 127.0.0.1:$GREENROOM_METRICS_PORT->9464/tcp
$(container web) 127.0.0.1:$GREENROOM_PORT->8080/tcp" ] || fail "published: $published"
    # What a listener or a rule of the firewall would take, whatever the settings say.
    for port in "$GREENROOM_PORT" "$GREENROOM_CONSOLE_PORT" "$GREENROOM_METRICS_PORT"; do
        ! ss -Hltn "sport = :$port" | awk '{print $4}' | grep -vqx "127.0.0.1:$port" \
            || fail "something listens beyond loopback on port $port"
        ! iptables --table nat --list-rules | grep -w -- "--dport $port" | grep -e "-j DNAT" \
            | grep -vq -- "-d 127.0.0.1/32" || fail "port $port is forwarded beyond loopback"
    done
    say "only the ports of API, console and metrics are published, on loopback alone: yes"
}

# Inside every container that runs: not root, no capability, no way to get one, nothing writable in the image.
check_hardening() {
    local name status
    for service in "${SERVICES[@]}"; do
        name=$(container "$service")
        [ "$(podman inspect "$name" --format '{{.HostConfig.ReadonlyRootfs}}')" = true ] || fail "$service: root is writable"
        [[ $(podman inspect "$name" --format '{{.Config.User}}') == 1000[1-4]:1000[1-4] ]] || fail "$service: its user"
        [ "$service" != migrate ] || continue
        status=$(podman exec "$name" cat /proc/1/status)
        grep -Eq '^Uid:\s+1000[1-4]\s' <<< "$status" || fail "$service runs as $(grep ^Uid <<< "$status")"
        grep -Eq '^CapEff:\s+0+$' <<< "$status" || fail "$service has capabilities"
        grep -Eq '^CapBnd:\s+0+$' <<< "$status" || fail "$service may get capabilities"
        grep -Eq '^NoNewPrivs:\s+1$' <<< "$status" || fail "$service may get privileges"
        ! podman exec "$name" sh -c ': > /run/probe || : > /var/tmp/probe || : > /srv/probe' 2> /dev/null \
            || fail "$service can write to its image"
    done
    say "every container: no root, no capabilities, read-only: yes"
}

# reaches SERVICE HOST PORT: whether a connection from that container is taken
reaches() {
    podman exec "$(container "$1")" python3 -c \
        'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)' "$2" "$3" 2> /dev/null
}

# has_way_out SERVICE: a line with destination 0 is a default route.
has_way_out() {
    podman exec "$(container "$1")" awk '$2 == "00000000" {found = 1} END {exit !found}' /proc/net/route
}

check_networks() {
    local address
    reaches web store 8333 || fail "web cannot reach S3"
    # Filer, master, volume server and their gRPC ports know no password.
    for port in 8888 18888 9333 19333 8080 18080; do
        ! reaches web store "$port" || fail "the store's port $port is open to web"
    done
    # S3's gRPC port is open beside it, and can add an administrator: 16 says that it asked who is calling.
    address=$(podman inspect "$(container store)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
    printf '\0\0\0\0\0' | curl --silent --max-time 5 --http2-prior-knowledge --include --data-binary @- \
        --header 'Content-Type: application/grpc' --header 'TE: trailers' \
        "http://$address:18333/messaging_pb.SeaweedS3IamCache/PutIdentity" | tr -d '\r' | grep -qx 'grpc-status: 16' \
        || fail "the store's gRPC port takes identities from anyone"
    # 0A is a listening socket.
    ! podman exec "$(container clamav)" grep -q ' 0A ' /proc/net/tcp /proc/net/tcp6 || fail "clamav listens on TCP"
    has_way_out clamav || fail "freshclam has no way to its mirrors"
    has_way_out worker || fail "the worker has no way out to webhooks"
    for service in store postgres; do
        ! has_way_out "$service" || fail "$service has a way out"
    done
    say "only S3 and the ledger are open inside, and neither has a way out: yes"
}

install_packages
[ -x .venv/bin/podman-compose ] || fail "podman-compose is missing: make install-dev"
configure_podman
export GREENROOM_SIGNATURES=demo GREENROOM_BIND=127.0.0.1 GREENROOM_DEBIAN=$BASE GREENROOM_SECRETS_DIR=$work/secrets
read -r GREENROOM_PORT GREENROOM_CONSOLE_PORT GREENROOM_METRICS_PORT < <(.venv/bin/python -c 'import socket
three = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(one.getsockname()[1] for one in three))')
URL=http://127.0.0.1:$GREENROOM_PORT
CONSOLE=http://127.0.0.1:$GREENROOM_CONSOLE_PORT
export GREENROOM_PORT GREENROOM_CONSOLE_PORT GREENROOM_METRICS_PORT GREENROOM_CONSOLE_URL=$CONSOLE

# Where Docker's own reading of the file can be had, it must accept it too; no engine is needed for that.
if docker compose version > /dev/null 2>&1; then
    docker compose config --quiet || fail "docker compose does not accept docker-compose.yml"
fi
make_base_image
docker/secrets.sh "$GREENROOM_SECRETS_DIR"
say "building the images"
arguments=$(build_arguments | tr '\n' ' ')
# One at a time, so that the stages they share are built once.
compose --parallel 1 --podman-build-args="$arguments" build > "$work/build.log" 2>&1 \
    || { tail -n 30 "$work/build.log" >&2; fail "the images could not be built"; }
trap take_down EXIT
bring_up
check_uploads
check_console
check_ports
check_hardening
check_networks
say "passed in $SECONDS s"
