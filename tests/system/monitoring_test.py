#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site tells of its deployments, with clients that are played: in a network namespace of its own, no virtual machine.

usage: monitoring_test.py BUILD_DIR {counts-after-crash|lost-contact}
"""

import contextlib
import csv
import hashlib
import io
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from database_test import enter_namespace  # noqa: E402
from device_key import DeviceKey  # noqa: E402
from security_test import CONFIG, Failed, Site, expect  # noqa: E402

SEQUENCE = """<?xml version="1.0" encoding="utf-8"?>
<sequence version="3.10"><step type="SMS_TaskSequence_RunCommandLineAction" name="Say hello" description="" runIn="WinPEandFullOS"
 successCodeList="0"><action>smsswd.exe /run: true</action><defaultVarList><variable name="CommandLine"
 property="CommandLine">true</variable></defaultVarList></step></sequence>
"""
N_CLIENTS = 12
CRASHES = 3
LOAD_SECONDS = 2.5
TICKETS = 400  # of each client: more than it can use
LOAD_MIN = 100
LOST_SECONDS = 10
STEP = {"step": 2, "n_steps": 5, "step_name": "Apply Operating System", "group": "Install"}


def mac_of(number: int) -> str:
    return f"52:54:00:88:{number // 256:02x}:{number % 256:02x}"


class Client:
    """A device that registers and reports, as the agent does."""

    def __init__(self, lab, number: int):
        self.lab = lab
        self.mac = mac_of(number)
        self.token = None
        self.device = None
        self.order = None
        self.seq = 0
        self.key = None
        self.registration = None
        self.boot_image = ""  # that it says it has started

    def prove(self, purpose: str, subject: str) -> dict:
        challenge = self.lab.must("GET", "/client/time", token=None)["challenge"]
        return self.key.prove(purpose, challenge, self.lab.pin, subject)

    def post(self, path: str, body: dict, *good: int):
        status, answer, _ = self.lab.call("POST", "/client" + path, body, token=self.token)
        expect(status in good, f"{self.mac} {path}: {status} {answer}")
        return status, answer

    def register(self, *orders):
        """What may be answered when it asks for an order; an order, or none, unless something else is expected."""
        ticket = self.lab.tickets[self.mac].pop()
        body = {"ticket": ticket, "environment": "boot-image", "macs": [self.mac], "boot_mac": self.mac,
                "smbios": {"uuid": "", "serial": "", "manufacturer": "Lab", "model": "Played", "asset_tag": ""},
                "firmware": "uefi", "secure_boot": False, "arch": "x64", "boot_image": self.boot_image}
        self.token = self.order = None  # whoever is interrupted here has neither
        self.key, self.registration = DeviceKey(), body
        body["key"] = self.prove("registration", f"{ticket} {self.mac}")
        answer = self.post("/registrations", body, 201)[1]
        self.token, self.device = answer["token"], answer["device_id"]
        status, order = self.post("/orders", {}, *(orders or (200, 204)))
        self.order = order["order_id"] if status == 200 else None
        self.seq = 0
        return self.order

    def tell(self, state: str, environment="boot-image", good=(200,), **more):
        self.seq += 1
        body = {"seq": self.seq, "state": state, "environment": environment, "message": "", **STEP, **more}
        return self.post(f"/orders/{self.order}/status", body, *good)


class Lab(Site):
    """A site with a task sequence, and boot tickets for played devices."""

    def __init__(self, build: Path):
        super().__init__(build)
        self.tickets = {}
        self.n_done = 0

    def __enter__(self):
        return self

    @property
    def pin(self) -> str:
        return (self.work / "state" / "keys" / "pin").read_text(encoding="utf-8").strip()

    @property
    def database(self) -> Path:
        return self.work / "state" / "site" / "slipway.db"

    def begin(self, settings=""):
        (self.work / "conf").write_text(settings + CONFIG, encoding="utf-8")
        self.start()
        self.first_login()

    def new_sequence(self, name="Played") -> str:
        return self.must("POST", "/task-sequences", {"name": name, "xml": SEQUENCE})["id"]

    def give_tickets(self, macs: list, each: int):
        """While the site is stopped: in place of so many boots from the network."""
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            for mac in macs:
                for i in range(each):
                    ticket = f"slw_boot_{mac.replace(':', '')}{i:04}{random.getrandbits(64):016x}"
                    self.tickets.setdefault(mac, []).append(ticket)
                    row = (hashlib.sha256(ticket.encode()).hexdigest(), mac, int((time.time() + 600) * 1e6))
                    db.execute("INSERT INTO boot_ticket (hash, mac, expires_us) VALUES (?, ?, ?)", row)

    def kill(self):
        """All of it at once, as a power cut does."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        if self.connection:
            self.connection.close()
            self.connection = None
        time.sleep(0.3)


