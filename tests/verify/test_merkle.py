from typing import Final

import pytest

from service.verify.invalid import Invalid
from service.verify.merkle import EMPTY_ROOT, Frontier, check_consistency, check_inclusion, leaf_hash

#: The leaves and roots that implementations of RFC 6962 share (google/certificate-transparency).
LEAVES: Final = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        bytes(range(0x60, 0x70)).hex(),
    )
]
ROOTS: Final = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_running_root_is_that_of_rfc_6962() -> None:
    """After each leaf the root is the one that others compute."""
    frontier = Frontier()
    roots = [frontier.root().hex()]
    for leaf in LEAVES:
        frontier.append(leaf_hash(leaf))
        roots.append(frontier.root().hex())
    assert roots == ROOTS
    assert frontier.size == len(LEAVES)


def test_every_tree_goes_on_from_the_empty_one_and_from_itself() -> None:
    """Neither needs a proof; one that is given all the same, or another root for one size, is refused."""
    root, other = (bytes.fromhex(ROOTS[number]) for number in (8, 7))
    check_consistency(0, EMPTY_ROOT, 8, root, [])
    check_consistency(8, root, 8, root, [])
    for first, first_root, proof in (
        (0, EMPTY_ROOT, [root]),
        (8, root, [root]),
        (8, other, []),
        (0, root, []),
    ):
        with pytest.raises(Invalid):
            check_consistency(first, first_root, 8, root, proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_place_outside_of_the_tree_is_refused(index: int, size: int) -> None:
    """Whatever the proof."""
    with pytest.raises(Invalid, match="has none"):
        check_inclusion(index, size, EMPTY_ROOT, [], EMPTY_ROOT)


def test_a_tree_does_not_go_on_from_a_larger_one() -> None:
    """A log that shrank is refused before any proof is looked at."""
    with pytest.raises(Invalid, match="cannot go on"):
        check_consistency(2, EMPTY_ROOT, 1, EMPTY_ROOT, [])
