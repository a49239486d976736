#!/bin/bash
# Healthy means: the buckets are made and S3 answers. In bash for its /dev/tcp: the image has no HTTP client.
set -eu

test -e /tmp/buckets-are-made
exec 3<> /dev/tcp/127.0.0.1/8333
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 5 status <&3
[[ $status == *" 200 "* ]]
