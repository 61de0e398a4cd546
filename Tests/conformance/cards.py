"""Reads the vCards of people with vobject, and imports a card written by vobject: each agrees with the API."""

import json
import sys
import urllib.request
import uuid

import vobject

url, token = sys.argv[1], sys.argv[2]
faults = []


def ask(path: str, body: bytes | None = None, media: str = "application/json", version: int | None = None,
        method: str | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": media}
    if version:
        headers["If-Match"] = f'"{version}"'
    request = urllib.request.Request(url + path, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def everybody() -> dict[str, dict]:
    people, cursor = {}, ""
    while True:
        page = json.loads(ask(f"/v1/people?limit=200{cursor}"))
        people |= {person["id"]: person for person in page["items"]}
        if not page.get("next"):
            return people
        cursor = f"&cursor={page['next']}"


def said(card, version: str) -> dict:
    """The content of a card, with the API's names."""
    def number(telephone) -> str:
        return telephone.value.removeprefix("tel:").split(";")[0]

    def preferred(line) -> bool:
        parameters = {name.upper(): [value.upper() for value in values] for name, values in line.params.items()}
        return "PREF" in parameters or any("PREF" in value.split(",") for value in parameters.get("TYPE", []))

    emails, telephones = card.contents.get("email", []), card.contents.get("tel", [])
    for lines in (emails, telephones):
        if len(lines) > 1 and [preferred(line) for line in lines] != [True] + [False] * (len(lines) - 1):
            faults.append(f"{version}: not the first of {len(lines)} is preferred, and it alone")
    name = card.n.value
    organization = card.contents.get("org")
    return {
        "id": card.uid.value.removeprefix("urn:uuid:"), "honorificPrefix": name.prefix or None,
        "givenName": name.given or None, "familyName": name.family,
        "email": emails[0].value if emails else None, "otherEmails": [email.value for email in emails[1:]],
        "telephone": number(telephones[0]) if telephones else None,
        "otherTelephones": [number(telephone) for telephone in telephones[1:]],
        "organization": organization[0].value[0] if organization else None,
        "jobTitle": card.title.value if "title" in card.contents else None,
        "name": card.fn.value,
    }


def known(person: dict, organizations: dict[str, str]) -> dict:
    fields = {name: person.get(name) for name in (
        "id", "honorificPrefix", "givenName", "familyName", "email", "telephone", "jobTitle")}
    names = [person.get("givenName"), person["familyName"]]
    return fields | {
        "otherEmails": person.get("otherEmails", []), "otherTelephones": person.get("otherTelephones", []),
        "organization": organizations.get(person.get("organization")), "name": " ".join(filter(None, names)),
    }


def organizations() -> dict[str, str]:
    names, cursor = {}, ""
    while True:
        page = json.loads(ask(f"/v1/organizations?limit=200{cursor}"))
        names |= {each["id"]: each["name"] for each in page["items"]}
        if not page.get("next"):
            return names
        cursor = f"&cursor={page['next']}"


# A person with every property that a card can have.
key = uuid.uuid4().hex[:12]
ask("/v1/people", json.dumps({
    "honorificPrefix": "Mme", "givenName": "Zoé", "familyName": f"d'Été; {key}, fille \\ 🚀", "email": f"{key}@club.example",
    "otherEmails": [f"b{key}@club.example", f"c{key}@club.example"], "telephone": "0559000000",
    "otherTelephones": ["0692123456", "3949"], "jobTitle": "Présidente; \"déléguée\", " + "très " * 30,
}).encode())
people, firms = everybody(), organizations()
for version in ("3.0", "4.0"):
    text = ask(f"/v1/people.vcf?version={version}").decode()
    if any(len(line.encode()) > 75 for line in text.split("\r\n")):
        faults.append(f"{version}: a line is longer than 75 octets")
    cards = list(vobject.readComponents(text))
    if any(card.version.value != version for card in cards):
        faults.append(f"{version}: a card is of another version")
    found = {}
    for card in cards:
        fields = said(card, version)
        found[fields["id"]] = fields
    if len(cards) != len(people) or found.keys() != people.keys():
        faults.append(f"{version}: {len(cards)} cards of {len(people)} people")
    for id, fields in found.items():
        if id in people and fields != (right := known(people[id], firms)):
            wrong = {name: (fields[name], right[name]) for name in fields if fields[name] != right[name]}
            faults.append(f"{version}: {id}: {wrong}")
    # They are imported again, and change nothing.
    report = json.loads(ask("/v1/imports/people?mode=dryRun", text.encode(), "text/vcard"))
    if report["skipped"] != len(people) or report["errors"]:
        faults.append(f"{version}: taken back: {report}")
if everybody() != people:
    faults.append("a dry run changed somebody")

# A card written by vobject, in version 3.0.
key = uuid.uuid4().hex[:12]
card = vobject.vCard()
card.add("n").value = vobject.vcard.Name(family=f"Œuvre, {key}; d'", given="Noé", prefix="M.")
card.add("fn").value = f"Noé Œuvre, {key}; d'"
for address, types in ((f"b{key}@club.example", ["INTERNET"]), (f"{key}@club.example", ["INTERNET", "PREF"])):
    line = card.add("email")
    line.value, line.type_paramlist = address, types
for number, types in (("06 12 34 56 78", ["CELL"]), ("+33 (0)5 59 00 00 00", ["WORK", "PREF"]), ("0559000001", ["FAX"])):
    line = card.add("tel")
    line.value, line.type_paramlist = number, types
card.add("title").value = "Trésorier; \"délégué\"\net, toujours, " + "très " * 30 + "occupé"
card.add("note").value = "Une note,\navec un retour"
photo = card.add("photo")
photo.value, photo.encoding_param = bytes(range(256)) * 40, "b"
report = json.loads(ask("/v1/imports/people?mode=apply", card.serialize().encode(), "text/vcard"))
if (report["created"], report["errors"], report["unknownColumns"]) != (1, [], ["NOTE", "PHOTO"]):
    faults.append(f"a card by vobject: {report}")
taken = json.loads(ask(f"/v1/people?email={key}@club.example"))["items"]
right = {
    "honorificPrefix": "M.", "givenName": "Noé", "familyName": f"Œuvre, {key}; d'", "email": f"{key}@club.example",
    "otherEmails": [f"b{key}@club.example"], "telephone": "+33559000000", "otherTelephones": ["+33612345678"],
    "jobTitle": "Trésorier; \"délégué\" et, toujours, " + "très " * 30 + "occupé", "consents": {},
}
for name, value in right.items():
    if not taken or taken[0].get(name) != value:
        faults.append(f"a card by vobject: {name} is {taken and taken[0].get(name)!r}, not {value!r}")

for fault in faults[:50]:
    print(fault)
print(f"{len(people)} people in both versions, {len(faults)} faults")
sys.exit(1 if faults or len(people) < 10 else 0)
