# What run.sh needs of the machine, and what the compose file must not know: packages, podman's settings, a base image
# made here, the way to the package mirrors. Sourced by run.sh, which has `work`, a folder for throwaway files, `say`
# and `fail`.

BASE=localhost/greenroom-compose-test/debian:bookworm
PACKAGES=(podman runc netavark aardvark-dns iptables nftables debootstrap curl iproute2)

install_packages() {
    local missing=()
    for package in "${PACKAGES[@]}"; do
        dpkg-query --show --showformat '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed \
            || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" > "$work/apt.log" 2>&1 \
        || { tail -n 20 "$work/apt.log" >&2; fail "apt-get could not install them"; }
}

# The defaults of podman ask for more files and processes than this shell may hand on where it cannot raise its own
# limits, and crun refuses hybrid cgroups.
configure_podman() {
    cat > "$work/containers.conf" << END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
END
    export CONTAINERS_CONF=$work/containers.conf
    # Health checks are run by a timer of systemd; where there is none, starting a container would fail over it.
    [ -d /run/systemd/system ] || export DISABLE_HC_SYSTEMD=true
}

make_base_image() {
    podman image exists "$BASE" && return
    local mirror root=$work/base
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main' \
        | head -n 1)
    [ -n "$mirror" ] || fail "no Debian 12 mirror among this machine's package sources"
    say "making the base image with debootstrap"
    debootstrap --variant=minbase bookworm "$root" "$mirror" > "$work/debootstrap.log" 2>&1 \
        || { tail -n 20 "$work/debootstrap.log" >&2; fail "debootstrap"; }
    # The same sources as here, so that security fixes come in, and the same settings for reaching them.
    if [ -f /etc/apt/sources.list.d/debian.sources ]; then
        rm "$root/etc/apt/sources.list"
        cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/"
    else
        cp /etc/apt/sources.list "$root/etc/apt/"
    fi
    apt-config dump | grep '^Acquire::' > "$root/etc/apt/apt.conf.d/99machine"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    tar -C "$root" -c . | podman import --quiet - "$BASE" > /dev/null
    rm -rf "$root"
}

# pip and npm inside a build must find their registries as they do out here; what they are told never enters an
# image's layer.
pip_setting() {
    .venv/bin/python -m pip config list | sed -n "s/^\(:env:\|global\)\.$1='\(.*\)'\$/\2/p" | tail -n 1
}

npm_setting() {
    PATH="$PWD/.venv/bin:$PATH" npm --loglevel=error config get "$1"
}

build_arguments() {
    local certificates index
    echo "--isolation=chroot --network=host --volume $work/pip.conf:/etc/pip.conf:ro"
    echo "--volume $work/npmrc:/root/.npmrc:ro"
    echo "registry=$(npm_setting registry)" > "$work/npmrc"
    echo "[global]" > "$work/pip.conf"
    index=$(pip_setting index-url)
    [ -z "$index" ] || echo "index-url = $index" >> "$work/pip.conf"
    certificates=$(pip_setting cert)
    if [ -n "$certificates" ]; then
        echo "cert = /run/certificates.pem" >> "$work/pip.conf"
        echo "--volume $(readlink -f "$certificates"):/run/certificates.pem:ro"
        echo "cafile=/run/certificates.pem" >> "$work/npmrc"
    fi
}
