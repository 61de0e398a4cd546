"""Verifies the signatures of every message with dkimpy, the keys served by dnsmasq: both must be valid, and neither after
one letter of a signed field was changed, or a second field was put in.
"""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import dkim
import dns.resolver

import club
import specimens
import tls

# A second one of these must make a signature invalid: readers might show it, or follow it.
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Content-Type", "List-Unsubscribe",
        "List-Unsubscribe-Post")
ALGORITHMS = {b"rsa-sha256", b"ed25519-sha256"}


def records() -> dict[str, str]:
    """The DNS record of each key, from its private half."""
    file = pathlib.Path(os.environ["DKIM_KEYS_FILE"])
    document = json.loads(file.read_text())
    found = {}
    for key in document["keys"]:
        command = ["openssl", "pkey", "-in", file.parent / key["file"], "-pubout", "-outform", "DER"]
        public = subprocess.run(command, check=True, capture_output=True).stdout
        kind = key["algorithm"].split("-")[0]
        # Of an Ed25519 key, the record has the 32 bytes alone (RFC 8463, 4).
        text = base64.b64encode(public[-32:] if kind == "ed25519" else public).decode()
        found[f"{key['selector']}._domainkey.{document['domain']}"] = f"v=DKIM1; k={kind}; p={text}"
    return found


class Keys:
    """A name server with the keys, for as long as it is open; what it has answered is remembered."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="club-dnsmasq-")
        port = tls.free_port(socket.SOCK_DGRAM)
        lines = ["no-daemon", "no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1", f"port={port}",
                 "user=root"]
        for name, text in records().items():
            # A string of a record has at most 255 bytes.
            lines.append(f"txt-record={name},{','.join(text[at:at + 250] for at in range(0, len(text), 250))}")
        file = pathlib.Path(self.folder.name) / "dnsmasq.conf"
        file.write_text("\n".join(lines))
        self.server = subprocess.Popen(["/usr/sbin/dnsmasq", f"--conf-file={file}"], stderr=subprocess.DEVNULL)
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers, self.resolver.port, self.resolver.lifetime = ["127.0.0.1"], port, 2
        self.known: dict[bytes, bytes] = {}
        club.until(10, "dnsmasq answers", lambda: self.answer(next(iter(records())).encode()))

    def answer(self, name: bytes, timeout: int = 5) -> bytes | None:
        if name not in self.known:
            try:
                strings = self.resolver.resolve(name.decode(), "TXT")[0].strings
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.LifetimeTimeout):
                return None
            self.known[name] = b"".join(strings)
        return self.known[name]

    def close(self):
        self.server.terminate()
        self.server.wait(10)
        self.folder.cleanup()


def valid(message: bytes, keys: Keys) -> int:
    """How many of the signatures are valid."""
    count = 0
    for index in range(len(signatures(message))):
        try:
            count += dkim.DKIM(message).verify(idx=index, dnsfunc=keys.answer)
        except dkim.DKIMException:
            pass
    return count


def fields(message: bytes) -> list[tuple[bytes, int, int]]:
    """Each header field: its name in lower case, and where its value begins and ends."""
    head = message[:message.index(b"\r\n\r\n") + 2]
    return [(found[1].lower(), found.start(2), found.end(2))
            for found in re.finditer(rb"(?m)^([!-9;-~]+):((?:.*\r\n[ \t])*.*\r\n)", head)]


def signatures(message: bytes) -> list[bytes]:
    return [message[start:end] for name, start, end in fields(message) if name == b"dkim-signature"]


def signed_names(message: bytes) -> list[set[bytes]]:
    """What each signature signs."""
    return [{name.strip().lower() for name in re.search(rb"\bh=([^;]*)", signature)[1].split(b":")}
            for signature in signatures(message)]


def changed(message: bytes, place: int) -> bytes:
    """With another letter or digit at a place."""
    byte = message[place:place + 1]
    other = b"b" if byte in b"aA" else b"7" if byte.isdigit() and byte != b"7" else b"8" if byte == b"7" else b"a"
    return message[:place] + other + message[place + 1:]


def letters(message: bytes, start: int, end: int) -> list[int]:
    return [place for place in range(start, end) if message[place:place + 1].isalnum()]


def judge(message: bytes, keys: Keys, every_letter: bool) -> tuple[list[str], int]:
    """Faults, and how many changes were tried."""
    algorithms = {re.search(rb"\ba=([^;]*)", signature)[1].strip() for signature in signatures(message)}
    if algorithms != ALGORITHMS or valid(message, keys) != len(ALGORITHMS):
        return [f"{valid(message, keys)} valid signatures, by {sorted(algorithms)}"], 0
    faults, tried = [], 0

    def must_fail(what: str, other: bytes):
        nonlocal tried
        tried += 1
        if still := valid(other, keys):
            faults.append(f"{still} signatures are valid with {what}")

    common = set.intersection(*signed_names(message))
    present = {name for name, _, _ in fields(message)}
    for name in ONCE:
        if name.lower().encode() not in common:
            faults.append(f"{name} is not signed")
        must_fail(f"a {name} put in before", name.encode() + b": x@club.example\r\n" + message)
        at = message.index(b"\r\n\r\n") + 2
        must_fail(f"a {name} put in behind", message[:at] + name.encode() + b": x@club.example\r\n" + message[at:])
    for name in {b"mime-version", b"list-id"} & present - common:
        faults.append(f"{name.decode()} is not signed")
    for name, start, end in fields(message):
        if name in common:
            places = letters(message, start, end)
            for place in places if every_letter else places[::max(1, len(places) // 2)]:
                must_fail(f"another letter in {name.decode()} at {place - start}", changed(message, place))
    body = letters(message, message.index(b"\r\n\r\n") + 4, len(message))
    for place in (body[0], body[len(body) // 2], body[-1]):
        must_fail(f"another letter in the body at {place}", changed(message, place))
    must_fail("a line put behind", message + b"x\r\n")
    return faults, tried


if __name__ == "__main__":
    keys = Keys()
    try:
        found = specimens.messages()
        # Each letter, in one message of a list.
        listed = next(index for index, message in enumerate(found) if b"\r\nReply-To: " in message)
        faults, tried = [], 0
        for index, message in enumerate(found):
            wrong, changes = judge(message, keys, every_letter=index == listed)
            tried += changes
            faults += [f"{specimens.recipient(message)}: {fault}" for fault in wrong]
        # What a relay may do to a message on its way leaves it valid (relaxed canonicalization).
        relayed = b"Received: from x by y; now\r\n" + found[0].replace(b"Subject: ", b"SUBJECT:  ", 1) + b"\r\n\r\n"
        if valid(relayed, keys) != len(ALGORITHMS):
            faults.append("a message is not valid after a relay has added blanks")
    finally:
        keys.close()
    club.conclude(
        faults, f"{len(found)} messages with both signatures by keys from dnsmasq, none valid after {tried} changes",
        len(found), tried)
