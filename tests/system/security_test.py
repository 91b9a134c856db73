#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may what, against a running site: in a network namespace of its own, no virtual machine.

usage: security_test.py BUILD_DIR {admin-cli|admin-login|audit-chain|rbac-matrix}
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
        headers = {"X-Real-IP": address, "Host": "site", "X-Request-Id": "test", **(headers or {})}
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


def check_own_password(site: Site):
    """A session does not help to guess the password of whose it is, nor does trying it out."""
    token = site.new_administrator("dan", ("Help Desk", {"scope": "Default"}))
    for guess in ("not the password", PASSWORD):
        body = {"old_password": guess, "new_password": PASSWORD + "2"}
        status, answer, _ = site.call("POST", "/logins/current/password?validate_only=true", body, token=token)
        expect((status, answer["error_id"]) == (400, "SLW-0102"), f"only tried: {status} {answer}")
    body = {"old_password": "not the password", "new_password": PASSWORD + "2"}
    statuses = [site.call("POST", "/logins/current/password", body, token=token)[0] for _ in range(6)]
    expect(statuses == [401] * 5 + [429], f"wrong old passwords: {statuses}")
    failed = [r for r in site.must("GET", "/audit-log?limit=1000")["items"] if r["action"] == "login.failed" and r["who"] == "dan"]
    expect(len(failed) == 5, f"in the audit log: {failed}")


def check_too_busy(site: Site):
    """A password that nobody had the time to look at is no wrong one."""
    many = []
    for n in range(40):
        connection = UnixConnection(str(site.work / "state" / "run" / "api.sock"))
        body = json.dumps({"user": f"busy{n}", "password": "not the password"})
        connection.request("POST", "/api/v1/logins", body, {"X-Real-IP": f"198.51.100.{n}", "Host": "site"})
        many.append(connection)
    answers = [connection.getresponse() for connection in many]
    busy = [n for n, answer in enumerate(answers) if answer.status == 503]
    expect(busy and {answer.status for answer in answers} == {401, 503}, f"{[answer.status for answer in answers]}")
    expect(all(answers[n].getheader("Retry-After") for n in busy), "no Retry-After")
    wrong = {"user": f"busy{busy[0]}", "password": "not the password"}
    statuses = [site.call("POST", "/logins", wrong, token=None, address=f"203.0.113.{n}")[0] for n in range(6)]
    expect(statuses == [401] * 5 + [429], f"after a busy one: {statuses}")


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
    other = site.must("POST", "/tokens", {"name": "other", "permissions": ["*.read"], "days": 1})
    status, answer, _ = site.call("DELETE", f"/tokens/{other['id']}", token=made["token"])
    expect((status, answer["error_id"]) == (403, "SLW-0112"), f"a limited token ended another one: {status}")
    passwords = {"old_password": "x" * 12, "new_password": "y" * 12}
    status, _, _ = site.call("POST", "/logins/current/password", passwords, token=made["token"])
    expect(status == 403, f"a limited token changes a password: {status}")
    site.must("DELETE", f"/tokens/{other['id']}", token=other["token"])
    expect(site.call("POST", "/logins?validate_only=true", {"user": "x", "password": "y"})[0] == 400, "what a sign-in does not know is taken")
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
    check_own_password(site)
    check_too_busy(site)
    check_answers_during_login(site)
    check_session(site)
    check_tokens(site)


METHODS = ("get", "post", "put", "patch", "delete", "head")
SCOPED = ["os-image", "os-upgrade-package", "boot-image", "driver-package", "package"]
CONTENT = [*SCOPED, "task-sequence"]
OPEN = ("public", "internal", "client")
SERVED_ELSEWHERE = ("/uploads", "/captures", "/exports")
PARAMETERS = {"address": "192.0.2.1", "variable": "V", "number": "1", "name": "0" * 64}


def insert(db: sqlite3.Connection, table: str, **values):
    """A row; what must be there and is not given is empty."""
    for _, name, kind, not_null, default, _ in db.execute(f"PRAGMA table_info({table})").fetchall():
        if not_null and default is None and name not in values:
            values[name] = 0 if kind == "INTEGER" else ""
    names = ", ".join(values)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", list(values.values()))


