"""The club whose mails are judged, on this machine: its readers, its issues and letters, and what became of them."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

root = pathlib.Path(__file__).resolve().parents[3]
local = pathlib.Path(os.environ["CLUB_LOCAL"])
content, directory = os.environ["CONTENT_URL"], os.environ["DIRECTORY_URL"]


class Refused(Exception):
    """The service did not do what it was asked."""

    def __init__(self, status: int, problem: str):
        super().__init__(f"{status}: {problem[:500]}")
        self.status = status


def ask(url: str, body=None, media: str = "application/json", method: str | None = None):
    """The response to a request, from JSON if it is that. A body other than text is sent as JSON."""
    data = body if body is None or isinstance(body, str) else json.dumps(body)
    headers = {"Authorization": f"Bearer {os.environ['CLUB_TOKEN']}", "Content-Type": media}
    request = urllib.request.Request(
        url, data=None if data is None else data.encode(), headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            received = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode()) from None
    if answer.headers.get_content_type() == "application/x-ndjson":
        return [json.loads(line) for line in received.splitlines()]
    return json.loads(received) if answer.headers.get_content_type() == "application/json" else received


def everything(url: str) -> list[dict]:
    """All pages of a list."""
    found, cursor = [], ""
    while True:
        page = ask(f"{url}?limit=200{cursor}")
        found += page["items"]
        if not page.get("next"):
            return found
        cursor = f"&cursor={page['next']}"


class Late(Exception):
    """Something did not happen in its time."""


def until(seconds: float, what: str, condition):
    """What `condition` returns as soon as it is true.

    Raises `Late` if that takes longer.
    """
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise Late(f"after {seconds} seconds not yet: {what}")
        time.sleep(0.2)
    return result


def conclude(faults: list[str], summary: str, *counts: int):
    """Prints the result and ends the judge. What has counted nothing has judged nothing."""
    for fault in faults[:50]:
        print(fault)
    print(f"{summary}: {len(faults)} faults")
    sys.exit(1 if faults or not all(counts) else 0)


# --- the services -------------------------------------------------------------------------------------

def shell(script: str, *arguments: str, private: bool = False, **environment: str) -> str:
    """Runs a script with the functions of deploy/lib.sh.

    - private: whether what it mounts is seen only by itself and what it starts.
    """
    command = ["bash", "-c", f'. "$0/deploy/lib.sh"; local_environment; {script}', str(root), *arguments]
    return subprocess.run(
        (["unshare", "--mount"] if private else []) + command, check=True, stdout=subprocess.PIPE, text=True, timeout=90, env=os.environ | environment).stdout


# Where the system's certification authorities are for TLS in Swift.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def restart_content(mail_url: str, trusting: pathlib.Path | None = None, **environment: str):
    """Content with another mail server.

    - trusting: the only certification authority, which it sees in the place of the system's.
    """
    shell('stop_services content; [[ -z $2 ]] || mount --bind "$2" "$1"; start_service content; '
          '"$(bin club)" health --wait 30 > /dev/null',
          AUTHORITIES, str(trusting or ""), private=trusting is not None, MAIL_URL=mail_url, **environment)


def rows(query: str) -> list[dict]:
    """What a statement returns: for what the service tells nobody."""
    return json.loads(shell('as_admin -d club -At -c "$1"', f"select coalesce(json_agg(r), '[]') from ({query}) r"))


def forward(*emails: str):
    """What waits for its next attempt, at these addresses or all, is due; what waits for a provider, may be sent."""
    which = f"and email in ({', '.join(map(repr, emails))})" if emails else ""
    shell('as_admin -d club -c "$1"', f"""
        set search_path to content;
        update outgoing_mail mail set due_at = now() from delivery
        where delivery.id = mail.id and state = 'pending' and sender is null {which};
        update mail_lane set wait_until = null, wait_seconds = 0 where state <> 'paused'""")


# --- readers -------------------------------------------------------------------------------------------

def add_experts(names: dict[str, str]):
    """Firms by their addresses, which agree to the Flash info."""
    lines = ["subKind,name,email,postalCode,commune,flashInfo"]
    lines += [f'webAgency,"{name}",{email},64000,Pau,true' for email, name in names.items()]
    report = ask(f"{directory}/v1/imports/experts?mode=apply", "\r\n".join(lines) + "\r\n", "text/csv")
    if report["created"] != len(names):
        raise SystemExit(f"not all experts were taken: {json.dumps(report)[:500]}")


def add_ambassadors(names: dict[str, tuple[str, str]]):
    """People by their addresses, who agree to the Flash info."""
    home = ask(f"{directory}/v1/organizations", {"kind": "institution", "name": "Chambre de métiers"})
    for email, (given, family) in names.items():
        person = ask(f"{directory}/v1/people", {
            "givenName": given, "familyName": family, "email": email, "organization": home["id"],
            "consents": {"flashInfo": True}})
        ask(f"{directory}/v1/ambassadors", {
            "person": person["id"], "organization": home["id"], "topics": ["management"], "departements": ["64"]})


def audience() -> set[str]:
    """The addresses that an issue goes to."""
    return {
        member["email"] for group in ("ambassadors", "experts")
        for member in ask(f"{directory}/v1/audiences/resolve", {"audience": group, "purpose": "flashInfo"})}


# --- issues --------------------------------------------------------------------------------------------

def send_issue(title: str, items: list[dict], introduction: str | None = None) -> dict:
    """An issue that has begun to be sent."""
    issue = ask(f"{content}/v1/issues", {"title": title} | ({"introduction": introduction} if introduction else {}))
    for item in items:
        ask(f"{content}/v1/issues/{issue['id']}/items", item)
    return become(issue, "sending")


def become(issue: dict, state: str) -> dict:
    return ask(f"{content}/v1/issues/{issue['id']}/transitions", {"to": state})


def now(issue: dict) -> dict:
    return ask(f"{content}/v1/issues/{issue['id']}")


def deliveries(issue: dict) -> list[dict]:
    """With the class of the last reply, which the service counts by."""
    classes = {row["id"]: row["class"] for row in rows(
        f"select id, class from content.outgoing_mail where issue = '{issue['id']}'")}
    found = everything(f"{content}/v1/issues/{issue['id']}/deliveries")
    return [delivery | {"class": classes[delivery["id"]]} for delivery in found]


ORDINARY = [{
    "kind": "technical", "title": "Une nouvelle", "link": "https://club.example/nouvelle",
    "text": "Une ligne avec « des accents ».\n.\n..\n.com est un domaine.\nFrom here to there.\n"}]