def recount(database: Path) -> dict:
    """Deployment -> categories, from orders and members, by other statements than the site's own."""
    category = {"succeeded": "success", "in-progress": "in_progress"}
    found = {}
    with contextlib.closing(sqlite3.connect(database)) as db:
        for ident, collection, is_cancelled in db.execute("SELECT id, collection_id, is_cancelled FROM deployment"):
            counts = dict.fromkeys(["success", "in_progress", "error", "requirements_not_met", "unknown"], 0)
            latest = {}
            for device, state in db.execute(
                "SELECT device_id, state FROM orders WHERE deployment_id = ? ORDER BY created_us, id", [ident]
            ):
                latest[device] = category.get(state, "error")
            for what in latest.values():
                counts[what] += 1
            members = db.execute(
                "SELECT m.device_id FROM collection_member m JOIN device v ON v.id = m.device_id "
                "WHERE v.kind = 'computer' AND m.collection_id = ?", [collection]
            )
            if not is_cancelled:
                counts["unknown"] = sum(row[0] not in latest for row in members)
            found[ident] = counts
    return found


def churn(lab: Lab, stop: threading.Event, clients: list, collection: str, failures: list):
    """Devices begin, go on, end, join and leave, until the site is gone."""
    chance = random.Random(len(failures) + 7)
    try:
        while not stop.is_set():
            client = chance.choice(clients)
            what = chance.randrange(8)
            lab.n_done += 1
            if what <= 1 and lab.tickets[client.mac]:
                client.register()
            elif what <= 4 and client.order:
                state = chance.choice(["started", "step-started", "step-failed", "restarting", "paused", "failed", "cancelled", "succeeded"])
                client.tell(state, "full-os", good=(200, 410))
            elif what == 5:
                lab.call("POST", f"/collections/{collection}/members", {"device": client.mac})
            elif what == 6:
                lab.call("DELETE", f"/collections/{collection}/rules/direct/{client.mac}")
            elif chance.randrange(6) == 0:
                client.order = None  # first: it may be done, and the site gone before it says so
                lab.call("DELETE", f"/devices/{client.mac}")
    except Exception as why:  # pylint: disable=broad-except
        if not stop.is_set():
            failures.append(repr(why))


