"""People who use the installation over HTTP while things break, and a history of what they asked and were told."""

import contextlib
import http.client
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit

PATIENCE = 30.0
# A page that says it is still at it.
NOT_YET = -1
ORGANIZATION = "architectes"


@dataclass
class Act:
    """One thing that somebody wanted. ``told`` is ok, refused or unknown, and "" while nobody has answered.

    ``facts`` name what it was about, ``statuses`` every answer there was on the way: 0 for none.
    """

    kind: str
    facts: dict[str, object]
    told: str = ""
    statuses: list[int] = field(default_factory=list)
    unknown: int = 0
    began: float = 0.0
    seconds: list[float] = field(default_factory=list)


class History:
    """What everybody asked and was told, in the order in which they asked; kept as lines of JSON too."""

    def __init__(self, path: Path) -> None:
        self.acts: list[Act] = []
        self._path = path
        self._lock = threading.Lock()

    def begin(self, act: Act) -> None:
        """Somebody asks."""
        act.began = time.monotonic()
        with self._lock:
            self.acts.append(act)
            self._write("invoke", act)

    def end(self, act: Act) -> None:
        """They know, or give up."""
        with self._lock:
            self._write(act.told, act)

    def _write(self, word: str, act: Act) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"what": word, **asdict(act)}, default=str) + "\n")

    def of(self, kind: str) -> list[Act]:
        """Every act of one kind."""
        return [act for act in self.acts if act.kind == kind]


class Browser:
    """As much of a browser as the pages need without JavaScript: cookies and the token of forms."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self.cookies: dict[str, str] = {}
        self.token = ""
        # Beside those of every request, or in their place.
        self.headers: dict[str, str] = {}
        # Answers that say "not now" and not when to come back.
        self.abrupt = 0

    def request(
        self, method: str, path: str, body: str | bytes | None = None, content_type: str = ""
    ) -> tuple[int, str, str]:
        """Status, place to go to, and page. Raises OSError or HTTPException when there is no answer."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        headers = {"Host": self.host, "Accept-Language": "sv", **self.headers}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = content_type or "application/x-www-form-urlencoded"
        try:
            # It may answer before it has read all of a file, and listen no more.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode(errors="replace")
        finally:
            connection.close()
        self.abrupt += answer.status == 503 and not answer.headers.get("Retry-After")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if found:
            self.token = found.group(1)
        return answer.status, answer.headers.get("Location") or "", page

    def post(self, path: str, fields: dict[str, object]) -> tuple[int, str, str]:
        """Send a form."""
        return self.request("POST", path, urlencode({**fields, "csrfmiddlewaretoken": self.token}, doseq=True))

    def upload(self, path: str, fields: dict[str, object], name: str, content: str) -> tuple[int, str, str]:
        """Send a form with a file."""
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in {**fields, "csrfmiddlewaretoken": self.token}.items()
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: text/csv\r\n\r\n{content}\r\n--{edge}--\r\n"
        )
        return self.request("POST", path, "".join(parts).encode(), f"multipart/form-data; boundary={edge}")

    def sign_in(self, name: str, password: str) -> None:
        """Sign in, as on any other day."""
        self.request("GET", "/accounts/sign-in/")
        status, _place, page = self.post("/accounts/sign-in/", {"login": name, "password": password})
        assert status == 302, page
        status, _place, page = self.request("GET", f"/{ORGANIZATION}/members/add/")
        assert status == 200, page

    def twin(self) -> "Browser":
        """Another window of the same browser."""
        other = Browser(f"http://{self.host}")
        other.cookies, other.token = dict(self.cookies), self.token
        return other


type Ask = Callable[[], tuple[int, str, str]]


