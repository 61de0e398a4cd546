"""A whole issue into aiosmtpd, which demands TLS and AUTH LOGIN and takes one command at a time: every message must be
there once, with the bytes that were signed.
"""

import collections
import pathlib
import smtplib
import ssl
import tempfile

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import club
import signatures
import tls

READERS = 120
USER, PASSWORD = b"club", b"mot de passe"


class Taken:
    """Keeps what it takes, and what was said before it."""

    def __init__(self):
        self.messages: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server, session, envelope):
        if session.authenticated and session.ssl:
            self.messages += [(recipient, envelope.original_content) for recipient in envelope.rcpt_tos]
            return "250 taken"
        return "530 5.7.0 Authentication required"


class Server(Controller):
    def __init__(self, authority: tls.Authority, port: int):
        self.taken = Taken()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(authority.certificate, authority.key)
        super().__init__(self.taken, hostname="127.0.0.1", port=port)

    def factory(self):
        return SMTP(
            self.handler, hostname="localhost", require_starttls=True, tls_context=self.context, auth_required=True,
            auth_exclude_mechanism=["PLAIN"], authenticator=self.authenticate, enable_SMTPUTF8=False)

    def authenticate(self, server, session, envelope, mechanism, data):
        return AuthResult(success=mechanism == "LOGIN" and (data.login, data.password) == (USER, PASSWORD))


def judge(messages: list[tuple[str, bytes]], readers: set[str], keys: signatures.Keys) -> list[str]:
    faults = []
    counts = collections.Counter(recipient for recipient, _ in messages)
    faults += [f"{reader} has got {counts[reader]} messages" for reader in readers if counts[reader] != 1]
    faults += [f"{reader} is no reader" for reader in counts.keys() - readers]
    for reader, message in messages:
        if any(b"\r" in line or b"\n" in line for line in message.split(b"\r\n")):
            faults.append(f"{reader}: a bare CR or LF")
        # A dot too few or too many is another text.
        if signatures.valid(message, keys) != len(signatures.ALGORITHMS):
            faults.append(f"{reader}: a signature is not valid")
    return faults


def controls(messages: list[tuple[str, bytes]], readers: set[str], keys: signatures.Keys) -> list[str]:
    """What this judge must not let pass."""
    reader, message = messages[0]
    spoiled = {
        "a message twice": messages + messages[:1], "a message less": messages[1:],
        "a dot more": [(reader, message.replace(b"\r\n..\r\n", b"\r\n...\r\n"))] + messages[1:],
        "a bare LF": [(reader, message.replace(b"\r\n", b"\n", 1))] + messages[1:]}
    return [f"{what} was not seen" for what, other in spoiled.items() if not judge(other, readers, keys)]


def refuses(port: int) -> list[str]:
    """That the server lets nobody in who has not proved who they are: otherwise it has judged nothing."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo()
        code = client.docmd("MAIL FROM:<a@club.example>")[0]
    return [] if code >= 500 else ["the server takes mail without TLS and AUTH"]


if __name__ == "__main__":
    club.add_experts({f"lecteur{number}@serveur.example": f"Lecteur {number}" for number in range(READERS)})
    keys = signatures.Keys()
    with tempfile.TemporaryDirectory(prefix="club-aiosmtpd-") as name:
        authority = tls.Authority(pathlib.Path(name))
        server = Server(authority, tls.free_port())
        server.start()
        try:
            club.restart_content(f"smtp://club:mot%20de%20passe@localhost:{server.port}?starttls=required&connections=4",
                                 trusting=authority.root)
            issue = club.send_issue("Flash info", club.ORDINARY)
            club.until(120, "the issue is sent", lambda: club.now(issue)["state"] == "sent")
            readers = club.audience()
            messages = server.taken.messages
            faults = judge(messages, readers, keys) + controls(messages, readers, keys)
            faults += refuses(server.port)
            wrong = [each for each in club.deliveries(issue) if each["state"] != "sent"]
            faults += [f"{each['email']} is {each['state']}: {each['reply']}" for each in wrong]
        finally:
            server.stop()
            keys.close()
    club.conclude(faults, f"{len(messages)} messages of an issue in aiosmtpd, each once and as signed", len(messages))
