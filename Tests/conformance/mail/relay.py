"""A real Postfix as the relay of issues: it answers some recipients as mailbox providers do, greylists others with
postgrey, wants TLS and a password, and is as strict with its clients as it can be. Each reply must be told right, and
every message that is accepted be there once and as it was signed.
"""

import collections
import dataclasses
import re
import smtplib
import socket
import time

import club
import postfix
import signatures
from replies import ALL, CASES, GREYLISTED, TEXT_CASES, Case

# --- the service, and who attends to it -----------------------------------------------------------------


def attend(issue: dict, reasons: set[str]):
    """What the staff does: an issue that was paused is resumed, a lane that was slowed or closed is opened."""
    now = club.now(issue)
    if now["state"] == "paused":
        reasons.add(now["holdReason"])
        club.become(issue, "sending")
    open_lanes()


def open_lanes():
    for lane in club.everything(f"{club.content}/v1/mail-lanes"):
        if lane["state"] in ("slowed", "closed"):
            for state in ("paused", "open"):
                club.ask(f"{club.content}/v1/mail-lanes/{lane['code']}/transitions", {"to": state})


def unanswered(issue: dict) -> tuple[bool, list[str]]:
    """Whether somebody has got no answer yet, and whose turn was cut short by an error of the one before."""
    waiting = [each for each in club.deliveries(issue) if each["state"] in ("pending", "sending")]
    cut = [each["email"] for each in waiting if "too many errors" in (each.get("reply") or "")]
    return bool(cut) or any(each["class"] is None for each in waiting), cut


def told(issue: dict, cases: list[Case]) -> list[str]:
    """Faults in what was made of the replies."""
    found = {each["email"]: each for each in club.deliveries(issue)}
    missed = {each["email"]: each["reason"] for each in club.everything(f"{club.content}/v1/issues/{issue['id']}/missed")}
    faults = []
    for case in cases:
        each = found[case.email]
        for what, is_, right in (("class", each["class"], case.meaning), ("state", each["state"], case.state),
                                 ("reason", missed.get(case.email), case.reason)):
            if is_ != right:
                faults.append(f"{case.name}: its {what} is {is_} and not {right} after {each['reply']!r}")
        if case is not GREYLISTED and case.words not in (each["reply"] or ""):
            faults.append(f"{case.name}: the reply that is shown is {each['reply']!r}")
    return faults


def delivered(server: postfix.Postfix, readers: set[str], keys: signatures.Keys) -> list[str]:
    """Faults in what Postfix has delivered: each reader once, and as it was signed."""
    messages = server.taken()
    faults, counts = [], collections.Counter()
    for message in messages:
        counts[re.search(rb"(?m)^X-Original-To: (\S+)", message)[1].decode()] += 1
        if signatures.valid(postfix.original(message), keys) != len(signatures.ALGORITHMS):
            faults.append(f"a signature is not valid: {message[:300]!r}")
    faults += [f"{reader} has got {counts[reader]} messages" for reader in readers if counts[reader] != 1]
    return faults + [f"{reader} should have got nothing" for reader in counts.keys() - readers]


# --- the judgements ---------------------------------------------------------------------------------------


def judge_limits(server: postfix.Postfix, keys: signatures.Keys) -> list[str]:
    """A server that allows few connections, messages and errors: everybody gets the issue once all the same."""
    limits = server.folder / "limits.json"
    limits.write_text('{"other": {"messagesPerConnection": 10}}')
    club.restart_content(server.url("limits", "starttls=never&connections=8"), MAIL_LIMITS_FILE=str(limits))
    start = len(server.log())
    issue, reasons = club.send_issue("Flash info", club.ORDINARY), set()

    def is_sent() -> bool:
        attend(issue, reasons)
        club.forward()
        return club.now(issue)["state"] == "sent"

    club.until(240, "the issue is sent within the server's limits", is_sent)
    faults = [f"{each['email']} is {each['state']}: {each['reply']}"
              for each in club.deliveries(issue) if each["state"] != "sent"]
    log = server.log(start)
    for sign in ("Connection concurrency limit exceeded", "Message delivery request rate limit exceeded",
                 "too many errors after"):
        if sign not in log:
            faults.append(f"the server never said, so that nothing was judged: {sign}")
    for sign in ("bare <LF>", "improper command pipelining"):
        if sign in log:
            faults.append(f"the server objects: {sign}")
    club.until(20, "the messages are delivered", lambda: len(server.taken()) >= len(club.audience()))
    faults += delivered(server, club.audience(), keys)
    server.forget()
    return faults


