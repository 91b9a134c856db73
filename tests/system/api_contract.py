#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's contract as what a running site answers is held against it, and which of its operations were used."""

import http.client
import json
import re
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from security_test import PASSWORD, ROOT, expect  # noqa: E402

METHODS = ("get", "put", "post", "delete", "head", "patch")
PREFIX = "/api/v1"
RELAY_PORT = 8443


# members of items of lists that only things have which are not made here
ONLY_OF_SOME = {"listContent": {"agent_version", "arch", "flavour", "is_custom", "kernel_version", "prestart_command"}}


class Contract:
    """Judges answers; thread-safe, since a proxy has threads."""

    def __init__(self):
        self.root = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text(encoding="utf-8"))
        self.operations = {}
        self.patterns = []
        self.validators = {}
        self.good, self.bad, self.misfits = set(), set(), []
        self.listed = {}  # operation -> members that items of its list had
        self.lock = threading.Lock()
        for path, item in self.root["paths"].items():
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$")
            for method in METHODS:
                if method in item:
                    self.operations[item[method]["operationId"]] = (method.upper(), path, item[method])
                    self.patterns.append(("{" in path, method.upper(), pattern, item[method]))
        self.patterns.sort(key=lambda row: row[0])  # names before parameters

    def find(self, method: str, path: str):
        for _, one, pattern, operation in self.patterns:
            if one == method and pattern.match(path):
                return operation
        return None

    def follow(self, node):
        while "$ref" in node:
            found = self.root
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node

    def response_of(self, operation, status: int):
        responses = operation["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        return self.follow(found) if found else None

    def validator(self, key, schema):
        if key not in self.validators:
            whole = {**schema, "components": self.root["components"]}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        return self.validators[key]

    def judge(self, operation, status: int, kind: str, body: bytes):
        """What is wrong with an answer, or None."""
        response = self.response_of(operation, status)
        if response is None:
            return f"the status {status} is not in the contract"
        kinds = response.get("content", {})
        if not kinds:
            return None if body == b"" or status >= 400 else f"there is a body: {body[:200]}"
        if kind not in kinds:
            return f"{status} is {kind}, not {', '.join(kinds)}"
        schema = kinds[kind].get("schema")
        if schema is None or "json" not in kind:
            return None
        validator = self.validator((operation["operationId"], status // 100 if status >= 400 else status), schema)
        for why in validator.iter_errors(json.loads(body)):
            return f"{status} {why.json_path}: {why.message[:300]}"
        return None

    def note_items(self, operation, path: str, status: int, body: bytes):
        """Members of the items of a list, which `fields` and columns promise, but where only some were asked for."""
        if status != 200 or "fields=" in path:
            return
        try:
            items = json.loads(body).get("items", [])
        except (ValueError, AttributeError):
            return
        for one in items if isinstance(items, list) else []:
            if isinstance(one, dict):
                self.listed.setdefault(operation["operationId"], set()).update(one)

    def promised(self, operation) -> set:
        """What items of its list have by the contract."""
        kinds = self.response_of(operation, 200).get("content", {}).get("application/json", {})
        page = self.follow(kinds.get("schema", {}))
        items = self.follow(self.follow(page.get("properties", {}).get("items", {})).get("items", {}))
        parts = [items] + [self.follow(one) for one in items.get("allOf", [])]
        return {name for part in parts for name in part.get("properties", {})} - set(operation.get("x-slipway-list-without", []))

    def never_listed(self) -> list:
        return [
            f"{name}: {', '.join(sorted(missing))}"
            for name, seen in sorted(self.listed.items())
            if (missing := self.promised(self.operations[name][2]) - seen - ONLY_OF_SOME.get(name, set()))
        ]

    def note(self, method: str, path: str, status: int, kind: str, body: bytes):
        whole = path
        path = path.removeprefix(PREFIX).split("?")[0]
        operation = self.find(method, path)
        if operation is None or method == "HEAD":
            return
        try:
            wrong = self.judge(operation, status, (kind or "").split(";")[0], body)
        except ValueError as why:
            wrong = f"{status}: {why}"
        with self.lock:
            if wrong:
                self.misfits.append(f"{operation['operationId']}: {method} {path}: {wrong}")
            (self.good if status < 400 else self.bad).add(operation["operationId"])
            if method == "GET":
                self.note_items(operation, whole, status, body)


class Relay(BaseHTTPRequestHandler):
    """One connection: each request goes on to the site, and its answer is noted."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def pass_on(self, answer):
        """What has no end, as it comes, for as long as somebody wants it."""
        self.server.contract.note(self.command, self.path, answer.status, answer.getheader("Content-Type"), b"")
        self.close_connection = True
        self.send_response_only(answer.status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        while text := answer.read1():
            self.wfile.write(text)

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPSConnection("127.0.0.1", timeout=60, context=self.server.tls)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            if answer.getheader("Content-Type") == "text/event-stream":
                self.pass_on(answer)
                return
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        finally:
            connection.close()
        self.server.contract.note(self.command, self.path, answer.status, answer.getheader("Content-Type"), text)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = relay


class RelayServer(ThreadingHTTPServer):
    """Has the site's own key, so who pins it is content."""

    daemon_threads = True

    def __init__(self, state: Path, contract: Contract):
        super().__init__(("127.0.0.1", RELAY_PORT), Relay)
        self.contract = contract
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(state / "keys" / "site.crt", state / "keys" / "site.key")
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE
        threading.Thread(target=self.serve_forever, daemon=True).start()


def watch(site, contract: Contract) -> str:
    """From now on what site.call() is answered is noted. An address to give to others, whose requests are noted too."""
    call = site.call

    def noted(method, path, *rest, **options):
        status, answer, headers = call(method, path, *rest, **options)
        kind = headers.getheader("Content-Type")
        is_json = "json" in (kind or "") and answer
        contract.note(method, path, status, kind, json.dumps(answer).encode() if is_json else answer or b"")
        return status, answer, headers

    site.call = noted
    RelayServer(site.work / "state", contract)
    return f"https://127.0.0.1:{RELAY_PORT}"


# What needs a process of the site, a device that captures, or work that takes its time, and the test that does it.
ELSEWHERE = {
    "cancelOperation": "content-faults",
    "redistributeContent": "content-two-dps",
    "removeContent": "content-two-dps",
    "removeDistributionPointGroupContent": "site/dp_group",
    "getBootImage": "content-boot-images",
    "joinDistributionPoint": "content-two-dps",
    "removeDistributionPoint": "content-two-dps",
    "approveDeviceUser": "site/affinity",
    "denyDeviceUser": "site/affinity",
    "debugOrder": "ts-steps",
    "enableOrderDebugging": "ts-steps",
    "getOrderState": "ts-steps",
    "cancelOrder": "lost-contact",
    "clientDebug": "ts-steps",
    "clientPutBootPassword": "pxe-password",
    "clientPutChoice": "pxe-password",
    "clientDropChoice": "pxe-variables",
    "clientReopenChoice": "pxe-variables",
    "clientPutPrestart": "pxe-variables",
    "clientPutVariables": "pxe-variables",
    "clientPutName": "unknown-to-known",
    "clientPutState": "ts-steps",
    "clientPutLog": "ts-steps",
    "clientRenewToken": "lost-contact",
    "clientMakeTpmCredential": "boot-uefi-pxe",
    "clientSendLog": "ts-steps",
    "clientBeginCapture": "build-and-capture",
    "clientGetCapture": "build-and-capture",
    "clientPublishCapture": "build-and-capture",
    "startOidc": "oidc-login",
    "finishOidc": "oidc-login",
    "findChunks": "content-capture",
    "sendPack": "content-capture",
    "createNamedUpload": "content-capture",
    "getUploadOffset": "server/dp/uploads",
    "deleteUpload": "server/dp/uploads",
    "internalAuthorize": "content-faults",
    "internalBackUp": "backup-restore",
    "internalClaimJob": "content-faults",
    "internalDecideBoot": "capture-and-deploy",
    "internalFindUnnamed": "content-faults",
    "internalReportBootEvent": "capture-and-deploy",
    "internalReportJob": "content-faults",
    "internalRegisterDistributionPointKey": "dp-key",
    "internalRenewDistributionPointToken": "dp-key",
}


def use_the_rest(site, sequence: str):
    """What no command of slipway needs."""
    device = site.must("POST", "/devices", {"name": "REST-1", "mac": "52:54:00:fe:00:01"})["id"]
    room = site.must("POST", "/collections", {"name": "Rest"})["id"]
    site.must("POST", f"/collections/{room}/rules", {"type": "query", "name": "all", "filter": "name ne ''"})
    site.must("DELETE", f"/collections/{room}/rules/query/all")
    for place in (f"/collections/{room}", f"/devices/{device}"):
        site.must("POST", place + "/variables", {"name": "Rest", "value": "x"})
    site.must("GET", f"/devices/{device}/effective-variables")
    for place in (f"/collections/{room}", f"/devices/{device}"):
        site.must("DELETE", place + "/variables/Rest")
    for behind in ("boot-explanation", "log", "history"):
        site.must("GET", f"/devices/{device}/{behind}")
    site.must("POST", "/duplicate-hardware-ids", {"id": "52:54:00:fe:00:02"})
    site.must("DELETE", "/duplicate-hardware-ids/52:54:00:fe:00:02")
    for behind in ("validation", "zip"):
        site.must("GET", f"/task-sequences/{sequence}/{behind}")
    site.must("GET", "/user-affinity-mode")
    rule = site.must("GET", "/unknown-computer-rules")["items"][0]["id"]
    site.must("GET", f"/unknown-computer-rules/{rule}")
    point = site.must("GET", "/distribution-points")["items"][0]["id"]
    site.must("PATCH", f"/unknown-computer-rules/{point}", {"is_allowed": True})
    site.must("DELETE", f"/unknown-computer-rules/{point}")
    for image in site.must("GET", "/boot-images")["items"]:
        site.must("GET", f"/boot-images/{image['id']}")
    token = site.new_administrator("rest", ("Full Administrator", {"scope": "All"}))
    words = {"old_password": PASSWORD, "new_password": PASSWORD + "2"}
    site.must("POST", "/logins/current/password", words, token=token)
    site.must("GET", "/client/time", token=None)


def ask_wrongly(site, contract: Contract):
    """Each operation of administrators and devices once so that it must be refused: by nobody, and with what is not known."""
    for name, (method, path, operation) in contract.operations.items():
        kind = operation["x-slipway-permission"]["class"]
        if kind == "internal" or path.startswith(("/uploads", "/captures", "/exports")):
            continue
        path = re.sub(r"\{\w+\}", "none", path)
        body = {"no_such_member": 1} if method in ("POST", "PUT", "PATCH") else None
        if kind not in ("public",):
            status = site.call(method, path, body, token=None)[0]
            expect(status == 401, f"{name}: nobody is answered {status}")
        if kind not in ("public", "client") and name != "internalAuthorize":
            status, answer, _ = site.call(method, path + "?no_such_parameter=1", body)
            expect(400 <= status < 500, f"{name}: {status} {answer}")
        if kind == "public" and body:
            expect(400 <= site.call(method, path, body, token=None)[0] < 500, f"{name}: it takes anything")


def check(contract: Contract):
    expect(not contract.misfits, "answers that the contract does not promise:\n" + "\n".join(contract.misfits))
    expect(not contract.never_listed(), "members that no item of a list had:\n" + "\n".join(contract.never_listed()))
    unknown = sorted(set(ELSEWHERE) - set(contract.operations))
    expect(not unknown, f"no operations: {unknown}")
    unused = sorted(set(contract.operations) - contract.good - set(ELSEWHERE))
    expect(not unused, f"operations that were never used well: {unused}")
    print(f"{len(contract.operations)} operations, {len(contract.good)} used well and {len(contract.bad)} wrongly here")