class World:
    """One thing of each class, all in one security scope and one collection."""

    def __init__(self, site: Site, number: int, label: str):
        self.number, self.label = number, label
        self.scope = site.must("POST", "/security-scopes", {"name": f"scope {label}"})["id"]
        self.ids = {"collection": site.must("POST", "/collections", {"name": f"collection {label}"})["id"]}
        self.mac = f"52:54:00:99:{number >> 8:02x}:{number & 255:02x}"
        device = {"name": f"PC-{label}", "mac": self.mac, "collection": self.ids["collection"]}
        self.ids["device"] = site.must("POST", "/devices", device)["id"]
        for class_ in ("boundary-group", "distribution-point-group"):
            self.ids[class_] = site.must("POST", f"/{class_}s", {"name": f"{class_} {label}"})["id"]

    def insert(self, db: sqlite3.Connection):
        """What would take content, time or another machine to make."""
        for place, kind in enumerate(SCOPED):
            self.ids[kind] = f"SLP{0x8000 + self.number * 16 + place:05X}"
            insert(db, "package", id=self.ids[kind], kind=kind, name=f"{kind} {self.label}", state="ready", priority="medium")
        self.ids["task-sequence"] = f"SLP{0x8000 + self.number * 16 + 15:05X}"
        sequence = {"name": f"sequence {self.label}", "steps": "[]", "xml": "<sequence version='3.10'/>", "version": 1}
        insert(db, "task_sequence", id=self.ids["task-sequence"], **sequence)
        insert(db, "task_sequence_version", task_sequence_id=self.ids["task-sequence"], version=1)
        self.ids["deployment"] = f"SLP{0x28000 + self.number:05X}"
        reached = {"task_sequence_id": self.ids["task-sequence"], "collection_id": self.ids["collection"]}
        insert(db, "deployment", id=self.ids["deployment"], purpose="available", content_option="stream", **reached)
        insert(db, "deployment_summary", deployment_id=self.ids["deployment"])
        self.ids["phased-deployment"] = f"SLP{0x38000 + self.number:05X}"
        phased = {"name": f"phased {self.label}", "task_sequence_id": self.ids["task-sequence"]}
        insert(db, "phased_deployment", id=self.ids["phased-deployment"], **phased)
        phase = {"number": 1, "collection_id": self.ids["collection"], "terms": '{"purpose": "available"}', "begins": "by-hand", "state": "begun"}
        insert(db, "phase", phased_deployment_id=self.ids["phased-deployment"], **phase)
        self.ids["distribution-point"] = f"DP{9000 + self.number:05}"
        point = {"name": f"point {self.label}", "schedule": "[]", "rate_limits": "[]", "validation_schedule": "[]"}
        insert(db, "distribution_point", id=self.ids["distribution-point"], token_hash=self.label, **point)
        self.ids["operation"] = f"0192{self.number:04x}-0000-7000-8000-000000000000"
        job = {"kind": "import-tree", "package_id": self.ids["package"], "args": "{}", "state": "succeeded"}
        insert(db, "job", id=self.ids["operation"], dp_id="DP00001", version=1, **job)
        for class_ in (*CONTENT, "distribution-point", "distribution-point-group", "boundary-group"):
            insert(db, "security_scope_object", object_id=self.ids[class_], scope_id=self.scope)

    def name_of(self, class_: str, permission: dict) -> str:
        if "param" in permission and class_ == "device":
            return self.mac
        return self.ids.get({"content": "package"}.get(class_, class_), "none")


