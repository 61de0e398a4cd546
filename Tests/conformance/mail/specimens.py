"""The texts that are hard to mail: what each reader must see, and the messages that they got."""

import base64
import dataclasses
import re
import struct
import zlib

import club

LONG = "ô" * 20_000
LINES = "Première ligne, avec un blanc à la fin \n.\n..\n.com est un domaine\n\tFrom l'onglet\nFrom Pau\n=E9 = ?=\r\nDernière"
MANY_SCRIPTS = "Ελληνικά, русский, 日本語, עברית, العربية, é (décomposé : e\u0301), 👩🏽‍💻🇫🇷, ﬁn"
CALENDAR = "\r\n".join((
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Club//FR", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1@club.example",
    "DTSTAMP:20260101T090000Z", "DTSTART:20270101T090000Z", "SUMMARY:Déjeuner à Pau", "END:VEVENT", "END:VCALENDAR",
    "")).encode()
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\r\n.\r\ntrailer<</Root 1 0 R>>\n%%EOF\n" + bytes(range(256)) * 20


def png() -> bytes:
    """One red point."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(b"\x00\xff\x00\x00")) + chunk(b"IEND", b"")


@dataclasses.dataclass
class File:
    kind: str
    name: str
    content: bytes
    method: str | None = None

    @property
    def body(self) -> dict:
        body = {"type": self.kind, "fileName": self.name, "content": base64.b64encode(self.content).decode()}
        return body | ({"method": self.method} if self.method else {})


@dataclasses.dataclass
class Meant:
    """What a message must say."""

    template: str
    email: str
    name: str | None
    subject: str
    values: dict
    listed: bool
    reply_to: str | None = None
    files: list[File] = dataclasses.field(default_factory=list)


def letter(purpose: str, subject: str, paragraphs: list[str], name: str | None = None, **more) -> tuple[dict, Meant]:
    """The body of a request, and what it asks for."""
    files = more.pop("files", [])
    email = f"{purpose.lower()}@lettres.example"
    body = {"key": purpose, "purpose": purpose, "email": email, "subject": subject, "paragraphs": paragraphs} | more
    values = {"subject": subject, "paragraphs": paragraphs, "name": name or ""}
    if name:
        body["name"] = name
    if files:
        body["attachments"] = [file.body for file in files]
    if "action" in more:
        values["action"] = more["action"]
    return body, Meant("letter", email, name, subject, values, "consent" in more, more.get("replyTo"), files)


INVITATION = File("text/calendar", "invitation.ics", CALENDAR, "REQUEST")
ACCENTS = File("image/png", "L’été à Pau – « œuvre » n° 1.png", png())
LONG_NAME = File("application/pdf", "Procès-verbal de l’assemblée générale extraordinaire " * 3 + "— 🗳️.pdf", PDF)
QUOTED = File("application/pdf", 'Reçu "n° 1"; 100 %, l\'été.pdf', PDF)
PLAIN = File("application/pdf", "programme.pdf", PDF)

# Each purpose, with a difficulty or two.
LETTERS = [
    letter("confirmation", "Votre fiche", ["Est-elle juste ?"]),
    letter("selfService", "Votre lien : l’accès à « votre » fiche 🔑", ["Bonjour & <b>bienvenue</b> &amp; merci."],
           "Zoé 🚀 d’Été", action={"label": "Ouvrir & lire", "url": "https://club.example/f?a=1&b=2#x"}),
    letter("contribution", "Appel de cotisation n° 2026-1", ["120,00 €, à régler avant l’été."], "Dupont, Jean",
           files=[QUOTED], replyTo="tresorier@club.example"),
    letter("receipt", "Reçu " + "fort " * 38 + "long", ["Merci."], "Ô" * 200, files=[LONG_NAME]),
    letter("invitation", "Déjeuner à Pau", ["Le 1ᵉʳ janvier.", MANY_SCRIPTS], "Noé \"Nono\" Œuvre (Pau)",
           consent="eventInvitations", files=[INVITATION, ACCENTS]),
    letter("reminder", "=?utf-8?Q?Urgent?=", [LINES], "=?utf-8?B?UERHIGR1IENsdWI=?="),
    letter("ticket", MANY_SCRIPTS, ["Votre billet."], MANY_SCRIPTS, files=[ACCENTS, PLAIN, INVITATION]),
    letter("minutes", "x" * 200, [LONG, "y" * 20_000], "z" * 200),
    letter("approval", "Un lien long", ["."], "Ana Été",
           action={"label": "Oui", "url": "https://club.example/" + "mot-" * 225}),
    letter("chaser", "Re: [Club] a: <b@c.example>, \\ \"d\"", [".\n.\n."], "a@b.example"),
    letter("notice", "Espaces insécables : « oui » ; 100 %", ["Un.\n\n\nDeux.\n"], "M. O’Neil; Ltd."),
]

KINDS = {"corporate": "Vie du club", "product": "Produits", "technical": "Technique", "marketing": "Marketing",
         "commercial": "Commercial"}
TITLE = "Flash info : l’été de l’« œuvre » à 100 % — 🚀 " + "fort " * 25 + "long"
INTRODUCTION = "Chère lectrice,\n.\ncher lecteur,"
ITEMS = [
    {"kind": "corporate", "title": "Pour tous & toutes", "text": LINES},
    {"kind": "product", "title": "Pour les prescripteurs <seuls>", "text": MANY_SCRIPTS, "audiences": ["ambassadors"],
     "link": "https://club.example/produit?a=1&b=2"},
    {"kind": "technical", "title": "Pour les experts 🔧", "text": LONG, "audiences": ["experts"]},
]
AMBASSADORS = {"zoe@prescripteurs.example": ("Zoé 🚀", "d’Été"), "jean@prescripteurs.example": ("Jean", "Dupont, fils")}
EXPERTS = {"agence@experts.example": "L’Œuvre & Cie : « web »", "plain@experts.example": "Agence Plain"}

# What no header may have: refused wherever it is.
FORBIDDEN = {"a carriage return": "\r", "a line feed": "\n", "U+0000": "\0", "U+202E": "\u202e", "U+2066": "\u2066",
             "U+200F": "\u200f", "U+061C": "\u061c", "U+2028": "\u2028", "a C1 control": "\u0085"}


def flash_info(issue: dict, email: str, name: str, group: str) -> Meant:
    items = [{"kind": KINDS[item["kind"]], "title": item["title"], "text": item["text"], "link": item.get("link", "")}
             for item in ITEMS if group in item.get("audiences", [group])]
    values = {"number": issue["number"], "title": TITLE, "name": name, "introduction": INTRODUCTION, "items": items}
    return Meant("flash_info", email, name, TITLE, values, listed=True)


def send() -> tuple[list[Meant], list[str]]:
    """Sends an issue and letters; returns what they must say, and the faults."""
    club.add_ambassadors(AMBASSADORS)
    club.add_experts(EXPERTS)
    issue = club.send_issue(TITLE, ITEMS, INTRODUCTION)
    meant = [flash_info(issue, email, " ".join(names), "ambassadors") for email, names in AMBASSADORS.items()]
    meant += [flash_info(issue, email, name, "experts") for email, name in EXPERTS.items()]
    for body, letter in LETTERS:
        club.ask(f"{club.content}/v1/letters", body)
        meant.append(letter)
    return meant, refusals()


def refusals() -> list[str]:
    """Faults where a character that no header may have is taken."""
    faults = []
    for what, character in FORBIDDEN.items():
        for field in ("subject", "name", "fileName"):
            text = f"bon{character}jour"
            body, _ = letter("notice", text if field == "subject" else "Bonjour", ["Bonjour."])
            body["key"] = f"{field} {what}"
            if field == "name":
                body["name"] = text
            if field == "fileName":
                body["attachments"] = [PLAIN.body | {"fileName": text}]
            try:
                club.ask(f"{club.content}/v1/letters", body)
                faults.append(f"{field}: {what} was taken")
            except club.Refused as error:
                if error.status != 422:
                    faults.append(f"{field}: {what}: {error}")
    return faults


def messages() -> list[bytes]:
    """What the readers got, sent now unless another judge has done so."""
    folder = club.local / "mail/new"
    if not any(folder.iterdir()):
        send()
    count = len(LETTERS) + len(AMBASSADORS) + len(EXPERTS)
    club.until(60, f"{count} messages in the Maildir", lambda: len(list(folder.iterdir())) >= count)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def recipient(message: bytes) -> str:
    """The address in `To`, which stands last in it."""
    field = re.search(rb"^To: (.*?)\r\n(?![ \t])", message, re.MULTILINE | re.DOTALL)[1]
    return re.search(r"([^\s<>]+@[^\s<>]+)>?\s*$", field.decode())[1]
