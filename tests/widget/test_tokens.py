"""The grant in the widget: asked for once, renewed in time, and honest when there is none."""

from __future__ import annotations

from typing import Any

from tests.widget.reach import BEGUN, MEBI, Scene, text
from tests.widget.visit import Visit


def renewing(visit: Visit, first_life: int) -> None:
    """Let the visit's backend mint one grant that lives for `first_life` seconds, and refresh it later."""
    minted: list[Any] = []

    def mint(_: dict[str, Any]) -> str:
        grants = visit.client.grants
        new = grants.refresh(minted[0]) if minted else None
        minted.append(new or grants.mint("upload", visit.backend.meeting, expires_in=first_life))
        token: str = minted[-1].token
        return token

    visit.mint = mint


def test_one_ask_for_all_who_wait(scene: Scene) -> None:
    """Three files at once need one token, and it is asked for once, with the meeting and the reason."""
    visit = scene.visit()
    panel = visit.show('<greenroom-upload id="w" meeting="m1"></greenroom-upload>').provider()
    panel.add(*((f"{number}.txt", text(1000)) for number in range(3)))
    panel.until("released", "released", "released")
    assert visit.asked == [{"meeting": "m1", "reason": "missing"}]
    visit.check_quiet()


def test_a_provider_renews_the_token_in_mid_upload(scene: Scene) -> None:
    """The token comes near its end while the bytes go: another is asked for before that, once, and the upload
    goes on as the same one.
    """
    visit = scene.visit(scene.line.url)
    renewing(visit, 40)
    scene.line.hold_after(BEGUN)
    panel = visit.show().provider().add(("notes.txt", text(3 * MEBI))).until("uploading").sent(1)
    visit.until(lambda: len(visit.asked) > 1 or not alive(panel, 30), "the last half minute")
    scene.line.break_off()
    panel.until("released")
    assert [ask["reason"] for ask in visit.asked] == ["missing", "expiring"]
    assert len(scene.backend.uploads()) == 1
    visit.check_quiet()


def alive(panel: Any, seconds: int) -> bool:
    """Whether the widget's token lives for more than `seconds` by the browser's clock."""
    left: float = panel.element.evaluate(
        """element => {
            const claims = element.token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
            return JSON.parse(atob(claims)).exp - Date.now() / 1000;
        }"""
    )
    return left > seconds


def test_a_token_that_ends_in_mid_upload_without_a_provider(scene: Scene) -> None:
    """Nobody gives another: what was begun is still taken in to its last byte, then the widget says that it
    has no permission to ask for the verdict, never that the file is released; a new token brings the verdict.
    """
    visit = scene.visit(scene.line.url)
    scene.line.hold_after(BEGUN)
    panel = visit.show()
    grant = visit.client.grants.mint("upload", scene.backend.meeting, expires_in=5)
    panel.token(grant.token).add(("notes.txt", text(3 * MEBI))).until("uploading").sent(1)
    visit.until(lambda: not alive(panel, 0), "the token's end")
    scene.line.break_off()
    panel.until("failed")
    assert panel.items()[0]["code"] == "grant_expired"
    (upload,) = scene.backend.uploads()
    assert (upload["id"], upload["size"]) == (panel.items()[0]["upload"], 3 * MEBI)
    panel.token(visit.client.grants.refresh(grant).token)
    panel.until("released")
    assert [one["id"] for one in scene.backend.uploads()] == [upload["id"]]
    visit.check_quiet()


def test_a_token_that_is_refused_is_replaced(scene: Scene) -> None:
    """The service no longer takes the token: the page is asked for another, with that reason."""
    visit = scene.visit()
    old = visit.client.grants.mint("upload", scene.backend.meeting)
    panel = visit.show().token(old.token).provider()
    visit.client.grants.revoke(old)
    panel.add(("notes.txt", text(1000))).until("released")
    assert {ask["reason"] for ask in visit.asked} == {"refused"}


def test_a_page_that_has_no_token(scene: Scene) -> None:
    """Without token and provider nothing is sent, and the row says so; when a token comes the file goes."""
    visit = scene.visit()
    panel = visit.show().add(("notes.txt", text(1000))).until("failed")
    assert panel.items()[0]["code"] == "no_token"
    assert not [one for one in visit.watched.requests if one.method == "POST"]
    panel.token(visit.grant()).until("released")


def test_the_token_is_nowhere_to_be_read(scene: Scene) -> None:
    """It goes into the Authorization header, and into no attribute, no address and no markup."""
    visit = scene.visit()
    token = visit.grant()
    panel = visit.show().token(token).add(("notes.txt", text(1000))).until("released")
    assert token not in visit.page.content()
    assert token not in panel.element.evaluate("element => element.outerHTML + element.shadowRoot.innerHTML")
    assert not [one.url for one in visit.watched.requests if token in one.url]
    sent = {one.all_headers().get("authorization") for one in visit.watched.requests if "/v1/tus" in one.url}
    assert sent == {f"Bearer {token}"}
