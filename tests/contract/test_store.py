"""``ports.ObjectStore``: the same laws for the fake and for a real SeaweedFS."""

import hashlib
import io
import random
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from service.adapters.minio_store import Buckets, Identity, MinioStore, Role
from service.core.errors import ContentLost, StoreUnavailable, Truncated
from service.ports import ObjectStore, Source, Stored
from stack.ports import LOOPBACK, free_port
from stack.store import REGION, Store
from stack.store_policy import QUARANTINE, RELEASED
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults
from tests.fakes.store import FakeStore

MEBI: Final = 1024 * 1024
PART: Final = 5 * MEBI
SIZES: Final = [0, 1, 65_535, 65_537, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1]


@dataclass
class StoreCase:
    """A store, and a way round it to look and to tamper.

    ``keys`` lists a bucket below an upload's prefix, ``unfinished`` its multipart uploads; ``begin`` leaves
    an unfinished one; ``overwrite`` replaces a quarantined object.
    """

    store: ObjectStore
    keys: Callable[[str, str], set[str]]
    unfinished: Callable[[str], set[str]]
    begin: Callable[[str], None]
    overwrite: Callable[[str, bytes], None]


def real_case(running: Store) -> StoreCase:
    """Return SeaweedFS behind the product's adapter."""
    janitor, ingest = running.client("janitor"), running.client("ingest")

    def keys(bucket: str, upload_id: str) -> set[str]:
        found = janitor.list_objects(bucket, prefix=f"{upload_id}/", recursive=True)
        return {str(item.object_name) for item in found}

    def unfinished(upload_id: str) -> set[str]:
        listed = janitor._list_multipart_uploads(QUARANTINE, prefix=f"{upload_id}/")
        return {str(item.object_name) for item in listed.uploads}

    def begin(key: str) -> None:
        ingest._create_multipart_upload(QUARANTINE, key, {})

    def overwrite(key: str, data: bytes) -> None:
        ingest.put_object(QUARANTINE, key, io.BytesIO(data), len(data))

    return StoreCase(adapter(running, running.endpoint), keys, unfinished, begin, overwrite)


def adapter(running: Store, endpoint: str) -> MinioStore:
    """Return the product's adapter with the identities of a running store."""
    identities = {role: running.identities[role.value] for role in Role}
    return MinioStore(
        endpoint,
        secure=False,
        region=REGION,
        buckets=Buckets(QUARANTINE, RELEASED),
        identities={role: Identity(one.access_key, one.secret_key) for role, one in identities.items()},
    )


def fake_case() -> StoreCase:
    """Return the fake."""
    clock = FakeClock(datetime.now(UTC))
    fake = FakeStore(Faults(), clock)
    buckets = {QUARANTINE: fake.quarantined, RELEASED: fake.released}
    return StoreCase(
        fake,
        lambda bucket, upload_id: {key for key in buckets[bucket] if key.startswith(f"{upload_id}/")},
        lambda upload_id: {key for key in fake.unfinished if key.startswith(f"{upload_id}/")},
        lambda key: fake.unfinished.update({key: clock.now()}),
        lambda key, data: fake.quarantined.update({key: data}),
    )


@pytest.fixture(params=["fake", "seaweedfs"])
def case(request: pytest.FixtureRequest) -> StoreCase:
    """Each store in turn."""
    return fake_case() if request.param == "fake" else real_case(request.getfixturevalue("store"))


