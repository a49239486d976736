import pytest

from service.config import read_settings
from service.core.errors import ConfigurationError
from tests.core.environment import LEAST


@pytest.mark.parametrize(
    "url",
    ["https://console.example", "https://console.example:8443", "http://127.0.0.1:1", "http://localhost"],
)
def test_the_console_has_an_origin(url: str) -> None:
    """As a browser writes it; plain HTTP on loopback alone, where browsers keep its cookie."""
    assert read_settings(LEAST | {"GREENROOM_CONSOLE_URL": url}).console.url == url


def test_without_one_the_console_is_on_this_machine() -> None:
    """That is where `make run` starts it."""
    assert read_settings(LEAST).console.url == "http://127.0.0.1:8090"


@pytest.mark.parametrize(
    "url",
    [
        "http://console.example",
        "https://console.example/",
        "https://console.example:443",
        "http://localhost:80",
        "https://Console.example",
        "//console.example",
        "console.example",
        "null",
        "https://console.example\n",
    ],
)
def test_an_odd_one_is_no_start(url: str) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match="GREENROOM_CONSOLE_URL"):
        read_settings(LEAST | {"GREENROOM_CONSOLE_URL": url})
