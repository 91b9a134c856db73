#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that no honest client makes, through nginx as anybody can send them: in a network namespace, no virtual machine.

usage: hostile_requests.py BUILD_DIR hostile-requests
"""

import json
import random
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from security_test import Site, expect, run_in_namespace  # noqa: E402

N_GENERATED = 2000
MEMORY_MAX_KIB = 200 * 1024
PATIENCE_S = 5
MARK = b"/api/v1/never-asked-for"


def secure() -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls


def exchange(data: bytes) -> bytes:
    """All that is answered on one connection; b"" if it is closed without an answer."""
    with socket.create_connection(("127.0.0.1", 443), PATIENCE_S) as plain:
        plain.settimeout(PATIENCE_S)
        with secure().wrap_socket(plain) as connection:
            found = b""
            try:
                connection.sendall(data)
                while piece := connection.recv(65536):
                    found += piece
            except (OSError, ssl.SSLError):
                pass
            return found


def statuses(answer: bytes) -> list:
    return [int(status) for status in re.findall(rb"(?:^|\n)HTTP/1\.1 (\d{3}) ", answer)]


def request(token: str, line=b"GET /api/v1/status HTTP/1.1", *headers: bytes, body=b"", host=b"Host: site") -> bytes:
    lines = [line, *([host] if host else []), b"Authorization: Bearer " + token.encode(), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def known_tricks(token: str) -> dict:
    """What is sent, and the statuses that are right; a second request hidden in a body must never be answered."""
    post = b"POST /api/v1/collections HTTP/1.1"
    hidden = b"GET " + MARK + b" HTTP/1.1\r\nHost: site\r\n\r\n"

    def with_body(*headers, body=hidden):
        return request(token, post, b"Content-Type: application/json", *headers, body=body)

    def sign_in_of(origin):
        headers = (b"Origin: " + origin, b"Content-Type: text/plain", b"Content-Length: 2")
        return request("none", b"POST /api/v1/logins HTTP/1.1", *headers, body=b"{}")

    both = (b"Content-Length: 3", b"Transfer-Encoding: chunked")
    chunked = b"Transfer-Encoding: chunked"
    return {
        "no Host": (request(token, host=None), {400}),
        "two Hosts": (request(token, b"GET /api/v1/status HTTP/1.1", b"Host: other"), {400}),
        "length and chunks": (with_body(*both, body=b"0\r\n\r\n" + hidden), {400}),
        "two lengths": (with_body(b"Content-Length: 3", b"Content-Length: 5"), {400}),
        "a list of lengths": (with_body(b"Content-Length: 3, 5"), {400}),
        "a length with a sign": (with_body(b"Content-Length: +3"), {400}),
        "a length below nothing": (with_body(b"Content-Length: -1"), {400}),
        "a length of 30 digits": (with_body(b"Content-Length: " + b"9" * 30), {400, 413}),
        "xchunked": (with_body(b"Transfer-Encoding: xchunked"), {400, 501}),
        "chunked, identity": (with_body(b"Transfer-Encoding: chunked, identity"), {400, 501}),
        "a bare CR": (request(token, b"GET /api/v1/status HTTP/1.1", b"X: a\rContent-Length: 5"), {200, 400}),
        "a blank before the colon": (with_body(b"Content-Length : 3"), {400}),
        "NUL in a value": (request(token, b"GET /api/v1/status HTTP/1.1", b"X: a\0b"), {400}),
        "a folded header": (request(token, b"GET /api/v1/status HTTP/1.1", b"X: a\r\n b"), {400}),
        "a chunk over 64 bits": (with_body(chunked, body=b"f" * 17 + b"\r\nx\r\n0\r\n\r\n"), {400, 413}),
        "a chunk that is no number": (with_body(chunked, body=b"zz\r\nx\r\n0\r\n\r\n"), {400}),
        "a good body in chunks": (with_body(chunked, body=b"f\r\n{\"name\": \"One\"}\r\n0\r\n\r\n"), {201, 400}),
        "dots and NUL in the path": (request(token, b"GET /a/%2e%2e/%00b HTTP/1.1"), {400, 404}),
        "dots in the path": (request(token, b"GET /boot/../../etc/passwd HTTP/1.1"), {400}),
        "encoded dots": (request(token, b"GET /content/packs/%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), {400, 404}),
        "an encoded slash": (request(token, b"GET /api/v1/devices/a%2fb HTTP/1.1"), {404}),
        "an encoded NUL": (request(token, b"GET /api/v1/devices/a%00b HTTP/1.1"), {400, 404}),
        "half a percent": (request(token, b"GET /api/v1/devices?filter=%2 HTTP/1.1"), {400}),
        "HTTP/9.9": (request(token, b"GET /api/v1/status HTTP/9.9"), {400, 505}),
        "no version": (b"GET /api/v1/status\r\n\r\n", {400}),
        "another method": (request(token, b"BREW /api/v1/status HTTP/1.1"), {400, 404, 405}),
        "CONNECT": (request(token, b"CONNECT 127.0.0.1:22 HTTP/1.1"), {400, 405}),
        "another server": (request(token, b"GET http://10.0.0.1/ HTTP/1.1"), {400, 404}),
        "a header of 40 KB": (request(token, b"GET /api/v1/status HTTP/1.1", b"X: " + b"a" * 40000), {400, 431}),
        "a target of 40 KB": (request(token, b"GET /" + b"a" * 40000 + b" HTTP/1.1"), {400, 414}),
        "300 headers": (request(token, b"GET /api/v1/status HTTP/1.1", *[b"X%d: 1" % n for n in range(300)]), {200, 400, 431}),
        "a role's door": (request(token, b"POST /api/v1/internal/backups HTTP/1.1", b"Content-Length: 2", body=b"{}"), {404}),
        "another's address": (request("none", b"GET /api/v1/status HTTP/1.1", b"X-Real-IP: 127.0.0.1"), {401}),
        "another's page signs in": (sign_in_of(b"https://elsewhere"), {403}),
        "a page without a place signs in": (sign_in_of(b"null"), {403}),
        "our page signs in": (sign_in_of(b"https://site"), {400}),
        "not TLS's words": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", {400}),
    }


def bodies() -> list:
    """JSON that is none, or is more than it looks."""
    deep, wide = b'{"a":' * 40 + b"1" + b"}" * 40, b'{"name":"' + b"x" * 70000 + b'"}'
    return [
        b"", b"null", b"[]", b'"x"', b"{", b"{}}", b'{"name":1e999}', b'{"name":"\\ud800"}', b'{"name":"\xff\xfe"}',
        b'{"name":"a\\u0000b"}', b'{"name":"x","name":"y"}', b'{"name":99999999999999999999999}', b'{"name":["x"]}',
        b'{"name":{}}', b'{"":1}', b'{"__proto__":1}', b'{"name":"\\u202e"}', deep, b"[" * 20000, wide,
        b'{"name":"' + b"x" * 60000 + b'"}', b'{"name":"\'; DROP TABLE device; --"}', b"\x1f\x8b\x08\x00\x00",
    ]


PLACES = ["/collections", "/devices", "/deployments", "/boundaries", "/administrators", "/tokens", "/task-sequences",
          "/devices:import", "/client/registrations", "/client/tokens", "/client/tpm-credentials", "/logins", "/security-roles", "/packages", "/alerts/0", "/captures/chunks",
          "/unknown-computer-names:preview", "/collections/SLP10001/rules", "/user-affinities:import", "/boundary-groups"]
NAMES = ["limit", "after", "filter", "order_by", "fields", "format", "validate_only", "x", "", "limit%00", "\u00fc"]
VALUES = ["", "0", "-1", "1e9", "9" * 40, "name", "name desc", "," * 250, "a" * 3000, "%ff%fe", "%00", "'", "((((", "name eq '",
          "not " * 40 + "name eq 'x'", "name in (" + ",".join(["'x'"] * 300) + ")", "id desc," * 30, "true", "csv", "%F0%9F%92%A9"]


def generated(seed: int, token: str):
    """One request, the same for the same seed."""
    chance = random.Random(seed)
    place = chance.choice(PLACES)
    if chance.random() < 0.5:
        query = "&".join(f"{chance.choice(NAMES)}={chance.choice(VALUES)}" for _ in range(chance.randint(1, 3)))
        line = f"GET /api/v1{place}?{query} HTTP/1.1".replace(" ", "%20").replace("GET%20", "GET ").replace("%20HTTP", " HTTP")
        return request(token, line.encode())
    body = chance.choice(bodies())
    if chance.random() < 0.3 and body:
        at = chance.randrange(len(body))
        body = body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    method = chance.choice(["POST", "PUT", "PATCH", "DELETE"])
    headers = [b"Content-Length: %d" % len(body), b"Content-Type: " + chance.choice([b"application/json", b"text/html", b""])]
    if chance.random() < 0.3:
        headers.append(b"Idempotency-Key: " + bytes(chance.randrange(33, 127) for _ in range(chance.randrange(1, 200))))
    if chance.random() < 0.3:
        headers.append(b"If-Match: " + chance.choice([b"*", b'"', b"W/", b'"x", ' * 200, b"\xff"]))
    return request(token, f"{method} /api/v1{place} HTTP/1.1".encode(), *headers, body=body)


def processes(parent: int) -> dict:
    """Memory in KiB of slipwayd and its children."""
    found = subprocess.run(["ps", "-o", "pid=,rss=", "--ppid", str(parent), "--pid", str(parent)], capture_output=True, text=True, check=True)
    return {int(line.split()[0]): int(line.split()[1]) for line in found.stdout.splitlines()}


def never_fails(what: str, answer: bytes):
    wrong = [status for status in statuses(answer) if status >= 500 and status not in (501, 505)]
    expect(not wrong, f"{what}: {answer[:600]}")
    expect(MARK not in answer.split(b"\r\n\r\n", 1)[-1], f"{what}: a hidden request was answered")


def trickle(token: str):
    """A header byte by byte: the connection ends, and others are served meanwhile."""
    with socket.create_connection(("127.0.0.1", 443), PATIENCE_S) as plain, secure().wrap_socket(plain) as connection:
        for byte in request(token)[:20]:
            connection.send(bytes([byte]))
            time.sleep(0.02)
        expect(statuses(exchange(request(token))) == [200], "another one waits")


def sign_in_often(token: str):
    """More than nginx lets pass: the site is not asked, and the answer is a problem like any other."""
    data = request(token, b"POST /api/v1/logins HTTP/1.1", b"Content-Length: 2", body=b"{}")
    answers = [exchange(data) for _ in range(250)]
    expect({status for answer in answers for status in statuses(answer)} == {400, 429}, "nobody waits")
    last = next(answer for answer in answers[::-1] if statuses(answer) == [429])
    problem = json.loads(last.split(b"\r\n\r\n", 1)[1])
    expect(problem["error_id"] == "SLW-0124" and problem["request_id"].encode() in last.split(b"\r\n\r\n")[0], f"{last}")
    expect(statuses(exchange(request(token))) == [200], "who is signed in waits too")


def hostile_requests(site: Site):
    before = processes(site.process.pid)
    for what, (data, right) in known_tricks(site.token).items():
        answer = exchange(data)
        found = statuses(answer)
        never_fails(what, answer)
        expect(len(found) <= 1 and set(found) <= right, f"{what}: {found}, not {right}: {answer[:300]}")
    for seed in range(N_GENERATED):
        answer = exchange(generated(seed, site.token))
        never_fails(f"seed {seed}", answer)
        expect(len(statuses(answer)) <= 1, f"seed {seed}: two answers: {answer[:600]}")
        if b"application/problem+json" in answer:
            problem = json.loads(answer.split(b"\r\n\r\n", 1)[1].split(b"\r\n", 1)[-1].split(b"\r\n")[0] if b"chunked" in answer else answer.split(b"\r\n\r\n", 1)[1])
            expect(re.fullmatch("SLW-[0-9]{4}", problem["error_id"]) and "SELECT" not in problem.get("detail", ""), f"{problem}")
    trickle(site.token)
    sign_in_often(site.token)
    after = processes(site.process.pid)
    expect(set(before) == set(after), f"a process has ended: {before} {after}")
    expect(sum(after.values()) < MEMORY_MAX_KIB, f"memory: {after}")
    log = (site.work / "err").read_text(encoding="utf-8")
    expect("request failed" not in log, f"requests failed: {log[-2000:]}")
    site.must("GET", "/status")
    print(f"{N_GENERATED} generated, {len(known_tricks(site.token))} known; {sum(after.values()) // 1024} MiB")


if __name__ == "__main__":
    sys.exit(run_in_namespace(hostile_requests))
