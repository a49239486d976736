"""The operator's commands, run as processes: what they print and how they end."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from stack import clamd as stack_clamd
from stack import processes
from stack.clamd import DEMO_SIGNATURES, SHIPPED_CONFIG, Signatures
from stack.processes import wait_until
from stack.samples import EICAR, clean_deck
from tests.e2e import samples
from tests.e2e.serving import Backend, Service, Web
from tests.e2e.variant import write_policy

KEY = re.compile(r"KEY=(gr_[0-9a-f]{12})\.[A-Za-z0-9_-]{43}\nACCOUNT_ID=(\S+)\n")


def submit(backend: Backend, *arguments: str) -> CompletedProcess[str]:
    """Run `submit` as a developer does, with the address and the key in the environment."""
    known = {"API_URL": backend.web.url, "API_KEY": backend.key, "COLUMNS": "200"}
    service = backend.web.service
    return replace(service, environ={**service.environ, **known}).run("submit", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each kind."""
    (tmp_path / "deck.pptx").write_bytes(clean_deck())
    (tmp_path / "notes.txt").write_bytes(b"minutes")
    (tmp_path / "eicar.txt").write_bytes(EICAR)
    (tmp_path / "locked.docx").write_bytes(samples.locked_ooxml())
    (tmp_path / "tool.exe").write_bytes(b"MZ")
    return tmp_path


def test_submit_says_0_only_if_all_are_released(backend: Backend, folder: Path) -> None:
    """Two clean files: 0, and a row for each."""
    done = submit(backend, str(folder / "deck.pptx"), str(folder / "notes.txt"), "--meeting", "m1")
    assert done.returncode == 0, done.stderr
    assert [upload["state"] for upload in backend.uploads()] == ["released", "released"]
    for name in ("deck.pptx", "notes.txt"):
        assert re.search(rf"{re.escape(name)}.*released.*clean.*demo signatures: not protection", done.stdout)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("eicar.txt", ["blocked", "infected", "EICAR", "Malware was found"]),
        ("locked.docx", ["held", "encrypted", "remove the password"]),
        ("tool.exe", ["refused", "type_not_allowed", "not accepted"]),
        ("missing.txt", ["failed", "cannot be read"]),
    ],
)
def test_submit_tells_each_verdict(backend: Backend, folder: Path, name: str, words: list[str]) -> None:
    """Anything but a release is 1, with the verdict and what to do about it; the other files still go."""
    done = submit(backend, str(folder / name), str(folder / "notes.txt"), "--meeting", "m1")
    assert done.returncode == 1
    row = next(line for line in done.stdout.splitlines() if name in line)
    text = " ".join(done.stdout.split())
    assert words[0] in row
    for word in words:
        assert word in text
    assert re.search(r"notes\.txt.*released", done.stdout)
    assert "Traceback" not in done.stderr


def test_submit_without_a_service_or_a_key(backend: Backend, folder: Path) -> None:
    """No address is 2 with one line; no service and a wrong key are 1 with the reason."""
    service = backend.web.service
    done = service.run("submit", str(folder / "notes.txt"))
    assert (done.returncode, done.stderr) == (
        2,
        "greenroom: give --url and --key, or set API_URL and API_KEY\n",
    )
    away = service.run("submit", str(folder / "notes.txt"), "--url", "http://127.0.0.1:1", "--key", "x")
    assert (away.returncode, "did not answer" in away.stdout) == (1, True)
    wrong = service.run("submit", str(folder / "notes.txt"), "--url", backend.web.url, "--key", "x")
    assert wrong.returncode == 1
    assert re.search(r"notes\.txt.*failed.*unauthenticated", wrong.stdout)