class Matrix:
    def __init__(self, site: Site):
        self.site = site
        contract = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text(encoding="utf-8"))
        self.operations = [
            (method.upper(), path, item[method]["x-slipway-permission"])
            for path, item in contract["paths"].items()
            for method in METHODS
            if method in item
        ]
        # what removes something comes last, and of that the whole before it is taken from its parts
        self.operations.sort(key=lambda o: (o[0] == "DELETE", o[0] == "DELETE" and -len(o[1]), o[1]))
        self.n = 0

    @staticmethod
    def has(permissions: list, class_: str, verb: str) -> bool:
        classes = CONTENT if class_ == "content" else [class_]
        return any({f"{c}.{verb}", f"{c}.*", f"*.{verb}", "*.*"} & set(permissions) for c in classes)

    def is_permitted(self, permissions: list, permission: dict) -> bool:
        wanted = [permission, *permission.get("also", [])]
        return permission["class"] == "own" or all(self.has(permissions, w["class"], w["verb"]) for w in wanted)

    @staticmethod
    def object_class(path: str, permission: dict):
        class_ = permission.get("object", permission["class"])
        is_named = "{" + permission.get("param", "id") + "}" in path
        scoped = (*CONTENT, "content", "collection", "device", "deployment", "phased-deployment", "operation")
        scoped += ("distribution-point", "distribution-point-group", "boundary-group")
        return class_ if is_named and class_ in scoped else None

    def ask(self, token: str, operation: tuple, name: str):
        method, path, permission = operation
        of = permission.get("param", "id")
        path = re.sub(r"\{(\w+)\}", lambda m: name if m.group(1) == of else PARAMETERS.get(m.group(1), "none"), path)
        self.n += 1
        if path.startswith(SERVED_ELSEWHERE):
            asked = {"X-Original-Method": method, "X-Original-URI": "/api/v1" + path + "?x=1"}
            return self.site.call("GET", "/internal/authorize", token=token, headers=asked)[:2]
        body = {"no_such_member": 1} if method in ("POST", "PUT", "PATCH") else None
        return self.site.call(method, path, body, token=token)[:2]

    def check_cell(self, role: dict, token: str, operation: tuple, mine: World, other: World):
        method, path, permission = operation
        what = f"{role['name']}: {method} {path}"
        class_ = self.object_class(path, permission)
        names = [w.name_of(class_, permission) if class_ else "none" for w in (mine, other)]
        outside = self.ask(token, operation, names[1])
        missing = names[1][:-1] + ("d" if names[1][-1] in "fF" else "f")
        nothing = self.ask(token, operation, missing) if class_ else None
        inside = self.ask(token, operation, names[0])
        if not self.is_permitted(role["permissions"], permission):
            for status, answer in (inside, outside, nothing or outside):
                is_so = status == 403 and (method == "HEAD" or answer["error_id"] == "SLW-0112")
                expect(is_so, f"{what} is not permitted: {status} {answer}")
            return
        if class_ == "content" and not self.has(role["permissions"], "package", permission["verb"]):
            # he has it for content of another kind
            status = 403 if self.has(role["permissions"], "package", "read") else 404
            expect(inside[0] == status and outside[0] == 404, f"{what} of another kind: {inside} {outside}")
            return
        # the collection is limited to one that is not his
        is_not_his = path.startswith("/collections/{id}/rules/") and inside[1]["error_id"] == "SLW-0164"
        expect(inside[0] not in (401, 403) or is_not_his, f"{what} in scope: {inside}")
        if not class_:
            return
        expect(outside[0] == 404 and outside[1]["error_id"] == "SLW-0103", f"{what} out of scope: {outside}")
        alike = json.loads(json.dumps(nothing[1]).replace(missing, names[1]))
        expect((nothing[0], alike) == outside, f"{what}: out of scope and not there differ: {outside} {nothing}")
        as_missing = json.loads(json.dumps(outside[1]).replace(names[1], names[0]))
        expect(inside[1] != as_missing, f"{what} in scope is not found: {inside}")

    def check_list(self, role: dict, token: str, path: str, mine: World, other: World):
        status, answer = self.site.call("GET", path + "?limit=1000", token=token)[:2]
        if status != 200 or not isinstance(answer, dict) or "items" not in answer:
            return
        listed = {item.get("id") for item in answer["items"]}
        for class_, id_ in other.ids.items():
            expect(id_ not in listed, f"{role['name']}: GET {path} lists the {class_} {id_} out of scope")
        for class_, id_ in mine.ids.items():
            is_of = path.strip("/") == class_ + "s"
            expect(not is_of or id_ in listed, f"{role['name']}: GET {path} does not list {id_}")

    def check_deploy(self, role: dict, token: str, mine: World, other: World):
        """To deploy one needs both, the sequence and the collection."""
        is_permitted = self.is_permitted(role["permissions"], self.permission_of("POST", "/deployments"))
        for sequence, collection in ((mine, other), (other, mine), (other, other)):
            body = {"task_sequence_id": sequence.ids["task-sequence"], "collection": collection.ids["collection"]}
            status, answer, _ = self.site.call("POST", "/deployments", {**body, "purpose": "available"}, token=token)
            is_so = status == (404 if is_permitted else 403)
            expect(is_so, f"{role['name']}: deploying what is out of scope: {status} {answer}")

    def check_bodies(self, role: dict, token: str, mine: World, other: World):
        """Whole requests that name in their bodies what is out of scope, or would bring it in."""
        ours, theirs = mine.ids["collection"], other.ids["collection"]
        mac = f"52:54:00:9a:{mine.number:02x}:01"
        for path, body in (
            (f"/collections/{ours}/rules", {"type": "include", "collection": theirs}),
            (f"/collections/{ours}/rules", {"type": "exclude", "collection": theirs}),
            (f"/collections/{ours}/rules", {"type": "direct", "device": other.ids["device"]}),
            (f"/collections/{ours}/rules", {"type": "query", "name": "all", "filter": "name ne ''"}),
            (f"/collections/{ours}/members", {"device": other.ids["device"]}),
            ("/collections", {"name": f"under {role['id']}", "limiting": theirs}),
            ("/collections", {"name": f"under {role['id']}"}),
            ("/devices", {"name": f"NEW-{mine.number}", "mac": mac, "collection": theirs}),
            ("/devices", {"name": f"NEW-{mine.number}", "mac": other.mac}),
            ("/duplicate-hardware-ids", {"id": other.mac}),
        ):
            if path == "/duplicate-hardware-ids" and self.has(role["permissions"], "site", "modify"):
                continue
            self.n += 1
            status, answer, _ = self.site.call("POST", path, body, token=token)
            expect(status in (403, 404, 409), f"{role['name']}: POST {path} {body}: {status} {answer}")
            expect(f"PC-{other.label}" not in json.dumps(answer), f"{role['name']}: POST {path} tells a name: {answer}")
        csv = f"name,mac,collection\nNEW-{mine.number},{mac},{theirs}\n"
        status, answer, _ = self.site.call("POST", "/devices:import", {"csv": csv}, token=token)
        expect(status == 403 or answer["errors"], f"{role['name']}: a line into a collection out of scope: {answer}")
        for world in (mine, other):
            rules = self.site.must("GET", f"/collections/{world.ids['collection']}/rules")["items"]
            expect([r["type"] for r in rules] == ["direct"], f"{role['name']} changed a collection: {rules}")

    def permission_of(self, method: str, path: str) -> dict:
        return [o[2] for o in self.operations if o[:2] == (method, path)][0]

    def check_role(self, role: dict, mine: World, other: World):
        name = f"holder-{role['id'].lower()}"
        grants = ((role["id"], {"scope": mine.scope}), (role["id"], {"collection": mine.ids["collection"]}))
        token = self.site.new_administrator(name, *grants)
        self.check_deploy(role, token, mine, other)
        self.check_bodies(role, token, mine, other)
        for method, path, permission in self.operations:
            if method == "GET" and "{" not in path and permission["class"] not in OPEN and path != "/events":
                self.check_list(role, token, path, mine, other)
        for operation in self.operations:
            if operation[1].startswith(("/logins/current", "/internal/authorize", "/events")):  # the last: api-events
                continue
            if operation[2]["class"] in ("internal", "client"):
                status, answer = self.ask(token, operation, "none")
                expect(status in (400, 401), f"{role['name']}: {operation}: {status} {answer}")
            elif operation[2]["class"] != "public":
                self.check_cell(role, token, operation, mine, other)


