"""Sends texts that are hard to mail, and reads every message with Python's parser of e-mail and html5lib's of HTML: none
may have a defect, and each must say what was meant.

What is meant is the service's template, rendered by pystache, another maker's Mustache.
"""

import email
import email.errors
import email.header
import email.policy
import email.utils
import html
import json
import re

import html5lib
import pystache

import club
import specimens

STRICT = email.policy.SMTP.clone(raise_on_defect=True)
TEMPLATES = club.root / "Services/Content/Templates"
# The reader's own links, which the judge does not know before.
LINKS = {"unsubscribe": "\ue000", "preferences": "\ue001"}
# Who sends them, as the foot says.
SENDER = json.loads((club.root / "deploy/sender.json").read_text())
FOOT = {"sender": [SENDER["name"], SENDER["address"], SENDER["email"]], "legalNotice": SENDER["legalNotice"]}
# An encoded word in quotes is against RFC 2047, 5, and the only name in accents that old versions of Outlook read. All
# others read the one in Content-Disposition, in which nothing is tolerated.
TOLERATED = {("Content-Type", "encoded word inside quoted string"),
             ("Content-Type", "missing trailing whitespace after encoded-word")}


def lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def rendered(template: str, values: dict, escape) -> str:
    source = (TEMPLATES / f"{template}.mustache").read_text()
    return pystache.Renderer(escape=escape, missing_tags="ignore").render(source, FOOT | values)


def text_faults(meant: specimens.Meant, text: str) -> tuple[list[str], dict[str, str]]:
    """Faults, and the links in the text."""
    expected = lines(rendered(f"{meant.template}_text", meant.values | (LINKS if meant.listed else {}), lambda value: value))
    pattern = re.escape(expected.rstrip())
    for name, place in LINKS.items():
        pattern = pattern.replace(place, rf"(?P<{name}>\S+)")
    if not (found := re.fullmatch(pattern + r"\s*", lines(text))):
        return [f"its text is {lines(text)[:2000]!r} and not {expected[:2000]!r}"], {}
    return [], found.groupdict()


def tree(document: str):
    parser = html5lib.HTMLParser(strict=True)
    return html5lib.serialize(parser.parse(document), omit_optional_tags=False)


def html_faults(meant: specimens.Meant, document: str, links: dict[str, str]) -> list[str]:
    expected = rendered(f"{meant.template}_html", meant.values | links, html.escape)
    try:
        found, right = tree(lines(document)), tree(lines(expected))
    except html5lib.html5parser.ParseError as error:
        return [f"its HTML is malformed: {error}"]
    return [] if found.rstrip() == right.rstrip() else [f"its HTML is {found[:2000]!r} and not {right[:2000]!r}"]


def field_defects(part) -> list[str]:
    """The defects of header fields, which the policy does not raise."""
    return [f"{name}: {defect}" for name, value in part.items() for defect in value.defects
            if (name, str(defect)) not in TOLERATED]


def display_name(message) -> str | None:
    """The name in `To`, by Python's older reader: the newer one leaves the blanks between encoded words in a name (issue
    92081 of CPython)."""
    older = email.message_from_bytes(bytes(message), policy=email.policy.compat32)
    name = email.utils.parseaddr(older["To"])[0]
    return str(email.header.make_header(email.header.decode_header(name))) or None


def head_faults(meant: specimens.Meant, message) -> list[str]:
    faults = []
    expected = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted"]
    expected += ["List-Unsubscribe", "List-Unsubscribe-Post"] if meant.listed else []
    expected += ["Reply-To"] if meant.reply_to else []
    for name in expected:
        if len(message.get_all(name, [])) != 1:
            faults.append(f"{name} is there {len(message.get_all(name, []))} times")
    if not meant.listed and "List-Unsubscribe" in message:
        faults.append("it is of a list")
    if faults:
        return faults
    to = message["To"].addresses[0]
    for what, found, right in (
        ("subject", str(message["Subject"]), meant.subject), ("address", to.addr_spec, meant.email),
        ("name", display_name(message), meant.name), ("Reply-To", message["Reply-To"], meant.reply_to),
        ("sender", message["From"].addresses[0].display_name, "Club de l’économie numérique"),
    ):
        if found != right:
            faults.append(f"its {what} is {found!r} and not {right!r}")
    return faults