@pytest.fixture
def upload_id() -> str:
    """An upload that no other test knows."""
    return f"up_{secrets.token_hex(16)}"


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that repeat nowhere, so that a swapped or doubled part shows."""
    return random.Random(seed).randbytes(size)


@dataclass
class Trickle:
    """A source that gives odd amounts and may break off with an error."""

    data: bytes
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self._body = io.BytesIO(self.data)

    def read(self, size: int, /) -> bytes:
        """Return at most 77 777 bytes."""
        piece = self._body.read(min(size, 77_777))
        if not piece and self.error is not None:
            raise self.error
        return piece


def put(case: StoreCase, upload_id: str, data: bytes) -> Stored:
    """Store an object."""
    return case.store.put(f"{upload_id}/{secrets.token_hex(16)}", io.BytesIO(data), len(data))


def everything(source: Source) -> bytes:
    """Read a source to its end."""
    pieces = []
    while piece := source.read(256 * 1024):
        assert len(piece) <= 256 * 1024
        pieces.append(piece)
    assert source.read(1) == b""
    return b"".join(pieces)


@pytest.mark.parametrize("known", [True, False], ids=["known length", "unknown length"])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_read_is_what_was_put(case: StoreCase, upload_id: str, size: int, *, known: bool) -> None:
    """Byte for byte at every edge of a part, length known or not, in quarantine and released."""
    data = noise(size)
    stored = case.store.put(f"{upload_id}/a", Trickle(data), size if known else None)
    assert (stored.key, stored.size) == (f"{upload_id}/a", size)
    assert '"' not in stored.etag
    with case.store.read_quarantined(stored.key) as source:
        assert everything(source) == data
    case.store.release(stored)
    with case.store.read_released(stored.key) as source:
        assert everything(source) == data


def test_a_whole_segment_of_64_mib(case: StoreCase, upload_id: str) -> None:
    """The largest object there is: put in parts, copied in one call."""
    data = noise(MEBI) * 64
    stored = put(case, upload_id, data)
    case.store.release(stored)
    with case.store.read_released(stored.key) as source:
        assert hashlib.sha256(everything(source)).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("known", [True, False], ids=["known length", "unknown length"])
@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART])
def test_a_source_that_raises_leaves_nothing(
    case: StoreCase, upload_id: str, size: int, *, known: bool
) -> None:
    """Its error passes through as it is, wherever it strikes: no object, no unfinished multipart upload."""
    error = Truncated("broke off")
    with pytest.raises(Truncated) as raised:
        case.store.put(f"{upload_id}/a", Trickle(noise(size), error), size + 1 if known else None)
    assert raised.value is error
    assert case.keys(QUARANTINE, upload_id) == set()
    assert case.unfinished(upload_id) == set()


@pytest.mark.parametrize("error", [OSError("disk"), StoreUnavailable("not mine"), ContentLost("nor this")])
def test_the_sources_own_error_is_not_taken_for_the_stores(
    case: StoreCase, upload_id: str, error: Exception
) -> None:
    """Whoever reads the error later must know whose it was."""
    with pytest.raises(type(error)) as raised:
        case.store.put(f"{upload_id}/a", Trickle(noise(PART + 1), error), 2 * PART)
    assert raised.value is error
    assert case.keys(QUARANTINE, upload_id) == case.unfinished(upload_id) == set()


@pytest.mark.parametrize("size", [1, PART, 2 * PART])
def test_a_source_shorter_than_its_length_leaves_nothing(case: StoreCase, upload_id: str, size: int) -> None:
    """A length that was not kept is an error, never a shorter object."""
    with pytest.raises(StoreUnavailable):
        case.store.put(f"{upload_id}/a", Trickle(noise(size - 1)), size)
    assert case.keys(QUARANTINE, upload_id) == case.unfinished(upload_id) == set()


def test_failed_puts_leave_no_threads(case: StoreCase, upload_id: str) -> None:
    """Anyone may break off uploads all day long: a process must not grow by it."""
    before = threading.active_count()
    for number in range(5):
        with pytest.raises(Truncated):
            case.store.put(f"{upload_id}/{number}", Trickle(noise(PART + 1), Truncated("cut")), 2 * PART)
    assert threading.active_count() <= before


def test_one_object_is_deleted_and_no_other(case: StoreCase, upload_id: str) -> None:
    """Only the one that is named; one that is not there is fine, before and after."""
    doomed, kept = put(case, upload_id, noise(100)), put(case, upload_id, noise(100))
    for _ in range(2):
        case.store.discard_object(doomed.key)
    assert case.keys(QUARANTINE, upload_id) == {kept.key}


RANGES: Final = [
    (0, None),
    (0, 1),
    (1, None),
    (PART - 1, 2),
    (PART, 100),
    (PART + 99, 1),
    (100, PART),
    (5, 10**9),
]


@pytest.mark.parametrize(("offset", "length"), RANGES)
def test_a_range_is_just_those_bytes(
    case: StoreCase, upload_id: str, offset: int, length: int | None
) -> None:
    """From ``offset``, ``length`` bytes or as many as there are, in both buckets."""
    data = noise(PART + 100)
    stored = put(case, upload_id, data)
    case.store.release(stored)
    expected = data[offset:] if length is None else data[offset : offset + length]
    with case.store.read_quarantined(stored.key, offset, length) as source:
        assert everything(source) == expected
    with case.store.read_released(stored.key, offset, length) as source:
        assert everything(source) == expected


def test_what_is_not_there_is_lost(case: StoreCase, upload_id: str) -> None:
    """No object, or a range behind its end: ``ContentLost`` when it is opened, in both buckets."""
    stored = put(case, upload_id, b"12345")
    for key, offset in ((f"{upload_id}/none", 0), (stored.key, 6)):
        with pytest.raises(ContentLost), case.store.read_quarantined(key, offset):
            pass
        with pytest.raises(ContentLost), case.store.read_released(key, offset):
            pass


def test_a_reader_may_stop_early(case: StoreCase, upload_id: str) -> None:
    """Half-read objects do no harm to what is read next."""
    data = noise(2 * MEBI)
    stored = put(case, upload_id, data)
    for _ in range(3):
        with case.store.read_quarantined(stored.key) as source:
            assert data.startswith(source.read(10))
    with case.store.read_quarantined(stored.key) as source:
        assert everything(source) == data


def test_releasing_twice_is_one_release(case: StoreCase, upload_id: str) -> None:
    """The second copy changes nothing; the quarantined object stays for whoever discards it."""
    stored = put(case, upload_id, b"content")
    case.store.release(stored)
    case.store.release(stored)
    assert case.keys(RELEASED, upload_id) == case.keys(QUARANTINE, upload_id) == {stored.key}
    with case.store.read_released(stored.key) as source:
        assert everything(source) == b"content"


@pytest.mark.parametrize("size", [7, PART + 1])
def test_an_overwritten_object_is_not_released(case: StoreCase, upload_id: str, size: int) -> None:
    """Bar R4: whoever swaps the quarantined bytes after the scan, same size or not, releases nothing."""
    stored = put(case, upload_id, noise(size))
    for other in (noise(size, seed=2), noise(size + 1), b""):
        case.overwrite(stored.key, other)
        with pytest.raises(ContentLost):
            case.store.release(stored)
        assert case.keys(RELEASED, upload_id) == set()


def test_what_is_gone_is_not_released(case: StoreCase, upload_id: str) -> None:
    """Without the quarantined object there is nothing to copy."""
    stored = put(case, upload_id, b"content")
    case.store.discard_quarantined(upload_id)
    with pytest.raises(ContentLost):
        case.store.release(stored)
    assert case.keys(RELEASED, upload_id) == set()


def test_a_segment_of_another_size_is_not_released(case: StoreCase, upload_id: str) -> None:
    """The size is checked too."""
    stored = put(case, upload_id, b"content")
    with pytest.raises(ContentLost):
        case.store.release(replace(stored, size=8))


def test_discarding_touches_no_other_upload_and_no_other_bucket(case: StoreCase) -> None:
    """An upload's objects are those below its own prefix, not those of an id that begins alike."""
    token = secrets.token_hex(15)
    mine, like_mine = f"up_{token}a", f"up_{token}ab"
    objects = [put(case, owner, b"content") for owner in (mine, mine, like_mine)]
    for stored in objects:
        case.store.release(stored)
    case.store.discard_quarantined(mine)
    assert case.keys(QUARANTINE, mine) == set()
    assert case.keys(RELEASED, mine) == {stored.key for stored in objects[:2]}
    case.store.discard_released(mine)
    assert case.keys(RELEASED, mine) == set()
    assert case.keys(QUARANTINE, like_mine) == case.keys(RELEASED, like_mine) == {objects[2].key}


