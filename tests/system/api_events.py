#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live events of the API, through nginx as curl and others follow them: in a network namespace, no virtual machine.

usage: api_events.py BUILD_DIR api-events
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from security_test import Site, expect, run_in_namespace

N_IDLE = 500
N_FIRST = 100
OF_ONE_MAX = 64
KIB_OF_IDLE_MAX = 32
N_IMPORTED = 9000
WAIT_SECONDS = 20


class Stream:
    """One that follows, by `curl -N` through nginx."""

    def __init__(self, site: Site, query="", token=None, last=None):
        headers = ["-H", f"Authorization: Bearer {token or site.token}"]
        if last is not None:
            headers += ["-H", f"Last-Event-ID: {last}"]
        self.events, self.last, self.retry, self.n_beats = [], None, None, 0
        command = ["curl", "-sSNf", "--cacert", str(site.work / "state/keys/site.crt"), *headers, f"https://127.0.0.1/api/v1/events{query}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        block = {}
        for line in self.process.stdout:
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n":
                self._take(block)
                block = {}
            elif name == "":
                self.n_beats += 1
            else:
                block[name] = value

    def _take(self, block: dict):
        self.retry = block.get("retry", self.retry)
        self.last = int(block["id"])
        if "data" in block:
            self.events.append((self.last, block["event"], json.loads(block["data"])))

    def wait(self, what: str, is_there):
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_there(self):
            expect(time.monotonic() < deadline, f"{what}: {self.events[-5:]}, last {self.last}")
            time.sleep(0.02)

    def ready(self):
        self.wait("it does not begin", lambda s: s.last is not None)
        return self

    def actions(self) -> list:
        return [data.get("action") or data.get("reason") for _, _, data in self.events]

    def end(self):
        self.process.terminate()
        self.thread.join()
        self.process.wait()

    def wait_end(self, seconds: float) -> int:
        status = self.process.wait(seconds)
        self.thread.join()
        return status


def make(site: Site, name: str) -> str:
    return site.must("POST", "/collections", {"name": name})["id"]


def what_changes_is_told(site: Site):
    everything = Stream(site).ready()
    some = Stream(site, "?topics=task-sequences,devices").ready()
    expect(everything.retry == "3000", f"retry {everything.retry}")
    lab = make(site, "Lab")
    site.must("POST", "/devices", {"name": "PC-1", "mac": "52:54:00:99:00:01"})
    site.must("DELETE", "/devices/PC-1")
    everything.wait("a deletion", lambda s: "device.delete" in s.actions())
    some.wait("a deletion", lambda s: "device.delete" in s.actions())
    _, kind, data = next(e for e in everything.events if e[2]["id"] == lab and e[2]["action"] == "collection.create")
    expect((kind, data["kind"], data["change"]) == ("collection", "collection", "created"), f"{kind} {data}")
    expect({kind for _, kind, _ in some.events} == {"device"}, f"topics: {some.events}")
    numbers = [number for number, _, _ in everything.events]
    expect(numbers == sorted(set(numbers)), f"numbers: {numbers}")
    everything.end()
    some.end()


def wrong_questions_are_refused(site: Site):
    for query, headers, of in (("?topics=colours", {}, "parameter"), ("?since=x", {}, "parameter"), ("", {"Last-Event-ID": "x"}, "header")):
        status, answer, _ = site.call("GET", "/events" + query, headers=headers)
        expect(status == 400 and of in answer["errors"][0], f"{query} {headers}: {status} {answer}")
    expect(site.call("GET", "/events", token=None)[0] == 401, "anybody may follow")
    expect(site.call("HEAD", "/events")[0] == 200, "HEAD")


def nothing_is_lost_or_doubled_over_a_restart(site: Site):
    """A stream breaks with the site; it goes on from its last number, whatever happened meanwhile."""
    first = Stream(site).ready()
    for n in range(20):
        make(site, f"Before {n}")
    first.wait("the 20th", lambda s: s.actions().count("collection.create") == 20)
    before = [number for number, _, _ in first.events][:13]
    first.end()
    site.stop()
    site.start()
    for n in range(20):
        make(site, f"After {n}")
    second = Stream(site, last=before[-1])
    second.wait("the rest", lambda s: s.actions().count("collection.create") >= 20 + 20 - 13)
    both = before + [number for number, _, _ in second.events]
    whole = Stream(site, f"?since={before[0] - 1}")
    whole.wait("all of them", lambda s: len(s.events) >= len(both))
    expect([number for number, _, _ in whole.events] == both, f"in two parts: {both}, in one: {whole.events}")
    second.end()
    whole.end()


def a_gap_is_a_reset(site: Site):
    stream = Stream(site, last=10**12)
    stream.wait("a reset", lambda s: s.events)
    expect(stream.events[0][1:] == ("reset", {"reason": "gap"}), f"{stream.events}")
    make(site, "After the gap")
    stream.wait("what comes next", lambda s: "collection.create" in s.actions())
    stream.end()


def rights_count_when_it_is_told(site: Site):
    mine, other = make(site, "Mine"), make(site, "Not mine")
    token = site.new_administrator("eve", ("Read-only Analyst", {"collection": mine}))
    stream, all_of_it = Stream(site, token=token).ready(), Stream(site).ready()
    site.must("PATCH", f"/collections/{other}", {"comment": "1"})
    site.must("PATCH", f"/collections/{mine}", {"comment": "1"})
    stream.wait("her own", lambda s: s.actions().count("collection.change") == 1)
    site.must("POST", "/administrators/eve/grants", {"role": "Read-only Analyst", "collection": other})
    stream.wait("a reset", lambda s: "rights" in s.actions())
    site.must("PATCH", f"/collections/{other}", {"comment": "2"})
    stream.wait("the other one", lambda s: s.actions().count("collection.change") == 2)
    role = site.must("GET", "/security-roles/Read-only Analyst".replace(" ", "%20"))["id"]
    site.must("DELETE", f"/administrators/eve/grants/{role}/{mine}")
    site.must("PATCH", f"/collections/{mine}", {"comment": "3"})
    site.must("PATCH", f"/collections/{other}", {"comment": "3"})
    stream.wait("only what she still has", lambda s: s.actions().count("collection.change") == 3)
    seen = [data["id"] for _, _, data in stream.events if data.get("action") == "collection.change"]
    expect(seen == [mine, other, other], f"{seen} of {mine}, {other}")
    # one that is somebody's only one cannot be deleted; what is granted for the collection that limits it goes on
    site.must("POST", "/administrators/eve/grants", {"role": "Read-only Analyst", "collection": "All Systems"})
    site.must("DELETE", f"/collections/{other}")
    stream.wait("that it is gone", lambda s: "collection.delete" in s.actions())
    site.must("PATCH", "/administrators/eve", {"is_disabled": True})
    expect(stream.wait_end(WAIT_SECONDS) == 0, "who is disabled still follows")
    nobody = site.new_administrator("fay", ("Help Desk", {"scope": "Default"}))
    stream = Stream(site, token=nobody).ready()
    role = site.must("GET", "/security-roles/Help%20Desk")["id"]
    site.must("DELETE", f"/administrators/fay/grants/{role}/SLP00UNA")
    expect(stream.wait_end(WAIT_SECONDS) == 0, "who has lost everything still follows")
    all_of_it.end()


def a_token_that_ends_ends_the_stream(site: Site):
    made = site.must("POST", "/tokens", {"name": "reader", "permissions": ["device.read"], "days": 1})
    stream = Stream(site, token=made["token"]).ready()
    make(site, "No device")
    site.must("POST", "/devices", {"name": "PC-2", "mac": "52:54:00:99:00:02"})
    stream.wait("a device", lambda s: "device.import" in s.actions())
    expect({kind for _, kind, _ in stream.events} == {"device"}, f"a token for devices: {stream.events}")
    site.must("DELETE", f"/tokens/{made['id']}")
    expect(stream.wait_end(WAIT_SECONDS) == 0, "the stream goes on without its token")


def memory_kib(site: Site) -> int:
    """Of the process that serves, what is its own."""
    for path in os.listdir("/proc"):
        if not path.isdigit():
            continue
        try:
            with open(f"/proc/{path}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{path}/stat", encoding="ascii") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            if parent == site.process.pid and any(b"slipwayd" in word for word in words) and b"site" in b" ".join(words):
                with open(f"/proc/{path}/smaps_rollup", encoding="ascii") as file:
                    return sum(int(n) for n in re.findall(r"^Private_\w+: +(\d+) kB", file.read(), re.M))
        except (OSError, ValueError):
            continue
    raise AssertionError("the process of the role site was not found")


def raw(site: Site, token: str, query="", receive=None) -> socket.socket:
    """A stream at the socket behind nginx, whose reader decides what it takes."""
    connection = socket.socket(socket.AF_UNIX)
    if receive:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.settimeout(WAIT_SECONDS)
    connection.connect(str(site.work / "state/run/api.sock"))
    request = f"GET /api/v1/events{query} HTTP/1.1\r\nHost: site\r\nX-Real-IP: 192.0.2.9\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def many_that_are_idle_are_small(site: Site):
    tokens = [site.new_administrator(f"idle{n}", ("Read-only Analyst", {"scope": "All"})) for n in range(N_IDLE // OF_ONE_MAX + 1)]
    before, streams = 0, []
    for n in range(N_IDLE):
        if n == N_FIRST:  # what the server keeps anyway, as pages of the database, is there by now
            time.sleep(1)
            before = memory_kib(site)
        streams.append(raw(site, tokens[n % len(tokens)]))
        expect(b"200 OK" in streams[-1].recv(4096), f"stream {n} was refused")
    time.sleep(1)
    each = (memory_kib(site) - before) / (N_IDLE - N_FIRST)
    begin = time.monotonic()
    site.must("GET", "/collections")
    make(site, "For all of them")
    for stream in streams:
        text = b""
        while b"collection.create" not in text:
            text += stream.recv(65536)
    print(f"{N_IDLE} idle streams: {each:.1f} KiB each; all are told {time.monotonic() - begin:.2f} s after a change", flush=True)
    expect(each <= KIB_OF_IDLE_MAX, f"an idle stream takes {each:.1f} KiB")
    for n in range(OF_ONE_MAX + 1):
        streams.append(raw(site, tokens[0]))
        text = streams[-1].recv(4096)
        if b" 429 " in text:
            break
    expect(b" 429 " in text and b"SLW-0240" in text and b"Retry-After" in text, f"no bound for one administrator: {text[:300]}")
    for stream in streams:
        stream.close()


def a_slow_reader_is_dropped_and_comes_back(site: Site):
    """It takes nothing; nobody else waits for it; and it gets the rest when it comes back."""
    slow, quick = raw(site, site.token, receive=4096), Stream(site).ready()
    start = quick.last
    lines = [f"SLOW-{n},52:54:01:99:{n >> 8:02x}:{n & 255:02x}" for n in range(N_IMPORTED)]
    for begin in range(0, N_IMPORTED, 1000):
        site.must("POST", "/devices:import", {"csv": "\n".join(["name,mac", *lines[begin : begin + 1000]])})
    quick.wait("the last one", lambda s: s.actions().count("device.import") == N_IMPORTED)
    time.sleep(40)  # nothing was taken for 30 s
    text = b""
    while True:
        piece = slow.recv(65536)
        if not piece:
            break
        text += piece
    got = [int(n) for n in re.findall(rb"^id: (\d+)$", text, re.M)]
    expect(0 < text.count(b'"device.import"') < N_IMPORTED, f"a slow reader got {text.count(b'device.import')} events")
    rest = Stream(site, last=got[-2])  # the last may be half of one
    rest.wait("the rest", lambda s: s.last is not None and s.last >= quick.last)
    numbers = {n for n in got[:-1] if n > start} | {number for number, _, _ in rest.events}
    expect(numbers >= {number for number, _, _ in quick.events}, "something was lost")
    print(f"a reader that took nothing was dropped after {len(got)} of {N_IMPORTED} events, and got the rest", flush=True)
    quick.end()
    rest.end()


def a_quiet_stream_has_a_heartbeat(site: Site):
    stream = Stream(site, "?topics=boundaries").ready()
    make(site, "Nothing of boundaries")
    newest = stream.last
    deadline = time.monotonic() + 30
    while stream.n_beats == 0:
        expect(time.monotonic() < deadline, "no heartbeat in 30 s")
        time.sleep(0.2)
    expect(not stream.events and stream.last > newest, f"a heartbeat has the number of now: {stream.last}, {newest}")
    stream.end()


def api_events(site: Site):
    what_changes_is_told(site)
    wrong_questions_are_refused(site)
    nothing_is_lost_or_doubled_over_a_restart(site)
    a_gap_is_a_reset(site)
    rights_count_when_it_is_told(site)
    a_token_that_ends_ends_the_stream(site)
    a_quiet_stream_has_a_heartbeat(site)
    many_that_are_idle_are_small(site)
    a_slow_reader_is_dropped_and_comes_back(site)


def main() -> int:
    return run_in_namespace(api_events)


if __name__ == "__main__":
    sys.exit(main())
