"""Mails with links, and the links in them, as mail programs and scanners find them."""

import dataclasses
import email
import email.policy
import re

import html5lib

import club

# The folder is this judge's alone: earlier ones have had the service send to others.
MAILDIR = "mail-links"


@dataclasses.dataclass
class Links:
    """The links of one mail: in its header, its text and its HTML."""

    header: str
    text: list[str]
    html: list[str]

    @property
    def preferences(self) -> str:
        return next(link for link in self.text if "/v1/preferences/" in link)

    @property
    def everything(self) -> set[str]:
        return {self.header, *self.text, *self.html}


def document(source: bytes | str):
    """The elements of an HTML page, which must not break a rule of HTML."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(source)


def read(message: bytes) -> Links:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    text, page = (parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))
    header = re.search(r"<(https?:[^>]+)>", parsed["List-Unsubscribe"])[1]
    return Links(header, re.findall(r"https?://\S+", text),
                 [found.get("href") for found in document(page).iter("a") if found.get("href")])


def send(readers: dict[str, str]) -> tuple[dict[str, Links], Links]:
    """Sends a Flash info to these new readers, and an invitation to another one: the links of each mail, by address,
    and those of the invitation."""
    folder = club.local / MAILDIR
    folder.mkdir(exist_ok=True)
    # The links are followed.
    club.restart_content(f"maildir:{folder}", CLUB_CONTENT_PUBLIC_URL=club.content)
    club.add_experts(readers)
    club.send_issue("Flash info", club.ORDINARY)
    guest = "invitee@" + next(iter(readers)).split("@")[1]
    club.ask(f"{club.content}/v1/letters", {
        "key": guest, "purpose": "invitation", "email": guest, "subject": "Déjeuner", "paragraphs": ["Venez."],
        "consent": "eventInvitations"})

    def received() -> dict[str, Links] | None:
        club.forward()
        found = {}
        for path in (folder / "new").iterdir():
            message = path.read_bytes()
            address = email.message_from_bytes(message, policy=email.policy.default)["To"].addresses[0].addr_spec
            if address in readers or address == guest:
                found[address] = read(message)
        return found if len(found) > len(readers) else None

    found = club.until(60, "every reader has got a mail", received)
    return found, found.pop(guest)


def left(address: str) -> set[str]:
    """What the reader of an address has left."""
    return {each["purpose"] for each in club.everything(f"{club.content}/v1/suppressions")
            if each["email"] == address and each["reason"] == "unsubscribed"}
