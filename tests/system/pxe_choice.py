#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a device that starts from the network gets of all that is deployed to it, in situations of every kind, what its screen asks, and what
runs again: a running site, the questions that the role pxe asks it, and devices that are played. No virtual machine; five situations with
real firmware are in system_test.py (pxe_situations.py), the password on a real screen in unknown_test.py (approval-gate).

usage: pxe_choice.py BUILD_DIR {pxe-choice|pxe-password|pxe-variables|required-rerun}
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import sqlite3
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from database_test import enter_namespace  # noqa: E402
from monitoring_test import SEQUENCE, Client, Lab, mac_of  # noqa: E402
from security_test import PASSWORD, Cli, Failed, UnixConnection, expect, insert  # noqa: E402

BIOS, IA32, X64, ARM32, ARM64, X64_HTTP = 0, 6, 7, 10, 11, 16
DAY_S = 24 * 3600
BRANCH, BRANCH_TOKEN = "DP00002", "slw_dp_branch"
TICKETS = 6

# name: (id, architecture, priority, age in days, distribution points). The ids are in none of these orders.
IMAGES = {
    "x64-low-newest": ("SLP00F07", "x64", "low", 1, ("DP00001", BRANCH)),
    "x64-high-old": ("SLP00F09", "x64", "high", 9, ("DP00001",)),
    "x64-high-new": ("SLP00F02", "x64", "high", 5, ("DP00001",)),
    "x64-broken": ("SLP00F08", "x64", "high", 0, ()),
    "x86": ("SLP00F05", "x86", "low", 3, ("DP00001", BRANCH)),
}


def deploy(purpose="required", sequence="x64-high-old", **terms):
    return ("deploy", {"purpose": purpose, "sequence": sequence, **terms})


def available(**terms):
    return deploy("available", **terms)


def ran(state, *more):
    return ("ran", state, *more)


def change(n, **terms):
    return ("change", n, terms)


def wall(days):
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + days * DAY_S))


def offer(reason, n, **more):
    return {"answer": "offer", "reason": reason, "n": n, **more}


def silence(reason, n=None, **more):
    return {"answer": "silence", "reason": reason, "n": n, **more}