def test_counts_after_crash(lab: Lab):
    """However a site that is busy goes down, its counts are those of its rows."""
    failures = []
    lab.begin("[site]\nunknown-computers = yes\n")
    sequence = lab.new_sequence()
    collection = lab.must("POST", "/collections", {"name": "Some"})["id"]
    for target in ("All Systems", "All Unknown Computers", collection):
        lab.must("POST", "/deployments", {"task_sequence_id": sequence, "collection": target, "purpose": "required"})
    macs = [mac_of(i) for i in range(N_CLIENTS)]
    for i, mac in enumerate(macs[: N_CLIENTS // 2]):
        lab.must("POST", "/devices", {"name": f"PC-{i}", "mac": mac})
    clients = [Client(lab, i) for i in range(N_CLIENTS)]
    n_orders = 0
    for turn in range(CRASHES):
        lab.stop()
        lab.give_tickets(macs, TICKETS)
        lab.start()
        stop = threading.Event()
        thread = threading.Thread(target=churn, args=(lab, stop, clients, collection, failures))
        thread.start()
        enough, end = lab.n_done + LOAD_MIN, time.monotonic() + 30  # a busy machine does less in that time
        time.sleep(LOAD_SECONDS)
        while lab.n_done < enough and time.monotonic() < end and thread.is_alive():
            time.sleep(0.1)
        stop.set()
        lab.kill()
        thread.join(60)
        expect(not thread.is_alive() and not failures, f"the load: {failures}")
        counted = recount(lab.database)
        lab.start()
        for item in lab.must("GET", "/deployments")["items"]:
            expect(item["categories"] == counted[item["id"]], f"turn {turn}: {item['id']}: {item['categories']} and not {counted[item['id']]}")
        n_orders += sum(sum(counts.values()) - counts["unknown"] for counts in counted.values())
    expect(n_orders > N_CLIENTS, f"only {n_orders} devices have begun: the load was none")


def wait_for(lab: Lab, deployment: str, category: str, n: int, seconds: float) -> list:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        items = lab.must("GET", f"/deployments/{deployment}/devices?category={category}")["items"]
        if len(items) == n:
            return items
        time.sleep(0.2)
    raise Failed(f"{deployment}: {len(items)} devices in {category}, and not {n}: {items}")


def check_alerts(lab: Lab, deployment: str):
    """It was raised, is acknowledged, closed, and then not opened again."""
    end = time.monotonic() + 15
    found = []
    while time.monotonic() < end and not found:
        found = [a for a in lab.must("GET", "/alerts?state=active")["items"] if a["kind"] == "lost-contact"]
        time.sleep(0.5)
    expect([a["object"] for a in found] == [deployment], f"alerts: {found}")
    number = found[0]["number"]
    seen = lab.must("PATCH", f"/alerts/{number}", {"state": "acknowledged"})
    expect((seen["state"], seen["is_over"]) == ("acknowledged", False), str(seen))
    lab.must("PATCH", f"/alerts/{number}", {"state": "closed"})
    status, problem, _ = lab.call("PATCH", f"/alerts/{number}", {"state": "acknowledged"})
    expect(status >= 400, f"a closed alert is acknowledged: {problem}")
    expect(lab.call("PATCH", "/alerts/999", {"state": "closed"})[0] == 404, "an alert that is not there")


def check_reports(lab: Lab, deployment: str, silent: Client):
    names = [item["name"] for item in lab.must("GET", "/reports")["items"]]
    for name in names:
        report = lab.must("GET", f"/reports/{name}")
        text = lab.must("GET", f"/reports/{name}?format=csv").decode()
        lines = list(csv.reader(io.StringIO(text)))
        expect(lines[0] == report["columns"] and len(lines) == 1 + len(report["items"]), f"{name}: {text}")
    ranking = lab.must("GET", f"/reports/error-ranking?deployment={deployment}")["items"]
    expect({row["error_id"]: row["n_devices"] for row in ranking} == {"SLW-0205": 1, "SLW-0209": 1}, str(ranking))
    pages, address = [], "/reports/run-history?limit=3"
    while address:
        status, page, answer = lab.call("GET", address)
        link = answer.getheader("Link")
        address = link.split(">")[0].split("</api/v1")[1] if link else None
        pages.append(len(page["items"]))
    expect(status == 200 and pages == [3, 1], f"pages: {pages}")
    expect(lab.call("GET", "/reports/nothing")[0] == 404, "a report that is not there")
    steps = lab.must("GET", f"/deployments/{deployment}/devices/{silent.mac}/steps")["items"]
    expect([(step["step_name"], step["state"]) for step in steps] == [("Apply Operating System", "interrupted")], str(steps))
    messages = lab.must("GET", f"/status-messages?device={silent.mac}&severity=error")["items"]
    expect([(m["message_id"], m["component"]) for m in messages] == [(11170, "Task Sequence Manager")], str(messages))


def check_keys(lab: Lab, one: Client, other: Client):
    """What one device has is good for nothing of another's, and once; what was lost on its way is had again."""

    def ask(proof: dict, device: str):
        status, answer, _ = lab.call("POST", "/client/tokens", {"device_id": device, "key": proof}, token=None)
        return answer["error_id"] if status == 401 else status

    proof = one.prove("token", one.device)
    expect(ask(proof, one.device) == 201, "a device gets no token with its key")
    expect(ask(proof, one.device) == "SLW-0251", "a proof is good twice")
    expect(ask(one.prove("token", one.device), other.device) == "SLW-0251", "a device's proof is good for another")
    expect(ask(one.prove("token", other.device), other.device) == "SLW-0250", "a device's key is good for another")
    expect(ask(one.prove("registration", one.device), one.device) == "SLW-0251", "a proof is good for anything")
    status, answer, _ = lab.call("GET", f"/client/orders/{other.order}/wish", token=one.token)
    expect((status, answer["error_id"]) == (404, "SLW-0210"), f"a device's token reads another's order: {answer}")
    body = {"seq": 1, "state": "failed", "environment": "boot-image", "message": ""}
    for what in ("status", "debug"):
        status = lab.call("POST", f"/client/orders/{other.order}/{what}", body, token=one.token)[0]
        expect(status in (400, 404), f"a device's token changes another's order: {what} {status}")
    body = {**one.registration, "key": one.prove("registration", f"{one.registration['ticket']} {one.mac}")}
    again = one.post("/registrations", body, 201)[1]
    expect((again["device_id"], again["token_life_s"]) == (one.device, 900), str(again))
    body["key"] = other.prove("registration", f"{one.registration['ticket']} {one.mac}")
    refused = one.post("/registrations", body, 401, 403)[1]
    expect(refused["error_id"] == "SLW-0250", str(refused))
    refused = one.post("/registrations", {k: v for k, v in body.items() if k != "key"}, 403)[1]
    expect(refused["error_id"] == "SLW-0252", str(refused))


def test_lost_contact(lab: Lab):
    """A device that nobody hears of has failed when its deployment's time is over; one that waits or speaks has not."""
    lab.begin("[site]\nunknown-computers = yes\n")
    wanted = {"task_sequence_id": lab.new_sequence(), "collection": "All Unknown Computers", "purpose": "required"}
    status, problem, _ = lab.call("POST", "/deployments", {**wanted, "lost_contact_s": 9})
    expect(status == 400, f"a time of 9 seconds: {status} {problem}")
    deployment = lab.must("POST", "/deployments", {**wanted, "lost_contact_s": LOST_SECONDS})
    expect(deployment["lost_contact_s"] == LOST_SECONDS, str(deployment))
    macs = [mac_of(i) for i in range(4)]
    lab.stop()
    lab.give_tickets(macs, 1)
    lab.start()
    silent, talking, paused, restarting = [Client(lab, i) for i in range(4)]
    for client in (silent, talking, paused, restarting):
        client.register()
        client.tell("started")
    check_keys(lab, talking, silent)
    lab.must("POST", f"/deployments/{deployment['id']}/devices/{paused.mac}/pause", {})
    paused.tell("paused")
    silent.tell("step-started")
    restarting.tell("restarting", restart_to="full-os")
    began = time.time()
    while time.time() < began + LOST_SECONDS - 2:
        talking.tell("step-progress", percent=1)
        time.sleep(0.5)
    wait_for(lab, deployment["id"], "error", 0, 1)
    stop = time.time() + LOST_SECONDS + 10
    while time.time() < stop and len(lab.must("GET", f"/deployments/{deployment['id']}/devices?category=error")["items"]) < 2:
        talking.tell("step-progress", percent=2)
        time.sleep(0.5)
    lost = {item["device_id"]: item for item in wait_for(lab, deployment["id"], "error", 2, 1)}
    cause = lost[silent.device]["cause"]
    begins = 'Lost contact at step 3 of 5 "Apply Operating System": the device was heard last at 20'
    expect(lost[silent.device]["error_id"] == "SLW-0205" and cause.startswith(begins), cause)
    expect(f"nothing for {LOST_SECONDS} seconds" in cause, cause)
    expect(lost[restarting.device]["error_id"] == "SLW-0209", str(lost[restarting.device]))
    expect(lost[restarting.device]["cause"].startswith("Lost contact: the installed"), str(lost[restarting.device]))
    going = {item["device_id"]: item["state"] for item in wait_for(lab, deployment["id"], "in-progress", 2, 1)}
    expect(going == {talking.device: "in-progress", paused.device: "paused"}, str(going))
    problem = silent.tell("step-progress", good=(410,))[1]
    expect(problem["error_id"] == "SLW-0203", str(problem))
    check_alerts(lab, deployment["id"])
    check_reports(lab, deployment["id"], silent)
    # a longer time holds at once
    lab.must("PATCH", f"/deployments/{deployment['id']}", {"lost_contact_s": 3600})
    time.sleep(LOST_SECONDS + 2)
    wait_for(lab, deployment["id"], "in-progress", 2, 1)


TESTS = {"counts-after-crash": test_counts_after_crash, "lost-contact": test_lost_contact}


def main() -> int:
    build, name = Path(sys.argv[1]), sys.argv[2]
    enter_namespace()
    with Lab(build) as lab:
        try:
            TESTS[name](lab)
        except Failed as why:
            print(f"{name}: {why}\n{(lab.work / 'err').read_text(encoding='utf-8')[-4000:]}", file=sys.stderr)
            return 1
    print(f"{name}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
