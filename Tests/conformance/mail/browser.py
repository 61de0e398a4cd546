"""Pages in headless Chromium as people meet them: on a phone or a desktop, by day or by night, with a finger, a mouse
or the keyboard alone. Every page that is opened is judged.
"""

import re
import shutil

from axe_playwright_python.sync_playwright import Axe
from playwright import sync_api

DEVICES = {
    "phone": {
        "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
SCHEMES = ("light", "dark")
# Level A and AA of WCAG 2.2, which has 2.1 in it.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()
# What can be reached with the Tab key; of a group of radio buttons, one.
REACHABLE = "a[href], button, input:not([type=hidden]):not([type=radio]), input[type=radio]:checked"
FOLLOWS = "box => document.activeElement.compareDocumentPosition(box) & Node.DOCUMENT_POSITION_FOLLOWING"


def start(driver: sync_api.Playwright) -> sync_api.Browser:
    """Of the system, without a network beyond this machine."""
    return driver.chromium.launch(
        executable_path=shutil.which("chromium-headless-shell"),
        args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"])


class Findings:
    """What was judged, and what was wrong."""

    def __init__(self):
        self.count, self.pages, self.stops, self.faults = 0, 0, 0, []

    def check(self, is_right: bool, fault: str):
        self.count += 1
        if not is_right:
            self.faults.append(fault)


class Visit:
    """One reader's way through the pages.

    - hidden: what no page may show, because mails are forwarded with their links.
    - has_scripting: without it nothing can be measured in the page, so that only what it says and does is judged.
    """

    def __init__(self, browser: sync_api.Browser, device: str, scheme: str, name: str, findings: Findings,
                 hidden: tuple[str, ...] = (), has_scripting: bool = True):
        self.device, self.is_dark, self.has_scripting = device, scheme == "dark", has_scripting
        self.name, self.findings, self.hidden = name, findings, hidden
        self.context = browser.new_context(
            **DEVICES[device], color_scheme=scheme, locale="fr-FR", java_script_enabled=has_scripting)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.status, self.console, self.requests = 0, [], []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("response", self.responded)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def responded(self, response: sync_api.Response):
        if response.request.is_navigation_request():
            self.status = response.status

    def check(self, is_right: bool, fault: str):
        self.findings.check(is_right, f"{self.name}: {fault}")

    def open(self, url: str, title: str, status: int = 200):
        self.page.goto(url)
        self.judge(title, status)

    # --- the page ------------------------------------------------------------------------------------

    def judge(self, title: str, status: int = 200):
        """The page that was come to: it is the expected one, and has no fault."""
        page, where = self.page, f"“{title}”"
        page.wait_for_load_state()
        self.findings.pages += 1
        self.check(self.status == status, f"{where}: the status is {self.status} and not {status}")
        heading = page.locator("h1").inner_text()
        self.check(heading == title, f"the page is “{heading}” and not {where}")
        self.check(page.title().startswith(title), f"{where}: its title is {page.title()}")
        self.check(page.locator("html").get_attribute("lang") == "fr", f"{where}: it is not said to be in French")
        source = page.content()
        self.check("<script" not in source and not re.search(r"\son[a-z]+=", source), f"{where}: it has a script")
        shown = page.locator("body").inner_text()
        for each in self.hidden:
            self.check(each not in shown and each not in page.title(), f"{where}: it shows {each}")
        # The browser itself says a status like 404 in the console.
        said = [text for text in self.console if status < 400 or f"with a status of {status}" not in text]
        self.check(not said, f"{where}: the console says {said}")
        others = [request.url for request in self.requests if not request.is_navigation_request()]
        self.check(not others, f"{where}: it asks for {others}")
        self.console.clear()
        self.requests.clear()
        if self.has_scripting:
            self.measure(where)

    def measure(self, where: str):
        width = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        self.check(width[0] <= width[1], f"{where}: it is {width[0]} wide in a window of {width[1]}")
        ground = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        is_dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128
        self.check(is_dark == self.is_dark, f"{where}: its ground is {ground}")
        found = violations(self.page)
        self.check(not found, f"{where}: {found}")

    # --- a finger or a mouse -------------------------------------------------------------------------

    def press(self, element: sync_api.Locator):
        element.tap() if self.device == "phone" else element.click()

    def tick(self, box: sync_api.Locator, is_ticked: bool = True):
        """Also a radio button."""
        if box.is_checked() != is_ticked:
            # By its label, as people do.
            self.press(self.page.locator("label").filter(has=box))
        self.check(box.is_checked() == is_ticked, "a box or button does not change when its label is pressed")

    def write_date(self, field: sync_api.Locator, day: str):
        field.fill(day)

    def check_order(self):
        """Who points needs none; the keyboard does."""


class KeyboardVisit(Visit):
    """With Tab, Space, Enter and the arrows."""

    def reach(self, element: sync_api.Locator):
        """Tab by Tab, from wherever the focus is."""
        for _ in range(60):
            if element.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        self.check(False, f"the keyboard does not reach {element}")

    def press(self, element: sync_api.Locator):
        self.reach(element)
        self.page.keyboard.press("Enter")

    def tick(self, box: sync_api.Locator, is_ticked: bool = True):
        if box.is_checked() != is_ticked:
            if box.get_attribute("type") == "radio":
                self.reach(self.page.locator(f"input[name={box.get_attribute('name')}]:checked"))
                self.page.keyboard.press("ArrowDown" if box.evaluate(FOLLOWS) else "ArrowUp")
            else:
                self.reach(box)
                self.page.keyboard.press("Space")
        self.check(box.is_checked() == is_ticked, "a box or button does not change by the keyboard")

    def write_date(self, field: sync_api.Locator, day: str):
        """A day whose number is its month's, since browsers ask for them in the order of their own language."""
        self.reach(field)
        year, month, day = day.split("-")
        assert day == month
        self.page.keyboard.type(day + month + year)

    def check_order(self):
        """From the top of the page to its end: everything is reached, in the order in which it is read, and what has
        the focus is seen to have it."""
        page = self.page
        expected = page.locator(REACHABLE).evaluate_all("all => all.length")
        # A new page begins at its top.
        page.evaluate("document.activeElement.blur(); window.stops = []")
        for _ in range(60):
            page.keyboard.press("Tab")
            stop = page.evaluate("""() => {
                const now = document.activeElement
                if (now === document.body) { return 'end' }
                // A date is several stops in one field.
                if (now === stops.at(-1)) { return 'same' }
                const last = stops.at(-1) ?? document.body
                stops.push(now)
                return last.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING ? 'next' : 'back'
            }""")
            if stop == "end":
                break
            self.check(stop != "back", "the focus goes back on the page")
            if stop != "same":
                self.findings.stops += 1
                element = page.evaluate("stops.at(-1).outerHTML")
                self.check(self.has_visible_focus(), f"its focus is not seen: {element}")
        reached = page.evaluate("stops.length")
        self.check(reached == expected > 0, f"the keyboard reaches {reached} of {expected} elements")

    def has_visible_focus(self) -> bool:
        """Whether a picture of the element and what is around it is another one without the focus."""
        page = self.page
        box = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        size = page.viewport_size
        left, top = max(box["x"] - 8, 0), max(box["y"] - 8, 0)
        clip = {"x": left, "y": top, "width": min(box["width"] + 16, size["width"] - left),
                "height": min(box["height"] + 16, size["height"] - top)}
        with_focus = page.screenshot(clip=clip, caret="hide")
        page.evaluate("window.focused = document.activeElement; focused.blur()")
        without = page.screenshot(clip=clip, caret="hide")
        page.evaluate("focused.focus({preventScroll: true})")
        return with_focus != without


def violations(page: sync_api.Page) -> list[str]:
    """What axe finds, and what it cannot decide."""
    found = AXE.run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response
    if not found["passes"]:
        raise SystemExit("axe has judged nothing")
    return [f"{what['id']}: {what['help']}: {[node['html'][:200] for node in what['nodes'][:3]]}"
            for what in found["violations"] + found["incomplete"]]