# What is there, in the order in which it came to be; how the firmware asks (x64 by PXE unless said otherwise); what it is answered.
# n: index of the deployment, choices: indexes of those on the screen, image: the boot image, menu: whether the boot loader has one.
SITUATIONS = [
    ("nothing is deployed", [], {}, silence("no-deployment")),
    ("one is required", [deploy()], {}, offer("required-deployment", 0, menu=False, image="x64-high-old")),
    ("one is available", [available()], {}, offer("available-deployment", 0, menu=True, choices=[0])),
    ("two are available: the newer one first", [available(), available()], {}, offer("choice-of-deployments", 1, menu=True, choices=[1, 0])),
    ("two are available: the priority first", [available(priority="high"), available()], {},
     offer("choice-of-deployments", 0, choices=[0, 1])),
    ("three are available, one is disabled, one has expired",
     [available(), available(), available(), change(1, is_disabled=True), available(expires="2020-01-01T00:00Z")], {},
     offer("choice-of-deployments", 2, choices=[2, 0])),
    ("a required one goes before a newer available one of high priority", [deploy(), available(priority="high")], {},
     offer("required-deployment", 0, menu=False, choices=[])),
    ("of two required ones the newer", [deploy(), deploy()], {}, offer("required-deployment", 1)),
    ("of two required ones the one of high priority", [deploy(priority="high"), deploy()], {}, offer("required-deployment", 0)),
    ("of two required ones not that of low priority", [deploy(), deploy(priority="low")], {}, offer("required-deployment", 0)),
    ("it is not available yet", [deploy(available_from=wall(2))], {}, silence("not-yet-available", 0)),
    ("a deadline to come keeps nobody waiting", [deploy(assignments=[{"start": wall(2)}])], {}, offer("required-deployment", 0)),
    ("the required one is not available yet, another is", [available(), deploy(available_from=wall(2))], {},
     offer("available-deployment", 0, choices=[0])),
    ("it has expired", [deploy(expires=wall(-2))], {}, silence("expired", 0)),
    ("the required one has expired, another is available", [deploy(expires=wall(-2)), available()], {}, offer("available-deployment", 1)),
    ("it is disabled", [deploy(), change(0, is_disabled=True)], {}, silence("disabled", 0)),
    ("it is for clients only", [deploy(make_available_to="clients")], {}, silence("clients-only", 0)),
    ("it is hidden", [available(make_available_to="media-and-pxe-hidden")], {}, silence("hidden", 0)),
    ("it is hidden, and named by the device", [deploy(), available(make_available_to="media-and-pxe-hidden"), ("prefer", 1)], {},
     offer("available-deployment", 1, menu=False, choices=[])),
    ("its task sequence is disabled", [deploy(sequence="disabled"), ("disable-sequence",)], {}, silence("task-sequence-disabled", 0)),
    ("it was cancelled before it began", [deploy(), ("cancel", 0)], {}, silence("no-deployment")),
    ("it was deleted", [deploy(), ("delete", 0)], {}, silence("no-deployment")),
    ("it has succeeded", [deploy(), ran("succeeded")], {}, silence("succeeded-already", 0)),
    ("it has succeeded, and was cleared", [deploy(), ran("succeeded"), ("clear",)], {}, offer("required-deployment", 0)),
    ("it has failed", [deploy(), ran("failed")], {}, silence("failed-already", 0)),
    ("an available one has failed", [available(), ran("failed")], {}, offer("available-deployment", 0)),
    ("it runs, whatever came since", [deploy(), ran("step-started"), deploy(priority="high")], {}, offer("order-in-progress", 0, menu=False)),
    ("it restarts into what it installed", [deploy(), ran("restarting")], {}, silence("waits-for-installed-os", 0)),
    ("the older one is superseded", [deploy(), deploy(), ran("succeeded")], {},
     silence("succeeded-already", 1, verdicts=["superseded", "succeeded-already"])),
    ("who comes into a collection after what it has run is due from then on", [("deploy-elsewhere",), deploy(), ran("succeeded"), ("join",)], {},
     offer("required-deployment", 0, verdicts=["open", "succeeded-already"])),
    ("who was a member before is not", [("deploy-elsewhere",), ("join",), deploy(), ran("succeeded")], {},
     silence("succeeded-already", 1, verdicts=["superseded", "succeeded-already"])),
    ("what is newer than what has run begins", [deploy(), ran("succeeded"), deploy()], {}, offer("required-deployment", 1)),
    ("the device is blocked", [deploy(), ("block",)], {}, silence("device-blocked")),
    ("the device is protected", [deploy(), ("protect",)], {}, silence("device-protected", 0)),
    ("the device is protected, and a person may choose", [available(), deploy(), ("protect",)], {}, offer("available-deployment", 0)),
    ("a boot image of another architecture is named", [deploy()], {"arch": IA32}, offer("required-deployment", 0, image="x86")),
    ("that of the highest priority, then the newest", [deploy(sequence="x86")], {}, offer("required-deployment", 0, image="x64-high-new")),
    ("what this distribution point has goes before", [deploy(sequence="x86")], {"dp": True},
     offer("required-deployment", 0, image="x64-low-newest")),
    ("what is named is not on this distribution point", [deploy()], {"dp": True}, silence("boot-image-not-on-dp", 0)),
    ("of several on the screen one has a boot image for it", [available(), available(sequence="x86")], {},
     offer("choice-of-deployments", 1, choices=[1, 0], image="x64-high-old")),
    ("of several on the screen one has a boot image here", [available(), available(sequence="x64-low-newest"), available()], {"dp": True},
     offer("choice-of-deployments", 2, image="x64-low-newest")),
    ("a BIOS with the boot image for x86 named", [deploy(sequence="x86")], {"arch": BIOS}, offer("required-deployment", 0, image="x86")),
    ("iPXE asks", [deploy()], {"arch": BIOS, "ipxe": True}, offer("required-deployment", 0, menu=False)),
    ("HTTP Boot has no menu", [available()], {"arch": X64_HTTP, "client": "http"}, silence("available-needs-menu", 0)),
    ("HTTP Boot of a required one", [deploy(), available()], {"arch": X64_HTTP, "client": "http"}, offer("required-deployment", 0)),
    ("there is no boot image for arm64", [deploy()], {"arch": ARM64}, silence("no-boot-image", 0)),
    ("nobody knows the architecture", [deploy()], {"arch": ARM32}, silence("arch-not-supported")),
]


