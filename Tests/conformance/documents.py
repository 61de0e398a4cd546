"""Reads calls and receipts as PDF with poppler: the text, the fonts, and a rendering that is not empty."""

import json
import pathlib
import subprocess
import sys
import urllib.request

url, token, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)


def get(path: str) -> bytes:
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def judge(name: str, path: str, words: list[str]) -> list[str]:
    faults = []
    first = get(path)
    if get(path) != first:
        faults.append("the bytes differ from one request to the next")
    file = folder / f"{name}.pdf"
    file.write_bytes(first)
    # A no-break space is a gap between two words in a PDF, and is extracted as a space.
    text = plain(run("pdftotext", "-layout", str(file), "-").decode())
    faults += [f"does not say {word!r}" for word in words if plain(word) not in text]
    for line in run("pdffonts", str(file)).decode().splitlines()[2:]:
        if line.split()[-5] != "yes":
            faults.append(f"a font is not embedded: {line.split()[0]}")
    run("pdftoppm", "-r", "50", "-gray", str(file), str(folder / name))
    pictures = sorted(folder.glob(f"{name}-*.pgm"))
    if not pictures or not any(set(picture.read_bytes()[15:]) - {255} for picture in pictures):
        faults.append("its picture is empty")
    return [f"{name}: {fault}" for fault in faults]


faults = []
contributions = json.loads(get("/v1/contributions?limit=50"))["items"]
paid = [each for each in contributions if each.get("receipt")]
for each in contributions[:3]:
    number = f"{each['year']}-{each['number']}"
    path = f"/v1/contributions/{each['id']}/call.pdf"
    faults += judge(f"call-{number}", path, [f"Appel de cotisation n°\u00a0{number}", "€", "TVA"])
for each in paid[:3]:
    path = f"/v1/contributions/{each['id']}/receipt.pdf"
    faults += judge(f"receipt-{each['receipt']}", path, [f"Reçu n°\u00a0{each['receipt']}", "€", "TVA"])
for fault in faults:
    print(fault)
print(f"{len(contributions[:3])} calls and {len(paid[:3])} receipts, {len(faults)} faults")
sys.exit(1 if faults or not contributions or not paid else 0)
