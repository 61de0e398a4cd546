"""Reads every message in a Maildir with Python's e-mail parser, verifies its signatures, and prints its errors."""

import base64
import email
import email.policy
import json
import pathlib
import subprocess
import sys

import dkim

# As sent by `run`: every mail client must show exactly these.
literal = ("=?utf-8?B?UERHIGR1IENsdWI=?=", "=?utf-8?Q?Urgent?=")
folder = pathlib.Path(sys.argv[1])
keys_file = pathlib.Path(sys.argv[2])
keys = json.loads(keys_file.read_text())


def record(key):
    """The DNS record of a key, from its private half."""
    command = ["openssl", "pkey", "-in", keys_file.parent / key["file"], "-pubout", "-outform", "DER"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    kind = key["algorithm"].split("-")[0]
    # Of an Ed25519 key, the record has the 32 bytes alone (RFC 8463, 4).
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public[-32:] if kind == 'ed25519' else public).decode()}".encode()


records = {f"{key['selector']}._domainkey.{keys['domain']}.".encode(): record(key) for key in keys["keys"]}


def signature_faults(message):
    signatures = message.lower().split(b"\r\n\r\n")[0].count(b"dkim-signature:")
    if signatures != len(records):
        return [f"it has {signatures} signatures"]
    faults = []
    for index in range(signatures):
        try:
            if not dkim.DKIM(message).verify(idx=index, dnsfunc=lambda name, timeout=5: records[name]):
                faults.append("a signature is not valid")
        except dkim.DKIMException as fault:
            faults.append(f"a signature is not valid: {fault}")
    return faults


identifiers = set()
faults = []
count = 0
literal_seen = False
for path in sorted(folder.iterdir()):
    count += 1
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    wrong = [type(defect).__name__ for part in message.walk() for defect in part.defects]
    # A letter about the reader's own affairs belongs to no list.
    listed = ("List-Unsubscribe",) if message["List-Id"] else ()
    for name in ("From", "To", "Subject", "Date", "Message-ID", *listed):
        values = message.get_all(name, [])
        if len(values) != 1:
            wrong.append(f"{name} is there {len(values)} times")
        wrong += [f"{name}: {type(defect).__name__}" for value in values for defect in value.defects]
    if message["To"].addresses[0].addr_spec == "essai@club.example":
        read = (message["To"].addresses[0].display_name, str(message["Subject"]))
        wrong += [f"{text} was read as {other}" for text, other in zip(literal, read) if text != other]
        literal_seen = True
    if message["Message-ID"] in identifiers:
        wrong.append("Message-ID is there twice")
    identifiers.add(message["Message-ID"])
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    if kinds != ["text/plain", "text/html"]:
        wrong.append(f"its parts are {kinds}")
    for part in message.walk():
        if not part.is_multipart() and not part.get_content().strip():
            wrong.append(f"{part.get_content_type()} is empty")
    wrong += signature_faults(path.read_bytes())
    if any(len(line) > 998 for line in path.read_bytes().split(b"\r\n")):
        wrong.append("a line is longer than 998 bytes")
    if wrong:
        faults.append(f"{path.name}: {', '.join(wrong)}")

if not literal_seen:
    faults.append("the letter to essai@club.example is not there")
for fault in faults[:20]:
    print(fault)
print(f"{count} messages, {len(faults)} of them with faults")
sys.exit(1 if faults or count == 0 else 0)
