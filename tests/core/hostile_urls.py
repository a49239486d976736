"""URLs that webhooks must never go to, and what a hostile DNS may say for a name that looks good."""

from typing import Final

#: Texts that are refused as they stand, before any name is looked up.
BAD_TEXTS: Final = (
    *("", " ", "https://", "//hooks.example.com/", "hooks.example.com", "/path", "https:hooks.example.com"),
    *("http://hooks.example.com/", "HTTP://hooks.example.com/", "ftp://hooks.example.com/"),
    *("file:///etc/passwd", "gopher://hooks.example.com/", "javascript:alert(1)", "data:text/plain,x"),
    *(
        "https://user@hooks.example.com/",
        "https://user:pass@hooks.example.com/",
        "https://@hooks.example.com/",
    ),
    *("https://hooks.example.com@127.0.0.1/", "https://127.0.0.1#@hooks.example.com/"),
    *("https://hooks.example.com#fragment", "https://hooks.example.com/#fragment"),
    *("https://hooks.example.com\\@127.0.0.1/", "https:\\\\127.0.0.1\\", "https://127.0.0.1\\.example.com/"),
    *("https://hooks.example.com /", "https://hooks.example.com/a b", " https://hooks.example.com/"),
    *(
        "https://hooks.example.com/\r\nHost: x",
        "https://hooks.example.com\t/",
        "https://hooks.example.com/\0",
    ),
    *("https://hooks.example.com:22/", "https://hooks.example.com:25/", "https://hooks.example.com:80/"),
    *("https://hooks.example.com:0/", "https://hooks.example.com:65536/", "https://hooks.example.com:/"),
    *("https://hooks.example.com:-1/", "https://hooks.example.com:+443/", "https://hooks.example.com:4 43/"),
    *("https://localhost/", "https://LOCALHOST/", "https://localhost:8443/", "https://a.localhost/"),
    *(
        "https://localhost./",
        "https://localhost.localdomain/",
        "https://printer.local/",
        "https://x.internal/",
    ),
    *(
        "https://metadata.google.internal/",
        "https://router.lan/",
        "https://nas.home.arpa/",
        "https://intranet/",
    ),
    *(
        "https://hooks.example.com./",
        "https://127.0.0.1./",
        "https://.example.com/",
        "https://a..example.com/",
    ),
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://0x7f.0.0.1/"),
    *("https://0177.0.0.1/", "https://127.1/", "https://127.0.1/", "https://0/", "https://0x/"),
    *("https://127.0.0.1.0x1/", "https://256.0.0.1/", "https://127.0.0.01/", "https://1.2.3.4.5/"),
    *("https://127.0.0.1%2eexample.com/", "https://%31%32%37.0.0.1/", "https://[127.0.0.1]/"),
    *("https://[::1/", "https://::1/", "https://[fe80::1%25eth0]/", "https://[::1]:22/", "https://[v1.x]/"),
    *(
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://exam\u200bple.com/",
    ),
    *(
        "https://l\u043ecalhost/",
        "https://hooks.example\u2024com/",
        "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "https://bücher.example/",
    ),
    *("https://-a.example.com/", "https://a-.example.com/", "https://a_b.example.com/"),
    *("https://hooks.example.com/" + "a" * 2048, "https://" + "a" * 64 + ".example.com/"),
    "https://" + "a." * 130 + "example.com/",
)

#: Literal addresses that are written well and must not be reached.
BAD_ADDRESSES: Final = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),  # noqa: S104 - to be refused
    "127.0.0.1",
    *("127.255.255.254", "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1"),
    *("3fff::1", "5f00::1", "64:ff9b:1::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1"),
    # The same inside of others: IPv4-mapped, IPv4-compatible, translated, 6to4, Teredo, NAT64, ISATAP.
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "2001:0:7f00:1::", "2001:0:a9fe:a9fe::1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "fe80::5efe:127.0.0.1"),
)

GOOD_ADDRESSES: Final = (
    *("8.8.8.8", "93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.254"),
    *("2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "64:ff9b::8.8.8.8"),
)


def url_of(address: str) -> str:
    """Return the https URL of an address."""
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"
