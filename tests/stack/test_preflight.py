"""What stops `make run` before it starts anything: each is one line that says what to do."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from stack import StackError, clamd, preflight, settings
from stack.clamd import choose_signatures
from stack.ports import claim_block
from stack.settings import Settings
from tests.stack.running import CONSOLE_OFFSET, DEMO_OFFSET, METRICS_OFFSET, OFFSETS, WEB_OFFSET

VARIABLES = {
    WEB_OFFSET: "GREENROOM_PORT",
    DEMO_OFFSET: "GREENROOM_DEMO_PORT",
    CONSOLE_OFFSET: "GREENROOM_CONSOLE_PORT",
    METRICS_OFFSET: "GREENROOM_METRICS_PORT",
}


def make(tmp_path: Path, base: int) -> Settings:
    """Settings for a stack in `tmp_path` on the ports counted from `base`."""
    return Settings(
        tmp_path,
        base + WEB_OFFSET,
        base,
        choose_signatures({}),
        "demo",
        demo_port=base + DEMO_OFFSET,
        console_port=base + CONSOLE_OFFSET,
        metrics_port=base + METRICS_OFFSET,
    )


def test_only_one_run_holds_the_lock(tmp_path: Path) -> None:
    """A second run is told who holds the folder; when the first one has ended the lock is free."""
    state = tmp_path / "state"
    with preflight.lock(state), pytest.raises(StackError, match=r"already running .* GREENROOM_STATE_DIR"):
        preflight.lock(state)
    preflight.lock(state).close()
    assert state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_taken_port_is_named_with_its_variable(tmp_path: Path, offset: int) -> None:
    """Every port of the stack is looked at, and the error names it and the variable that moves it."""
    base, claim = claim_block(OFFSETS)
    with claim:
        preflight.check(make(tmp_path, base))
        with socket.create_server(("127.0.0.1", base + offset)), pytest.raises(StackError) as refused:
            preflight.check(make(tmp_path, base))
    assert f"port {base + offset} " in str(refused.value)
    assert VARIABLES.get(offset, "GREENROOM_S3_PORT") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_clamd_names_the_package(tmp_path: Path) -> None:
    """The developer is told what to install."""
    with pytest.raises(StackError, match="clamd is missing: apt-get install clamav-daemon"):
        clamd.find_program(search=str(tmp_path))


def test_a_nearly_full_disk_is_refused(tmp_path: Path) -> None:
    """With less free than is asked for, the error tells both numbers and the way out."""
    free = shutil.disk_usage(tmp_path).free
    preflight.check_disk(tmp_path, free // 2)
    with pytest.raises(StackError, match=r"nearly full: .* GiB free, .* GiB needed; .*GREENROOM_STATE_DIR"):
        preflight.check_disk(tmp_path, free * 2)


def test_a_state_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """A place where no folder can be made, and one whose name is too long for clamd's socket."""
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot be used: Not a directory; see GREENROOM_STATE_DIR"):
        preflight.lock(tmp_path / "file" / "state")
    with pytest.raises(StackError, match="socket is too long, choose a shorter GREENROOM_STATE_DIR"):
        preflight.check(make(tmp_path / ("x" * 100), 20_000))


@pytest.mark.parametrize("value", ["0", "65536", "eighty", "-1", "80.5", "٨٠٨٠"])  # the last: other digits
def test_an_odd_port_is_refused_by_name(value: str) -> None:
    """A port that is none is an error that names the variable."""
    with pytest.raises(StackError, match="GREENROOM_PORT must be a port"):
        settings.read({"GREENROOM_PORT": value})


def test_the_stores_highest_port_must_be_a_port() -> None:
    """The store's gRPC ports lie 10000 above the others."""
    with pytest.raises(StackError, match="GREENROOM_S3_PORT must be a port between 1 and 55531"):
        settings.read({"GREENROOM_S3_PORT": "55532"})


def test_two_parts_on_one_port_are_refused() -> None:
    """No two parts share a port: the web app, the demo page, the console, the store."""
    for clash, port in (
        ({"GREENROOM_PORT": "8335"}, 8335),
        ({"GREENROOM_DEMO_PORT": "8333"}, 8333),
        ({"GREENROOM_DEMO_PORT": "8080"}, 8080),
        ({"GREENROOM_CONSOLE_PORT": "8080"}, 8080),
    ):
        with pytest.raises(StackError, match=f"port {port} is both"):
            settings.ports(settings.read(clash))


def test_a_signature_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A mistyped folder must not quietly become the demo signatures."""
    with pytest.raises(StackError, match="GREENROOM_SIGNATURES_DIR is not a folder"):
        settings.read({"GREENROOM_SIGNATURES_DIR": str(tmp_path / "missing")})


def test_the_named_rule_wins_over_the_folders_own() -> None:
    """GREENROOM_SIGNATURES is taken from the environment where it is set."""
    assert settings.read({"GREENROOM_SIGNATURES": "official"}).protection == "official"
    assert settings.read({}).protection == settings.read({}).signatures.protection