def make_images(db: sqlite3.Connection):
    """What would take a kernel and minutes to build."""
    now = int(time.time() * 1e6)
    point = {"name": "Branch", "url": "http://192.0.2.80:8080", "schedule": "[]", "rate_limits": "[]", "validation_schedule": "[]"}
    insert(db, "distribution_point", id=BRANCH, token_hash=hashlib.sha256(BRANCH_TOKEN.encode()).hexdigest(), **point)
    for name, (ident, arch, priority, age, places) in IMAGES.items():
        made = now - age * DAY_S * 1000000
        state = "failed" if name == "x64-broken" else "ready"
        insert(db, "package", id=ident, kind="boot-image", name=name, arch=arch, state=state, priority=priority,
               created_us=made, current_version=1)
        insert(db, "content_version", package_id=ident, number=1, state="ready", created_us=made, ready_us=made)
        for place in places:
            insert(db, "distribution_version", dp_id=place, package_id=ident, version=1, present_us=now)


class Case:
    """One situation: a device and a collection of its own."""

    def __init__(self, lab: Lab, number: int, situation: tuple):
        self.lab = lab
        self.name, self.steps, self.how, self.expected = situation
        self.client = Client(lab, number)
        self.mac = mac_of(number)
        self.deployments = []
        self.collection = lab.must("POST", "/collections", {"name": f"Case {number}"})["id"]
        lab.must("POST", "/devices", {"name": f"PC-{number}", "mac": self.mac, "collection": self.collection})

    def do(self, what: str, *more):
        getattr(self, "do_" + what.replace("-", "_"))(*more)

    def do_deploy(self, terms: dict):
        terms = {**terms, "task_sequence_id": self.lab.sequences[terms["sequence"]], "collection": self.collection}
        del terms["sequence"]
        self.deployments.append(self.lab.must("POST", "/deployments", terms)["id"])

    def do_deploy_elsewhere(self):
        self.other = self.lab.must("POST", "/collections", {"name": f"Other of {self.mac}"})["id"]
        terms = {"task_sequence_id": self.lab.sequences["x64-high-old"], "collection": self.other, "purpose": "required"}
        self.deployments.append(self.lab.must("POST", "/deployments", terms)["id"])

    def do_join(self):
        self.lab.must("POST", f"/collections/{self.other}/members", {"device": self.mac})

    def do_change(self, n: int, terms: dict):
        self.lab.must("PATCH", f"/deployments/{self.deployments[n]}", terms)

    def do_cancel(self, n: int):
        self.lab.must("POST", f"/deployments/{self.deployments[n]}/cancellation")

    def do_delete(self, n: int):
        self.lab.must("DELETE", f"/deployments/{self.deployments[n]}")

    def do_prefer(self, n: int):
        body = {"name": "SMSTSPreferredAdvertID", "value": self.deployments[n]}
        self.lab.must("POST", f"/devices/{self.mac}/variables", body)

    def do_disable_sequence(self):
        self.lab.must("PATCH", f"/task-sequences/{self.lab.sequences['disabled']}", {"is_disabled": True})

    def do_block(self):
        self.lab.must("PATCH", f"/devices/{self.mac}", {"is_blocked": True})

    def do_protect(self):
        self.lab.must("PATCH", f"/devices/{self.mac}", {"is_protected": True})

    def do_clear(self):
        self.lab.must("POST", f"/devices/{self.mac}/pxe-clearance")

    def do_ran(self, state: str):
        expect(self.client.register() is not None, f"{self.name}: there is no order")
        self.client.tell("started")
        self.client.tell(state, "full-os" if state == "succeeded" else "boot-image")

    def ask(self, stage: str) -> dict:
        body = {"mac": self.mac, "uuid": None, "arch": X64, "client": "pxe", "ipxe": False, "interface": "eth0",
                "server_address": "192.0.2.1", "relay": None, "stage": stage, **self.how}
        is_branch = body.pop("dp", False)
        return self.lab.ask_boot(body, is_branch)

    def judge(self):
        answer, want = self.ask("discover"), self.expected
        explained = self.lab.must("GET", f"/boot-explanations/{self.mac}")
        got = {key: answer[key] for key in ("answer", "reason")}
        expect(got == {key: want[key] for key in got}, f"answered {answer}")
        expect(len(answer["text"]) > 20, f"nothing is explained: {answer}")
        expect(explained["history"][0]["text"].endswith(answer["text"]), f"the history has {explained['history'][:1]}")
        if not self.how:
            decision = explained["decision"]
            expect((decision["reason"], decision["text"]) == (answer["reason"], answer["text"]), f"explained {decision}")
        self.judge_explanation(explained)
        if want["answer"] == "offer":
            self.judge_offer(answer)

    def judge_explanation(self, explained: dict):
        want = self.expected
        if want["n"] is not None:
            first = explained["deployments"][0]["deployment_id"]
            expect(first == self.deployments[want["n"]], f"the first is not number {want['n']}: {explained['deployments']}")
        if "choices" in want:
            choices = [one["deployment_id"] for one in explained["screen"]["choices"]]
            expect(choices == [self.deployments[n] for n in want["choices"]], f"to choose from {choices} of {self.deployments}")
        if "verdicts" in want:
            verdicts = {one["deployment_id"]: one["verdict"] for one in explained["deployments"]}
            expect([verdicts[one] for one in self.deployments] == want["verdicts"], f"judged {verdicts}")

    def judge_offer(self, answer: dict):
        want = self.expected
        image = IMAGES[want["image"]][0] if "image" in want else answer["package_id"]
        expect(answer["package_id"] == image, f"the boot image is {answer['package_id']}, not {image}")
        if "menu" in want:
            config = self.ask("config")["config"]
            expect(("local disk" in config) == want["menu"], f"the boot loader gets {config}")


