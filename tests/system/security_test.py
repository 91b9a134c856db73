#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may what, against a running site: in a network namespace of its own, no virtual machine.

usage: security_test.py BUILD_DIR {admin-login|rbac-matrix|audit-chain}
"""

import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "[boot-image]\nkernel-root = /nonexistent\nx86-root = /nonexistent\n"
PASSWORD = "correct horse battery"
FULL, SCOPE_ALL, SCOPE_DEFAULT = "SLP0001R", "SLP00ALL", "SLP00UNA"


class Failed(Exception):
    pass


def expect(is_so: bool, what: str):
    if not is_so:
        raise Failed(what)


def skip(why: str):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("127.0.0.1", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Site:
    """A running slipwayd; requests go to the socket behind nginx, with the address that nginx would name."""

    def __init__(self, build: Path):
        self.slipwayd = build / "src" / "prog" / "slipwayd"
        self.work = Path(tempfile.mkdtemp(prefix="slipway-security-"))
        self.work.chmod(0o755)
        (self.work / "conf").write_text(CONFIG, encoding="utf-8")
        self.process = None
        self.token = None
        self.connection = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *why):
        self.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self) -> str:
        with open(self.work / "out", "w", encoding="utf-8") as out, open(self.work / "err", "w", encoding="utf-8") as err:
            self.process = subprocess.Popen(
                [self.slipwayd, "--state", self.work / "state", "--config", self.work / "conf"], stdout=out, stderr=err
            )
        for _ in range(600):
            if "slipwayd: ready" in (self.work / "err").read_text(encoding="utf-8"):
                return (self.work / "out").read_text(encoding="utf-8")
            time.sleep(0.05)
        raise Failed("not ready: " + (self.work / "err").read_text(encoding="utf-8"))

    def stop(self):
        if self.connection:
            self.connection.close()
            self.connection = None
        if self.process:
            self.process.terminate()
            if self.process.wait(20) != 0:
                raise Failed("slipwayd did not end well")
            self.process = None

    def call(self, method: str, path: str, body=None, token="own", headers=None, address="192.0.2.1"):
        """Status, answer, headers."""
        headers = {"X-Real-IP": address, "Host": "site", **(headers or {})}
        if token:
            headers["Authorization"] = "Bearer " + (self.token if token == "own" else token)
        data = json.dumps(body).encode() if body is not None else None
        for attempt in (0, 1):
            try:
                self.connection = self.connection or UnixConnection(str(self.work / "state" / "run" / "api.sock"))
                self.connection.request(method, "/api/v1" + path, data, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt:
                    raise
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(text) if is_json and text else text, answer

    def must(self, method: str, path: str, body=None, **options):
        status, answer, _ = self.call(method, path, body, **options)
        expect(status < 300, f"{method} {path}: {status} {answer}")
        return answer

    def first_login(self):
        once = re.search(r"^Administrator token \(one time\): (\S+)$", (self.work / "out").read_text(), re.M)
        self.token = self.must("POST", "/logins", {"token": once.group(1)}, token=None)["token"]

    def new_administrator(self, name: str, *grants) -> str:
        """With a password and a token, which is given back; a grant is (role, {"scope" or "collection": …})."""
        self.must("POST", "/administrators", {"name": name})
        for role, target in grants:
            self.must("POST", f"/administrators/{name}/grants", {"role": role, **target})
        self.must("POST", f"/administrators/{name}/password", {"password": PASSWORD})
        return self.must("POST", "/logins", {"user": name, "password": PASSWORD}, token=None)["token"]


def check_password_login(site: Site):
    token = site.new_administrator("ada", (FULL, {"scope": "All"}))
    site.must("GET", "/status", token=token)
    status, answer, _ = site.call("POST", "/logins", {"user": "ada", "password": "wrong wrong wrong"}, token=None)
    expect((status, answer["error_id"]) == (401, "SLW-0114"), f"a wrong password: {status} {answer}")
    unknown = site.call("POST", "/logins", {"user": "nobody", "password": "wrong wrong wrong"}, token=None)
    expect(unknown[0] == 401 and unknown[1] == answer, "an unknown name is answered otherwise than a wrong password")
    status, answer, _ = site.call("POST", "/administrators/ada/password", {"password": "short"})
    expect(status == 400, f"a short password: {status}")
    site.must("POST", "/logins/current/password", {"old_password": PASSWORD, "new_password": PASSWORD + "2"}, token=token)
    site.must("GET", "/status", token=token)
    status, _, _ = site.call("POST", "/logins", {"user": "ada", "password": PASSWORD}, token=None)
    expect(status == 401, "the old password is still good")
    site.must("PATCH", "/administrators/ada", {"is_disabled": True})
    expect(site.call("GET", "/status", token=token)[0] == 401, "the token of a disabled administrator is still good")
    site.must("PATCH", "/administrators/ada", {"is_disabled": False})
    expect(site.call("GET", "/status", token=token)[0] == 401, "an ended token came back")


def check_brute_force(site: Site):
    site.new_administrator("bea", ("Help Desk", {"scope": "Default"}))
    wrong = {"user": "bea", "password": "not the password"}
    for n in range(5):
        expect(site.call("POST", "/logins", wrong, token=None, address=f"192.0.2.{n + 10}")[0] == 401, "not tried")
    status, answer, headers = site.call(
        "POST", "/logins", {"user": "bea", "password": PASSWORD}, token=None, address="192.0.2.99"
    )
    expect((status, answer["error_id"]) == (429, "SLW-0113"), f"the sixth attempt: {status} {answer}")
    expect(int(headers.getheader("Retry-After")) > 0, "no Retry-After")
    for n in range(20):
        site.call("POST", "/logins", {"user": f"name{n}", "password": "not the password"}, token=None, address="192.0.2.7")
    status, _, _ = site.call("POST", "/logins", {"user": "name99", "password": "x" * 12}, token=None, address="192.0.2.7")
    expect(status == 429, f"the 21st attempt from one address: {status}")
    status, _, _ = site.call("POST", "/logins", {"user": "name99", "password": "x" * 12}, token=None, address="192.0.2.8")
    expect(status == 401, f"another address waits too: {status}")


def check_answers_during_login(site: Site):
    """Eight sign-ins take their time; others do not wait for them."""
    slow = []
    for n in range(8):
        connection = UnixConnection(str(site.work / "state" / "run" / "api.sock"))
        body = json.dumps({"user": f"someone{n}", "password": "not the password"})
        connection.request("POST", "/api/v1/logins", body, {"X-Real-IP": f"198.51.100.{n}", "Host": "site"})
        slow.append(connection)
    begin = time.monotonic()
    site.must("GET", "/client/time", token=None)
    took = time.monotonic() - begin
    for connection in slow:
        expect(connection.getresponse().status == 401, "a sign-in was not answered")
    took_all = time.monotonic() - begin
    expect(took < took_all / 2, f"a request took {took:.3f} s of {took_all:.3f} s")


def check_session(site: Site):
    site.new_administrator("cleo", (FULL, {"scope": "All"}))
    login = {"user": "cleo", "password": PASSWORD, "is_session": True}
    status, answer, headers = site.call("POST", "/logins", login, token=None)
    cookie = headers.getheader("Set-Cookie")
    expect(status == 201 and "token" not in answer, f"the session's secret is in the answer: {answer}")
    for word in ("__Host-slipway=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        expect(word in cookie, f"the cookie lacks {word}: {cookie}")
    mine = {"Cookie": cookie.split(";")[0]}
    csrf = {"X-CSRF-Token": answer["csrf_token"]}
    origin = {"Origin": "https://site"}
    site.must("GET", "/collections", token=None, headers=mine)
    body = {"name": "made in a browser"}
    for wrong in ({}, csrf, origin, {**csrf, "Origin": "https://elsewhere"}, {**origin, "X-CSRF-Token": "guess"}):
        status, answer, _ = site.call("POST", "/collections", body, token=None, headers={**mine, **wrong})
        expect((status, answer["error_id"]) == (403, "SLW-0117"), f"with {wrong}: {status} {answer}")
    site.must("POST", "/collections", body, token=None, headers={**mine, **csrf, **origin})
    site.must("DELETE", "/logins/current", token=None, headers={**mine, **csrf, **origin})
    expect(site.call("GET", "/collections", token=None, headers=mine)[0] == 401, "the session is not over")


def check_tokens(site: Site):
    made = site.must("POST", "/tokens", {"name": "reader", "permissions": ["*.read"], "days": 1})
    site.must("GET", "/devices", token=made["token"])
    status, answer, _ = site.call("POST", "/collections", {"name": "x"}, token=made["token"])
    expect((status, answer["error_id"]) == (403, "SLW-0112"), f"a token to read with: {status} {answer}")
    status, _, _ = site.call("POST", "/tokens", {"name": "more"}, token=made["token"])
    expect(status == 403, "a limited token made another one")
    expect(made["id"] in [t["id"] for t in site.must("GET", "/tokens")["items"]], "it is not listed")
    site.must("DELETE", f"/tokens/{made['id']}")
    expect(site.call("GET", "/devices", token=made["token"])[0] == 401, "a revoked token is still good")
    site.must("POST", "/security-roles", {"name": "Copy", "copy_of": "Help Desk"})
    expect(site.call("PATCH", "/security-roles/SLP000KR", {"comment": "x"})[0] == 409, "a built-in role was changed")
    site.must("PATCH", "/security-roles/Copy", {"permissions": ["device.read"]})
    exported = site.must("GET", "/security-roles/Copy")
    expect(exported["permissions"] == ["device.read"], f"the copy was not changed: {exported}")
    for path in (f"/administrators/administrator/grants/{FULL}/{SCOPE_ALL}", "/administrators/administrator"):
        site.must("PATCH", "/administrators/ada", {"is_disabled": True})
        site.must("PATCH", "/administrators/cleo", {"is_disabled": True})
        expect(site.call("DELETE", path)[1]["error_id"] == "SLW-0116", "nobody would be left")


def admin_login(site: Site):
    check_password_login(site)
    check_brute_force(site)
    check_answers_during_login(site)
    check_session(site)
    check_tokens(site)


TESTS = {"admin-login": admin_login}


def main() -> int:
    if os.geteuid() != 0:
        skip("only root can make network namespaces")
    for tool in ("unshare", "nginx"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if os.environ.get("SLIPWAY_SECURITY_INSIDE") != "yes":
        os.environ["SLIPWAY_SECURITY_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with Site(Path(sys.argv[1]).resolve()) as site:
        try:
            site.first_login()
            TESTS[sys.argv[2]](site)
        except Exception:
            print((site.work / "err").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise
    print(f"{sys.argv[2]}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
