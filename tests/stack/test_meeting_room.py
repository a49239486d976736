"""The meeting room of `make run`: what its server hands out and what it keeps to itself."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader

from examples.meeting_room.app import Sample, create_app
from greenroom_client import Client, Forbidden, Retry
from stack import leftovers
from stack.ports import LOOPBACK, free_port
from stack.samples import EICAR, PASSWORD, clean_deck, locked_pdf
from tests.stack.running import Place

SAMPLES = {"welcome.pptx": clean_deck(), "eicar.txt": EICAR, "locked.pdf": locked_pdf()}


@dataclass(frozen=True)
class Room:
    """The room's server, as a browser would ask it, and the way to the API."""

    http: httpx.Client
    told: dict[str, str]

    def presenter(self) -> Client:
        """The API with a presenter's grant."""
        return Client(self.told["API_URL"], self.http.post("/upload-grants").json()["token"], trust_env=False)


@pytest.fixture
def room(place: Place, run: subprocess.Popen[bytes]) -> Iterator[Room]:
    """The room of the run."""
    told = place.dev_env()
    with httpx.Client(base_url=told["DEMO_URL"], timeout=60, trust_env=False) as http:
        yield Room(http, told)


def test_only_what_was_released_is_shared(room: Room, tmp_path: Path) -> None:
    """Of a clean, an infected and a locked file participants see one, and get its very bytes with a grant."""
    meeting = meeting_of(room)
    with room.presenter() as presenter:
        sent = [
            presenter.upload(content, meeting=meeting, name=name, wait=60)
            for name, content in SAMPLES.items()
        ]
        with pytest.raises(Forbidden):
            presenter.upload(b"x", meeting="another", name="x.txt")
    assert [upload.state for upload in sent] == ["released", "blocked", "held"]
    clean, *others = sent
    [shown] = room.http.get("/files").json()
    assert (shown["id"], shown["name"], shown["size"]) == (clean.id, "welcome.pptx", clean.size)
    for other in others:
        assert room.http.post(f"/files/{other.id}/download-grant").status_code == 404
    granted = room.http.post(f"/files/{clean.id}/download-grant").json()
    with Client(room.told["API_URL"], granted["token"], trust_env=False) as participant:
        participant.download(clean.id, tmp_path / "welcome.pptx")
    assert (tmp_path / "welcome.pptx").read_bytes() == SAMPLES["welcome.pptx"]


def test_a_grant_is_renewed_as_the_same(room: Room) -> None:
    """A renewed token is of the grant under which the uploads began; of an unknown grant there is none."""
    first = room.http.post("/upload-grants").json()
    again = room.http.post(f"/upload-grants/{first['id']}/refresh").json()
    assert again["id"] == first["id"]
    assert room.http.post(f"/upload-grants/gt_{'0' * 32}/refresh").status_code == 502


def test_the_samples_are_made_when_they_are_asked_for(room: Room) -> None:
    """Each is handed out as a download under its name; another name is not found."""
    for name, content in SAMPLES.items():
        answer = room.http.get(f"/samples/{name}")
        # The deck's parts bear the time at which it was made.
        assert answer.content == content or name == "welcome.pptx"
        assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert room.http.get("/samples/other.txt").status_code == 404


def test_the_locked_sample_opens_with_its_password_only() -> None:
    """The PDF is what it is said to be."""
    reader = PdfReader(io.BytesIO(locked_pdf()))
    assert not reader.decrypt("")
    assert reader.decrypt(PASSWORD)
    assert reader.pages[0].extract_text() == "Only for those who know"


def test_the_key_stays_on_the_server(place: Place, room: Room) -> None:
    """No answer has the API key or a cookie, and the room's process knows no other secret of the stack."""
    scripts = [f"/static/{name}" for name in ("room.js", "files.js", "passage.js", "room.css")]
    answers = [room.http.get(path) for path in ("/", "/files", *scripts)]
    answers.append(room.http.post("/upload-grants"))
    for answer in answers:
        assert answer.is_success
        assert room.told["API_KEY"] not in answer.text
        assert "Set-Cookie" not in answer.headers
    known = [environ for environ in environments(place) if b"stack.demo:app" in environ[0]]
    assert known
    for _, environ in known:
        assert b"API_KEY" in environ
        assert b"GREENROOM_S3" not in environ
        assert b"GREENROOM_SECRETS_KEY" not in environ


def test_the_policy_names_the_room_and_greenroom_alone(room: Room) -> None:
    """Script and data come from two origins; nothing is inline, framed, or said to other sites."""
    answer = room.http.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert f"script-src 'self' {room.told['API_URL']};" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_stranger_s_name_for_this_machine_is_refused(room: Room) -> None:
    """A page whose own name was made to lead to 127.0.0.1 gets no grant."""
    answer = room.http.post("/upload-grants", headers={"Host": "attacker.example"})
    assert answer.status_code == 400


def test_with_greenroom_away_the_room_says_so() -> None:
    """The page is there; grants, files and downloads are a clear 502, and nothing is shared."""
    address = f"http://{LOOPBACK}:{free_port()}"
    greenroom = Client(address, "key", retry=Retry(attempts=1), trust_env=False)
    with greenroom, create_app(greenroom, address, [Sample("a.txt", bytes, "")]).test_client() as browser:
        assert browser.get("/").status_code == 200
        for answer in (
            browser.get("/files"),
            browser.post("/upload-grants"),
            browser.post("/files/up_0/download-grant"),
        ):
            assert (answer.status_code, answer.json) == (502, {"error": "files cannot be shared just now"})


def meeting_of(room: Room) -> str:
    """The meeting's name, as the page tells it to the widget."""
    return room.http.get("/").text.partition(' meeting="')[2].partition('"')[0]


def environments(place: Place) -> list[tuple[bytes, bytes]]:
    """The command line and the environment of each process of the run."""
    return [
        (Path(f"/proc/{pid}/cmdline").read_bytes(), Path(f"/proc/{pid}/environ").read_bytes())
        for pid in leftovers.find(place.state)
    ]