def number_of(find, name: str, otherwise: int) -> int:
    try:
        return find(name)[2]
    except KeyError:
        return otherwise


@contextlib.contextmanager
def role_pxe():
    """As the role that asks: the site looks at who connects."""
    user = number_of(pwd.getpwnam, "slipway-pxe", 61703)
    group = number_of(grp.getgrnam, "slipway-roles", 61705)
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


class Choices(Lab):
    def begin_with_images(self, n: int):
        self.begin()
        self.stop()
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            make_images(db)
        self.give_tickets([mac_of(i) for i in range(n)], TICKETS)
        self.start()
        self.sequences = {}
        for name in ("x64-high-old", "x64-low-newest", "x86", "disabled"):
            body = {"name": name, "xml": SEQUENCE, "boot_image_id": IMAGES.get(name, IMAGES["x64-high-old"])[0]}
            self.sequences[name] = self.must("POST", "/task-sequences", body)["id"]

    def ask_boot(self, body: dict, is_branch: bool) -> dict:
        if is_branch:
            return self.must("POST", "/internal/boot-decisions", body, token=BRANCH_TOKEN)
        roles = UnixConnection(str(self.work / "state/run/roles.sock"))
        with contextlib.closing(roles), role_pxe():
            roles.request("POST", "/api/v1/internal/boot-decisions", json.dumps(body), {"Host": "site"})
            answer = roles.getresponse()
            text = answer.read()
        expect(answer.status == 200, f"a boot decision: {answer.status} {text}")
        return json.loads(text)


def test_choice(lab: Choices):
    lab.begin_with_images(len(SITUATIONS))
    failed = []
    for number, situation in enumerate(SITUATIONS):
        case = Case(lab, number, situation)
        try:
            for what, *more in case.steps:
                case.do(what, *more)
            case.judge()
        except Failed as why:
            failed.append(f"{case.name}: {why}")
    expect(not failed, f"{len(failed)} of {len(SITUATIONS)} situations:\n" + "\n".join(failed))
    print(f"{len(SITUATIONS)} situations")