def test_submit_takes_names_that_are_no_text(backend: Backend, folder: Path) -> None:
    """A file whose name is no UTF-8 is sent and shown as well as can be, and so are the others."""
    odd = folder / os.fsdecode(b"m\xfcller.txt")
    odd.write_bytes(b"minutes")
    done = submit(backend, str(odd), str(folder / "notes.txt"), "--meeting", "m1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("released") == 2
    assert sorted(upload["name"] for upload in backend.uploads()) == ["m\ufffdller.txt", "notes.txt"]


@pytest.mark.parametrize("odd", ["hidden\n", "hidden ä", "hidden\udcff"])
def test_submit_never_shows_a_key(backend: Backend, folder: Path, odd: str) -> None:
    """A key that no header can hold, perhaps with the line end of its file, is 2 and one line without it."""
    done = backend.web.service.run(
        "submit", str(folder / "notes.txt"), "--url", backend.web.url, "--key", odd
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("greenroom: the API key or grant must be ")
    assert (done.stderr.count("\n"), "hidden" in done.stderr) == (1, False)


def test_keys_are_made_listed_and_revoked(web: Web, service: Service) -> None:
    """A key is shown once; lists hold no secret; two live keys at most; a revoked one makes room."""
    account = "acme-commands"
    made = service.run("keys", "create", "--account", account, "--name", "first", "--scopes", "read, upload")
    match = KEY.fullmatch(made.stdout)
    assert (made.returncode, match is not None) == (0, True)
    assert match is not None
    assert match[2] == account
    second = service.run("keys", "create", "--account", account, "--days", "30")
    assert second.returncode == 0
    third = service.run("keys", "create", "--account", account)
    assert (third.returncode, third.stdout) == (1, "")
    assert "2 live keys already" in third.stderr
    revoked = service.run("keys", "revoke", match[1])
    assert (revoked.returncode, revoked.stderr) == (0, "")
    assert service.run("keys", "revoke", match[1]).returncode == 1
    listed = service.run("keys", "list", "--account", account).stdout
    assert re.search(rf"{match[1]}\s+revoked\s+{account}\s+expires never\s+read,upload\s+first", listed)
    assert re.search(rf"live\s+{account}\s+expires 20\d\d-", listed)
    assert made.stdout.split(".")[1].split("\n")[0] not in listed
    assert service.run("keys", "create", "--account", account).returncode == 0


def test_accounts_are_made_removed_and_brought_back(service: Service) -> None:
    """Each command prints the account as it is then; an administrator's key is printed once."""
    name = f"acc-{secrets.token_hex(6)}"
    region = next(iter(service.parts.stores))
    made = service.run("accounts", "create", name, "--plan", "trial")
    assert (made.returncode, made.stdout) == (0, f"{name}  active   trial  {region}\n")
    assert service.run("accounts", "create", name).returncode == 1
    gone = service.run("accounts", "remove", name)
    assert re.fullmatch(rf"{name}  removed  trial  {region}  erased from \S+Z\n", gone.stdout)
    assert gone.stdout in service.run("accounts", "list").stdout
    assert service.run("keys", "create", "--account", name).returncode == 1
    assert service.run("accounts", "reactivate", name).stdout == made.stdout
    assert service.run("accounts", "remove", f"{name}-other").returncode == 1
    key = service.run("keys", "create", "--admin", "--name", "backend")
    assert re.fullmatch(r"KEY=gr_[0-9a-f]{12}\.[A-Za-z0-9_-]{43}\n", key.stdout)


def test_released_files_are_scanned_again_when_somebody_asks(backend: Backend) -> None:
    """The command waits until the worker is done, says how far it is meanwhile and what came of it."""
    service = backend.web.service
    assert service.run("rescan", "--account", backend.account).returncode == 1
    assert backend.upload(b"minutes")["state"] == "released"
    done = service.run("rescan", "--account", backend.account)
    assert done.returncode == 0, done.stderr
    told = rf"\d+  begun \S+Z  asked for  {backend.account}  1 of 1 files, 0 blocked, 0 held  ended \S+Z\n"
    assert re.fullmatch(told, done.stdout)
    assert "100 %  1 of 1 files" in done.stderr.splitlines()[-1]
    assert done.stdout in service.run("rescan", "--status").stdout


def test_holds_are_placed_listed_and_lifted(service: Service) -> None:
    """Each command prints the hold as it is then, with its reason; what is lifted is listed on demand."""
    name = f"acc-{secrets.token_hex(6)}"
    service.run("accounts", "create", name)
    placed = service.run("holds", "place", "--account", name, "--meeting", "m1", "--reason", "By the court")
    assert placed.returncode == 0
    match = re.fullmatch(
        rf"(hd_[0-9a-f]{{32}})  {name}  meeting m1  placed \S+Z by operator:command  live\n"
        r"    By the court\n",
        placed.stdout,
    )
    assert match
    assert service.run("holds", "list", "--account", name).stdout == placed.stdout
    lifted = service.run("holds", "lift", match[1]).stdout
    assert re.search(r"  lifted \S+Z by operator:command\n", lifted)
    assert service.run("holds", "list", "--account", name).stdout == ""
    assert service.run("holds", "list", "--account", name, "--all").stdout == lifted
    assert service.run("holds", "place", "--account", name, "--reason", "short").returncode == 1
    assert service.run("holds", "lift", "hd_").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--account", "../x"],
        ["--account", ""],
        ["--account", "a", "--scopes", "root"],
        ["--account", "a", "--scopes", ""],
        ["--account", "a", "--days", "0"],
        ["--account", "a", "--days", "-3"],
        ["--account", "@operator"],
        ["--admin", "--scopes", "read"],
        ["--admin", "--days", "0"],
    ],
)
def test_odd_keys_are_not_made(service: Service, arguments: list[str]) -> None:
    """An odd account, scope or lifetime is one line and no key."""
    done = service.run("keys", "create", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("greenroom: ")
    assert done.stderr.count("\n") == 1


def test_odd_environment_is_one_line(service: Service) -> None:
    """A misspelt name stops every command before it does anything, and names the name."""
    odd = replace(service, environ={**service.environ, "GREENROOM_CLAMMD": "unix:/x"})
    for command in (["migrate"], ["worker"], ["keys", "list"]):
        done = odd.run(*command)
        assert (done.returncode, done.stderr) == (
            2,
            "greenroom: GREENROOM_CLAMMD is not a setting of Greenroom\n",
        )


def test_migrate_may_run_twice_at_once(service: Service, tmp_path: Path) -> None:
    """Two processes that migrate one new database both succeed, and a third finds nothing to do."""
    database = {"GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    fresh = replace(service, environ={**service.environ, **database}, folder=tmp_path, children=[])
    command = ["python", "-m", "service", "migrate"]
    children = [fresh.start(f"migrate{number}", command) for number in range(2)]
    assert [child.process.wait(60) for child in children] == [0, 0], fresh.logged()
    assert fresh.run("migrate").returncode == 0


SMALLER = [("StreamMaxLength", "1M"), ("MaxFileSize", "1M"), ("MaxScanSize", "1M")]


@pytest.fixture(params=SMALLER, ids=[name for name, _ in SMALLER])
def small_clamd(request: pytest.FixtureRequest, parts_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A clamd whose limits do not reach as far as the service's; its socket."""
    name, value = request.param
    folder = parts_folder / f"clamd-{name}"
    path = stack_clamd.prepare(folder, Signatures(DEMO_SIGNATURES, "demo"))
    config = folder / "clamd.conf"
    config.write_text(re.sub(rf"(?m)^{name} .*$", f"{name} {value}", config.read_text()))
    assert config.read_text() != SHIPPED_CONFIG.read_text()
    argv = stack_clamd.command(folder)
    child = processes.start("small clamd", argv, env=processes.bare_environment(folder), log=tmp_path / "log")
    wait_until(lambda: stack_clamd.ping(path), 60, "clamd's start")
    yield path
    child.stop()


def test_worker_does_not_start_on_limits_that_do_not_cohere(
    service: Service, small_clamd: Path, tmp_path: Path
) -> None:
    """R8: a clamd that looks less far than the policy takes stops the worker at its start, with one line."""
    policy = write_policy(tmp_path / "policy.toml", 4 * 1024 * 1024)
    environ = {"GREENROOM_CLAMD": f"unix:{small_clamd}", "GREENROOM_POLICY_FILE": str(policy)}
    done = replace(service, environ={**service.environ, **environ}).run("worker")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("greenroom: clamd does not look into files of 4194304 bytes: raise its ")
    assert done.stderr.count("\n") == 1