def test_discarding_nothing_is_fine(case: StoreCase, upload_id: str) -> None:
    """Every call may be repeated."""
    put(case, upload_id, b"content")
    for _ in range(2):
        case.store.discard_quarantined(upload_id)
        case.store.discard_released(upload_id)
    assert case.keys(QUARANTINE, upload_id) == set()


def test_stale_multipart_uploads_are_aborted_and_young_ones_left(case: StoreCase, upload_id: str) -> None:
    """What a killed process left goes once it is old; an upload under way is not touched."""
    case.begin(f"{upload_id}/left")
    now = datetime.now(UTC)
    assert case.store.discard_unfinished(now - timedelta(hours=1)) == 0
    assert case.unfinished(upload_id) == {f"{upload_id}/left"}
    assert case.store.discard_unfinished(now + timedelta(hours=1)) >= 1
    assert case.unfinished(upload_id) == set()
    assert case.store.discard_unfinished(now + timedelta(hours=1)) == 0


def test_many_threads_may_use_one_store(case: StoreCase, upload_id: str) -> None:
    """Safe for many threads at once: nobody reads another's bytes."""
    wrong: list[int] = []

    def work(number: int) -> None:
        data = noise(PART + number, seed=number)
        stored = put(case, f"{upload_id}{number}", data)
        case.store.release(stored)
        with case.store.read_released(stored.key) as source:
            if everything(source) != data:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert len(case.keys(RELEASED, f"{upload_id}0")) == 1