SECRET, BRANCH_SECRET = "let me in 7", "and me too 8"


def try_password(client: Client, password: str, *good: int):
    status, answer, headers = client.lab.call("PUT", "/client/boot-password", {"password": password}, token=client.token)
    expect(status in good, f"{client.mac}: {password}: {status} {answer}")
    return answer, headers


def ask_order(client: Client, status: int) -> dict:
    return client.post("/orders", {}, status)[1]


def expect_nowhere(lab: Choices):
    """The password is in no file: not in the database, a log, or what boot loaders are given; nor in what the API tells."""
    for path in lab.work.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found = [word for word in (SECRET, BRANCH_SECRET) if word.encode() in path.read_bytes()]
            expect(not found, f"{path} has {found}")
    told = json.dumps([lab.must("GET", "/boot-rules"), lab.must("GET", "/audit-log"), lab.must("GET", "/boot-rules/site")])
    expect(SECRET not in told and "argon2" not in told, "the API tells the password or its hash")
    with contextlib.closing(sqlite3.connect(lab.database)) as db:
        kept = [row[0] for row in db.execute("SELECT password_hash FROM boot_rule ORDER BY id")]
    expect(all(one.startswith("$argon2id$") for one in kept) and len(kept) == 2, f"kept as {kept}")


def test_password(lab: Choices):
    """Asked before anything else; wrong ones are counted, whatever the device does about it; one of a distribution point."""
    lab.begin_with_images(3)
    both = [available(sequence="x64-low-newest"), available(sequence="x64-low-newest")]  # which the branch has
    cases = [Case(lab, n, ("password", both, {}, {})) for n in range(3)]
    cli = Cli(lab, "chief")
    lab.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    cli.run("login", cli.url, "--user", "administrator", "--password", "@-", given=PASSWORD + "\n")
    cli.fails("pxe", "password", "set", "site", "--password", SECRET, status=2)
    cli.fails("pxe", "password", "set", "site", "--password", "@-", given="short")
    cli.run("pxe", "password", "set", "site", "--password", "@-", given=SECRET)
    cli.run("pxe", "password", "set", BRANCH, "--password", "@-", given=BRANCH_SECRET)
    for case in cases:
        for step in case.steps:
            case.do(*step)
    guesser, knower, elsewhere = cases
    guesser.ask("config")
    expect(guesser.client.register(202) is None, "an order without the password")
    for left in (4, 3, 2, 1):
        answer, _ = try_password(guesser.client, f"guess number {left}", 403)
        expect((answer["error_id"], str(left) in answer["detail"]) == ("SLW-0216", True), str(answer))
        expect(ask_order(guesser.client, 202) == {"state": "password", "tries_left": left}, "what is asked")
    expect(try_password(guesser.client, "the fifth guess", 403)[0]["error_id"] == "SLW-0217", "the fifth")
    expect(try_password(guesser.client, SECRET, 403)[0]["error_id"] == "SLW-0217", "the right one after five wrong ones")
    guesser.client.register(202)
    answer, headers = try_password(guesser.client, SECRET, 429)
    expect(int(headers.getheader("Retry-After")) > 0, f"{answer}")
    screen = cli.json("device", "explain-boot", guesser.mac)
    expect(screen["screen"]["waits_for"] == "password" and screen["screen"]["password_of"] == "site", str(screen["screen"]))
    expect([one["event"] for one in screen["history"]].count("wrong-password") == 5, f"{screen['history']}")
    # another device is not in its way, and what it is then asked is which deployment
    knower.client.register(202)
    status, problem, _ = lab.call("PUT", "/client/choice", {"deployment_id": knower.deployments[0]}, token=knower.client.token)
    expect((status, problem["error_id"]) == (409, "SLW-0218"), f"a choice before the password: {problem}")
    try_password(knower.client, SECRET, 200)
    asked = ask_order(knower.client, 202)
    expect([one["deployment_id"] for one in asked["choices"]] == knower.deployments[::-1], str(asked))
    expect((asked["wait_s"], asked["default_id"]) == (60, knower.deployments[1]), str(asked))
    strange = {"deployment_id": guesser.deployments[0]}
    status, problem, _ = lab.call("PUT", "/client/choice", strange, token=knower.client.token)
    expect((status, problem["error_id"]) == (409, "SLW-0219"), f"the choice of what is another's: {problem}")
    lab.must("PUT", "/client/choice", {"deployment_id": knower.deployments[0]}, token=knower.client.token)
    expect(ask_order(knower.client, 200)["deployment_id"] == knower.deployments[0], "not what was chosen")
    # what has begun goes on without it
    knower.client.register(200)
    elsewhere.how = {"dp": True}
    elsewhere.ask("config")
    elsewhere.client.register(202)
    try_password(elsewhere.client, SECRET, 403)
    try_password(elsewhere.client, BRANCH_SECRET, 200)
    cli.run("pxe", "rule", "set", BRANCH, "--ask-password", "no")
    expect(elsewhere.client.register(202) is None and ask_order(elsewhere.client, 202)["state"] == "choice", "asked though not to be")
    expect_nowhere(lab)


