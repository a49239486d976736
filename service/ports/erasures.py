"""What is to be erased, and the forgetting itself."""

from collections.abc import Sequence
from typing import Protocol

from service.core.erasure import Erasure
from service.core.journal import Entry


class Erasures(Protocol):
    """Erasures, and everything in the database that they are about.

    Safe for many threads and processes at once; two may work on one erasure. Everything may be done twice,
    and a crash at any place leaves what the next one goes on with. All raise ``LedgerUnavailable``. Of a
    meeting or an account in which anything must stay by a live hold, ``ask``, ``shut``, ``forget_others`` and
    ``let_go`` change nothing and raise ``UnderHold``.
    """

    def ask(self, erasure: Erasure, line: Entry) -> Erasure:
        """Add an erasure with its line in one transaction, and return it; or return the one of the same
        account, reach and mark that is not done yet, with no line."""

    def find(self, erasure_id: str) -> Erasure | None:
        """Return an erasure."""

    def of_upload(self, upload_id: str) -> Erasure | None:
        """Return the erasure that has forgotten an upload."""

    def undone(self, limit: int, *, let_go: bool, after: str = "") -> Sequence[Erasure]:
        """Return erasures that are not done, oldest first, whose id sorts behind ``after``: those that were
        let go, or those that were not."""

    def unasked(self, limit: int) -> Sequence[str]:
        """Return the ids of uploads that are ERASED and that no erasure has forgotten, in their order."""

    def uploads(self, erasure: Erasure, after: str, limit: int) -> Sequence[str]:
        """Return the ids of uploads that the erasure is about and that it has not forgotten yet, in their
        order, the first after ``after``. Of a meeting or a person they are those that were begun before the
        erasure was asked for."""

    def shut(self, erasure: Erasure) -> None:
        """Let nobody in any more who could add to what is erased: an account's keys and grants go, the
        grants that a meeting or a person had when the erasure was asked for are revoked."""

    def forget_uploads(self, erasure: Erasure, upload_ids: Sequence[str]) -> None:
        """Forget what these uploads have of personal data and of keys, all or none of them.

        What stays is that they were: their ids, digests, verdicts and times. Raises ``Conflict`` if one of
        them is not ERASED."""

    def forget_others(self, erasure: Erasure) -> int:
        """Forget what else names the erasure's subject. Return how much was found that is not forgotten yet,
        lines of the log that wait for their place included: it is called again until that is 0."""

    def let_go(self, erasure: Erasure) -> Erasure:
        """Forget the subject in the erasure's own row, count what was erased, and return it so.

        With an account its keys are destroyed: for its contents, its personal fields and its pseudonyms; its
        row and its records are under its mark from then on. Raises ``Conflict``, and nothing is changed, if
        something still belongs to it."""

    def compact(self) -> None:
        """Let the database give up what was overwritten or deleted, as far as it keeps any of it: in free
        pages, in its write-ahead log. Raises ``LedgerUnavailable`` while others keep it from that."""

    def finish(self, erasure: Erasure, line: Entry) -> Erasure:
        """Write the line that it is done, once it was let go, and return it so; if another was first, return
        what that one made of it, with no line."""
