"""The pages behind the links in mails, in headless Chromium: a reader leaves, comes back, and says what they want, by
pointing and by the keyboard, on each device and in each colour scheme; axe finds nothing in any of these pages, and
what was said there is what the service knows.
"""

import datetime
import http.server
import threading
import urllib.request

from playwright import sync_api

import browser
import club
import links

LEAVE, LEFT = "Ne plus recevoir le Flash info\u202f?", "Vous ne recevez plus le Flash info"
LEAVE_INVITATIONS, LEFT_INVITATIONS = ("Ne plus recevoir les invitations du Club\u202f?",
                                       "Vous ne recevez plus les invitations du Club")
PREFERENCES, NOT_FOUND = "Ce que vous recevez du Club", "Ce lien n’est pas valable, ou ne l’est plus"
KINDS = {"corporate", "product", "technical", "marketing", "commercial"}
DOMAIN = "pages.example"
# A day within the next year, written the same in every order of day and month.
PAUSE = next(day for day in (datetime.date.today() + datetime.timedelta(days=1 + number) for number in range(300))
             if day.day == day.month).isoformat()
# A page with a fault of each kind.
FAULTY = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Faulty</title>
<style>body{background:#0f1522}p{color:#333;background:#222}a:focus{outline:0}main{width:3000px}</style></head>
<body><main><h1>Faulty</h1><p>lectrice@pages.example</p><form><input name="a" tabindex="2"></form>
<a href="/">lien</a><a href="/" tabindex="1">lien</a><img alt="" src="/image"><script>console.log("ici")</script></main>
</body></html>"""
FOUND = ("label: ", "color-contrast: ", "tabindex: ", "it is not said to be in French", "it has a script", "it shows ",
         "the console says", "it asks for", "wide in a window", "its ground is", "the focus goes back",
         "its focus is not seen", "the status is 200 and not 404")

# What is taken out of the service's own pages, and what must be found then.
SPOILED = {
    ' aria-describedby="kinds-erreur"': "is not tied to its field", ' aria-invalid="true"': "is not marked",
    ' role="alert"': "it says [] and not “Rien n’a été enregistré”", ' role="status"': "and not “C’est fait.”",
    ' name="pausedUntil"': "the preferences are", "Tout arrêter": "empty-heading: "}


def known(link: str) -> dict:
    """What the page of preferences says, read without a browser."""
    with urllib.request.urlopen(link, timeout=20) as answer:
        fields = [each.attrib for each in links.document(answer.read()).iter("input")]
    ticked = [each for each in fields if "checked" in each]
    return {
        "kinds": {each["value"] for each in ticked if each["name"] == "kinds"},
        "rhythm": [each["value"] for each in ticked if each["name"] == "rhythm"],
        "pause": [each["value"] for each in fields if each["name"] == "pausedUntil"],
        "invitations": any(each["name"] == "eventInvitations" for each in ticked)}


class Reader:
    """One who does everything that the pages allow, once."""

    def __init__(self, visit: browser.Visit, address: str, mail: links.Links):
        self.visit, self.page, self.address, self.mail = visit, visit.page, address, mail

    def act(self):
        self.leave()
        self.return_()
        self.choose_nothing()
        self.choose_a_past_day()
        self.choose()
        self.leave_everything()
        self.follow_cut_links()
        self.check_ledger()

    # --- what the pages have ------------------------------------------------------------------------

    def button(self, name: str) -> sync_api.Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def box(self, name: str, value: str) -> sync_api.Locator:
        return self.page.locator(f"input[name={name}][value={value}]")

    def submit(self, name: str, title: str, status: int = 200):
        with self.page.expect_navigation():
            self.visit.press(self.button(name))
        self.visit.judge(title, status)

    def check_said(self, text: str, role: str = "status"):
        said = self.page.get_by_role(role).all_inner_texts()
        self.visit.check(any(text in each for each in said), f"it says {said} and not “{text}”")

    def check_left(self, *purposes: str):
        found = links.left(self.address)
        self.visit.check(found == set(purposes), f"{self.address} has left {found} and not {purposes}")

    def check_known(self, **expected):
        found = known(self.mail.preferences)
        self.visit.check(found == expected, f"the preferences are {found} and not {expected}")

    def check_tied(self, element: sync_api.Locator, text: str):
        """Who is in the field is told its error, without seeing the page."""
        described = (element.get_attribute("aria-describedby") or "").split()
        said = [self.page.locator(f"[id='{each}']").inner_text() for each in described]
        self.visit.check(any(text in each for each in said), f"“{text}” is not tied to its field: {said}")

    # --- what the reader does -----------------------------------------------------------------------

    def leave(self):
        self.visit.open(self.mail.header, LEAVE)
        self.visit.check_order()
        self.check_left()
        self.submit("Ne plus recevoir le Flash info", LEFT)
        self.check_said("C’est fait.")
        self.visit.check_order()
        self.check_left("flashInfo")
        self.visit.open(self.mail.header, LEFT)

    def return_(self):
        self.submit("Recevoir de nouveau le Flash info", PREFERENCES)
        self.check_said("vous recevez de nouveau le Flash info.")
        self.check_left()
        # The link to the preferences, from the page that asks.
        self.visit.open(self.mail.header, LEAVE)
        with self.page.expect_navigation():
            self.visit.press(self.page.get_by_role("link", name="Choisissez ce que vous recevez"))
        self.visit.judge(PREFERENCES)
        self.visit.check_order()

    def choose_nothing(self):
        before = known(self.mail.preferences)
        for kind in KINDS:
            self.visit.tick(self.box("kinds", kind), False)
        self.submit("Enregistrer", PREFERENCES, 422)
        self.check_said("Rien n’a été enregistré", role="alert")
        self.check_tied(self.page.locator("fieldset").filter(has=self.box("kinds", "product")),
                        "Choisissez au moins une sorte d’information.")
        self.visit.check(not self.box("kinds", "product").is_checked(), "what was chosen is lost")
        self.visit.check_order()
        self.check_known(**before)

    def choose_a_past_day(self):
        """Browsers refuse that by themselves; one that does not is answered by the service."""
        self.visit.tick(self.box("kinds", "product"))
        field, past = self.page.locator("#pausedUntil"), "2020-02-02"
        self.visit.write_date(field, past)
        self.visit.press(self.button("Enregistrer"))
        self.visit.check(not self.visit.requests, "the browser sends a day that has gone by")
        if not self.visit.has_scripting:
            self.visit.write_date(field, "")
            return
        field.evaluate("field => field.form.noValidate = true")
        self.submit("Enregistrer", PREFERENCES, 422)
        self.check_tied(self.page.locator("#pausedUntil"), "Choisissez un jour à venir.")
        is_marked = self.page.locator("#pausedUntil").get_attribute("aria-invalid") == "true"
        self.visit.check(is_marked, "the field with the error is not marked")

    def choose(self):
        for kind in KINDS:
            self.visit.tick(self.box("kinds", kind), kind in ("product", "technical"))
        self.visit.tick(self.box("rhythm", "monthly"))
        self.visit.write_date(self.page.locator("#pausedUntil"), PAUSE)
        self.visit.tick(self.box("eventInvitations", "true"), False)
        self.submit("Enregistrer", PREFERENCES)
        self.check_said("vos préférences sont enregistrées.")
        self.check_left("eventInvitations")
        chosen = {"kinds": {"product", "technical"}, "rhythm": ["monthly"], "pause": [PAUSE], "invitations": False}
        self.check_known(**chosen)
        # Everything is there again when the page is opened later, and one thing can be changed.
        self.visit.open(self.mail.preferences, PREFERENCES)
        self.visit.tick(self.box("eventInvitations", "true"))
        self.submit("Enregistrer", PREFERENCES)
        self.check_left()
        self.check_known(**chosen | {"invitations": True})

    def leave_everything(self):
        self.submit("Ne plus rien recevoir", PREFERENCES)
        self.check_said("le Club ne vous envoie plus ni Flash info, ni invitation.")
        self.check_left("flashInfo", "eventInvitations")
        self.visit.check(self.button("Ne plus rien recevoir").count() == 0, "what is off can be turned off")
        self.visit.check_order()

    def follow_cut_links(self):
        for link in (self.mail.header, self.mail.preferences):
            self.visit.open(link[:-8], NOT_FOUND, 404)


    def check_ledger(self):
        """The directory has written down each answer, the latest first, and the first as it was imported."""
        expert = next(each["id"] for each in club.everything(f"{club.directory}/v1/experts")
                      if each["email"] == self.address)
        expected, found = [("self", False), ("self", True), ("self", False), ("import", True)], []

        def is_written() -> bool:
            entries = club.everything(f"{club.directory}/v1/experts/{expert}/consents")
            found[:] = [(each["source"], each["agreed"]) for each in entries if each["purpose"] == "flashInfo"]
            return len(found) >= len(expected)

        try:
            club.until(30, "the ledger has every answer", is_written)
        except club.Late:
            pass
        self.visit.check(found == expected, f"the ledger has {found} and not {expected}")


def leave_invitations(visit: browser.Visit, mail: links.Links):
    """The same pages, for another purpose."""
    visit.open(mail.header, LEAVE_INVITATIONS)
    with visit.page.expect_navigation():
        visit.press(visit.page.get_by_role("button", name="Ne plus recevoir les invitations du Club"))
    visit.judge(LEFT_INVITATIONS)
    visit.check(links.left(f"invitee@{DOMAIN}") == {"eventInvitations"}, "the invitations are not left")


def spoiled(chromium: sync_api.Browser, address: str, mail: links.Links) -> list[str]:
    """What must be found when the pages lack something."""
    def spoil(route: sync_api.Route):
        answer = route.fetch()
        body = answer.text()
        for text in SPOILED:
            body = body.replace(text, "")
        route.fulfill(response=answer, body=body)

    found = browser.Findings()
    with browser.KeyboardVisit(chromium, "desktop", "light", "spoiled", found) as visit:
        visit.context.route("**/*", spoil)
        Reader(visit, address, mail).act()
    missing = [what for what in SPOILED.values() if not any(what in fault for fault in found.faults)]
    return [f"in spoiled pages, nothing was found of {missing}: {found.faults}"] if missing else []


def controls(chromium: sync_api.Browser) -> list[str]:
    """What must be found in a page that has faults."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(FAULTY.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = browser.Findings()
    try:
        hidden = ("lectrice@pages.example",)
        with browser.KeyboardVisit(chromium, "desktop", "light", "control", found, hidden) as visit:
            visit.open(f"http://127.0.0.1:{server.server_port}/", "Faulty", 404)
            visit.check_order()
    finally:
        server.shutdown()
    missing = [what for what in FOUND if not any(what in fault for fault in found.faults)]
    return [f"in a page with faults, nothing was found of {missing}: {found.faults}"] if missing else []


if __name__ == "__main__":
    ways = [(device, scheme, hand, True) for device in browser.DEVICES for scheme in browser.SCHEMES
            for hand in (browser.Visit, browser.KeyboardVisit)]
    ways.append(("desktop", "light", browser.Visit, False))
    readers = {f"lectrice{number}@{DOMAIN}": f"Agence Camille {number}" for number in range(len(ways) + 1)}
    spare = list(readers)[-1]
    mails, invitation = links.send(readers)
    findings = browser.Findings()
    with sync_api.sync_playwright() as driver:
        chromium = browser.start(driver)
        for (device, scheme, hand, has_scripting), (address, name) in zip(ways, readers.items()):
            way = f"{device}, {scheme}, {hand.__name__}{'' if has_scripting else ', without scripting'}"
            hidden = (address, address.split("@")[0], DOMAIN, name)
            with hand(chromium, device, scheme, way, findings, hidden, has_scripting) as visit:
                try:
                    Reader(visit, address, mails[address]).act()
                except sync_api.Error as error:
                    findings.check(False, f"{way}: at {visit.page.url[:60]}: {error}")
        with browser.Visit(chromium, "phone", "dark", "invitation", findings, (f"invitee@{DOMAIN}",)) as visit:
            leave_invitations(visit, invitation)
        faults = findings.faults + controls(chromium) + spoiled(chromium, spare, mails[spare])
        chromium.close()
    club.conclude(
        faults, f"{findings.count} checks of {findings.pages} pages on {len(ways)} ways, {findings.stops} stops of the "
        "focus", findings.pages, findings.stops)