TYPED_SECRET = "typed and hidden 9"


def put_variables(client: Client, deployment: str, variables: dict, good: int):
    body = {"deployment_id": deployment, "variables": variables}
    status, answer, _ = client.lab.call("PUT", "/client/variables", body, token=client.token)
    expect(status == good, f"{variables}: {status} {answer}")
    return answer.get("error_id")


def expect_values(order: dict, **values):
    found = {name: order["variables"].get(name) for name in values}
    expect(found == values, f"the order has {found}, not {values}")


def type_again(case: Case, *deployments):
    """The order has failed; what it was given has gone with it, and one chooses again."""
    client = case.client
    expect(client.lab.call("POST", "/client/choice", {"boot_image": ""}, token=client.token)[0] == 409, "back from what runs")
    client.order, client.seq = ask_order(client, 200)["order_id"], 1
    client.tell("failed")
    client.post("/choice", {"boot_image": ""}, 200)
    expect([one["deployment_id"] for one in ask_order(client, 202)["choices"]] == list(deployments), "to choose from again")
    body = {"deployment_id": deployments[0], "is_by_time": True}
    client.lab.must("PUT", "/client/choice", body, token=client.token)
    expect_values(ask_order(client, 200), Room="later", JoinKey=None)


def test_variables(lab: Choices):
    """What has no value is asked for after the list, and is the order's: before that of the device, after a power cut, and no longer."""
    lab.begin_with_images(2)
    lab.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    cli = Cli(lab, "chief")
    cli.run("login", cli.url, "--user", "administrator", "--password", "@-", given=PASSWORD + "\n")
    case = Case(lab, 0, ("variables", [available(), available()], {}, {}))
    for step in case.steps:
        case.do(*step)
    older, newer = case.deployments
    cli.run("collection", "variable", "set", case.collection, "Room=hall", "Floor=3")
    cli.run("collection", "variable", "set", case.collection, "--secret", "JoinKey=")
    cli.run("device", "variable", "set", case.mac, "Room=")
    expect("asked on the screen" in cli.run("device", "variable", "list", case.mac), "an empty variable is not called so")
    case.ask("config")
    client = case.client
    client.register(202)
    for chosen in (newer, older):
        lab.must("PUT", "/client/choice", {"deployment_id": chosen}, token=client.token)
        asked = ask_order(client, 202)
        wanted = [{"name": "JoinKey", "is_secret": True}, {"name": "Room", "is_secret": False}]
        expect((asked["state"], asked["deployment_id"], asked["has_list"]) == ("variables", chosen, True), str(asked))
        expect(asked["variables"] == wanted, f"asked for {asked}")
        if chosen == newer:
            lab.must("DELETE", "/client/choice", token=client.token)
            expect(ask_order(client, 202)["state"] == "choice", "not back at the list")
    screen = cli.json("device", "explain-boot", case.mac)["screen"]
    expect((screen["waits_for"], screen["variables"]) == ("variables", wanted), f"explained as {screen}")
    for wrong in ({"_SMSTSMachineName": "x"}, {"Floor": "4"}, {"Room": "x" * 4001}):
        expect(put_variables(client, older, wrong, 422) == "SLW-0190", f"{wrong}")
    expect(put_variables(client, newer, {}, 409) == "SLW-0219", "for what was not chosen")
    put_variables(client, older, {"Room": "4711", "JoinKey": TYPED_SECRET}, 200)
    expect_values(ask_order(client, 200), Room="4711", Floor="3", JoinKey=TYPED_SECRET)
    cli.run("device", "variable", "set", case.mac, "Room=later")
    client.register(200)
    order = ask_order(client, 200)
    expect_values(order, Room="4711", JoinKey=TYPED_SECRET)
    expect(order["secret_variables"] == ["JoinKey"] and order["attempt"] == 2, f"{order['secret_variables']}, {order['attempt']}")
    expect(put_variables(client, older, {"Room": "1"}, 409) == "SLW-0218", "while it runs")
    told = json.dumps([lab.must("GET", "/audit-log"), lab.must("GET", f"/boot-explanations/{case.mac}"),
                       lab.must("GET", f"/devices/{case.mac}/effective-variables")])
    expect(TYPED_SECRET not in told and TYPED_SECRET not in (lab.work / "err").read_text(encoding="utf-8"), "the secret is told")
    type_again(case, newer, older)
    with contextlib.closing(sqlite3.connect(lab.database)) as db:
        expect(db.execute("SELECT count(*) FROM wizard_variable").fetchone() == (0,), "what was typed stays when the order is over")
    check_prestart(lab, cli)


