"""The page: who may look, what is escaped, that it works without scripts, and the tasks of a person in a browser."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chromium import browser
from processes import Importer
from starlette.testclient import TestClient
from transcripts import answer, prompt, raw, text

from importer.serve.page import STATIC, page_app
from importer.service.ask import Asker
from importer.settings.schema import Settings

TOKEN = "a-token-of-some-length"
SESSION = "11111111-2222-4333-8444-555555555555"
EVIL = "<script>alert(1)</script> \u202e kiln & <img src=x onerror=alert(2)>"
SECRET = "AKIA" + "QX7RT2MZ5LW9KD3B"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import conversations on three days, one of them hostile and with a secret."""
    base = tmp_path_factory.mktemp("page")
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    for n, said in enumerate(("the kiln cracked", EVIL, f"deploy with {SECRET} to the infra cluster")):
        where = {"sessionId": f"{SESSION[:-1]}{n}", "cwd": "/home/ann/infra"}
        stamp = {"timestamp": f"2026-02-1{n}T10:00:00.000Z"}
        turns = [prompt(said, **where, **stamp), answer(text(f"so {n}\n\n```sh\nrm -rf build\n```"), **where, **stamp)]
        (folder / f"{SESSION[:-1]}{n}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in turns))
    found = Importer(base, embedded=True)
    assert found.run("backlog").code == 0
    return found


@pytest.fixture(scope="module")
def page(installed: Importer) -> Iterator[TestClient]:
    """Open the page in this process, with the token in a cookie."""
    settings = replace(Settings(), state_dir=installed.state)
    settings = replace(settings, embed=replace(settings.embed, provider="plugins.fake_embedder", dimension=384))
    installed.run("search", "--mode", "keyword", "kiln")
    with TestClient(page_app(Asker(settings), TOKEN), base_url="http://127.0.0.1:7077") as client:
        client.cookies.set("importer", TOKEN)
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/c/x", "/days", "/projects", "/health", "/api/search?q=x", "/static/page.css", "/mcp"]
)
def test_nothing_without_the_token(page: TestClient, path: str) -> None:
    """Every address needs the token; a wrong one is as good as none."""
    for cookies in ({}, {"importer": "wrong"}):
        stranger = TestClient(page.app, base_url="http://127.0.0.1:7077", cookies=cookies)
        assert stranger.get(path).status_code == 403


def test_the_token_becomes_a_cookie(page: TestClient) -> None:
    """The printed address gives a cookie that no script reads, and goes on without the token."""
    stranger = TestClient(page.app, base_url="http://127.0.0.1:7077")
    into = stranger.get(f"/?token={TOKEN}&q=kiln", follow_redirects=False)
    assert (into.status_code, into.headers["location"]) == (303, "/?q=kiln")
    assert "HttpOnly" in into.headers["set-cookie"] and "samesite=strict" in into.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:7077"}, 200),
        ({"host": "localhost:7077"}, 200),
    ],
)
def test_hosts_and_origins(page: TestClient, headers: dict[str, str], code: int) -> None:
    """Only names of the loopback are answered: a page of another site cannot rebind its name to us."""
    assert page.get("/", headers=headers).status_code == code


