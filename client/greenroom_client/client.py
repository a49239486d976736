"""The client: uploads here, grants and webhook endpoints in objects of their own."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from greenroom_client.answers import retry_after
from greenroom_client.content import Progress, Source, opened
from greenroom_client.documents import Upload
from greenroom_client.download import pour, save
from greenroom_client.errors import GreenroomError, NoVerdictYet
from greenroom_client.grants import Grants
from greenroom_client.identifier import checked, visible
from greenroom_client.paging import pages
from greenroom_client.reading import read, read_mapping
from greenroom_client.transport import Retry, Transport, document, new_key
from greenroom_client.webhooks import Webhooks

#: Seconds of one long poll: well below where proxies end a request that is silent.
_LONG_POLL: Final = 25
#: Seconds for an answer that was asked for as the time to wait ended.
_GRACE: Final = 2.0
_PAGE: Final = 200


class Client:
    """Speaks to one Greenroom with one token: an API key, or a grant. Safe to share between threads.

    ``grants`` mints and revokes grants, ``webhooks`` manages webhook endpoints. Use it as a context manager,
    or ``close`` it.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 30.0,
        retry: Retry = Retry(),  # noqa: B008 - a value that never changes
        trust_env: bool = True,
    ) -> None:
        """Speak to the service at ``url``; nothing is sent yet.

        ``timeout`` is the longest silence in seconds, beyond what the service was asked to wait. With
        ``trust_env`` proxies and certificates come from the environment, as with httpx; certificates are
        always checked, redirects never followed. Raises ``ValueError`` for an odd ``url``, and for a
        ``token`` that no header can hold: one with a line end, perhaps, from the file that it was read from.
        """
        self._url = url
        self._timeout = timeout
        self._transport = Transport(url, token, timeout, retry, trust_env=trust_env)
        self.grants = Grants(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __repr__(self) -> str:
        return f"Client({self._url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def upload(
        self,
        source: Source,
        *,
        meeting: str,
        name: str | None = None,
        person: str | None = None,
        wait: int = 30,
        on_progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> Upload:
        """Send a file into ``meeting`` and return its upload, at rest or still on its way.

        ``source`` is a path, bytes, or a file opened for reading bytes; ``name`` is by default the file's.
        ``person`` is who sends it, in your own words, for when that person's data are asked for.
        The service waits up to ``wait`` seconds (60 at most) for the verdict before it answers. What can be
        read twice is digested first, sent with its ``Repr-Digest``, and sent again under one Idempotency-Key
        if the line breaks; give ``idempotency_key`` to make a repetition of your own, perhaps after a crash,
        the same upload. Raises ``OSError`` for a file that cannot be read, and ``ValueError`` for a key
        that no header can hold.
        """
        with opened(source) as content:
            query = {"meeting": meeting, "name": content.name if name is None else name}
            query |= {} if person is None else {"person": person}
            headers = {**content.headers(), "Prefer": f"wait={wait}"}
            if content.repeatable or idempotency_key:
                headers["Idempotency-Key"] = visible(idempotency_key or new_key(), "the Idempotency-Key")

            def once() -> Upload:
                answer = self._transport.once(
                    "POST",
                    "/v1/uploads",
                    wait=wait,
                    params=query,
                    content=content.chunks(on_progress),
                    headers=headers,
                )
                return read(Upload, document(answer))

            return (
                self._transport.repeat(once, patience=wait + self._timeout) if content.repeatable else once()
            )

    def wait_for_verdict(
        self,
        upload: Upload | str,
        *,
        timeout: float = 300.0,
        on_state: Callable[[Upload], object] | None = None,
    ) -> Upload:
        """Return the upload once it is at rest; one that is known to be is not asked for.

        ``on_state`` is called with the upload for the first state that is seen and for each new one. Raises
        ``NoVerdictYet`` after ``timeout`` seconds. Errors that may pass are waited out, with pauses as
        ``Retry`` has them but for any number of tries; what is raised when no time is left for another try
        is that error.
        """
        if isinstance(upload, Upload) and upload.resting:
            if on_state:
                on_state(upload)
            return upload
        until = time.monotonic() + timeout
        seen = ""
        wait = 0
        while True:
            asked = time.monotonic()
            current, pause = self._ask_until(until, _id(upload), wait)
            if on_state and current.state != seen:
                on_state(current)
            seen = current.state
            left = until - time.monotonic()
            if current.resting:
                return current
            if left <= 0:
                raise NoVerdictYet.after(timeout, current)
            # An answer that came sooner than it might have: the service has no thread free to wait with.
            if wait and time.monotonic() - asked < wait / 2:
                time.sleep(min(pause, left))
            wait = int(min(_LONG_POLL, left + 1))

    def get(self, upload_id: str, *, wait: int = 0) -> Upload:
        """Return an upload, as soon as it rests or after ``wait`` seconds (60 at most)."""
        return self._transport.repeat(lambda: self._ask_once(upload_id, wait)[0], patience=0)

    def list(self, meeting: str, *, page_size: int = _PAGE) -> Iterator[Upload]:
        """Yield a meeting's uploads, newest first, fetching pages of ``page_size`` as they are needed."""
        query: dict[str, str | int] = {"meeting": meeting, "limit": page_size}
        return pages(self._transport, "/v1/uploads", query, Upload, "uploads")

    def download(self, upload: Upload | str, to: str | os.PathLike[str] | BinaryIO) -> Upload:
        """Save a released upload's content and return the upload.

        ``to`` is the path of the file to make or replace, which happens only when all of the content is there
        and has the SHA-256 of both the answer and the upload; or a file opened for writing bytes, which must
        not be used if an error is raised. Raises ``Damaged`` for another content, ``NotReleased``, ``Gone``.
        """
        known = isinstance(upload, Upload) and upload.sha256 is not None and upload.size is not None
        current = upload if isinstance(upload, Upload) and known else self.get(_id(upload))
        path = f"/v1/uploads/{_id(current)}/content"
        if isinstance(to, str | os.PathLike):
            save(self._transport, path, current, Path(to))
        else:
            pour(self._transport, path, current, to)
        return current

    def delete(self, upload: Upload | str) -> None:
        """Delete an upload's content and name. Deleting it twice is no error."""
        self._transport.json("DELETE", f"/v1/uploads/{_id(upload)}")

    def policy(self) -> Mapping[str, Any]:
        """Return what the service accepts and what it does with which verdict, as published."""
        return read_mapping(self._transport.json("GET", "/v1/policy"), "policy")

    def _ask_until(self, until: float, upload_id: str, wait: int) -> tuple[Upload, float]:
        """Ask as ``_ask_once`` does, again and again after errors that may pass, until the clock says so."""
        failures = 0
        while True:
            try:
                longest = max(until - time.monotonic(), 0.0) + _GRACE
                return self._ask_once(upload_id, wait, longest)
            except GreenroomError as error:
                failures += 1
                pause = self._transport.retry.within(until - time.monotonic(), failures, error)
                if pause is None:
                    raise
            time.sleep(pause)
            wait = int(min(wait, max(until - time.monotonic(), 0.0) + 1))

    def _ask_once(self, upload_id: str, wait: int, longest: float = math.inf) -> tuple[Upload, float]:
        """Return an upload and the seconds after which to ask again."""
        path = f"/v1/uploads/{_id(upload_id)}"
        answer = self._transport.once("GET", path, wait=wait, longest=longest, params={"wait": wait})
        return read(Upload, document(answer)), retry_after(answer) or 1.0


def _id(upload: Upload | str) -> str:
    return checked(upload.id if isinstance(upload, Upload) else upload)