def rbac_matrix(site: Site):
    roles = [site.must("GET", f"/security-roles/{r['id']}") for r in site.must("GET", "/security-roles")["items"]]
    expect(len(roles) == 7 and all(r["is_builtin"] for r in roles), f"not the seven built-in roles: {roles}")
    worlds = [World(site, n, f"w{n}") for n in range(len(roles) + 1)]
    site.stop()
    with sqlite3.connect(site.work / "state" / "site" / "slipway.db") as db:
        for world in worlds:
            world.insert(db)
    db.close()
    site.start()
    matrix = Matrix(site)
    for role, world in zip(roles, worlds[1:]):
        matrix.check_role(role, world, worlds[0])
    print(f"{len(roles)} roles, {len(matrix.operations)} operations, {matrix.n} requests")


def tamper(site: Site, *statements: str):
    """As somebody who has the file, past the triggers; what it was is put back."""
    path = site.work / "state" / "site" / "slipway.db"
    site.stop()
    shutil.copy2(path, site.work / "whole.db")
    with sqlite3.connect(path) as db:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_record'"
        for (name,) in db.execute(triggers).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            expect(db.execute(statement).rowcount > 0, f"nothing was changed: {statement}")
    db.close()
    site.start()
    found = site.must("GET", "/audit-log/verification")
    site.stop()
    shutil.copyfile(site.work / "whole.db", path)
    site.start()
    return found


