"""What clamd may answer, and what each answer means."""

from service.core.outcome import (
    Failure,
    Infected,
    Malformed,
    Obstacle,
    Suspicious,
    Unscannable,
)

OK = b"stream: OK\0"


LONGEST = 512


#: design: what clamd's answer means, case by case.
FOUND = [
    ("(null)", Unscannable(Obstacle.LIMITS, "(null)")),
    *(
        (name, Unscannable(Obstacle.LIMITS, name))
        for name in (
            "Heuristics.Limits.Exceeded",
            "Heuristics.Limits.Exceeded.MaxFileSize",
            "Heuristics.Limits.Exceeded.MaxScanSize",
            "Heuristics.Limits.Exceeded.MaxRecursion",
            "Heuristics.Limits.Exceeded.MaxFiles",
            "Heuristics.Limits.Exceeded.MaxScanTime",
            "Heuristics.Limits.Exceeded.EmailLineFoldcnt",
            "Heuristics.Greenroom.Unscannable.RAR.UNOFFICIAL",
        )
    ),
    *(
        (name, Unscannable(Obstacle.ENCRYPTED, name))
        for name in (
            "Heuristics.Encrypted.Zip",
            "Heuristics.Encrypted.PDF",
            "Heuristics.Encrypted.7Zip",
            "Heuristics.Encrypted.OLE2",
            "Heuristics.Greenroom.Encrypted.Document.UNOFFICIAL",
        )
    ),
    ("Heuristics.Broken.Executable", Malformed("Heuristics.Broken.Executable")),
    ("Heuristics.Broken.Media.PNG", Malformed("Heuristics.Broken.Media.PNG")),
    ("Heuristics.OLE2.ContainsMacros.VBA", Suspicious("Heuristics.OLE2.ContainsMacros.VBA")),
    ("Heuristics.Phishing.Email.SpoofedDomain", Suspicious("Heuristics.Phishing.Email.SpoofedDomain")),
    ("PUA.Win.Packer.Upx-1", Suspicious("PUA.Win.Packer.Upx-1")),
    *(
        (name, Infected(name))
        for name in (
            "Win.Test.EICAR_HDB-1",
            "Greenroom.Test.UNOFFICIAL",
            "Greenroom.Unscannable.RAR.UNOFFICIAL",
            "Heuristics.Greenroom.Other.UNOFFICIAL",
            "Heuristics.Structured.CreditCardNumber",
            "Heuristics.X",
            "Heuristics.Limits",
            "Heuristics.Encrypted",
            "Heuristics.Broken",
            "Heuristics.OLE2",
            "heuristics.encrypted.Zip",
            "Win.Heuristics.Encrypted.Zip",
            "Heuristics.encrypted.Zip",
            "PUA",
            "PUAX.y",
            "pua.x",
            "null",
            "(NULL)",
            "(null).UNOFFICIAL",
            "OK",
            "stream: OK",
            "A FOUND",
            "A ERROR B",
            "Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68)",
        )
    ),
]


NOT_AN_ANSWER: list[tuple[bytes, Failure]] = [
    (b"", Failure.CONNECTION_LOST),
    (b"\0", Failure.PROTOCOL),
    (b"stream: OK", Failure.PROTOCOL),
    (b"stream: OK\n", Failure.PROTOCOL),
    (b"stream: OK\n\0", Failure.PROTOCOL),
    (b"stream: OK \0", Failure.PROTOCOL),
    (b" stream: OK\0", Failure.PROTOCOL),
    (b"stream:OK\0", Failure.PROTOCOL),
    (b"stream:  OK\0", Failure.PROTOCOL),
    (b"stream: ok\0", Failure.PROTOCOL),
    (b"Stream: OK\0", Failure.PROTOCOL),
    (b"OK\0", Failure.PROTOCOL),
    (b"PONG\0", Failure.PROTOCOL),
    (b"1: stream: OK\0", Failure.PROTOCOL),
    (b"/tmp/x: OK\0", Failure.PROTOCOL),
    (b"stream: OK\0\0", Failure.PROTOCOL),
    (b"\0stream: OK\0", Failure.PROTOCOL),
    (b"stream: OK\0stream: OK\0", Failure.PROTOCOL),
    (b"stream: OK\0stream: X FOUND\0", Failure.PROTOCOL),
    (b"stream: X FOUND\0stream: OK\0", Failure.PROTOCOL),
    (b"stream: X FOUND\nstream: OK\0", Failure.PROTOCOL),
    (b"stream: X FOUND", Failure.PROTOCOL),
    (b"stream: X FOUN\0", Failure.PROTOCOL),
    (b"stream: FOUND\0", Failure.PROTOCOL),
    (b"stream:  FOUND\0", Failure.PROTOCOL),
    (b"stream:   FOUND\0", Failure.PROTOCOL),
    (b"stream:  X FOUND\0", Failure.PROTOCOL),
    (b"stream: X  FOUND\0", Failure.PROTOCOL),
    (b"X FOUND\0", Failure.PROTOCOL),
    (b"stream: \xff FOUND\0", Failure.PROTOCOL),
    (b"stream: OK\xc2\xa0\0", Failure.PROTOCOL),
    (b"stream: O\x1b[0mK\0", Failure.PROTOCOL),
    (b"stream: " + b"A" * LONGEST + b" FOUND\0", Failure.PROTOCOL),
    (b"\x1f\x8b\x08 binary\0", Failure.PROTOCOL),
    (b"HTTP/1.1 200 OK\r\n\r\n\0", Failure.PROTOCOL),
    (b"INSTREAM size limit exceeded. ERROR\0", Failure.STREAM_LIMIT),
    (b"INSTREAM size limit exceeded ERROR\0", Failure.STREAM_LIMIT),
    (b"INSTREAM: size limit exceeded. ERROR\0", Failure.SCANNER_ERROR),
    (b"Error writing to temporary file ERROR\0", Failure.SCANNER_FULL),
    (b"stream: Can't allocate memory ERROR\0", Failure.SCANNER_ERROR),
    (b"stream: X FOUND ERROR\0", Failure.SCANNER_ERROR),
    (b"stream: OK ERROR\0", Failure.SCANNER_ERROR),
    (b"COMMAND READ TIMED OUT ERROR\0", Failure.SCANNER_ERROR),
    (b"UNKNOWN COMMAND\0", Failure.PROTOCOL),
    (b" ERROR\0", Failure.SCANNER_ERROR),
    (b"ERROR\0", Failure.PROTOCOL),
]
