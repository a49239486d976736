"""Contents: what lies in the store is sealed, and what comes back is what was put."""

from dataclasses import replace

import pytest

from service.core.byterange import ByteRange
from service.core.errors import ContentLost, Gone, KeyDestroyed
from service.core.upload import Event, State
from service.stages import contents
from service.stages.keyring import KEPT
from service.stages.read import released_content
from tests.stages.world import KIBI, PDF, World

FRAME = 256 * KIBI


def part(first: int, last: int) -> ByteRange:
    """Return a part of the PDF."""
    return ByteRange(first, last, len(PDF))


def test_nothing_lies_plainly_in_the_store(world: World) -> None:
    """Neither in quarantine nor released is there a stretch of what was sent."""
    upload = world.upload(PDF)
    assert upload.state is State.RELEASED
    stored = [*world.store.quarantined.values(), *world.store.released.values()]
    assert stored
    assert not [at for at in range(0, len(PDF) - 64, 64) for data in stored if PDF[at : at + 64] in data]
    assert b"".join(released_content(world.parts, upload)) == PDF


def test_each_upload_has_a_key_of_its_own(world: World) -> None:
    """The same bytes sent twice have nothing in common in the store, and one's key opens not the other's."""
    one, other = world.upload(PDF), world.upload(PDF)
    assert one.content_key != other.content_key
    taken = replace(one, content_key=other.content_key)
    with pytest.raises(ContentLost):
        b"".join(released_content(world.parts, taken))


@pytest.mark.parametrize("offset", [0, 1, 300 * KIBI, len(PDF) - 1])
@pytest.mark.parametrize("length", [1, 300 * KIBI, None])
def test_ranges_are_those_of_the_content(world: World, offset: int, length: int | None) -> None:
    """At any offset, as many bytes as there are, and none behind the end."""
    upload = world.upload(PDF)
    with contents.released(world.parts, upload, upload.segments[0], offset, length) as source:
        found = b"".join(iter(lambda: source.read(1000), b""))
    assert found == PDF[offset:][:length]
    behind = contents.released(world.parts, upload, upload.segments[0], len(PDF), 1)
    with pytest.raises(ContentLost), behind:
        pass


def test_contents_of_earlier_versions_are_read_as_they_are(world: World) -> None:
    """A row without a key has plain objects: they are scanned, copied out and handed out as before."""
    world.store.watch = lambda _stored, _data: None
    plain = world.ledger.save(replace(world.begin(len(PDF)), content_key=None))
    half = len(PDF) // 2
    world.send(plain.id, 0, PDF[:half])
    world.send(plain.id, half, PDF[half:])
    assert b"".join(world.store.quarantined.values()) == PDF
    world.settle()
    row = world.row()
    assert row.state is State.RELEASED
    assert b"".join(world.store.released[segment.key] for segment in row.segments) == PDF
    assert b"".join(released_content(world.parts, row)) == PDF


def test_a_destroyed_key_leaves_noise(world: World) -> None:
    """With the account's key everything under it is gone, though the objects and the rows are still there."""
    upload = world.upload(PDF)
    account = world.accounts.peek("acme")
    world.accounts.change(replace(account, sealed_key=None, erased_at=world.clock.now()), None)
    world.clock.advance(KEPT)
    with pytest.raises(KeyDestroyed):
        b"".join(released_content(world.parts, upload))


def test_an_object_of_another_upload_is_not_handed_out(world: World) -> None:
    """Whoever swaps objects behind the ledger's back gets an error served, not the other file."""
    one, other = world.upload(PDF), world.upload(PDF + b"%")
    store = world.store
    store.released[one.segments[0].key] = store.released[other.segments[0].key]
    with pytest.raises(ContentLost):
        b"".join(released_content(world.parts, one))


def test_a_stretch_lies_over_segments_as_over_one(world: World) -> None:
    """Its ends may be anywhere in them, and what lies between is given whole."""
    upload = world.begin(len(PDF))
    third = len(PDF) // 3
    for offset in (0, third, 2 * third):
        world.send(upload.id, offset, PDF[offset:][: third if offset < 2 * third else None])
    world.settle()
    row = world.row()
    assert len(row.segments) > 1
    for first, last in [(0, 0), (5, third - 1), (third - 1, third), (5, len(PDF) - 5), (len(PDF) - 1,) * 2]:
        found = b"".join(released_content(world.parts, row, part(first, last)))
        assert found == PDF[first : last + 1]


def test_a_stretch_of_a_changed_object_is_not_given(world: World) -> None:
    """Each frame is proved before a byte of it leaves; those that were not touched are given still."""
    upload = world.upload(PDF)
    key = upload.segments[0].key
    changed = bytearray(world.store.released[key])
    changed[FRAME + 56 + 100] ^= 1
    world.store.released[key] = bytes(changed)
    assert b"".join(released_content(world.parts, upload, part(10, 20))) == PDF[10:21]
    with pytest.raises(ContentLost):
        b"".join(released_content(world.parts, upload, part(FRAME + 9000, FRAME + 9001)))


def test_a_stretch_of_what_is_recalled_meanwhile_ends(world: World) -> None:
    """As a whole download does: its last chunk is not given."""
    upload = world.upload(PDF)
    chunks = released_content(world.parts, upload, part(1, len(PDF) - 2))
    found = next(chunks)
    world.ledger.save(replace(upload).moved(Event.DELETED, world.clock.now(), {}))
    with pytest.raises(Gone):
        found += b"".join(chunks)
    assert len(found) < len(PDF) - 2
