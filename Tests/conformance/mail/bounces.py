"""A Postfix that accepts everything and returns some of it later: its reports come home through a real Maildir, and
each must find its delivery.
"""

import re
import shutil

import club
import postfix

RETURN = "return@club.example"
# What delivery says of an address after the message was accepted, and whether it is suppressed for that: a mailbox that
# is there, and only disabled, is not gone for what a report says.
FAILING = {
    "gone@retours.example": ("5.1.1 User unknown in local recipient table", True),
    "disabled@retours.example": ("5.2.1 Mailbox disabled, not accepting messages", False),
    "full@retours.example": ("5.2.2 Mailbox full", False),
    "policy@retours.example": ("5.7.1 Service unavailable; blocked using zen.spamhaus.org", False),
}
LETTER = ("lettre@retours.example", "5.1.1 User unknown")
READER = "lectrice@retours.example"
OWN = {*FAILING, LETTER[0], READER}


def inbound() -> list[dict]:
    return club.everything(f"{club.content}/v1/inbound-messages")


def judge(server: postfix.Postfix) -> list[str]:
    inbox = server.mail / "inbox"
    for folder in ("new", "cur", "tmp"):
        (inbox / folder).mkdir(parents=True)
    for path in (inbox, *inbox.iterdir()):
        shutil.chown(path, "nobody")
    club.restart_content(server.url("open", "starttls=never"), MAIL_RETURN=RETURN, MAIL_INBOX=str(inbox))
    club.add_experts({email: f"Retours {email.split('@')[0]}" for email in (*FAILING, READER)})
    issue = club.send_issue("Flash info", club.ORDINARY)
    letter = club.ask(f"{club.content}/v1/letters", {
        "key": "bounces", "purpose": "notice", "email": LETTER[0], "subject": "Bonjour", "paragraphs": ["Bonjour."]})
    club.until(60, "the issue is sent", lambda: club.now(issue)["state"] == "sent")
    count = len(FAILING) + 1
    club.until(60, f"{count} reports are read", lambda: sum(each["state"] == "read" for each in inbound()) >= count)
    faults = []
    mails = {each["id"]: each["email"] for each in club.deliveries(issue)} | {letter["id"]: LETTER[0]}
    found = [each for each in inbound() if each.get("kind") == "bounce"]
    told = sorted(mails.get(each.get("delivery") or each.get("letter"), "nobody") for each in found)
    if told != sorted((*FAILING, LETTER[0])):
        faults.append(f"the reports are about {told}")
    faults += [f"a report was found by {each.get('foundBy')}" for each in found if each.get("foundBy") != "returnToken"]
    # What comes back is written beside the state.
    faults += [f"{each['email']} is {each['state']}" for each in club.deliveries(issue)
               if each["email"] in OWN and each["state"] != "sent"]
    gone = {LETTER[0]} | {email for email, (_, is_gone) in FAILING.items() if is_gone}

    def suppressed() -> set[str]:
        return {each["email"] for each in club.everything(f"{club.content}/v1/suppressions")} & OWN

    club.until(30, f"{gone} are suppressed", lambda: gone <= suppressed())
    if suppressed() != gone:
        faults.append(f"suppressed are {suppressed()} and not {gone}")
    return faults + judge_returning(server) + judge_ways(server) + judge_unread(server)


def judge_returning(server: postfix.Postfix) -> list[str]:
    """The envelope sender of each message is its own, and says nothing of its reader."""
    faults = []
    senders = [re.search(rb"(?m)^Return-Path: <(\S*)>", message)[1].decode() for message in server.taken()]
    if len(set(senders)) != len(senders) or not senders:
        faults.append(f"{len(set(senders))} return addresses of {len(senders)} messages")
    for sender in senders:
        local, domain = sender.split("@")
        if domain != "club.example" or not re.fullmatch(r"return\+[a-z0-9]{1,40}", local):
            faults.append(f"a return address is {sender}")
    return faults


def unknown(known: set[str]) -> list[dict]:
    """The messages that were read since."""
    return [each for each in inbound() if each["id"] not in known and each["state"] != "new"]


def source(message: dict) -> bytes:
    return club.ask(f"{club.content}/v1/inbound-messages/{message['id']}/source")


def judge_ways(server: postfix.Postfix) -> list[str]:
    """Without the token, and then without what comes next, a report is found by what is left."""
    faults = []
    first = next(each for each in inbound() if each.get("delivery"))
    report, known = source(first), {each["id"] for each in inbound()}
    # One letter of a token is another.
    report = re.sub(rb"(return\+[a-z0-9]{39})([a-z0-9])",
                    lambda token: token[1] + (b"0" if token[2] != b"0" else b"1"), report)
    for way, taken in (("envelopeID", rb"(?!)"), ("messageID", rb"(?im)^Original-Envelope-Id: .*\n"),
                       ("recipient", rb"(?im)^Message-ID: .*\n")):
        report = re.sub(taken, b"", report)
        (server.mail / "inbox/new" / way).write_bytes(report)
        found = club.until(30, f"the report without more than {way} is taken", lambda: unknown(known))[0]
        known.add(found["id"])
        if (found.get("foundBy"), found.get("delivery")) != (way, first["delivery"]):
            faults.append(f"by {way}: {found}")
    # It is the same bounce, told four times.
    told = club.rows(f"select count(*) from content.mail_report where mail = '{first['delivery']}'")[0]["count"]
    return faults + ([f"a bounce counts {told} times"] if told != 1 else [])


def judge_unread(server: postfix.Postfix) -> list[str]:
    """What is no report waits unread, and the same report again is no other one."""
    inbox, before = server.mail / "inbox", inbound()
    if left := [path.name for folder in ("cur", "new") for path in (inbox / folder).iterdir()]:
        return [f"the Maildir still has {left}"]
    (inbox / "new/again").write_bytes(source(before[0]))
    (inbox / "new/garbage").write_bytes(b"\x00\xff\r\nContent-Type: multipart/report; boundary=\r\n\r\n--\r\n" * 50)
    club.until(30, "the Maildir is empty", lambda: not list((inbox / "new").iterdir()))
    known = {each["id"] for each in before}
    added = club.until(30, "what is no report is read", lambda: unknown(known))
    return [] if [each["state"] for each in added] == ["unread"] else [f"more messages than one unread: {added}"]


if __name__ == "__main__":
    server = postfix.Postfix(
        services={"open": {}}, failing={email: text for email, (text, _) in FAILING.items()} | dict([LETTER]))
    try:
        faults = judge(server)
    finally:
        (club.local / "conformance/postfix-bounces.log").write_text(server.log())
        server.close()
    club.conclude(faults, f"{len(FAILING) + 1} reports by Postfix have found their mails", len(FAILING))