@dataclass
class Person:
    """An administrator at work: asks, and asks again with the same key while there is no clear answer."""

    browser: Browser
    history: History
    chance: Random
    mark: str
    members: Sequence[int]
    departments: Sequence[int]
    emails: Sequence[str]
    stopped: threading.Event
    invited: Sequence[int]
    blockable: list[int]
    names: Sequence[str]
    read_mail: Callable[[str], str]
    patience: float = 25.0
    count: int = 0
    joined: set[str] = field(default_factory=set)

    def fresh_address(self) -> str:
        """An address that nobody else of this run has."""
        self.count += 1
        return f"{self.mark}.{self.count}@people.example"

    def do(self, kind: str, ask: Ask, *, again: bool = True, **facts: object) -> tuple[Act, str]:
        """Ask until there is an answer that says what was done, or, without ``again``, once; gives where it leads."""
        act = Act(kind, facts)
        self.history.begin(act)
        place = ""
        until = time.monotonic() + self.patience
        while True:
            began = time.monotonic()
            try:
                status, place, _page = ask()
            except (OSError, http.client.HTTPException):
                status = 0
            act.statuses.append(status)
            act.seconds.append(time.monotonic() - began)
            if status == NOT_YET and time.monotonic() < until:
                time.sleep(0.3)
                continue
            if 0 < status < 500:
                act.told = "ok" if status < 400 else "refused"
                if place.startswith("/accounts/sign-in/"):
                    act.told = "signed out"
                break
            act.unknown += 1
            if not again or time.monotonic() > until:
                act.told = "unknown"
                break
            time.sleep(0.3)
        self.history.end(act)
        return act, place

    def invite(self) -> None:
        """Invite somebody with a personal account; twice the same address would be refused."""
        address, key = self.fresh_address(), str(uuid.uuid4())
        path = f"/{ORGANIZATION}/members/add/personal/"
        fields = {"people": address, "department": "", "key": key}
        self.do("invite", lambda: self.browser.post(path, fields), address=address)

    def add(self, number: int = 5) -> None:
        """Add people by pasted addresses."""
        addresses, key = [self.fresh_address() for _number in range(number)], str(uuid.uuid4())
        path = f"/{ORGANIZATION}/members/add/"
        fields = {"addresses": "\n".join(addresses), "key": key}
        act, place = self.do("add", lambda: self.browser.post(path, fields), addresses=addresses)
        self._create(act, place, addresses)

    def import_file(self, rows: int = 40) -> None:
        """Add people by the file of a directory."""
        addresses, key = [self.fresh_address() for _row in range(rows)], str(uuid.uuid4())
        lines = [f"{address},Robin {number},Person,Studio {number % 3}" for number, address in enumerate(addresses)]
        content = "\n".join(["email,first name,last name,department", *lines])
        path = f"/{ORGANIZATION}/members/add/"
        fields: dict[str, object] = {"addresses": "", "key": key}
        act, place = self.do(
            "add", lambda: self.browser.upload(path, fields, "people.csv", content), addresses=addresses
        )
        self._create(act, place, addresses)

    def _create(self, added: Act, place: str, addresses: list[str]) -> None:
        def ask() -> tuple[int, str, str]:
            # A file may still be read by a worker; the button comes with the review, and goes when it was used.
            status, location, page = self.browser.request("GET", place)
            if status == 200 and f"{place}create/" in page:
                self.browser.post(f"{place}create/", {"rows": "valid"})
                status, location, page = self.browser.request("GET", place)
            if status != 200:
                return status, location, page
            being_read = '<progress class="progress" aria-label' in page
            return NOT_YET if being_read or f"{place}create/" in page else 200, location, page

        if added.told == "ok" and place:
            self.do("create", ask, addresses=addresses)

    def move(self) -> None:
        """Move one of the members who are this person's alone to a department."""
        member, department = self.chance.choice(self.members), self.chance.choice(self.departments)
        path = f"/{ORGANIZATION}/members/move/"
        fields = {"member": [member], "to": department}
        self.do("move", lambda: self.browser.post(path, fields), member=member, department=department)

    def reset(self) -> None:
        """Ask for a letter to choose a new password."""
        email = self.chance.choice(self.emails)
        # A retry here is a second request, and says so.
        self.do("reset", lambda: self.browser.post("/accounts/reset/", {"login": email}), again=False, email=email)

    def resend(self) -> None:
        """Send an invitation again; it replaces the link before."""
        member = self.chance.choice(self.invited)
        path = f"/{ORGANIZATION}/members/resend/"
        self.do("resend", lambda: self.browser.post(path, {"member": [member]}), again=False, member=member)

    def block(self) -> None:
        """Block a member of one's own, each once."""
        if self.blockable:
            member = self.blockable.pop()
            path = f"/{ORGANIZATION}/members/block/"
            self.do("block", lambda: self.browser.post(path, {"member": [member], "reason": ""}), member=member)

    def allocate(self) -> None:
        """Add credit to one of one's own members."""
        name, amount, key = self.chance.choice(self.names), "0.25", str(uuid.uuid4())
        path = f"/{ORGANIZATION}/members/@{name}/credit/add/"
        fields = {"amount": amount, "reason": self.mark, "key": key}
        self.do("allocate", lambda: self.browser.post(path, fields), name=name, amount=amount, key=key)

    def accept(self) -> None:
        """Join by the link of the newest letter to somebody whom this person has added, if it has come."""
        added = [address for act in self.history.of("create") for address in act.facts["addresses"]]
        address = next((one for one in added if one.startswith(self.mark) and one not in self.joined), None)
        found = re.search(r"(/join/[^\s/]+/)", self.read_mail(address)) if address else None
        if not found:
            return
        self.joined.add(address)
        visitor = Browser(f"http://{self.browser.host}")
        fields = {"first_name": "Robin", "last_name": "Person", "password": "three quiet herons wait"}

        def ask() -> tuple[int, str, str]:
            visitor.request("GET", found.group(1))
            return visitor.post(f"{found.group(1)}accept/", fields)

        self.do("accept", ask, again=False, address=address)

    def work(self, plan: Sequence[str]) -> None:
        """Do what the plan says, over and over, until told to stop."""
        while not self.stopped.is_set():
            for deed in plan:
                if self.stopped.is_set():
                    return
                getattr(self, deed)()
                time.sleep(self.chance.uniform(0.05, 0.3))