CALLS: Final[dict[str, Callable[[ObjectStore], object]]] = {
    "put": lambda store: store.put("up_0/a", io.BytesIO(b"x"), 1),
    "put in parts": lambda store: store.put("up_0/a", io.BytesIO(bytes(PART + 1)), PART + 1),
    "read_quarantined": lambda store: store.read_quarantined("up_0/a").__enter__(),
    "read_released": lambda store: store.read_released("up_0/a").__enter__(),
    "release": lambda store: store.release(Stored("up_0/a", 1, "0" * 32)),
    "discard_quarantined": lambda store: store.discard_quarantined("up_0"),
    "discard_released": lambda store: store.discard_released("up_0"),
    "discard_unfinished": lambda store: store.discard_unfinished(datetime.now(UTC)),
    "ping": lambda store: store.ping(),
}


@pytest.fixture
def away(store: Store) -> ObjectStore:
    """A store at a port where nobody listens."""
    return adapter(store, f"{LOOPBACK}:{free_port()}")


@pytest.mark.parametrize("call", CALLS)
def test_a_store_that_is_away_says_so(away: ObjectStore, call: str) -> None:
    """Every call raises ``StoreUnavailable``, never that the content is lost."""
    with pytest.raises(StoreUnavailable):
        CALLS[call](away)


def test_a_store_that_is_there_answers(case: StoreCase) -> None:
    """Both buckets."""
    case.store.ping()


@pytest.mark.parametrize("size", [0, 1, PART + 1, 3 * PART])
def test_what_is_recalled_can_be_released_again(case: StoreCase, upload_id: str, size: int) -> None:
    """Byte for byte, twice as once, on condition of the ETag that the copy in quarantine has."""
    data = noise(size)
    segment = put(case, upload_id, data)
    case.store.release(segment)
    case.store.discard_quarantined(upload_id)
    case.store.recall(segment.key)
    back = case.store.recall(segment.key)
    assert (back.key, back.size) == (segment.key, size)
    case.store.discard_released(upload_id)
    with case.store.read_quarantined(segment.key) as source:
        assert everything(source) == data
    again = replace(segment, etag=back.etag)
    case.store.release(again)
    with case.store.read_released(segment.key) as source:
        assert everything(source) == data


def test_what_is_not_released_cannot_be_recalled(case: StoreCase, upload_id: str) -> None:
    """And what lies in quarantine stays as it is."""
    segment = put(case, upload_id, b"content")
    with pytest.raises(ContentLost):
        case.store.recall(segment.key)
    with case.store.read_quarantined(segment.key) as source:
        assert everything(source) == b"content"
