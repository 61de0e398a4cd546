"""Reads every message of a Maildir with Python's e-mail parser, and says what is wrong with it."""

import email
import email.policy
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
identifiers = set()
faults = []
count = 0
for path in sorted(folder.iterdir()):
    count += 1
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    wrong = [type(defect).__name__ for part in message.walk() for defect in part.defects]
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe"):
        values = message.get_all(name, [])
        if len(values) != 1:
            wrong.append(f"{name} is there {len(values)} times")
        wrong += [f"{name}: {type(defect).__name__}" for value in values for defect in value.defects]
    if message["Message-ID"] in identifiers:
        wrong.append("Message-ID is there twice")
    identifiers.add(message["Message-ID"])
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    if kinds != ["text/plain", "text/html"]:
        wrong.append(f"its parts are {kinds}")
    for part in message.walk():
        if not part.is_multipart() and not part.get_content().strip():
            wrong.append(f"{part.get_content_type()} is empty")
    if any(len(line) > 998 for line in path.read_bytes().split(b"\r\n")):
        wrong.append("a line is longer than 998 bytes")
    if wrong:
        faults.append(f"{path.name}: {', '.join(wrong)}")

for fault in faults[:20]:
    print(fault)
print(f"{count} messages, {len(faults)} of them with faults")
sys.exit(1 if faults or count == 0 else 0)