def test_browsers_are_told(page: TestClient) -> None:
    """No script but ours, no frame, no referrer, nothing kept."""
    said = page.get("/").headers
    assert "script-src 'self'" in said["content-security-policy"] and "'unsafe" not in said["content-security-policy"]
    assert (said["x-content-type-options"], said["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    "path", ["/?q=kiln&mode=keyword&all=1", f"/c/{SESSION[:-1]}1", "/", "/days", '/?q="><script>x', "/c/<script>"]
)
def test_what_strangers_wrote_is_text(page: TestClient, path: str) -> None:
    """No element of a page is made of a conversation's text, or of an address."""
    shown = page.get(path).text
    assert "<script>" not in shown and "<img" not in shown and "\u202e" not in shown
    assert not re.search(r"\son\w+=", re.sub(r"&lt;.*?&gt;", "", shown))


def test_search_and_read_without_scripts(page: TestClient) -> None:
    """Links and forms lead from a question to the conversation, at the hit, with its code kept."""
    shown = page.get("/?q=kiln+cracked&mode=keyword").text
    link = re.search(r'href="(/c/[^"]+)"', shown)
    assert link and "<mark>kiln</mark>" in shown
    opened = page.get(link[1].replace("&amp;", "&")).text
    assert (
        "<pre><code>rm -rf build" in opened and f"claude --resume {SESSION[:-1]}0" in opened and ' id="here"' in opened
    )


def test_every_conversation_opens_whole(page: TestClient) -> None:
    """Each id of the list opens with all its turns, as a page and as JSON."""
    for one in page.get("/api/list").json()["conversations"]:
        assert page.get(f"/api/open/{one['id']}").json()["of"] == one["turns"] == 2
        assert page.get(f"/c/{one['id']}").text.count("<section") == 2
    assert page.get("/c/nosuch-conversation").status_code == 404
    assert page.get("/api/open/nosuch-conversation").json()["error"]
    assert page.get("/?since=the+day+after+never").status_code == 404


def test_a_day_and_a_project(page: TestClient) -> None:
    """What did I do on that day in infra? is one address."""
    shown = page.get("/days?project=infra&since=2026-02-11&until=2026-02-11").text
    assert "2026-02-11" in shown and "2026-02-10" not in shown
    assert "3 conversations" in page.get("/projects").text
    assert page.get("/api/projects").json()["projects"][0]["conversations"] == 3


def test_to_share(page: TestClient) -> None:
    """As Markdown, and without secrets."""
    address = f"/c/{SESSION[:-1]}2"
    assert SECRET not in page.get(f"{address}?redacted=1").text
    given = page.get(f"{address}/markdown?redacted=1")
    assert SECRET not in given.text and given.headers["content-type"].startswith("text/markdown")


def test_the_days_are_parted_by_project(page: TestClient) -> None:
    """Each day has its name, its count and its projects; a bar of each day leads to it."""
    shown = page.get("/days").text
    assert "Tuesday 2026-02-10" in shown and "1 conversation" in shown and 'href="/days?project=' in shown
    assert shown.count("<rect") == 3 and "since=2026-02-11&amp;until=2026-02-11" in shown
    assert "Nothing was said then" in page.get("/days?since=2020-01-01&until=2020-01-02").text


def test_health(page: TestClient) -> None:
    """State, what is behind, points and store, and the same as JSON."""
    assert "nothing" in page.get("/health").text and page.get("/api/status").json()["state"] == "stopped"


def test_forgetting_needs_the_form(page: TestClient) -> None:
    """A request from elsewhere, or without the token of the form, deletes nothing."""
    address = f"/forget/{SESSION[:-1]}2"
    assert "Forget it" in page.get(address).text
    assert page.post(address, content="token=wrong").status_code == 403
    assert page.post(address, content=f"token={TOKEN}", headers={"origin": "null"}).status_code == 403
    assert page.get(f"/c/{SESSION[:-1]}2").status_code == 200


def test_the_page_is_small(page: TestClient) -> None:
    """All that is loaded beside the text is at most 150 KB, and nothing comes from elsewhere."""
    sizes = [path.stat().st_size for path in pathlib.Path(STATIC).iterdir()]
    assert sum(sizes) <= 150_000
    shown = page.get("/").text + "".join(path.read_text() for path in pathlib.Path(STATIC).iterdir())
    assert "https://" not in shown and "http://" not in shown


@pytest.fixture
def address(installed: Importer) -> Iterator[str]:
    """Start `importer serve` and give the address that it prints."""
    with installed.start("serve", "--port", "0") as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


def dump(url: str, tmp_path: pathlib.Path) -> str:
    """Return a page's elements as a browser has them after its scripts ran."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=3000",
        f"--user-data-dir={tmp_path}/profile",
    ]
    done = subprocess.run([program, *flags, "--dump-dom", url], capture_output=True, text=True, timeout=90, check=False)
    return done.stdout


def test_the_tasks_of_a_person_in_a_browser(installed: Importer, address: str, tmp_path: pathlib.Path) -> None:
    """Find, read, what was done on a day, go on, share, see what is wrong, forget: in a real browser."""

    def shown(path: str) -> str:
        joint = "&" if "?" in path else "?"
        return dump(address.partition("/?")[0] + path + joint + address.partition("/?")[2], tmp_path)

    name = f"{SESSION[:-1]}0"
    assert "<mark>kiln</mark>" in shown("/?q=kiln+cracked&mode=keyword")
    assert f"claude --resume {name}" in shown(f"/c/{name}")
    assert "2026-02-11" in shown("/days?since=2026-02-11&until=2026-02-11")
    assert SECRET not in shown(f"/c/{SESSION[:-1]}2?redacted=1")
    assert "In quarantine" in shown("/health")
    assert "Forget it" in shown(f"/forget/{name}")


def test_by_keys_alone_in_a_browser(installed: Importer, address: str, tmp_path: pathlib.Path) -> None:
    """What is typed is searched for without Enter; then keys lead to a hit, into it, and back to the field."""
    with browser(tmp_path) as tab:
        tab.open(address + "&mode=keyword")
        tab.until("document.activeElement.name === 'q'")
        tab.type("cracked")
        tab.until("document.querySelector('mark')?.textContent === 'cracked'")
        tab.until("location.search.includes('q=cracked')")
        tab.press("Enter")
        tab.until("document.activeElement.matches('h2 a')")
        tab.press("Escape")
        tab.type("j")
        tab.until("document.activeElement.matches('h2 a')")
        tab.press("Enter")
        tab.until("location.pathname.startsWith('/c/') && document.readyState === 'complete'")
        tab.until("document.querySelector('.turn.here') !== null")
        tab.type("h")
        tab.until("location.pathname === '/health' && document.readyState === 'complete'")
        tab.type("/")
        tab.until("document.activeElement.name === 'q'")


def test_forgotten_by_the_form(installed: Importer, address: str) -> None:
    """The confirmed form forgets as the command does."""
    base, _, token = address.partition("/?token=")
    name = f"{SESSION[:-1]}2"
    asked = urllib.request.Request(
        f"{base}/forget/{name}", f"token={token}".encode(), {"Authorization": f"Bearer {token}"}
    )
    asked.add_header("Content-Type", "application/x-www-form-urlencoded")
    with urllib.request.urlopen(asked, timeout=60) as done:
        assert done.status == 200
    end_s = time.monotonic() + 30
    while installed.run("open", name).code == 0 and time.monotonic() < end_s:
        time.sleep(0.2)
    assert installed.run("open", name).code == 2


def test_the_token_may_be_kept(installed: Importer, tmp_path: pathlib.Path) -> None:
    """A file keeps the token for the next start, readable by its owner alone; a short one is refused."""
    path = tmp_path / "token"
    for _ in range(2):
        with installed.start("serve", "--port", "0", "--token-file", str(path)) as process:
            assert process.stdout
            assert process.stdout.readline().strip().endswith(path.read_text().strip())
            process.terminate()
    assert os.stat(path).st_mode & 0o777 == 0o600
    path.write_text("short\n")
    assert installed.run("serve", "--token-file", str(path)).code == 2


def test_a_taken_port(installed: Importer, address: str) -> None:
    """It is told, with the way out."""
    port = address.split(":")[2].partition("/")[0]
    said: Any = installed.run("serve", "--port", port)
    assert said.code == 2 and "taken" in said.err