def audit_chain(site: Site):
    site.must("POST", "/collections", {"name": "Lab"}, address="192.0.2.77")
    secret = "do not tell anybody"
    site.must("POST", "/collections/Lab/variables", {"name": "Token", "value": secret, "is_secret": True})
    for priority in range(1, 10):
        site.must("PATCH", "/collections/Lab", {"variable_priority": priority}, address="192.0.2.78")
    log = site.must("GET", "/audit-log?limit=1000")["items"]
    made = [r for r in log if r["action"] == "collection.create"][0]
    expect((made["who"], made["address"], made["before"]) == ("administrator", "192.0.2.77", None), f"{made}")
    expect(made["request_id"] == "test", f"which request it was: {made}")
    changed = [r for r in log if r["action"] == "collection.change"][-1]
    before, after = json.loads(changed["before"]), json.loads(changed["after"])
    expect((before["variable_priority"], after["variable_priority"]) == (8, 9), f"before and after: {changed}")
    expect(secret not in json.dumps(log), "a secret value is in the audit log")
    whole = site.must("GET", "/audit-log/verification")
    expect(whole["is_whole"] and whole["n_records"] == len(log), f"it is not whole: {whole}")
    expect(whole["head"] == log[-1]["hash"], "the head is not the last record's hash")
    cases = {
        "a changed value": ["UPDATE audit_record SET who = 'somebody' WHERE id = 4"],
        "a request without its id": ["UPDATE audit_record SET request_id = NULL WHERE id = 4"],
        "a changed state": ["UPDATE audit_record SET became = '{}' WHERE id = 5"],
        "a removed record": ["DELETE FROM audit_record WHERE id = 3"],
        "an end cut off": [f"DELETE FROM audit_record WHERE id = {len(log)}"],
        "an end cut off with its number": [
            f"DELETE FROM audit_record WHERE id = {len(log)}",
            f"UPDATE audit_head SET n = {len(log) - 1}",
        ],
        "two records swapped": [
            "UPDATE audit_record SET id = 100000 WHERE id = 3",
            "UPDATE audit_record SET id = 3 WHERE id = 4",
            "UPDATE audit_record SET id = 4 WHERE id = 100000",
        ],
        "a letter moved from one member to the next": [
            "UPDATE audit_record SET action = action || substr(object, 1, 1), object = substr(object, 2) WHERE id = 4"
        ],
    }
    for what, statements in cases.items():
        found = tamper(site, *statements)
        expect(not found["is_whole"] and found["first_bad"], f"{what} was not found: {found}")
    expect(site.must("GET", "/audit-log/verification")["is_whole"], "it is not whole again")


