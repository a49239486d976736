"""What an evidence pack tells its reader of itself."""

from typing import Final

from service.verify.extracts import Span

_TEXT: Final = """\
GREENROOM: EVIDENCE FROM {since} TO {until}
(the end is not included; all times are UTC)

{headline}

WHAT IS IN IT

log.jsonl          Every line of the service's log, from the first one ever to number {last}. Each is a
                   JSON object on one line, exactly as it was hashed. Accounts and meetings are
                   pseudonyms; there are no names of files or people and no addresses.
checkpoints.note   What the service signed over the log: the checkpoint before the time (if there
                   was one), all of the time and one after it. Each says how many lines there were
                   and the root of the Merkle tree over them (RFC 6962, c2sp.org/tlog-checkpoint).
coverage.jsonl     One line for each release of a file: its SHA-256, the number of the line that
                   cleared it, and what that was: "clean" (the scanner's verdict on exactly these
                   bytes), "decision" or "allowance" (two people's, whose id stands beside it).
exceptions.jsonl   Those of them that nothing covers. It should be empty.
uploads.jsonl      Where the service's own table of uploads says something else of a released file
                   than the log. It should be empty. {rows} rows that are released were compared.
signatures.jsonl   With which engine and signatures the scanner looked: said when they changed and
                   once an hour.
canaries.jsonl     Whether the scanner found the test files that it must: the same. "failures" is
                   empty when it found all of them.
decisions.jsonl    What people proposed, confirmed, rejected, cleared, blocked, had scanned again or
                   took off the allow-list, with the ids of both. Their reasons are not in
                   it; "reason_sha256" shows whether a reason that you are given is the one.
log.key            The log's public key, for comparison with the one that you have.
manifest.note      The SHA-256 of all of these, signed with the log's key.

In the extracts "position" is the number of the line in log.jsonl, counted from 0. They hold the
lines from number {first} on, which is where the last checkpoint before the time ends, so that no
line falls between two packs; some are of a moment before or after the time.

HOW TO CHECK IT

    python -m service verify evidence FILE.zip --key KEY

KEY is a file with the log's public key, as you were given it on a way that you trust. The one in
this pack proves nothing: whoever forges a pack puts the fitting key into it. Nothing else is
needed: no network, no database, no account. With

    --checkpoint KEPT.note

the log is also compared with checkpoints that you, or a witness of your choice, kept. Do this: it
is what shows that not even those who have the signing key rewrote the log since.

The check proves every line against the checkpoints, makes the extracts again from the proved
lines and compares them, byte by byte. It ends with 0 if all is well, and with 1 if anything was
changed, is missing or was added, or if there are exceptions.

WHY THE WHOLE LOG IS HERE

That a line stands in a log can be proved with twenty hashes. That no other line stands between a
verdict and a release cannot, except by all lines. So the statement that each file was covered can
be checked here by somebody who believes the maker of this pack nothing.

WHAT IT DOES NOT PROVE

- That the log is true: only that it was not changed since it was signed. A service that was made
  to write a false line proves the false line.
- Anything about who has the signing key, unless you compare it with checkpoints that were kept
  where they could not reach.
- That the time in a line is right: it is the clock of the machine that wrote it. The order is.
- What uploads.jsonl says: it is the statement of the service at the time when this was made. The table can
  be changed by whoever can write to the database, and files released and erased since are in it
  only as far as their rows are.
- That a clean file is harmless: only that this engine with these signatures found nothing in it.
  "protection":"demo" in a verdict means a few test signatures, which protect nobody.
- That an allowance was confirmed by two people, if that was decided before the time: it is named by id, and
  its confirmation is in log.jsonl under that id.
- Who the people are: ids stand for them. The service's operator knows the names.
"""


def readme(span: Span, size: int, rows: int, released: int, uncovered: int, mismatches: int) -> str:
    """Return the text of README.txt."""
    headline = f"{released} releases of files: every one follows a clean verdict or a decision of two people."
    if uncovered or mismatches:
        headline = (
            f"!!! {uncovered} OF {released} RELEASES ARE NOT COVERED (exceptions.jsonl), and in {mismatches}"
            " places\n!!! the table of uploads does not agree with the log (uploads.jsonl)."
        )
    return _TEXT.format(
        since=span.since,
        until=span.until,
        headline=headline,
        last=size - 1,
        rows=rows,
        first=span.first,
    )
