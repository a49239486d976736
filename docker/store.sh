#!/bin/sh
# Starts SeaweedFS in one process: S3 for the other containers, everything else on loopback only.
set -eu
umask 077

python3 /srv/store/store_identities.py /tmp/s3.json

# The filer, and the gRPC port that S3 opens wherever it listens, take anyone's word unless a signing key is set:
# whoever reached the latter could make himself an administrator of the store. Nobody else needs this key, so it
# is a new one at each start.
WEED_JWT_FILER_SIGNING_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
WEED_JWT_FILER_SIGNING_READ_KEY=$WEED_JWT_FILER_SIGNING_KEY
export WEED_JWT_FILER_SIGNING_KEY WEED_JWT_FILER_SIGNING_READ_KEY

# SeaweedFS does not fsync unless told so for the folder of a bucket. Its shell exits 0 whatever happened, so what
# it set is read back.
make_buckets() {
    weed shell -master=127.0.0.1:9333 -filer=127.0.0.1:8888 <<END > /tmp/setup.log 2>&1
s3.bucket.create -name quarantine
s3.bucket.create -name released
s3.bucket.create -name checkpoints -withLock
fs.configure -locationPrefix=/buckets/quarantine/ -fsync=true -apply
fs.configure -locationPrefix=/buckets/released/ -fsync=true -apply
fs.configure -locationPrefix=/buckets/checkpoints/ -fsync=true -apply
s3.bucket.list
exit
END
    grep -q '^ *quarantine' /tmp/setup.log && grep -q '^ *released' /tmp/setup.log \
        && grep -q '^ *checkpoints' /tmp/setup.log \
        && [ "$(sed '1,/"locations"/d' /tmp/setup.log | grep -c '"fsync": *true')" -ge 3 ]
}

{
    until make_buckets; do sleep 1; done
    touch /tmp/buckets-are-made
    echo "store: buckets are ready" >&2
} &

exec weed -logtostderr=true server \
    -dir=/var/lib/store \
    -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -filer -s3 -s3.ip.bind=0.0.0.0 -s3.port=8333 -s3.config=/tmp/s3.json \
    -s3.iam=false -s3.autoCreateBucket=false -s3.allowDeleteBucketNotEmpty=false \
    -s3.port.iceberg=0 -s3.port.lance=0 \
    -master.telemetry=false -master.volumeSizeLimitMB=1024 -volume.max=0 -volume.preStopSeconds=1
