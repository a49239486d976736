"""A sniffer that knows a handful of types."""

_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF89a": "image/gif",
    bytes.fromhex("d0cf11e0a1b11ae1"): "application/CDFV2",
}
_OOXML = {
    b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class FakeSniffer:
    """``ports.Sniffer`` by first bytes."""

    def media_type(self, head: bytes) -> str:
        """Return the media type that the bytes look like."""
        if not head:
            return "application/x-empty"
        if head.startswith(b"PK\x03\x04"):
            return _package(head)
        for beginning, media_type in _BEGINNINGS.items():
            if head.startswith(beginning):
                return media_type
        return "text/plain" if head.isascii() and b"\0" not in head else "application/octet-stream"


def _package(head: bytes) -> str:
    if head[30:38] == b"mimetype":
        return head[38:].split(b"PK")[0].decode("ascii", "replace")
    if head[30:49] == b"[Content_Types].xml":
        for folder, media_type in _OOXML.items():
            if folder in head:
                return media_type
    return "application/zip"
