import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import TypeNotAllowed
from service.core.filetype import allowed_by_name, check_content
from service.core.policy import FileType
from tests.core.shipped import POLICY, settings

#: What the world sends that no presenter needs, and look-alikes of what is allowed.
OTHERS = [
    *("exe", "dll", "msi", "scr", "com", "bat", "cmd", "ps1", "vbs", "js", "jse", "wsf", "hta", "lnk", "iso"),
    *("pptm", "docm", "xlsm", "ppsm", "potx", "ppsx", "dotx", "xltx", "xlsb", "xlam", "one", "rtf", "pages"),
    *("html", "htm", "xhtml", "svgz", "xml", "json", "md", "py", "sh", "jar", "apk", "dmg", "deb", "swf"),
    *(
        "zip",
        "rar",
        "7z",
        "gz",
        "tar",
        "cab",
        "ace",
        "img",
        "vhd",
        "eml",
        "msg",
        "bmp",
        "tiff",
        "heic",
        "avi",
    ),
    *("pptx ", "pptx\u0301", "\uff50\uff50\uff54\uff58", "\u0440\u0440t\u0445", "pptx~", "ppt x", "x", ""),
]
#: libmagic's words for what must never pass as anything.
FOREIGN = [
    "application/x-dosexec",
    "application/x-executable",
    "application/x-msi",
    "application/java-archive",
    "application/x-rar",
    "application/x-7z-compressed",
    "application/x-iso9660-image",
    "text/html",
    "text/x-shellscript",
    "text/x-msdos-batch",
    "",
    "IMAGE/PNG",
    "image/png; charset=binary",
]


@pytest.mark.parametrize("kind", POLICY.types.values(), ids=lambda kind: kind.extension)
def test_every_listed_extension_is_allowed(kind: FileType) -> None:
    """A name with a listed extension, in any case, finds its entry."""
    for name in (f"a.{kind.extension}", f"A B.{kind.extension.upper()}", f"x.exe.{kind.extension}"):
        assert allowed_by_name(POLICY, name) is kind


@pytest.mark.parametrize("extension", OTHERS, ids=ascii)
def test_every_other_extension_is_refused(extension: str) -> None:
    """Any other extension, and none, is refused, and the sender reads what is accepted."""
    for name in (f"deck.{extension}", f"deck.pptx.{extension}", extension):
        with pytest.raises(TypeNotAllowed, match="Accepted are: csv, doc, docx, "):
            allowed_by_name(POLICY, name)


@given(st.text(max_size=60))
def test_a_name_passes_only_by_a_listed_extension(name: str) -> None:
    """Whatever the name: it passes exactly if it ends in a dot and a listed extension."""
    listed = any(name.lower().endswith(f".{extension}") for extension in POLICY.types)
    try:
        kind = allowed_by_name(POLICY, name)
    except TypeNotAllowed:
        assert not listed
        return
    assert listed
    assert name.lower().endswith(f".{kind.extension}")


@pytest.mark.parametrize("kind", POLICY.types.values(), ids=lambda kind: kind.extension)
def test_content_must_be_believable(kind: FileType) -> None:
    """Of all the types that the list or the world knows, exactly the believable ones pass."""
    known = {content for other in POLICY.types.values() for content in other.content} | set(FOREIGN)
    for detected in sorted(known):
        if detected in kind.content:
            check_content(kind, detected)
        else:
            with pytest.raises(TypeNotAllowed, match=rf"extension \.{kind.extension} says"):
                check_content(kind, detected)


def test_nothing_foreign_is_believable() -> None:
    """Programs, scripts, pages and foreign archives are on no entry's list of believable content."""
    believable = {content for kind in POLICY.types.values() for content in kind.content}
    assert not believable & set(FOREIGN)


def test_every_type_that_presenters_use_is_there() -> None:
    """The shipped list is what presenters use, and a plain zip is not on it unless switched on."""
    promised = (
        "pptx ppt odp key pdf docx doc odt xlsx xls ods csv txt png jpg jpeg gif webp svg "
        "mp4 webm mov mp3 wav m4a"
    )
    assert set(POLICY.types) == set(promised.split())
    assert settings()["types"]["zip"]["enabled"] is False
