"""Has SpamAssassin's local rules judge every message: none may fire but those that the list below explains."""

import pathlib
import re
import subprocess
import tempfile

import club
import specimens

# What fires for another reason than the form of the message.
EXPLAINED = {
    "NO_RECEIVED": "the messages were taken from the service, before the first server",
    "NO_RELAYS": "likewise",
    "HTML_MESSAGE": "says that there is an HTML part, and counts nothing",
    "T_DOC_ATTACH_NO_EXT": "takes a quotation mark in a file name, which it has decoded, for the end of the name",
}
# A message without what every message has, for the judge to be seen to judge.
MALFORMED = (b"From: club\r\nSubject: URGENT!!! GAGNEZ !!!\r\nContent-Type: text/html\r\n\r\n"
             b"<html><body><font size=7>CLICK HERE</font></body>\r\n")


def fired(messages: list[bytes]) -> list[set[str]]:
    """The rules that fire for each message."""
    with tempfile.TemporaryDirectory(prefix="club-spamassassin-") as name:
        folder = pathlib.Path(name)
        # Nothing is asked of the network, and nothing learnt.
        (folder / "preferences").write_text(
            "use_bayes 0\nuse_auto_welcomelist 0\ndns_available no\nreport_safe 0\nadd_header all Status _TESTSSCORES(,)_\n"
            "fold_headers 0\n")
        files = []
        for number, message in enumerate(messages):
            files.append(folder / f"{number:03}.eml")
            files[-1].write_bytes(message)
        command = ["spamassassin", "-L", "-t", "-x", "-p", str(folder / "preferences"), *map(str, files)]
        output = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, timeout=300, env={"HOME": name, "PATH": "/usr/bin:/bin"}).stdout
    found = re.findall(rb"(?m)^X-Spam-Status: (.*?)\r?$", output)
    if len(found) != len(messages):
        raise SystemExit(f"SpamAssassin has judged {len(found)} of {len(messages)} messages")
    return [{rule.split("=")[0] for rule in line.decode().split(",") if rule != "none"} for line in found]


if __name__ == "__main__":
    found = specimens.messages()
    faults = []
    *judged, malformed = fired(found + [MALFORMED])
    for message, rules in zip(found, judged):
        if unexplained := rules - EXPLAINED.keys():
            faults.append(f"{specimens.recipient(message)}: {', '.join(sorted(unexplained))}")
    if not malformed - EXPLAINED.keys():
        faults.append("nothing fired for a malformed message")
    club.conclude(
        faults, f"{len(found)} messages without a rule, {len(malformed)} rules fired for a malformed one", len(found))
