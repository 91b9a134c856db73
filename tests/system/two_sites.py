#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two site servers on one PostgreSQL behind a load balancer (haproxy), killed one after the other while administrators and devices go on.

usage: two_sites.py BUILD_DIR two-sites-postgres

In a network namespace of its own, no virtual machine; run by tools/with_postgresql. Whatever was acknowledged is there at the
end, once; one of the two does what time does, and the other when that one is gone; both know from which address somebody asks.
"""

import contextlib
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from database_test import Place, ask, enter_namespace, make_database  # noqa: E402
from monitoring_test import SEQUENCE, Client, mac_of  # noqa: E402
from security_test import CONFIG, Failed, expect, skip  # noqa: E402

N_ADMINISTRATORS, N_DEVICES = 3, 3
TICKETS = 20
DEVICE_ADDRESS, ADMINISTRATOR_ADDRESS, STRANGER_ADDRESS = "127.0.0.7", "127.0.0.9", "127.0.0.66"
TAKE_OVER_SECONDS = 60  # a lease lasts 15 s
WORK_SECONDS = 2
ANSWER_SECONDS = 60
LEADER = "SELECT holder FROM lease WHERE name = 'tick' AND until_s > extract(epoch FROM clock_timestamp())"
SETTINGS = """[site]
address = 127.0.0.1
database = {address}
http-port = {number}080
https-port = {number}444
load-balancers = 127.0.0.1
load-balancer-port = {number}443
unknown-computers = yes
[pxe]
enabled = no
[dp]
enabled = {dp}
"""
BALANCER = """global
    maxconn 500
defaults
    mode tcp
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    retries 3
    option redispatch
frontend api
    bind 127.0.0.1:443
    default_backend sites
backend sites
    balance roundrobin
    option httpchk GET /api/v1/client/time
    default-server send-proxy-v2 check check-send-proxy check-ssl verify none inter 300ms fall 2 rise 1 on-marked-down shutdown-sessions
    server first 127.0.0.1:1443
    server second 127.0.0.1:2443
"""


class Server(Place):
    """One of the two; killed with all its processes, as by a power cut."""

    def __init__(self, build: Path, number: int, address: str):
        super().__init__(build)
        self.number = number
        text = SETTINGS.format(number=number, address=address, dp="yes" if number == 1 else "no")
        (self.work / "conf").write_text(text + CONFIG, encoding="utf-8")

    def kill(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()
        for pid in [self.process.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        if self.connection:
            self.connection.close()
            self.connection = None
        time.sleep(0.3)


class Balanced:
    """Asks as everybody does: by TLS, through the balancer; again until there is an answer that is one."""

    def __init__(self, certificate: Path, token=None, address="127.0.0.1"):
        self.context = ssl.create_default_context(cafile=str(certificate))
        self.token = token
        self.address = address
        self.connection = None
        self.n_again = 0
        self.tickets = {}
        self.pin = (certificate.parent / "pin").read_text(encoding="utf-8").strip()

    def _ask(self, method: str, path: str, body, token):
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if not self.connection:
            self.connection = http.client.HTTPSConnection("127.0.0.1", context=self.context, timeout=10, source_address=(self.address, 0))
        self.connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text and "json" in (answer.getheader("Content-Type") or "") else text, answer

    def call(self, method: str, path: str, body=None, token="own"):
        """Status, answer, headers; as Site.call()."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                found = self._ask(method, path, body, self.token if token == "own" else token)
                if found[0] < 500:
                    return found
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
            self.n_again += 1
            expect(time.monotonic() < deadline, f"{method} {path}: no answer in {ANSWER_SECONDS} s")
            time.sleep(0.05)

    def must(self, method: str, path: str, body=None, token="own"):
        """The answer; as Site.must()."""
        status, answer, _ = self.call(method, path, body, token)
        expect(status < 300, f"{method} {path}: {status} {answer}")
        return answer


KEPT_OF_ORDER = 1900  # somewhat less than ORDER_MESSAGES_MAX of the site, for what was told and not acknowledged


