"""Leaving by the links in mails, without a browser: a mail scanner that follows every link and submits nothing changes
nothing; the one-click POST of mail programs (RFC 8058) is taken in every form that they send it in.
"""

import collections
import concurrent.futures
import http.client
import urllib.error
import urllib.parse
import urllib.request

import club
import links

DOMAIN = "quitter.example"
SCANNED = f"examinee@{DOMAIN}"
BOUNDARY = "------------------------d74496d66958873e"
FORM = b"List-Unsubscribe=One-Click"
MULTIPART = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
             f"--{BOUNDARY}--\r\n").encode()
URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
# The headers and the body; one in several pieces is sent in chunks.
ONE_CLICK = {
    "the form of the RFC": (URL_ENCODED, FORM),
    "multipart": ({"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, MULTIPART),
    "empty": ({}, b""),
    "in chunks": (URL_ENCODED | {"Transfer-Encoding": "chunked"}, [FORM[:5], FORM[5:]]),
    "another text": ({"Content-Type": "text/plain"}, b"\x00\xff"),
}
AT_ONCE = 500


# --- a scanner ------------------------------------------------------------------------------------------


def visited(link: str, method: str, form: dict | None = None) -> tuple[int, bytes]:
    """With redirects followed."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(link, data, method=method), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def scan(start: set[str], has_buttons: bool = False) -> dict[str, int]:
    """Follows these links, and those in the pages behind them, as far as they lead within the service: their statuses.

    - has_buttons: whether it also presses every button, which no scanner should.
    """
    waiting, statuses = collections.deque(start), {}
    while waiting:
        link = urllib.parse.urldefrag(waiting.popleft()).url
        if link in statuses or not link.startswith(club.content + "/"):
            continue
        head, body = visited(link, "HEAD")
        statuses[link], page = visited(link, "GET")
        if body or head != statuses[link]:
            raise SystemExit(f"HEAD {link} is answered with {head} and {body!r}")
        document = links.document(page)
        waiting.extend(urllib.parse.urljoin(link, each.get("href")) for each in document.iter("a") if each.get("href"))
        for form in document.iter("form") if has_buttons else ():
            hidden = [each for each in form.iter("input") if each.get("type") == "hidden"]
            fields = {each.get("name"): each.get("value") for each in hidden}
            visited(urllib.parse.urljoin(link, form.get("action")), "POST", fields)
    return statuses


def state() -> list[dict]:
    """Everything that a reader can change by a link."""
    tables = ("suppression", "reader_preference", "consent_return", "mail_report")
    parts = [f"select '{table}' as table, to_jsonb(found) as row from content.{table} found" for table in tables]
    return club.rows(" union all ".join(parts) + " order by 1, 2")


def judge_scanner(mails: list[links.Links]) -> tuple[list[str], int]:
    before, start = state(), set().union(*(mail.everything for mail in mails))
    statuses = scan(start)
    faults = [f"{link}: {status}" for link, status in statuses.items() if status != 200]
    if state() != before:
        faults.append(f"a scanner has changed {before} to {state()}")
    # What it would have seen: one that presses buttons is a reader.
    scan({mails[0].header}, has_buttons=True)
    if state() == before or not links.left(SCANNED):
        faults.append("a scanner that presses every button changes nothing either: nothing was judged")
    return faults, len(statuses)


# --- one click ------------------------------------------------------------------------------------------


def click(link: str, headers: dict, body) -> tuple[int, bytes]:
    where = urllib.parse.urlsplit(link)
    connection = http.client.HTTPConnection(where.netloc, timeout=60)
    try:
        connection.request("POST", where.path, body, headers, encode_chunked=isinstance(body, list))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def judge_one_click(mails: dict[str, links.Links]) -> list[str]:
    faults = []
    for (what, (headers, body)), (address, mail) in zip(ONE_CLICK.items(), mails.items()):
        cut = click(mail.header[:-8], headers, body)
        if cut[0] != 404 or links.left(address):
            faults.append(f"{what}, with a link that is cut: {cut}, and they have left {links.left(address)}")
        # The same again is no error: mail programs repeat what they are not sure of.
        for time in ("once", "twice"):
            answer = click(mail.header, headers, body)
            if answer != (200, b""):
                faults.append(f"{what}, {time}: {answer}")
            if links.left(address) != {"flashInfo"}:
                faults.append(f"{what}, {time}: they have left {links.left(address)}")
    return faults


def judge_many(mails: dict[str, links.Links]) -> list[str]:
    """From one machine, as those of the big providers."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = collections.Counter(pool.map(lambda mail: click(mail.header, URL_ENCODED, FORM), mails.values()))
    taken = answers[(200, b"")]
    faults = [] if taken == AT_ONCE else [f"of {AT_ONCE} at once only {taken} were taken: {list(answers)[:3]}"]
    remaining = [address for address in mails if address not in left_at_all()]
    return faults + ([f"{len(remaining)} have not left, such as {remaining[:3]}"] if remaining else [])


def left_at_all() -> set[str]:
    return {each["email"] for each in club.everything(f"{club.content}/v1/suppressions")
            if each["reason"] == "unsubscribed" and each.get("purpose") == "flashInfo"}


if __name__ == "__main__":
    clickers = {f"lecteur{number}@{DOMAIN}": f"Agence {number}" for number in range(len(ONE_CLICK))}
    many = {f"beaucoup{number}@{DOMAIN}": f"Studio {number}" for number in range(AT_ONCE)}
    mails, invitation = links.send({SCANNED: "Agence examinée"} | clickers | many)
    faults, scanned = judge_scanner([mails[SCANNED], invitation])
    faults += judge_one_click({address: mails[address] for address in clickers})
    faults += judge_many({address: mails[address] for address in many})
    club.conclude(
        faults, f"{scanned} links scanned, {len(ONE_CLICK)} forms of one click, {AT_ONCE} clicks at once", scanned)
