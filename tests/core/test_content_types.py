import pytest

from tests.core.documents import BOMB, MACROS, MAINS, assert_refused, look
from tests.core.packages import (
    CONTENT_TYPES,
    OOXML,
    content_types,
    ooxml,
    package,
)


@pytest.mark.parametrize("extension", MAINS)
def test_the_main_type_may_be_a_default(extension: str) -> None:
    """Microsoft's own SDK names the main part's type as the default of all ``xml`` parts: that is good."""
    types = content_types(f"{OOXML}theme+xml", default=MAINS[extension])
    assert look(extension, package({CONTENT_TYPES: types})) is None


@pytest.mark.parametrize("extension", MAINS)
def test_the_main_type_may_be_written_in_capitals(extension: str) -> None:
    """Media types are the same in any case (RFC 9110, 8.3.1)."""
    assert look(extension, ooxml(MAINS[extension].upper())) is None
    assert_refused(extension, ooxml(MACROS[extension].upper()))


@pytest.mark.parametrize("extension", MAINS)
@pytest.mark.parametrize("kind", ["template", "slideshow", "macro", "none", "embedded"])
def test_a_wrong_main_type_is_refused(extension: str, kind: str) -> None:
    """Templates, shows, macro-enabled documents and packages without a main part are not the type."""
    mains = {
        "template": MAINS[extension].replace(".main", ".template.main"),
        "slideshow": f"{OOXML}presentationml.slideshow.main+xml",
        "macro": MACROS[extension],
        "none": f"{OOXML}theme+xml",
        "embedded": MAINS[extension].removesuffix(".main+xml"),
    }
    assert_refused(extension, ooxml(mains[kind]))


@pytest.mark.parametrize("extension", MAINS)
def test_two_main_types_are_refused(extension: str) -> None:
    """A package that offers a harmless main part and a macro-enabled one is refused, however it says it."""
    good, macros = MAINS[extension], MACROS[extension]
    for types in (
        content_types(good, macros),
        content_types(macros, good),
        content_types(good, default=macros),
        content_types(macros, default=good),
        content_types(good, macros.upper()),
        content_types(good, f" {macros} "),
    ):
        assert_refused(extension, package({CONTENT_TYPES: types}))


@pytest.mark.parametrize("extension", MAINS)
def test_a_document_within_a_document_is_no_second_main_part(extension: str) -> None:
    """The same main type for two parts (a document taken into another) is one type, and good."""
    main = MAINS[extension]
    assert look(extension, package({CONTENT_TYPES: content_types(main, main)})) is None


def test_a_type_in_a_comment_or_elsewhere_does_not_count() -> None:
    """Only ``Override`` and ``Default`` elements name types: text, comments and other elements do not."""
    main = MAINS["pptx"]
    for extra in (
        f"<!-- <Override ContentType='{main}'/> -->",
        f"<Other ContentType='{main}'/>",
        f"<Override PartName='{main}'/>",
        f"<![CDATA[<Override ContentType='{main}'/>]]>",
        main,
    ):
        assert_refused("pptx", package({CONTENT_TYPES: content_types(extra=extra)}))


@pytest.mark.parametrize(
    "types",
    [
        content_types(MAINS["pptx"], prolog="<!DOCTYPE Types>"),
        content_types(MAINS["pptx"], prolog='<!DOCTYPE Types SYSTEM "file:///etc/passwd">'),
        content_types(MAINS["pptx"], prolog='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        content_types(MAINS["pptx"], prolog=BOMB, extra="&a8;"),
        content_types(MAINS["pptx"], prolog='<!DOCTYPE x [<!ENTITY % a "b"> %a;]>'),
        content_types(MAINS["pptx"], extra="&undefined;"),
        content_types(MAINS["pptx"])[:-3],
        content_types(MAINS["pptx"]) + b"<x/>",
        b"",
        b"\0" * 100,
        b"PK\x03\x04",
        "<Types/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='no-such'?><Types/>",
        b"<?xml version='1.0' encoding='hex'?><Types/>",
        b"<?xml version='1.0' encoding='shift_jis'?><Types/>",
    ],
    ids=[
        "document type",
        "external document type",
        "external entity",
        "entity bomb",
        "parameter entity",
        "undefined entity",
        "cut",
        "two roots",
        "empty",
        "zeros",
        "no xml",
        "no types",
        "unknown encoding",
        "no encoding of texts",
        "encoding of many bytes",
    ],
)
def test_odd_content_types_are_refused(types: bytes) -> None:
    """A document type, entities of any kind (bombs among them) and what is no XML make a wrong document."""
    assert_refused("pptx", package({CONTENT_TYPES: types}))


def test_content_types_in_utf_16() -> None:
    """OPC allows UTF-16 as well."""
    types = content_types(MAINS["pptx"]).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert look("pptx", package({CONTENT_TYPES: types})) is None