class Follower:
    """Follows the devices through the balancer, whichever server is behind it, and goes on where it was when that is killed."""

    def __init__(self, certificate: Path, token: str):
        self.certificate, self.token = certificate, token
        self.numbers, self.resets, self.n_streams, self.last = [], 0, 0, None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopped.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._follow()
            time.sleep(0.2)

    def _follow(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", context=context, timeout=20)
        headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {self.token}"}
        if self.last is not None:
            headers["Last-Event-ID"] = self.last
        connection.request("GET", "/api/v1/events?topics=devices", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            answer.read()
            return
        self.n_streams += 1
        number, block = None, []
        while not self.stopped.is_set() and (line := answer.readline().decode()):
            name, _, value = line.rstrip("\n").partition(": ")
            if line != "\n":
                block.append(line)
                number = value if name == "id" else number
                continue
            if any(one.startswith("event: reset") for one in block):
                self.resets += 1
            elif any('"device.import"' in one for one in block):
                self.numbers.append(int(number))
            self.last, block = number or self.last, []
        connection.close()


class Work:
    """What administrators and devices do until they are stopped, and what of it was acknowledged."""

    def __init__(self, certificate: Path, token: str):
        self.certificate, self.token = certificate, token
        self.stopped = threading.Event()
        self.failures = []
        self.names = set()
        self.reports = set()  # (order, number of the report)
        self.n_again = 0
        self.threads = []

    def add_devices(self, number: int):
        own = Balanced(self.certificate, self.token, ADMINISTRATOR_ADDRESS)
        for i in range(100000):
            if self.stopped.is_set():
                break
            name = f"A{number}-{i:05}"
            body = {"name": name, "mac": f"52:54:{number:02x}:00:{i // 256:02x}:{i % 256:02x}"}
            status, answer, _ = own.call("POST", "/devices", body)
            # sent again without knowing whether it was done: then it is there already
            expect(status in (201, 409), f"{name}: {status} {answer}")
            self.names.add(name)
        self.n_again += own.n_again

    def play_device(self, number: int, tickets: list):
        own = Balanced(self.certificate, address=DEVICE_ADDRESS)
        client = Client(own, number)
        own.tickets[client.mac] = tickets
        while tickets:  # whoever does not hear the answer starts from the network again
            try:
                order = client.register()
                break
            except Failed:
                expect(own.n_again > 0 and len(tickets) > 0, f"{client.mac} was refused")
        expect(order is not None, f"{client.mac} has no order")
        client.tell("started")
        while not self.stopped.is_set():
            for state in ("step-started", "step-succeeded"):
                client.tell(state)
                self.reports.add((order, client.seq))
        self.n_again += own.n_again

    def begin(self, what, *arguments):
        def run():
            try:
                what(*arguments)
            except Exception as why:  # pylint: disable=broad-except
                self.failures.append(f"{what.__name__}: {why!r}")

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        expect(not self.failures, f"what went wrong: {self.failures}")


def give_tickets(address: str, mac: str) -> list:
    tickets = [f"slw_boot_{mac.replace(':', '')}{i:04}{random.getrandbits(64):016x}" for i in range(TICKETS)]
    until = int((time.time() + 600) * 1e6)
    rows = ", ".join(f"('{hashlib.sha256(t.encode()).hexdigest()}', '{mac}', {until})" for t in tickets)
    ask(address, f"INSERT INTO boot_ticket (hash, mac, expires_us) VALUES {rows}")
    return tickets


def wait_leader(address: str, other_than="") -> str:
    deadline = time.monotonic() + TAKE_OVER_SECONDS
    while True:
        holder = ask(address, LEADER)
        if holder and holder != other_than:
            return holder
        expect(time.monotonic() < deadline, f"nobody took over from {other_than!r} in {TAKE_OVER_SECONDS} s")
        time.sleep(0.2)


def wait_work(work: Work, n: int):
    """Until so many more devices were acknowledged: both ways work still, or again."""
    enough, deadline = len(work.names) + n, time.monotonic() + ANSWER_SECONDS
    while len(work.names) < enough:
        expect(time.monotonic() < deadline and not work.failures, f"{len(work.names)} of {enough} devices; {work.failures}")
        time.sleep(0.05)


def kill_one_by_one(servers: list, address: str, work: Work):
    """The first that is killed is the one that leads; then the other, which leads by then."""
    for server in servers:
        wait_work(work, 20)
        before = wait_leader(address)
        server.kill()
        wait_work(work, 20)
        after = wait_leader(address, other_than=before)
        expect(after != before, "who is gone still leads")
        server.start()
        wait_work(work, 20)
        print(f"server {server.number} was killed and runs again: {len(work.names)} devices, {len(work.reports)} reports", flush=True)
    time.sleep(WORK_SECONDS)


def check_kept(servers: list, address: str, work: Work):
    for server in servers:
        found, after = [], ""
        while True:
            page = server.must("GET", f"/devices?limit=1000{after}")
            found += [item["name"] for item in page["items"]]
            if not page.get("next"):
                break
            after = f"&after={page['next']}"
        lost = work.names - set(found)
        expect(not lost, f"server {server.number} has lost {len(lost)} devices that were acknowledged: {sorted(lost)[:5]}")
        expect(len(found) == len(set(found)), f"server {server.number} has devices twice")
    rows = {tuple(line.split("|")) for line in ask(address, "SELECT order_id, seq FROM status_message").splitlines()}
    last = {}
    for order, seq in work.reports:
        last[order] = max(last.get(order, 0), seq)
    # of one order the site keeps so many, and a quick machine makes more
    lost = {(order, str(seq)) for order, seq in work.reports if seq > last[order] - KEPT_OF_ORDER} - rows
    expect(not lost, f"{len(lost)} reports that were acknowledged are lost: {sorted(lost)[:5]}")
    twice = ask(address, "SELECT count(*) FROM (SELECT mac FROM device_mac GROUP BY mac HAVING count(*) > 1) d")
    expect(twice == "0", f"{twice} addresses belong to two devices")


def check_audit(servers: list, address: str):
    """One chain, whoever of the two wrote, and with the addresses that the balancer says."""
    seen = set(ask(address, "SELECT DISTINCT address FROM audit_record WHERE action = 'device.import'").splitlines())
    expect(seen == {ADMINISTRATOR_ADDRESS}, f"in the audit log administrators asked from {seen}")
    for server in servers:
        found = server.must("GET", "/audit-log/verification")
        expect(found["is_whole"], f"the chain of the audit log, read by server {server.number}: {found}")


def check_stranger(certificate: Path, token: str, address: str):
    """Who is no load balancer is not believed, whatever header it sends."""
    context = ssl.create_default_context(cafile=str(certificate))
    plain = socket.create_connection(("127.0.0.1", 1443), timeout=10, source_address=(STRANGER_ADDRESS, 0))
    plain.sendall(b"PROXY TCP4 198.51.100.9 127.0.0.1 4000 443\r\n")
    body = json.dumps({"name": "STRANGER", "mac": "52:54:00:99:00:99"})
    request = f"POST /api/v1/devices HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(request.encode())
        status = connection.recv(4096).split(b"\r\n")[0]
    expect(b" 201 " in status, f"a request to the load balancers' port: {status}")
    seen = ask(address, "SELECT address FROM audit_record WHERE action = 'device.import' ORDER BY id DESC LIMIT 1")
    expect(seen == STRANGER_ADDRESS, f"who is no load balancer was taken for {seen}")


def check_followed(address: str, follower: Follower):
    """Each device once, in the order of the database, over two servers that were killed."""
    newest = int(ask(address, "SELECT coalesce(max(id), 0) FROM event WHERE action = 'device.import'"))
    deadline = time.monotonic() + ANSWER_SECONDS
    while not follower.numbers or follower.numbers[-1] < newest:
        expect(time.monotonic() < deadline, f"followed to {follower.numbers[-1:]} of {newest}")
        time.sleep(0.1)
    follower.stopped.set()
    rows = [int(n) for n in ask(address, "SELECT id FROM event WHERE action = 'device.import' ORDER BY id").splitlines()]
    expected = [n for n in rows if n >= follower.numbers[0]]
    expect(follower.numbers == expected, f"{len(follower.numbers)} events were told, {len(expected)} are there")
    # each server was killed once: two streams if it began at the second, three otherwise
    expect(follower.n_streams >= 2 and follower.resets == 0, f"{follower.n_streams} streams, {follower.resets} resets")
    print(f"{len(expected)} events were followed over {follower.n_streams} streams, each once", flush=True)


def two_sites(first: Server, second: Server, address: str):
    first.start()
    first.first_login()
    second.token = first.token
    (second.work / "state").mkdir(mode=0o755)
    subprocess.run(["cp", "-a", f"{first.work}/state/keys", f"{second.work}/state/"], check=True)
    second.start()
    expect(first.pin() == second.pin(), "the two have different keys")
    sequence = first.must("POST", "/task-sequences", {"name": "Played", "xml": SEQUENCE})["id"]
    for target in ("All Systems", "All Unknown Computers"):
        first.must("POST", "/deployments", {"task_sequence_id": sequence, "collection": target, "purpose": "required"})
    work = Work(first.work / "state/keys/site.crt", first.token)
    for number in range(N_ADMINISTRATORS):
        work.begin(work.add_devices, number)
    for number in range(N_DEVICES):
        work.begin(work.play_device, number, give_tickets(address, mac_of(number)))
    follower = Follower(first.work / "state/keys/site.crt", first.token)
    leader = wait_leader(address)
    print(f"led by {leader}", flush=True)
    try:
        kill_one_by_one([first, second], address, work)
    finally:
        work.stopped.set()
    work.end()
    expect(work.n_again > 0, "nobody noticed that a server was killed")
    check_kept([first, second], address, work)
    check_followed(address, follower)
    print(f"{len(work.names)} devices and {len(work.reports)} reports were acknowledged, {work.n_again} requests were sent again; nothing is lost")


@contextlib.contextmanager
def balancer(folder: Path):
    config = folder / "haproxy.cfg"
    config.write_text(BALANCER, encoding="utf-8")
    with open(folder / "haproxy.log", "wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(config)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def main() -> int:
    if not shutil.which("haproxy"):
        skip("the program haproxy is missing: install the package haproxy")
    enter_namespace()
    build, name = Path(sys.argv[1]), sys.argv[2]
    address = make_database("two_sites")
    with Server(build, 1, address) as first, Server(build, 2, address) as second, balancer(first.work):
        try:
            two_sites(first, second, address)
            check_audit([first, second], address)
            check_stranger(first.work / "state/keys/site.crt", first.token, address)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"FAILED: {why}", file=sys.stderr)
            for server in (first, second):
                print(f"server {server.number}:\n" + (server.work / "err").read_text(encoding="utf-8")[-2000:], file=sys.stderr)
            return 1
    print(f"ok: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
