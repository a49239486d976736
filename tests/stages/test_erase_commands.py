"""``python -m service erase``: what it asks for and what it tells."""

import argparse
import json

import pytest

from service.core.errors import BadRequest, GreenroomError, NotFound, NotRemoved
from service.erasures import add_arguments
from service.stages.log.checkpoint import sign
from service.verify.receipt import CERTIFICATE, read_receipt
from tests.stages.test_erasing import seconds
from tests.stages.world import CALLER, PDF, World


def run(world: World, *words: str) -> int:
    """Run a command."""
    parser = argparse.ArgumentParser()
    add_arguments(parser, lambda: world.parts)
    options = parser.parse_args(words)
    return int(options.run(options))


@pytest.mark.parametrize("what", ["upload", "meeting", "person", "account"])
def test_it_is_asked_for_told_of_and_certified(
    world: World, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The id that is printed is what the other commands take."""
    upload = world.upload(PDF)
    ways = {
        "upload": ["upload", upload.id],
        "meeting": ["meeting", "--account", CALLER.account_id, "m1"],
        "person": ["person", "--account", CALLER.account_id, "ada@example.test"],
        "account": ["account", "--active", CALLER.account_id],
    }
    assert run(world, *ways[what]) == 0
    told = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert told["DONE_AT"] == ""
    seconds(world)
    sign(world.parts)
    run(world, "status", told["ERASURE_ID"])
    done = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert done["DONE_AT"]
    assert done["UPLOADS"] == ("0" if what == "person" else "1")
    run(world, "certificate", told["ERASURE_ID"])
    certificate = read_receipt(capsys.readouterr().out, CERTIFICATE)
    assert json.loads(certificate.line)["detail"]["mark"] == told["MARK"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["upload", "up_1"], NotFound),
        (["upload", "up_" + "0" * 32], NotFound),
        (["meeting", "--account", "nobody", "m1"], NotFound),
        (["meeting", "--account", "acme", "no meeting"], BadRequest),
        (["person", "--account", "acme", ""], BadRequest),
        (["account", "acme"], NotRemoved),
        (["status", "er_1"], NotFound),
        (["certificate", "er_" + "0" * 32], NotFound),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else None,
)
def test_what_is_not_there_is_said(world: World, words: list[str], error: type[GreenroomError]) -> None:
    """And nothing is asked for."""
    with pytest.raises(error):
        run(world, *words)
    assert world.erasures.all() == []