def judge_replies(server: postfix.Postfix, keys: signatures.Keys) -> list[str]:
    club.restart_content(server.url("submission", "starttls=required&connections=4", login=True),
                         trusting=server.authority.root)
    ordinary = club.audience()
    club.add_experts({case.email: f"Agence {case.name}" for case in ALL})
    issue, reasons = club.send_issue("Flash info", club.ORDINARY), set()

    def is_told() -> bool:
        attend(issue, reasons)
        is_waiting, cut = unanswered(issue)
        if cut:
            club.forward(*cut)
        return club.now(issue).get("frozenAt") and not is_waiting

    club.until(240, "everybody has got an answer", is_told)
    faults = told(issue, ALL)
    for words in ("refuses us as a sender", "the fault is ours"):
        if not any(words in (reason or "") for reason in reasons):
            faults.append(f"the issue was not paused because {words}")
    if any("@" in (reason or "") for reason in reasons):
        faults.append(f"a reason has an address: {reasons}")
    # Whom postgrey has put off, it takes the second time.
    club.forward(GREYLISTED.email)

    def has_returned() -> bool:
        attend(issue, reasons)
        return next(each for each in club.deliveries(issue) if each["email"] == GREYLISTED.email)["state"] == "sent"

    try:
        club.until(60, "postgrey takes the second attempt", has_returned)
        club.until(20, "the messages are delivered", lambda: len(server.taken()) >= len(ordinary) + 1)
    except club.Late as fault:
        faults.append(str(fault))
    faults += delivered(server, ordinary | {GREYLISTED.email}, keys)
    # What this judge must not let pass.
    if not told(issue, [dataclasses.replace(CASES[0], meaning="refused")]):
        faults.append("a wrong class was not seen")
    if not delivered(server, ordinary | {CASES[0].email}, keys):
        faults.append("a message that is not there was not seen")
    club.become(issue, "cancelled")
    server.forget()
    return faults


def judge_opening(server: postfix.Postfix) -> list[str]:
    """Where we are not let in, or would not be safe, nothing is sent, nobody fails, and our own fault pauses the issue."""
    faults = []
    login = server.url("submission", "starttls=required", login=True)
    for what, url, trusting, reason in (
        ("a wrong password", login.replace(server.password, "faux"), server.authority.root, "does not let us in"),
        ("no password", server.url("submission", "starttls=required"), server.authority.root, "the fault is ours"),
        ("an unknown authority", login, None, None),
        ("another name in the certificate", login.replace("localhost", "127.0.0.1"), server.authority.root, None),
        ("no TLS", server.url("limits", "starttls=required"), None, None),
        ("a message too big", server.url("small", "starttls=never"), None, "the fault is ours"),
    ):
        open_lanes()
        club.restart_content(url, trusting=trusting)
        before = server.log().count(": connect from localhost")
        issue = club.send_issue("Flash info", club.ORDINARY)
        club.until(30, f"{what}: the server is asked", lambda: server.log().count(": connect from localhost") > before)
        if reason:
            club.until(30, f"{what}: the issue is paused", lambda: club.now(issue)["state"] == "paused")
        # Until the server has been asked again.
        time.sleep(2)
        now = club.now(issue)
        if (reason or "") not in (now.get("holdReason") or "") or (now["state"] == "paused") != bool(reason):
            faults.append(f"{what}: the issue is {now['state']}: {now.get('holdReason')}")
        wrong = {each["state"] for each in club.deliveries(issue)} - {"pending"}
        if wrong or server.taken():
            faults.append(f"{what}: {len(server.taken())} messages are taken, deliveries are {wrong}")
        club.become(issue, "cancelled")
    return faults


def judge_strictness(server: postfix.Postfix) -> list[str]:
    """That the server does refuse what it must, for its silence to say something of us."""
    faults = []
    with socket.create_connection(("127.0.0.1", server.ports["limits"]), 10) as client:
        client.recv(1000)
        client.sendall(b"EHLO a.example\r\nMAIL FROM:<a@club.example>\r\n")
        if b"250" in client.recv(4000):
            faults.append("commands before the answer to EHLO were taken")
    with smtplib.SMTP("127.0.0.1", server.ports["limits"], timeout=10) as client:
        client.ehlo("a.example")
        client.docmd("MAIL FROM:<a@club.example>")
        client.docmd("RCPT TO:<b@club.example>")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\nbare\nLF\r\n.\r\n")
        if client.getreply()[0] < 500:
            faults.append("a bare LF was taken")
    return faults


if __name__ == "__main__":
    # More than the limits allow at once.
    club.add_experts({f"relais{number}@relais.example": f"Relais {number}" for number in range(80)})
    keys = signatures.Keys()
    server = postfix.Postfix(
        services={
            "submission": postfix.TLS | {"smtpd_hard_error_limit": "1"},
            "limits": {"smtpd_client_connection_count_limit": "2", "smtpd_client_message_rate_limit": "50",
                       "smtpd_hard_error_limit": "2"},
            "small": {"message_size_limit": "1000"},
        },
        recipients={case.email: case.answer for case in CASES + [GREYLISTED]},
        headers={f"^To: .*{case.email}": case.answer for case in TEXT_CASES},
        anvil_rate_time_unit="10s")
    faults = []
    try:
        for judge in (lambda: judge_strictness(server), lambda: judge_limits(server, keys), lambda: judge_opening(server),
                      lambda: judge_replies(server, keys)):
            try:
                faults += judge()
            except club.Late as fault:
                faults.append(str(fault))
    finally:
        (club.local / "conformance/postfix.log").write_text(server.log())
        server.close()
        keys.close()
    club.conclude(faults, f"{len(ALL)} replies of Postfix told right, and its limits kept", len(ALL))