PRESTART = "sh /run/choose"


def put_prestart(client: Client, good: int, code=0, **variables):
    body = {"exit_code": code, "variables": variables}
    status, answer, _ = client.lab.call("PUT", "/client/prestart", body, token=client.token)
    expect(status == good, f"prestart {body}: {status} {answer}")
    return answer


def explain(cli: Cli, mac: str) -> tuple:
    told = cli.json("device", "explain-boot", mac)
    return told["decision"]["reason"], told["screen"]["waits_for"]


def check_prestart(lab: Choices, cli: Cli):
    """A boot image's command comes before all else; it chooses a hidden deployment, and what it sets holds for that order."""
    image = IMAGES["x64-high-old"][0]
    case = Case(lab, 1, ("prestart", [deploy(sequence="x64-high-old"), available(make_available_to="media-and-pxe-hidden")], {}, {}))
    for step in case.steps:
        case.do(*step)
    required, hidden = case.deployments
    cli.run("boot-image", "set", image, "--prestart-command", PRESTART)
    expect(PRESTART in cli.run("boot-image", "show", image), "the command is not shown")
    expect(PRESTART in json.dumps(cli.json("get", "BootImage", "x64-high-old")), "the command is not among the files of the site")
    cli.run("device", "variable", "set", case.mac, "Room=hall")
    case.ask("config")
    client = case.client
    client.boot_image = image
    client.register(202)
    expect(ask_order(client, 202) == {"state": "prestart", "command": PRESTART}, "no prestart command")
    expect(explain(cli, case.mac) == ("required-deployment", "prestart-command"), "not explained")
    put_prestart(client, 200, code=7)
    expect(ask_order(client, 202)["state"] == "prestart", "it goes on though the command has failed")
    for wanted, why in (("SLP2FFFF", "does not exist"), (hidden.lower(), "does not exist")):
        refused = put_prestart(client, 409, SMSTSPreferredAdvertID=wanted)
        expect(refused["error_id"] == "SLW-0223" and why in refused["detail"], str(refused))
    expect(put_prestart(client, 422, _SMSTSBootUEFI="true")["error_id"] == "SLW-0190", "a variable of the engine")
    put_prestart(client, 200, SMSTSPreferredAdvertID=hidden, Room="4711", JoinPassword=TYPED_SECRET)
    expect(put_prestart(client, 409)["error_id"] == "SLW-0218", "told a second time")
    order = ask_order(client, 200)
    expect((order["deployment_id"], order["secret_variables"]) == (hidden, ["JoinPassword"]), f"{order['deployment_id']}")
    expect_values(order, Room="4711", JoinPassword=TYPED_SECRET)
    client.register(200)
    expect_values(ask_order(client, 200), Room="4711", JoinPassword=TYPED_SECRET)
    told = json.dumps([lab.must("GET", "/audit-log"), lab.must("GET", f"/boot-explanations/{case.mac}")])
    expect(TYPED_SECRET not in told and TYPED_SECRET not in (lab.work / "err").read_text(encoding="utf-8"), "the secret is told")
    client.tell("started")
    client.tell("failed")
    lab.must("DELETE", f"/deployments/{required}")
    expect(explain(cli, case.mac)[0] == "prestart-command", f"not offered for a hidden one: {explain(cli, case.mac)}")
    client.register(202)
    put_prestart(client, 200)
    ask_order(client, 204)
    cli.run("boot-image", "set", image, "--prestart-command", "")
    expect(explain(cli, case.mac)[0] in ("hidden", "failed-already"), f"offered without a command: {explain(cli, case.mac)}")
    with contextlib.closing(sqlite3.connect(lab.database)) as db:
        for table in ("prestart", "prestart_variable"):
            expect(db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), f"{table} keeps something")


