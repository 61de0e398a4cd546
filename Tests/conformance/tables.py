"""Exports the four tables of the directory and imports them unchanged: every row is skipped, no record changes."""

import json
import sys
import urllib.error
import urllib.request

url, token = sys.argv[1], sys.argv[2]
tables = ["organizations", "people", "ambassadors", "experts"]
faults = []


def ask(path: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(
        url + path, data=body, headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"})
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


def records() -> dict[str, list]:
    """Everything that the API returns about all records, including versions and times of change."""
    found = {}
    for table in tables:
        found[table], cursor = [], ""
        while True:
            page = json.loads(ask(f"/v1/{table}?limit=200{cursor}"))
            found[table] += page["items"]
            if not page.get("next"):
                break
            cursor = f"&cursor={page['next']}"
    return found


before = records()
for table in tables:
    for query in ("", "?excel=true"):
        exported = ask(f"/v1/{table}.csv{query}")
        for existing in ("update", "fill", "skip"):
            report = json.loads(ask(f"/v1/imports/{table}?mode=apply&existing={existing}", exported))
            counts = [report.get(name) for name in ("rows", "created", "updated", "skipped")]
            if counts != [len(before[table]), 0, 0, len(before[table])] or report["errors"] or report.get("notes"):
                faults.append(f"{table}{query}, {existing}: {json.dumps(report)[:500]}")
        if ask(f"/v1/{table}.csv{query}") != exported:
            faults.append(f"{table}{query}: the table is another one after it was imported")
after = records()
for table in tables:
    moved = [record["id"] for record, now in zip(before[table], after[table]) if record != now]
    if moved or len(before[table]) != len(after[table]):
        faults.append(f"{table}: {len(moved)} records have moved, such as {moved[:3]}")

for fault in faults:
    print(fault)
print(", ".join(f"{len(before[table])} {table}" for table in tables) + f" there and back: {len(faults)} faults")
sys.exit(1 if faults or not all(before.values()) else 0)
