"""The way to the service and back: one HTTP client, one reading of errors, one rule for trying again."""

import math
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from greenroom_client.answers import check, loaded, plain
from greenroom_client.errors import GreenroomError, InProgress, UnexpectedAnswer, Unreachable
from greenroom_client.identifier import visible

T = TypeVar("T")

_CONNECT_SECONDS: Final = 10.0
#: More would not lengthen any pause.
_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried that is safe to repeat.

    The pause before the second try is ``first_pause`` seconds, then it doubles, at random between a half and
    all of it. A ``Retry-After`` is kept to, unless it is longer than ``longest_pause``: then the error is
    raised at once, for the caller to plan with.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0

    def pause(self, attempt: int, error: GreenroomError) -> float | None:
        """Return the seconds to wait after the failed ``attempt`` (from 1), or ``None`` to give up."""
        if not error.retryable or attempt >= self.attempts:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_pause else None
        return self._growing(attempt)

    def asking(self, times: int, error: InProgress) -> float:
        """Return the seconds to wait before asking again for the first request's answer."""
        return max(min(error.retry_after or 0.0, self.longest_pause), self._growing(times))

    def within(self, left: float, times: int, error: GreenroomError) -> float | None:
        """Return the seconds to wait after the failure number ``times``, or ``None`` to give up.

        ``left`` seconds are left to try again in, however often.
        """
        asked = error.retry_after or 0.0
        if not error.retryable or left <= 0 or asked > left:
            return None
        return max(asked, min(self._growing(times), left))

    def _growing(self, attempt: int) -> float:
        whole = min(self.first_pause * 2.0 ** min(attempt - 1, _DOUBLINGS), self.longest_pause)
        return random.SystemRandom().uniform(whole / 2, whole)


class Transport:
    """Sends requests of one token to one service. Times in seconds."""

    def __init__(self, url: str, token: str, timeout: float, retry: Retry, *, trust_env: bool) -> None:
        self._timeout = timeout
        self.retry = retry
        self._http = httpx.Client(
            base_url=_base(url),
            headers={
                "Authorization": f"Bearer {visible(token, 'the API key or grant')}",
                "Accept-Encoding": "identity",
            },
            follow_redirects=False,
            trust_env=trust_env,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a request that is safe to repeat and return its JSON; ``None`` for 204."""
        headers = {"Idempotency-Key": new_key()} if method == "POST" else {}

        def once() -> Any:  # noqa: ANN401 - JSON
            return document(self.once(method, path, params=query, json=body, headers=headers))

        return self.repeat(once, patience=self._timeout)

    def once(
        self,
        method: str,
        path: str,
        *,
        wait: float = 0,
        longest: float = math.inf,
        **request: Any,  # noqa: ANN401
    ) -> httpx.Response:
        """Send one request and return the good answer.

        It may take ``wait`` seconds more than others, but no silence may be longer than ``longest`` seconds.
        """
        with translated():
            times = self._times(wait, longest)
            with self._http.stream(method, path, timeout=times, **request) as streamed:
                answer = loaded(streamed)
        return check(answer)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """Open the good answer to one GET; its content is read by the caller. To one with a ``Range`` among
        the ``headers`` it may be a part.
        """
        good = {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT} if headers else {httpx.codes.OK}
        with translated(), self._http.stream("GET", path, timeout=self._times(0), headers=headers) as answer:
            if answer.status_code not in good:
                status = check(loaded(answer)).status_code
                raise UnexpectedAnswer(f"The answer has status {status} and no content.", status=status)
            yield plain(answer)

    def repeat(self, once: Callable[[], T], *, patience: float) -> T:
        """Return what ``once`` returns, calling it again after errors that may pass.

        While the first of two equal requests is still being answered, the second is told so; that is no
        failed try, and is asked again for ``patience`` seconds from then on.
        """
        failures = 0
        running = 0
        until = 0.0
        while True:
            try:
                return once()
            except GreenroomError as error:
                now = time.monotonic()
                if isinstance(error, InProgress):
                    running += 1
                    until = until or now + patience
                    pause = self.retry.asking(running, error) if now < until else None
                else:
                    failures += 1
                    pause = self.retry.pause(failures, error)
                if pause is None:
                    raise
            time.sleep(pause)

    def _times(self, wait: float, longest: float = math.inf) -> httpx.Timeout:
        silence = min(self._timeout, longest)
        connect = min(silence, _CONNECT_SECONDS)
        return httpx.Timeout(silence, connect=connect, read=min(self._timeout + wait, longest))


def new_key() -> str:
    """Return a new Idempotency-Key."""
    return str(uuid.uuid4())


def document(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a good answer; ``None`` for 204."""
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise UnexpectedAnswer("The answer is no JSON, or too deep.", status=answer.status_code) from None


@contextmanager
def translated() -> Iterator[None]:
    """Raise what goes wrong on the way as errors of ours."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise Unreachable(f"The service took too long ({type(error).__name__}).") from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
        # Their words and their causes quote headers and addresses, which may hold what is secret.
        raise Unreachable("The request cannot be sent as it is.", retryable=False) from None
    except httpx.TransportError as error:
        raise Unreachable(f"The service cannot be reached: {error}", retryable=_may_pass(error)) from error


def _may_pass(error: httpx.TransportError) -> bool:
    """Tell a line that broke from a certificate that is wrong."""
    return "CERTIFICATE_VERIFY_FAILED" not in str(error)


def _base(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("the address of the service is none") from None
    if base.scheme not in {"https", "http"} or not base.host:
        raise ValueError("the address of the service must be like https://greenroom.example")
    if base.userinfo or base.query or base.fragment:
        raise ValueError("the address of the service may have no user, query or fragment")
    return base
