"""What docker-compose.yml promises, read from the file alone. `make compose-test` brings it up for real."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import config
from service.core.account import HOME
from stack.store_policy import GRANTS

ROOT = Path(__file__).resolve().parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
APP_SERVICES = ("web", "worker", "migrate", "metrics", "console")
#: Those that handle content.
STORE_SERVICES = ("web", "worker")

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_app_service = pytest.mark.parametrize("name", APP_SERVICES)


def the_default(text: str) -> str:
    """`text` as compose reads it when no variable is set: ${NAME:-default} is default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def app_environment(name: str) -> dict[str, str]:
    """The service's environment as Greenroom would find it, defaults filled in."""
    return {key: the_default(str(value)) for key, value in SERVICES[name]["environment"].items()}


@every_app_service
def test_sets_only_what_the_service_reads(name: str) -> None:
    """A variable that the service does not know would keep it from starting."""
    assert set(SERVICES[name]["environment"]) <= config.VARIABLES


@every_app_service
def test_sets_everything_that_the_service_needs(name: str) -> None:
    """Each required name is set, plainly or as a file."""
    given = {key.removesuffix("_FILE") for key in SERVICES[name]["environment"]}
    assert given >= config.REQUIRED


#: The secrets that must look like something.
SHAPED = {
    "database_url": "postgresql+psycopg://u:p@postgres/d",
    "secrets_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "master_key": '{"primaryKeyId": 1, "key": []}',
}


@every_app_service
def test_the_service_accepts_the_values(name: str, tmp_path: Path) -> None:
    """The settings can be read from it, with secrets in the files where compose mounts them."""
    environment = app_environment(name)
    for key, value in environment.items():
        if key.endswith("_FILE"):
            secret = tmp_path / Path(value).name
            secret.write_text(SHAPED.get(secret.name, "s"))
            environment[key] = str(secret)
    settings = config.read_settings(environment)
    assert settings.clamd == "/run/clamav/clamd.sock"
    assert settings.stores[HOME].endpoint == "store:8333"


@every_service
def test_every_secret_file_that_is_read_is_mounted(name: str) -> None:
    """What a *_FILE variable names is one of the service's secrets, and all of those are declared."""
    service = SERVICES[name]
    files = {
        value.removeprefix("/run/secrets/")
        for key, value in service.get("environment", {}).items()
        if key.endswith("_FILE")
    }
    assert files <= set(service.get("secrets", []))
    assert set(service.get("secrets", [])) <= set(FILE["secrets"])


def test_no_secret_stands_in_the_file() -> None:
    """Passwords and secret keys come as files; plain are only the names of the identities."""
    for name in APP_SERVICES:
        for key, value in SERVICES[name]["environment"].items():
            assert not key.endswith("_SECRET_KEY") or value == "none"
            assert key != "GREENROOM_DATABASE_URL"


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("console", {"database_url", "secrets_key", "master_key", "oidc_client_secret"}),
        ("metrics", {"database_url", "secrets_key"}),
    ],
)
def test_who_handles_no_content_has_no_key_to_the_store(name: str, secrets: set[str]) -> None:
    """Who works there, or breaks in there, can read no content: it holds none of the store's secrets."""
    service, stores = SERVICES[name], {f"s3_{role}_secret_key" for role in GRANTS}
    assert set(service["secrets"]) == secrets
    keys = {value for key, value in service["environment"].items() if re.search("_(ACCESS|SECRET)_KEY", key)}
    assert keys == {"none"}
    assert all(stores <= set(SERVICES[name]["secrets"]) for name in STORE_SERVICES)


def test_the_store_and_the_service_share_the_identities() -> None:
    """Every role of the store's policy has its secret in the store's container, under the same name."""
    assert {f"s3_{role}_secret_key" for role in GRANTS} == set(SERVICES["store"]["secrets"])
    access_keys = {key: value for key, value in app_environment("web").items() if key.endswith("_ACCESS_KEY")}
    assert access_keys == {f"GREENROOM_S3_{role.upper()}_ACCESS_KEY": f"greenroom-{role}" for role in GRANTS}