class Cli:
    """slipway as one user would have it, with credentials of its own."""

    def __init__(self, site: Site, who: str):
        self.program = site.slipwayd.parent / "slipway"
        self.url = f"unix:{site.work}/state/run/api.sock"
        self.env = {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(site.work / f"home-{who}")}

    def _do(self, words, given: str, status: int):
        done = subprocess.run(
            [self.program, *words], input=given, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )
        expect(done.returncode == status, f"slipway {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def run(self, *words: str, given: str = "", status: int = 0) -> str:
        return self._do(words, given, status).stdout

    def fails(self, *words: str, given: str = "", status: int = 1) -> str:
        """What it says then."""
        return self._do(words, given, status).stderr

    def json(self, *words: str, **options):
        return json.loads(self.run(*words, "--output", "json", **options))


def admin_cli(site: Site):
    """Each command about who may what, as somebody types it."""
    site.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    chief = Cli(site, "chief")
    chief.run("login", chief.url, "--user", "administrator", "--password", PASSWORD, status=2)
    chief.run("login", chief.url, "--user", "administrator", "--password", "@-", given=PASSWORD + "\n")
    chief.run("admin", "create", "dora", "--comment", "Desk", "--password", "@-", given=PASSWORD)
    chief.run("security-role", "copy", "Help Desk", "Night desk")
    exported = chief.run("security-role", "show", "Night desk", "--output", "json")
    imported = chief.json("security-role", "import", "-", "--name", "Day desk", given=exported)
    expect(imported["permissions"] == json.loads(exported)["permissions"], f"{imported}")
    chief.run("security-role", "set", "Day desk", "--permission", "device.read", "--permission", "collection.*")
    chief.run("security-role", "delete", "Day desk")
    expect(len(chief.json("security-role", "list")) == 8, "not eight roles")
    chief.run("security-scope", "create", "Branch")
    group = site.must("POST", "/boundary-groups", {"name": "Branch office"})["id"]
    added = chief.json("security-scope", "add-object", "Branch", "Branch office", "--class", "boundary-group")
    expect(added["objects"] == [group], f"{added}")
    chief.run("admin", "grant", "dora", "--role", "Night desk", "--scope", "Branch")
    chief.run("admin", "grant", "dora", "--role", "Read-only Analyst", "--scope", "Branch")
    dora = Cli(site, "dora")
    dora.run("login", dora.url, "--user", "dora", "--password", "@-", given=PASSWORD)
    expect([g["id"] for g in dora.json("boundary-group", "list")] == [group], "dora does not see her group alone")
    chief.run("security-scope", "remove-object", "Branch", group, "--class", "boundary-group")
    expect(dora.json("boundary-group", "list") == [], "dora sees what is not in her scope")
    dora.run("boundary-group", "show", group, status=3)
    denied = dora.run("admin", "create", "eve", "--no-password", status=5)
    expect(denied == "", f"{denied}")
    chief.run("security-scope", "delete", "Branch", status=4)
    chief.run("admin", "revoke", "dora", "--role", "Read-only Analyst", "--scope", "Branch")
    chief.run("admin", "revoke", "dora", "--role", "Night desk", "--scope", "Branch")
    chief.run("security-scope", "delete", "Branch")
    expect("Branch" not in chief.run("security-scope", "list"), "the scope is still listed")
    made = chief.json("token", "create", "script", "--days", "7", "--permission", "*.read")
    expect(made["id"] in [t["id"] for t in chief.json("token", "list")], "the token is not listed")
    chief.run("token", "revoke", made["id"])
    chief.run("admin", "disable", "dora")
    dora.run("device", "list", status=5)
    chief.run("admin", "enable", "dora")
    chief.run("admin", "password", "dora", "--password", "@-", given=PASSWORD + "3")
    dora.run("login", dora.url, "--user", "dora", "--password", "@-", given=PASSWORD + "3")
    chief.run("admin", "delete", "dora")
    expect([a["name"] for a in chief.json("admin", "list")] == ["administrator"], "not one administrator")
    log = chief.json("audit", "list")
    expect(log[-1]["action"] == "administrator.delete", f"{log[-1]}")
    lines = [json.loads(line) for line in chief.run("audit", "export").splitlines()]
    expect(lines == log, "the export is not the list")
    table = chief.run("audit", "export", "--format", "csv").splitlines()
    expect(len(table) == len(log) + 1 and table[0].startswith("number,time,time_us,who"), f"{table[:2]}")
    expect(chief.json("audit", "verify")["head"] == log[-1]["hash"], "the head is not the last record's hash")
    exported = site.work / "audit.jsonl"
    exported.write_text(chief.run("audit", "export"), encoding="utf-8")
    found = chief.json("audit", "verify", str(exported), "--head", log[5]["hash"])
    expect((found["is_whole"], found["n_records"], found["has_noted"]) == (True, len(log), True), f"the export: {found}")
    exported.write_text(exported.read_text(encoding="utf-8").replace("dora", "dara", 1), encoding="utf-8")
    expect("SLW-0711" in chief.fails("audit", "verify", str(exported)), "a changed export is taken for whole")

    table = site.work / "devices.csv"
    rows = [f"BULK-{i},52:54:00:b0:{i >> 8:02x}:{i & 255:02x}" for i in range(2001)]
    table.write_text("name,mac\n" + "\n".join([*rows, "X,no address"]) + "\n", encoding="utf-8")
    chief.fails("device", "import-file", str(table))
    expect(not chief.json("device", "list"), "of a file with an error something was imported")
    table.write_text("name,mac\n" + "\n".join([*rows, "BULK-0,52:54:00:b0:ff:ff"]) + "\n", encoding="utf-8")
    told = chief.fails("device", "import-file", str(table), status=7)
    expect("before line 2002 are imported" in told, told)


TESTS = {"admin-cli": admin_cli, "admin-login": admin_login, "rbac-matrix": rbac_matrix, "audit-chain": audit_chain}


def run_in_namespace(test) -> int:
    """test(site) of argv[2], with a running site of argv[1], where nothing else is."""
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
            test(site)
        except Exception:
            print((site.work / "err").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise
    print(f"{sys.argv[2]}: ok")
    return 0


def main() -> int:
    return run_in_namespace(TESTS[sys.argv[2]])


if __name__ == "__main__":
    sys.exit(main())