DUE_S = 10  # until what is due every minute is due again
RERUNS = {"always": ("succeeded", "failed"), "never": (), "if-failed": ("failed",), "if-succeeded": ("succeeded",)}


def expect_reason(case: Case, reason: str, when: str):
    answer = case.ask("discover")
    expect(answer["reason"] == reason, f"{case.name} {when}: {answer}")


def test_rerun(lab: Choices):
    """A required deployment that is due every minute, with each rerun behaviour, after a success and after a failure."""
    lab.begin_with_images(2 * len(RERUNS))
    outcomes = [(rerun, state) for rerun in RERUNS for state in ("succeeded", "failed")]
    first = time.time()
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(first + DUE_S - 60))
    due = {"start": start, "repeat": "minutes", "every": 1}
    cases = []
    for number, (rerun, state) in enumerate(outcomes):
        case = Case(lab, number, (f"{rerun}, {state}", [], {}, {}))
        case.do_deploy({"purpose": "required", "sequence": "x86", "rerun": rerun, "assignments": [due]})
        case.do_ran(state)
        expect_reason(case, f"{state}-already", "when it has run")
        explained = lab.must("GET", f"/boot-explanations/{case.mac}")["deployments"][0]
        expect((explained["changes_at"] is not None) == (state in RERUNS[rerun]), f"{case.name}: until when: {explained}")
        cases.append(case)
    expect(time.time() < first + DUE_S - 1, "this machine is too busy: it is due before all have run")
    time.sleep(max(0.0, first + DUE_S + 1 - time.time()))
    for case, (rerun, state) in zip(cases, outcomes):
        runs = state in RERUNS[rerun]
        expect_reason(case, "required-deployment" if runs else f"{state}-already", "when it is due again")
        expect((case.client.register() is not None) == runs, f"{case.name}: an order when it is due again")
        if runs:
            case.client.tell("started")
            case.client.tell("succeeded", "full-os")
            expect_reason(case, "succeeded-already", "after the second time")
    expect(time.time() < first + DUE_S + 58, "this machine is too busy: it is due for the third time")
    never = cases[outcomes.index(("never", "succeeded"))]
    never.do_clear()
    expect_reason(never, "required-deployment", "when it was cleared")


TESTS = {"pxe-choice": test_choice, "pxe-password": test_password, "pxe-variables": test_variables, "required-rerun": test_rerun}


def main() -> int:
    enter_namespace()
    with Choices(Path(sys.argv[1])) as lab:
        try:
            TESTS[sys.argv[2]](lab)
        except Failed as why:
            print(f"{sys.argv[2]}: {why}\n{(lab.work / 'err').read_text(encoding='utf-8')[-2000:]}", file=sys.stderr)
            return 1
    print(f"{sys.argv[2]}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