def file_faults(meant: specimens.Meant, parts: list) -> list[str]:
    """Of the parts after the two texts: an invitation is beside them, files are after all."""
    faults = []
    files = sorted(meant.files, key=lambda file: file.method is None)
    if len(parts) != len(files):
        return [f"it has {len(parts)} files and not {len(files)}"]
    for file, part in zip(files, parts):
        content = part.get_payload(decode=True)
        named = part["Content-Type"].params.get("name")
        for what, found, right in (
            ("type", part.get_content_type(), file.kind), ("content", content, file.content),
            ("method", part.get_param("method"), file.method), ("name in Content-Type", named, file.name),
        ) + ((("file name", part.get_filename(), file.name),) if file.method is None else ()):
            if found != right:
                faults.append(f"{file.name}: its {what} is {found!r:.300} and not {right!r:.300}")
    return faults


def line_faults(message: bytes) -> list[str]:
    """RFC 5322, 2.1.1 and 2.3: seven bits, lines of at most 998 octets, no CR or LF but together."""
    faults = []
    if any(byte > 127 or byte == 0 for byte in message):
        faults.append("it is not in seven bits")
    split = message.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in split):
        faults.append("it has a bare CR or LF")
    if any(len(line) > 998 for line in split):
        faults.append("a line is longer than 998 bytes")
    if not message.endswith(b"\r\n"):
        faults.append("its last line does not end")
    if any(line == b"." for line in split):
        faults.append("a line with one dot is not encoded")
    return faults


def faults_of(meant: specimens.Meant, message: bytes) -> list[str]:
    faults = line_faults(message)
    try:
        parsed = email.message_from_bytes(message, policy=STRICT)
        for part in parsed.walk():
            faults += field_defects(part)
        leaves = [part for part in parsed.walk() if not part.is_multipart()]
        if [part.get_content_type() for part in leaves[:2]] != ["text/plain", "text/html"]:
            return faults + ["it does not begin with a text and HTML"]
        faults += head_faults(meant, parsed)
        missing, links = text_faults(meant, leaves[0].get_content())
        faults += missing + html_faults(meant, leaves[1].get_content(), links)
        if meant.listed and f"<{links.get('unsubscribe')}>" not in str(parsed["List-Unsubscribe"]):
            faults.append(f"List-Unsubscribe is {parsed['List-Unsubscribe']} and not {links}")
        faults += file_faults(meant, leaves[2:])
    except email.errors.MessageDefect as defect:
        faults.append(f"a defect: {type(defect).__name__} {defect}")
    return faults


def spoiled(message: bytes) -> dict[str, bytes]:
    """The same message with a fault each; a judge that finds none in them sees nothing."""
    head, body = message.split(b"\r\n\r\n", 1)
    return {
        "another letter in the text": head + b"\r\n\r\n" + body.replace(b"Bonjour", b"Bonsoir", 1),
        "another letter in the HTML": head + b"\r\n\r\n" + b"Bonsoir".join(body.rsplit(b"Bonjour", 1)),
        "another subject": re.sub(rb"(?m)^Subject: ", b"Subject: x", message, count=1),
        "a boundary that does not end": message.rstrip().removesuffix(b"--") + b"\r\n",
        "a field without a colon": b"Received\r\n" + message,
        "a second subject": b"Subject: x\r\n" + message,
        "a bare LF": head + b"\r\n\r\n" + body.replace(b"\r\n", b"\n", 1),
        "a broken encoded word": re.sub(rb"\?B\?([A-Za-z0-9+/]{6})", rb"?B?\1=", message, count=1),
        "a byte of eight bits": message.replace(b"Bonjour", b"Bonjour\xe9", 1),
    }


if __name__ == "__main__":
    meant, faults = specimens.send()
    received = {specimens.recipient(message): message for message in specimens.messages()}
    if len(received) != len(meant):
        faults.append(f"{len(received)} readers have got a message, not {len(meant)}")
    for each in meant:
        message = received.get(each.email)
        faults += [f"{each.email}: {fault}" for fault in (faults_of(each, message) if message else ["got nothing"])]
    caught = 0
    for each in (meant[0], next(each for each in meant if each.email.startswith("invitation"))):
        for what, message in spoiled(received[each.email]).items():
            caught += 1
            if message == received[each.email] or not faults_of(each, message):
                faults.append(f"{each.email}: {what} was not seen")
    refused = len(specimens.FORBIDDEN) * 3
    club.conclude(
        faults, f"{len(received)} messages as meant, {refused} fields refused, {caught} spoiled messages seen",
        len(received), caught)