def test_the_script_makes_every_declared_secret() -> None:
    """A fresh checkout and docker/secrets.sh are enough: no declared secret is without its file."""
    script = (ROOT / "docker" / "secrets.sh").read_text()
    made = set(re.findall(r"^keep (\w+) ", script, re.MULTILINE)) | {
        f"s3_{role}_secret_key" for role in GRANTS
    }
    assert 'keep "s3_${role}_secret_key"' in script
    assert made == set(FILE["secrets"])


@every_service
def test_hardening(name: str) -> None:
    """No root, nothing writable but what is named, no capability, no way to new privileges, bounded."""
    service = SERVICES[name]
    assert re.fullmatch(r"1000\d:1000\d", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)


@every_service
def test_what_is_writable_is_bounded_or_a_named_volume(name: str) -> None:
    """A tmpfs has a size, since it is memory; no folder of the host is mounted."""
    service = SERVICES[name]
    assert all(re.search(r":size=[^,]+,", mount) for mount in service["tmpfs"])
    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(FILE["volumes"])


@every_service
def test_has_a_health_check(name: str) -> None:
    """Everything that stays up is asked how it is; the migration ends by itself."""
    check = SERVICES[name]["healthcheck"]
    assert check == {"disable": True} if name == "migrate" else check["test"][0] in {"CMD", "CMD-SHELL"}


def test_only_named_ports_are_published_and_on_loopback() -> None:
    """The default publishes on 127.0.0.1 alone: what faces the world is the operator's TLS proxy. The console
    and the metrics are on ports of their own; with the latter that proxy has no business."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert {name: [the_default(port) for port in ports] for name, ports in published.items()} == {
        "web": ["127.0.0.1:8080:8080"],
        "metrics": ["127.0.0.1:9464:9464"],
        "console": ["127.0.0.1:8090:8090"],
    }


def test_who_is_on_which_network() -> None:
    """The store and the ledger are on an internal network alone; clamd shares none with anyone."""
    members = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in FILE["networks"]
    }
    assert members == {
        "front": {"web"},
        "desk": {"console"},
        "inside": {"web", "worker", "migrate", "metrics", "console", "store", "postgres"},
        "egress": {"clamav"},
        "hooks": {"worker"},
        "watch": {"metrics"},
    }
    assert FILE["networks"]["inside"] == {"internal": True}


def test_clamd_is_reached_by_a_socket_of_its_group() -> None:
    """Web and worker mount the socket's volume and have the group that clamd runs as; the store does not."""
    socket = app_environment("web")["GREENROOM_CLAMD"].removeprefix("unix:")
    assert f"LocalSocket {socket}\n" in (ROOT / "clamav" / "clamd.conf").read_text()
    group = SERVICES["clamav"]["user"].split(":")[1]
    mount = f"scanner:{Path(socket).parent}"
    for name, service in SERVICES.items():
        assert (mount in service.get("volumes", [])) == (name in {*APP_SERVICES, "clamav"})
    assert all(SERVICES[name]["group_add"] == [group] for name in APP_SERVICES)


@every_service
def test_every_image_is_a_target_of_the_dockerfile(name: str) -> None:
    """All images are built from one file on one base; each name belongs to one target."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    build = SERVICES[name]["build"]
    assert build["context"] == "."
    assert re.search(rf"^FROM \w+ AS {build['target']}$", dockerfile, re.MULTILINE)
    assert SERVICES[name]["image"] == f"greenroom-{build['target']}:local"
    default = re.search(r"^ARG DEBIAN=(\S+)$", dockerfile, re.MULTILINE)
    assert default is not None
    assert the_default(build["args"]["DEBIAN"]) == default[1]
    assert re.findall(r"^FROM (\$\S+)", dockerfile, re.MULTILINE) == ["${DEBIAN}"]


@every_service
def test_the_user_is_the_one_that_the_image_names(name: str) -> None:
    """The numbers in the two files agree: they decide about every file on the volumes."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    target = SERVICES[name]["build"]["target"]
    stage = dockerfile.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]
    assert f"\nUSER {SERVICES[name]['user']}\n" in stage


def test_the_signatures_rule_is_one_for_scanner_and_service() -> None:
    """Official by default, and never demo signatures under a service that takes them for official ones."""
    rules = {SERVICES[name]["environment"]["GREENROOM_SIGNATURES"] for name in (*APP_SERVICES, "clamav")}
    assert rules == {"${GREENROOM_SIGNATURES:-official}"}
