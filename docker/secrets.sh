#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, once: a file that is there is never changed.
# Usage: docker/secrets.sh [FOLDER], default .secrets
#
# The folder is closed to everyone else (700). The files in it are readable (444), because compose mounts them as
# they are, and the users in the containers, who have numbers of their own, must be able to read them.
set -eu
umask 077

folder=${1:-.secrets}
mkdir -p "$folder"
chmod 700 "$folder"

fresh() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# keep NAME VALUE: writes the file in one step, so that a broken run leaves no empty secret behind.
keep() {
    if [ ! -e "$folder/$1" ]; then
        printf '%s' "$2" > "$folder/.$1.new"
        chmod 444 "$folder/.$1.new"
        mv "$folder/.$1.new" "$folder/$1"
    fi
}

for role in ingest scan release download janitor witness; do
    keep "s3_${role}_secret_key" "$(fresh)"
done
# What is secret in the database is sealed with it: 32 bytes in URL-safe base64.
keep secrets_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
# By it the keys of all accounts are sealed: a keyset with one AES256-GCM key, as `python -m service keys new-master`
# makes one. The two bytes before the key are what Tink's protocol buffer begins with.
number=$(od -An -N4 -tu4 /dev/urandom | tr -d ' \n')
key=$({ printf '\032\040'; head -c 32 /dev/urandom; } | base64 | tr -d '\n')
keep master_key "{\"primaryKeyId\": $number, \"key\": [{\"keyData\": {\"typeUrl\": \
\"type.googleapis.com/google.crypto.tink.AesGcmKey\", \"value\": \"$key\", \"keyMaterialType\": \"SYMMETRIC\"}, \
\"status\": \"ENABLED\", \"keyId\": $number, \"outputPrefixType\": \"TINK\"}]}"
# Of the provider that reviewers sign in with: empty until somebody fills it in (docs/console.md).
keep oidc_client_secret ""
keep postgres_password "$(fresh)"
keep database_url "postgresql+psycopg://greenroom:$(cat "$folder/postgres_password")@postgres:5432/greenroom"
