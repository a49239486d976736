import pytest

from service.core.identity import name_here, role_of, subject_of
from service.core.reviewer import Role, sign_in_name

ROLES = {"staff": Role.READER, "security": Role.REVIEWER, "heads": Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], None),
        (["Staff", "administrator", ""], None),
        (["staff"], Role.READER),
        (["staff", "security"], Role.REVIEWER),
        (["security", "heads", "staff"], Role.ADMINISTRATOR),
    ],
)
def test_the_highest_role_counts(groups: list[str], role: Role | None) -> None:
    """Of groups as they are written; none is none."""
    assert role_of(frozenset(groups), ROLES) is role


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mara.Lindqvist@example.org", "mara.lindqvist@example.org"),
        ("Jürgen Öz", "j-rgen--z"),
        ("<script>", "script-"),
        ("@root", "root"),
        ("", "rv_1"),
        ("...", "rv_1"),
        ("é" * 500, "rv_1"),
    ],
)
def test_a_name_from_elsewhere_is_made_to_fit(said: str, name: str) -> None:
    """Whatever a provider says, it is a name that a reviewer may have, or the other that was given."""
    made = name_here(said, "rv_1")
    assert made == name
    assert made == "rv_1" or sign_in_name(made) == made


def test_subjects_of_two_issuers_are_two() -> None:
    """The same subject elsewhere is somebody else."""
    assert subject_of("https://a.example", "1") != subject_of("https://b.example", "1")
