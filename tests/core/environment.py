"""The least environment in which the service starts."""

ROLES = ("ingest", "scan", "release", "download", "janitor")


KEYS = [f"GREENROOM_S3_{role.upper()}_{part}_KEY" for role in ROLES for part in ("ACCESS", "SECRET")]


SECRETS = ["GREENROOM_DATABASE_URL", *KEYS, "GREENROOM_SECRETS_KEY"]


LEAST = {
    "GREENROOM_DATABASE_URL": "sqlite:////var/lib/greenroom/ledger.db",
    "GREENROOM_SECRETS_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "GREENROOM_MASTER_KEY_URI": "none",
    "GREENROOM_S3_ENDPOINT": "127.0.0.1:8333",
    "GREENROOM_CLAMD": "unix:/run/clamav/clamd.sock",
    **{name: f"value-of-{name.lower()}" for name in KEYS},
}
