#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of slipway and every operation of the API, used at least once; answers are what the contract promises.

usage: cli_everything.py BUILD_DIR cli-everything
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from api_contract import Contract, ask_wrongly, check, use_the_rest, watch  # noqa: E402
from database_test import enter_namespace  # noqa: E402
from monitoring_test import SEQUENCE, Client, Lab, mac_of  # noqa: E402
from security_test import PASSWORD, ROOT, Cli, Failed, expect  # noqa: E402

CONTRACT = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text(encoding="utf-8"))
ANY = {}
TABLE_ONLY = None


def schema_of(name):
    """A schema of the contract by its name; "[Name]" is a list of them."""
    if not name:
        return ANY
    one = {"$ref": f"#/components/schemas/{name.strip('[]')}"}
    whole = {"type": "array", "items": one} if name.startswith("[") else one
    return {**whole, "components": CONTRACT["components"]}


class Recorder(Cli):
    """Notes which commands were used, and checks what they answer."""

    def __init__(self, site, who):
        super().__init__(site, who)
        self.used = set()
        self.misfits = []
        self.commands = self.all_commands()

    def all_commands(self) -> set:
        text = subprocess.run([self.program, "--help"], check=True, capture_output=True, text=True).stdout
        found = re.findall(r"^  ([a-z-]+) +([a-z-]+)? +[A-Z]", text, re.M)
        return {" ".join(word for word in match if word) for match in found}

    def note(self, words):
        for n in (2, 1):
            if " ".join(words[:n]) in self.commands:
                self.used.add(" ".join(words[:n]))
                return
        raise AssertionError(f"slipway {' '.join(words)} is no command")

    def do(self, *words, **options) -> str:
        self.note(words)
        return self.run(*words, **options)

    def ask(self, schema, *words, **options):
        """As a table for people, where that changes nothing; and as JSON, which fits the schema."""
        self.note(words)
        text = self.run(*words, "--output", "json", **options)
        # What may go on for ever is a value a line.
        answer = [json.loads(line) for line in text.splitlines()] if words[0] in ("log", "events") else json.loads(text)
        try:
            jsonschema.validate(answer, schema_of(schema), cls=jsonschema.Draft202012Validator)
        except jsonschema.ValidationError as why:
            self.misfits.append(f"slipway {' '.join(words)}: {why.json_path}: {why.message}")
        return answer

    def show(self, schema, *words):
        expect(self.do(*words) != "", f"slipway {' '.join(words)}: nothing for people")
        for form in ("yaml", "csv", "wide", "name"):
            if form in ("yaml", "wide") or schema:
                self.run(*words, "-o", form)
        return self.ask(schema, *words)


def wait_until(is_so, what: str, seconds=30):
    end = time.monotonic() + seconds
    while not is_so():
        expect(time.monotonic() < end, f"never: {what}")
        time.sleep(0.5)


def administrators(cli: Recorder):
    cli.ask("Administrator", "admin", "create", "dora", "--no-password")
    cli.do("admin", "password", "dora", "--password", "@-", given=PASSWORD)
    cli.ask("Administrator", "admin", "create", "desks", "--kind", "directory-group", "--dn", "CN=Desks,DC=example,DC=org")
    cli.ask("Administrator", "admin", "create", "night", "--kind", "oidc-group", "--group", "Night desk")
    cli.ask("Administrator", "admin", "create", "faye", "--kind", "oidc-user", "--subject", "248289761001")
    cli.show("[Administrator]", "admin", "list")
    cli.ask("SecurityRole", "security-role", "copy", "Help Desk", "Night desk")
    role = cli.do("security-role", "show", "Night desk", "--output", "json")
    cli.ask("SecurityRole", "security-role", "import", "-", "--name", "Day desk", given=role)
    cli.ask("SecurityRole", "security-role", "set", "Day desk", "--permission", "device.read")
    cli.show("[SecurityRole]", "security-role", "list")
    cli.show("SecurityRole", "security-role", "show", "Day desk")
    cli.ask("SecurityScope", "security-scope", "create", "Branch")
    cli.ask("SecurityScope", "security-scope", "add-object", "Branch", "Debian", "--class", "task-sequence")
    cli.show("SecurityScope", "security-scope", "show", "Branch")
    cli.show("[SecurityScope]", "security-scope", "list")
    cli.ask("Administrator", "admin", "grant", "dora", "--role", "Day desk", "--scope", "Branch")
    cli.show("Administrator", "admin", "show", "dora")
    cli.do("admin", "revoke", "dora", "--role", "Day desk", "--scope", "Branch")
    cli.do("security-scope", "remove-object", "Branch", "Debian", "--class", "task-sequence")
    cli.do("security-scope", "delete", "Branch")
    cli.do("security-role", "delete", "Day desk")
    cli.ask("Administrator", "admin", "disable", "dora")
    cli.ask("Administrator", "admin", "enable", "dora")
    cli.do("admin", "delete", "dora")
    cli.do("admin", "delete", "desks")
    made = cli.ask("NewTokenAnswer", "token", "create", "script", "--days", "1")
    cli.show("[Token]", "token", "list")
    cli.do("token", "revoke", made["id"])


def script_step(text: str) -> str:
    """A task sequence with one script, as the editor keeps it."""
    source = base64.b64encode(b"\xff\xfe" + text.encode("utf-16-le")).decode()
    return (
        '<sequence version="3.10"><step type="SMS_TaskSequence_RunPowerShellScriptAction" name="Script" runIn="FullOS">'
        f'<action/><defaultVarList><variable name="OSDRunPowerShellScriptSourceScript" property="SourceScript">{source}</variable>'
        "</defaultVarList></step></sequence>"
    )


def scripts_in_files(cli: Recorder, work: Path):
    """Two files, without the site: what changed in a script is told line by line."""
    old, new = work / "old.xml", work / "new.xml"
    old.write_text(script_step("Get-Date\r\nWrite-Host one\r\n"), encoding="utf-8")
    new.write_text(script_step("Get-Date\r\nWrite-Host two\r\n"), encoding="utf-8")
    (change,) = cli.ask("TaskSequenceChanges", "ts", "diff", str(old), str(new))["changes"]
    expect(change["lines"] == "  Get-Date\n- Write-Host one\n+ Write-Host two\n", f"lines of {change}")
    expect("    + Write-Host two\n" in cli.do("ts", "diff", str(old), str(new)), "a line of the script for people")
    expect("    Write-Host two\n" in cli.do("ts", "show", str(new)), "the script for people")


def instance(number: str, name: str, sequence: str = SEQUENCE) -> str:
    values = {"Name": f"<VALUE>{name}</VALUE>", "PackageID": f"<VALUE>{number}</VALUE>", "Sequence": escape(sequence)}
    return "<INSTANCE>" + "".join(f'<PROPERTY NAME="{key}">{value}</PROPERTY>' for key, value in values.items()) + "</INSTANCE>"


def references_by_name(cli: Recorder, work: Path):
    """What a file calls as the site does takes its place if that is asked for; what it describes is told."""
    step = script_step("Get-Date").replace(
        "</defaultVarList>",
        '<variable name="OSDRunPowerShellScriptPackageID" property="PackageID">CHQ00009</variable></defaultVarList>',
    )
    sequence = instance("CHQ00008", "Refers", step)
    package = '<INSTANCE CLASSNAME="SMS_Package"><PROPERTY NAME="PackageID"><VALUE>CHQ00009</VALUE></PROPERTY>'
    package += '<PROPERTY NAME="Name"><VALUE>Nowhere at all</VALUE></PROPERTY></INSTANCE>'
    path = work / "refers.xml"
    path.write_text(f"<X>{sequence}{package}</X>", encoding="utf-8")
    made = cli.ask("TaskSequence", "ts", "import", str(path), "--map-by-name")
    expect([one["name"] for one in made["packages"]] == ["Nowhere at all"], f"what the file describes: {made['packages']}")
    expect(made["mapped_by_name"] == [], "nothing here is called so")
    expect("Nowhere at all" in cli.do("ts", "set", "Refers", "--map-by-name"), "what is missing, by its name")
    cli.do("ts", "delete", "Refers")


def export_with_content(cli: Recorder, work: Path):
    """Content makes a .zip too large for a request: what it says of sequences and packages is sent alone."""
    path = work / "content.zip"
    with zipfile.ZipFile(path, "w") as export:
        export.writestr("SMS_Package/CHQ00009/CONTENT/setup.bin", os.urandom(8 * 1024 * 1024))
        export.writestr("SMS_TaskSequencePackage/CHQ00010/object.xml", instance("CHQ00010", "With content", script_step("Get-Date")))
        export.writestr("SMS_Package/CHQ00009/object.xml", '<INSTANCE CLASSNAME="SMS_Package"><PROPERTY NAME="PackageID"><VALUE>'
                        'CHQ00009</VALUE></PROPERTY><PROPERTY NAME="Name"><VALUE>Large</VALUE></PROPERTY></INSTANCE>')
    made = cli.ask("TaskSequence", "ts", "import", str(path))
    expect([(one["name"], one["n_files"]) for one in made["packages"]] == [("Large", 1)], f"what the file describes: {made['packages']}")
    cli.do("ts", "validate", str(path))
    cli.do("ts", "delete", "With content")
    big = work / "big.xml"
    big.write_bytes(b"<" + b" " * 7 * 1024 * 1024)
    expect("larger than a file of task sequences may be" in cli.fails("ts", "import", str(big)), "what is no .zip is read all the same")


def sequences(cli: Recorder, work: Path):
    scripts_in_files(cli, work)
    path = work / "Debian.xml"
    path.write_text(SEQUENCE, encoding="utf-8")
    cli.ask("Validation", "ts", "validate", str(path))
    cli.ask("TaskSequence", "ts", "import", str(path))
    cli.show("[TaskSequence]", "ts", "list")
    cli.show("TaskSequence", "ts", "show", "Debian")
    expect(cli.do("ts", "export", "Debian", "--format", "yaml").startswith("sequence:"), "no YAML")
    several = work / "several.xml"
    several.write_text(f"<X>{instance('CHQ00001', 'Client')}{instance('CHQ00002', 'Server')}</X>", encoding="utf-8")
    expect("Server" in cli.do("ts", "show", str(several), "--sequence", "CHQ00002"), "the other one of a file is shown")
    cli.do("ts", "export", str(several), "--sequence", "Client")
    references_by_name(cli, work)
    export_with_content(cli, work)
    cli.do("ts", "simulate", str(several), "--sequence", "Client")
    cli.do("ts", "diff", str(several), str(several), "--sequence", "Client")
    cli.do("ts", "step", "add", "Debian", "--type", "group", "--name", "Install")
    cli.do("ts", "step", "move", "Debian", "Say hello", "--in", "Install")
    cli.do("ts", "disable", "Debian", "Install/Say hello")
    cli.do("ts", "enable", "Debian", "Install/Say hello")
    cli.show(None, "ts", "diff", "Debian")
    cli.show(None, "ts", "history", "Debian")
    cli.ask("TaskSequence", "ts", "set", "Debian", "--description", "For the laboratory")
    cli.ask("TaskSequence", "ts", "copy", "Debian", "--name", "Copy of Debian")
    cli.show(None, "ts", "simulate", "Debian")
    cli.do("ts", "disable", "Copy of Debian")
    expect("no deployment begins it" in cli.do("ts", "simulate", "Copy of Debian"), "a dry run says what is disabled")
    cli.do("ts", "delete", "Copy of Debian")


def devices(cli: Recorder, work: Path):
    cli.ask("Device", "device", "import", "PC-1", "--mac", mac_of(1))
    table = work / "devices.csv"
    table.write_text(f"name,mac\nPC-2,{mac_of(2)}\nPC-3,{mac_of(3)}\n", encoding="utf-8")
    cli.ask("DeviceImport", "device", "import-file", str(table))
    cli.show("[Device]", "device", "list")
    cli.show("Device", "device", "show", "PC-1")
    cli.show("DeviceFacts", "device", "facts", "PC-1")
    cli.ask("Device", "device", "rename", "PC-3", "PC-4")
    cli.ask("Device", "device", "block", "PC-4", "--reason", "broken")
    cli.ask("Device", "device", "unblock", "PC-4")
    cli.ask("Device", "device", "protect", "PC-4")
    cli.ask("Device", "device", "unprotect", "PC-4")
    cli.ask("Device", "device", "forget-tpm-key", "PC-4")
    cli.do("device", "variable", "set", "PC-1", "Desk=1")
    cli.ask("Device", "device", "set", "PC-2", "--mac", f"{mac_of(2)},{mac_of(22)}", "--uuid", "5e1f0000-0000-4000-8000-000000000002")
    cli.ask("DuplicateHardwareId", "device", "duplicate-id", "add", "00:00:5e:00:53:01")
    cli.show("BootExplanation", "device", "explain-boot", "PC-1")
    cli.show("BootExplanation", "device", "explain-boot", mac_of(99))
    cli.show("ClientExplanation", "device", "explain-client", "PC-1")
    cli.show(None, "device", "history", "PC-4")
    cli.do("device", "delete", "PC-4")


def collections(cli: Recorder):
    cli.ask("Collection", "collection", "create", "Lab")
    cli.ask("Collection", "collection", "set", "Lab", "--comment", "Room 17")
    cli.ask("Member", "collection", "add-member", "Lab", "PC-1")
    cli.do("collection", "rule", "add", "Lab", "--query", "Named", "--filter", "name startswith 'PC'")
    cli.do("collection", "variable", "set", "Lab", "WHAT=a lab")
    cli.do("collection", "variable", "set", "Lab", "--secret", "JoinKey=")
    asked = [one["name"] for one in cli.json("collection", "variable", "list", "Lab") if one["is_asked"]]
    expect(asked == ["JoinKey"], f"asked for on the screen: {asked}")
    cli.do("collection", "variable", "remove", "Lab", "JoinKey")
    cli.ask("Collection", "collection", "update", "Lab")
    cli.show("[Collection]", "collection", "list")
    cli.show("Collection", "collection", "show", "Lab")
    cli.do("collection", "create", "Empty")
    cli.do("collection", "delete", "Empty")


def play(lab: Lab, cli: Recorder, deployment: str) -> Client:
    """One device begins what is deployed to it."""
    lab.stop()
    lab.give_tickets([mac_of(1)], 1)
    lab.start()
    client = Client(lab, 1)
    client.register()
    client.tell("started")
    client.tell("step-started")
    expect(cli.ask("Deployment", "deployment", "show", deployment)["counts"]["in_progress"] == 1, "it has not begun")
    return client


def control(lab: Lab, cli: Recorder, deployment: str):
    """What an administrator does to a device that runs a task sequence, and what it answers."""
    client = play(lab, cli, deployment)
    lab.must("GET", f"/client/orders/{client.order}/wish", token=client.token)
    of_device = ("--device", "PC-1")
    cli.do("deployment", "pause", deployment, *of_device, "--time", "60")
    cli.do("deployment", "resume", deployment, *of_device)
    # The device has not told its state, nor sent a log, and no debugger runs on it.
    for status, verb, *more in ((4, "state"), (3, "log", "--kept"), (4, "debug", "--command", "quit")):
        cli.note(("deployment", verb))
        told = cli.fails("deployment", verb, deployment, *of_device, *more, status=status)
        expect("device" in told, f"deployment {verb}: {told!r}")
    lab.must("POST", f"/deployments/{deployment}/devices/{client.mac}/log", {})
    client.tell("failed", error_id="SLW-0401", cause="played")
    # Its installed system stays a client.
    lab.must("PUT", "/client/inventory", {"environment": "full-os", "smbios": {"serial": "S-1"}}, token=client.token)
    reached = [item["deployment_id"] for item in lab.must("GET", "/client/deployments", token=client.token)["items"]]
    expect(deployment in reached, f"{deployment} is not among {reached}")
    expect(cli.ask("ClientExplanation", "device", "explain-client", "PC-1")["is_client"], "PC-1 is no client")
    cli.show("[StatusMessage]", "log", "--deployment", deployment)


def users(cli: Recorder, work: Path):
    """Primary users; who a deployment wants comes from a machine, so there is nobody to decide about here."""
    table = work / "users.csv"
    table.write_text("LAB\\bob,PC-1\n", encoding="utf-8")
    cli.ask(None, "affinity", "add", "PC-1", "LAB\\ada")
    cli.ask(None, "affinity", "import", str(table))
    found = cli.show(None, "affinity", "list", "PC-1")
    expect(sorted(one["user"] for one in found) == ["LAB\\ada", "LAB\\bob"], f"primary users: {found}")
    cli.do("affinity", "remove", "PC-1", "LAB\\ada")
    cli.ask(None, "affinity", "mode", "pending")
    expect(cli.ask(None, "affinity", "requests") == [], "somebody waits")
    for verb in ("approve", "deny"):
        cli.note(("affinity", verb))
        cli.fails("affinity", verb, "PC-1", "LAB\\eve", status=3)


def maintenance_windows(cli: Recorder):
    window = ("--name", "Sunday night", "--start", "2026-11-22T22:00 every week on sun", "--minutes", "240")
    cli.ask("[MaintenanceWindow]", "collection", "window", "add", "Lab", *window, "--for", "task-sequences")
    found = cli.show("[MaintenanceWindow]", "collection", "window", "list", "Lab")
    expect([(one["name"], one["schedule"]["duration_min"]) for one in found] == [("Sunday night", 240)], f"windows: {found}")
    cli.ask("[MaintenanceWindow]", "collection", "window", "remove", "Lab", "--name", "Sunday night")


def starts_from_the_network(cli: Recorder):
    """What their screens ask, and the password, which nobody is shown."""
    cli.ask("BootRule", "pxe", "rule", "set", "site", "--menu-seconds", "20", "--choice-seconds", "0", "--ask-password", "yes")
    cli.do("pxe", "password", "set", "site", "--password", "@-", given="let me in 1")
    found = cli.show("BootRule", "pxe", "rule", "show", "DP00001")
    expect(found["effective"] == {"is_password_needed": True, "password_of": "site", "menu_s": 20, "choice_s": 0}, str(found))
    cli.show("[BootRule]", "pxe", "rule", "list")
    cli.do("pxe", "password", "remove", "site")
    cli.do("pxe", "rule", "remove", "site")


def unknown_computers(lab: Lab, cli: Recorder):
    """Two machines that nobody knows ask; one is approved, the other denied."""
    cli.ask(None, "unknown", "rule", "set", "site", "--allow", "yes", "--approval", "yes", "--name-pattern", "NEW-%mac:4%")
    cli.show("UnknownComputerName", "unknown", "preview-name", "--mac", mac_of(8))
    made = cli.json("deployment", "create", "--task-sequence", "Debian", "--collection", "All Unknown Computers")
    lab.stop()
    lab.give_tickets([mac_of(8), mac_of(9)], 1)
    lab.start()
    for number in (8, 9):
        Client(lab, number).register(202)
    codes = {one["macs"][0]: one["code"] for one in cli.show("[UnknownComputer]", "unknown", "list")}
    cli.ask("UnknownComputer", "unknown", "approve", codes[mac_of(8)], "--name", "NEW-1")
    denied = cli.ask("UnknownComputer", "unknown", "deny", codes[mac_of(9)], "--reason", "not ours")
    cli.do("unknown", "forget", denied["id"])
    cli.do("deployment", "cancel", made["id"])


def deployments(lab: Lab, cli: Recorder):
    made = cli.ask("Deployment", "deployment", "create", "--task-sequence", "Debian", "--collection", "Lab")
    ident = made["id"]
    cli.show("[Deployment]", "deployment", "list")
    cli.show("Deployment", "deployment", "show", ident)
    cli.ask("Deployment", "deployment", "set", ident, "--alert-success", "90", "--alert-after", "1", "--wake-on-lan", "yes", "--show-progress", "no",
            "--use-neighbours", "no", "--use-default-group", "no", "--available-over", "0")
    cli.ask("Deployment", "deployment", "disable", ident)
    cli.ask("Deployment", "deployment", "enable", ident)
    control(lab, cli, ident)
    cli.show(None, "deployment", "status", ident)
    cli.show("[OrderStep]", "deployment", "steps", ident, "--device", "PC-1")
    cli.show(None, "report")
    cli.show(None, "report", "deployment-summary")
    wait_until(lambda: cli.json("alert", "list"), "an alert of what has failed")
    alert = cli.show("[Alert]", "alert", "list")[0]
    cli.ask("Alert", "alert", "acknowledge", str(alert["number"]))
    cli.ask("Alert", "alert", "close", str(alert["number"]))
    cli.do("device", "clear-pxe", "PC-1")
    cli.ask("WakeUp", "device", "wake", "PC-1")
    cli.do("collection", "clear-pxe", "Lab")
    cli.do("deployment", "cancel", ident)
    cli.do("deployment", "delete", ident)


def phased_deployments(cli: Recorder):
    """The second phase is begun by hand while nobody has run the first; both stay as deployments."""
    for name, device in (("Pilot", "PC-1"), ("Others", "PC-2")):
        cli.do("collection", "create", name)
        cli.do("collection", "add-member", name, device)
    phases = ("--phase", "Pilot", "--phase", "Others", "--success", "90", "--defer", "2", "--deadline", "7",
              "--available-over", "5")
    cli.ask("PhasedDeployment", "phased-deployment", "create", "Roll out", "--task-sequence", "Debian", *phases)
    found = cli.show("[PhasedDeployment]", "phased-deployment", "list")
    expect([(one["name"], one["state"], one["n_begun"]) for one in found] == [("Roll out", "waiting", 1)], f"phased deployments: {found}")
    paused = cli.ask("PhasedDeployment", "phased-deployment", "pause", "Roll out")
    expect([one["state"] for one in paused["phases"]] == ["deployment-created", "suspended"], f"paused: {paused}")
    cli.fails("phased-deployment", "next", "Roll out", status=4)
    cli.ask("PhasedDeployment", "phased-deployment", "resume", "Roll out")
    cli.fails("phased-deployment", "next", "Roll out", "Pilot", status=4)
    cli.ask("PhasedDeployment", "phased-deployment", "next", "Roll out", "2")
    shown = cli.show("PhasedDeployment", "phased-deployment", "show", "Roll out")
    expect(shown["state"] == "all-begun" and shown["phases"][1]["begin_after_percent"] == 90, f"begun by hand: {shown}")
    cli.fails("collection", "delete", "Others", status=4)
    for phase in shown["phases"]:
        made = cli.json("deployment", "show", phase["deployment_id"])
        expect(made["phased_deployment_id"] == shown["id"] and made["assignments"] != ["as-soon-as-possible"], f"its deployment: {made}")
    cli.do("phased-deployment", "delete", "Roll out")
    for phase in shown["phases"]:
        made = cli.json("deployment", "show", phase["deployment_id"])
        expect(made["phased_deployment_id"] is None, f"its deployment: {made}")
        cli.do("deployment", "delete", made["id"])
        cli.do("collection", "delete", phase["collection_name"])


def operations(cli: Recorder):
    cli.ask("[Operation]", "operation", "list")
    ident = cli.json("package", "show", "A package")["operation_id"]
    cli.show("Operation", "operation", "show", ident)
    cli.ask("Operation", "operation", "show", ident, "--watch")
    cli.fails("operation", "cancel", ident, status=4)
    cli.note(("operation", "cancel"))


def contents(cli: Recorder, work: Path):
    source = work / "source"
    source.mkdir()
    (source / "setup.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    for noun in ("package", "driver-package", "upgrade-package"):
        name = f"A {noun}"
        cli.do(noun, "create", name, "--source", str(source))
        cli.ask("[Content]", noun, "list")
        cli.show("Content", noun, "show", name)
        (source / "setup.sh").write_text(f"#!/bin/sh\n: {noun}\n", encoding="utf-8")
        cli.do(noun, "update", name)
    cli.show("[Content]", "content", "list")
    cli.show("[ContentVersion]", "content", "versions", "A package")
    cli.do("content", "set", "A package", "--comment", "Tools")
    cli.do("content", "rollback", "A package", "1")
    cli.do("content", "prestage", "A package", str(work / "package.prestage"))
    subprocess.run(["wimlib-imagex", "capture", source, work / "one.wim", "One"], check=True, capture_output=True)
    cli.do("os-image", "add", str(work / "one.wim"), "--name", "One")
    cli.do("os-image", "update", "One", str(work / "one.wim"))
    cli.show("[OsImage]", "os-image", "list")
    cli.show("OsImage", "os-image", "show", "One")
    cli.do("os-image", "export", "One", str(work / "again.wim"))
    operations(cli)


def boot_images(cli: Recorder):
    """There is no kernel here: what is told then. Real ones are built by the tests of content and of booting."""
    told = cli.fails("boot-image", "build", "--arch", "x64")
    expect("SLW-" in told, f"a build without a kernel: {told!r}")
    cli.ask("[BootImage]", "boot-image", "list")
    cli.fails("boot-image", "set", "SLP0FFFF", "--prestart-command", "true", status=3)
    cli.note(("boot-image", "set"))
    for verb in ("show", "update", "delete"):
        cli.fails("boot-image", verb, "SLP0FFFF", status=3)
        cli.note(("boot-image", verb))
    cli.note(("boot-image", "build"))


def distribution(cli: Recorder):
    own = cli.ask("[DistributionPoint]", "dp", "list")[0]
    cli.ask("DistributionPointDetails", "dp", "set", own["id"], "--comment", "Here")
    cli.show("DistributionPointDetails", "dp", "show", own["id"])
    cli.ask("DistributionPointToken", "dp", "create-token", "Branch")
    cli.fails("dp", "remove", own["id"], status=4)
    cli.note(("dp", "remove"))
    cli.ask("DistributionPointGroup", "dp-group", "create", "All")
    cli.ask("DistributionPointGroup", "dp-group", "add-member", "All", own["id"])
    cli.do("dp-group", "add-content", "All", "A package")
    cli.show("[DistributionPointGroup]", "dp-group", "list")
    cli.show("DistributionPointGroup", "dp-group", "show", "All")
    cli.do("content", "distribute", "A driver-package", "--dp", own["id"])
    cli.show("Distribution", "content", "status", "A package")
    told = cli.fails("content", "redistribute", "A package", status=4)
    cli.note(("content", "redistribute"))
    expect("is where" in told, f"redistributed to where it comes from: {told!r}")
    cancel_validation(cli, own["id"])
    cli.show(None, "content", "history", "A package")
    cli.do("dp-group", "remove-member", "All", own["id"])
    cli.do("dp-group", "delete", "All")
    told = cli.fails("content", "remove", "A driver-package", "--dp", own["id"], status=4)
    cli.note(("content", "remove"))
    expect("delete the content" in told, f"removed from where it came to be: {told!r}")
    for noun in ("package", "driver-package", "upgrade-package"):
        cli.do(noun, "delete", f"A {noun}")
    cli.do("os-image", "delete", "One")


def cancel_validation(cli: Recorder, point: str):
    """It may be over before it is cancelled."""
    cli.note(("content", "cancel"))
    for _ in range(20):
        cli.do("content", "validate", "A package")
        try:
            cli.run("content", "cancel", "A package", "--dp", point)
            return
        except Failed as why:
            expect("SLW-0156" in str(why), str(why))
    raise Failed("each validation was over before it was cancelled")


def boundaries(cli: Recorder):
    cli.ask("Boundary", "boundary", "create", "Ground floor", "--subnet", "10.77.0.0/24")
    cli.show("[Boundary]", "boundary", "list")
    own = cli.json("dp", "list")[0]["id"]
    for name in ("Here", "There"):
        cli.ask("BoundaryGroup", "boundary-group", "create", name)
    cli.ask("BoundaryGroup", "boundary-group", "set", "Here", "--comment", "This house")
    cli.do("boundary-group", "add-boundary", "Here", "Ground floor")
    cli.do("boundary-group", "add-dp", "Here", own)
    cli.do("boundary-group", "add-neighbour", "Here", "There")
    cli.show("[BoundaryGroup]", "boundary-group", "list")
    cli.show("BoundaryGroup", "boundary-group", "show", "Here")
    cli.show("BoundaryExplanation", "boundary-group", "explain", "10.77.0.7")
    cli.do("boundary-group", "remove-neighbour", "Here", "There")
    cli.do("boundary-group", "remove-dp", "Here", own)
    cli.do("boundary-group", "remove-boundary", "Here", "Ground floor")
    cli.do("boundary-group", "delete", "There")
    cli.do("boundary", "delete", "Ground floor")


def documents(cli: Recorder, work: Path):
    path = work / "lab.yaml"
    path.write_text("kind: Collection\nname: From a file\n", encoding="utf-8")
    expect("missing" in cli.do("apply", "--file", str(path), "--dry-run"), "what apply would do")
    cli.show(None, "apply", "--file", str(path))
    cli.show(None, "diff", "--file", str(path))
    cli.show(None, "get", "Collection", "From a file")
    expect(cli.do("get", "Collection", "From a file", "-o", "name") == "From a file\n", "its name")
    expect(cli.do("get", "Collection", "From a file", "-o", "csv").startswith("kind,name\n"), "its name as CSV")
    expect("to be deleted" in cli.do("delete", "--file", str(path), "--dry-run"), "what delete would do")
    cli.do("delete", "--file", str(path))
    cli.show(None, "delete", "--file", str(path))
    cli.show(None, "export-site")
    rules_in_documents(cli, work)


def rules_in_documents(cli: Recorder, work: Path):
    """What is set and inherited, and made by nobody."""
    dp = cli.json("dp", "list")[0]["name"]
    made = cli.json("deployment", "create", "--task-sequence", "Debian", "--collection", "All Unknown Computers")
    sequence, collection = made["task_sequence_name"], made["collection_name"]
    path = work / "rules.json"
    documents = [
        {"kind": "UnknownComputerRule", "name": "site", "is_allowed": True, "is_approval_needed": True, "name_pattern": "PC-%serial:5%"},
        {"kind": "UnknownComputerRule", "distribution_point": dp, "is_allowed": False},
        {"kind": "UnknownDeploymentRule", "task_sequence": sequence, "collection": collection, "name_pattern": ""},
        {"kind": "BootRule", "name": "site", "menu_s": 7},
        {"kind": "BootRule", "distribution_point": dp, "is_password_asked": False},
        {"kind": "UserAffinityMode", "name": "site", "mode": "pending"},
    ]
    before = {kind: cli.json("get", kind) for kind in ("UnknownComputerRule", "UnknownDeploymentRule", "BootRule", "UserAffinityMode")}
    path.write_text(json.dumps(documents), encoding="utf-8")
    cli.do("apply", "-f", str(path))
    cli.do("diff", "-f", str(path))
    expect(cli.json("get", "BootRule", dp) == [documents[4]], "the rule of a distribution point as a document")
    exported = cli.json("export-site")
    for one in documents:
        found = [document for document in exported if all(document.get(member) == value for member, value in one.items())]
        expect(len(found) == 1, f"{one} of {exported}")
    path.write_text(json.dumps([{**documents[0], "name_pattern": None}, documents[1]]), encoding="utf-8")
    cli.do("apply", "-f", str(path))
    expect("name_pattern" not in cli.json("get", "UnknownComputerRule", "site")[0], "a pattern that is inherited again")
    path.write_text(json.dumps(documents[:5]), encoding="utf-8")
    cli.do("delete", "-f", str(path))
    expect(cli.json("get", "UnknownComputerRule") == [], "rules that are gone")
    path.write_text(json.dumps([one for kind in before for one in before[kind]]), encoding="utf-8")
    cli.do("apply", "-f", str(path))
    cli.do("diff", "-f", str(path))
    cli.do("deployment", "cancel", made["id"])
    cli.do("deployment", "delete", made["id"])


def for_every_command(cli: Recorder, work: Path):
    """What every command takes: to be tried, a name for its requests; exit codes; the names of cmdlets."""
    before = cli.json("collection", "list")
    for words in (["collection", "create", "Tried"], ["collection", "delete", "Lab"], ["device", "delete", "PC-1"]):
        cli.do(*words, "--dry-run")
    cli.do("admin", "create", "eve", "--dry-run")
    cli.fails("collection", "create", "Lab", "--dry-run", status=4)
    expect([one["name"] for one in cli.json("collection", "list")] == [one["name"] for one in before], "something was not only tried")
    cli.fails("admin", "show", "eve", status=3)
    cli.do("collection", "create", "Nightly", "--request-id", "nightly-7")
    record = [one for one in cli.json("audit", "list") if one["action"] == "collection.create"][-1]
    expect(record["request_id"] == "nightly-7", f"which request made it: {record}")
    told = cli.fails("collection", "create", "Nightly", "--request-id", "nightly-8", status=4)
    expect("request nightly-8]" in told, f"which request was refused: {told}")
    cli.fails("collection", "list", "--request-id", "two words", status=2)
    cli.do("collection", "delete", "Nightly", "--yes")
    part = work / "part.yaml"
    part.write_text("[{kind: Collection, name: Half}, {kind: Collection, name: Other, limiting: Nowhere}]", encoding="utf-8")
    cli.fails("apply", "-f", str(part), status=7)
    cli.do("collection", "delete", "Half")
    cli.show(None, "cmdlet")
    expect(cli.run("New-CMCollection", "-Name", "x").startswith("slipway collection create NAME"), "a cmdlet's native form")
    cli.fails("New-CMBootableMedia", status=2)


def events(cli: Recorder):
    """All that is kept, by people and programs; then what comes while somebody follows."""
    cli.do("events", "--since", "0", "--count", "20")
    found = cli.ask(None, "events", "--since", "0", "--topics", "collections,devices", "--count", "5")
    expect(len(found) == 5 and {one["event"] for one in found} <= {"collection", "device", "reset"}, f"events: {found}")
    again = cli.ask(None, "events", "--since", str(int(found[0]["event_id"]) - 1), "--topics", "collections,devices", "--count", "5")
    expect(again == found, f"events from {found[0]}: {again}")
    cli.do("events", "--seconds", "1")
    cli.fails("events", "--topics", "colours", status=1)


def everything(lab: Lab, build: Path):
    lab.begin()
    lab.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    cli = Recorder(lab, "chief")
    work = lab.work / "files"
    work.mkdir(mode=0o755)
    pin = (lab.work / "state" / "keys" / "pin").read_text(encoding="utf-8").strip()
    contract = Contract()
    cli.do("login", watch(lab, contract), "--pin", pin, "--user", "administrator", "--password", "@-", given=PASSWORD)
    cli.show("Status", "status")
    sequences(cli, work)
    administrators(cli)
    devices(cli, work)
    collections(cli)
    deployments(lab, cli)
    phased_deployments(cli)
    users(cli, work)
    maintenance_windows(cli)
    starts_from_the_network(cli)
    unknown_computers(lab, cli)
    contents(cli, work)
    boot_images(cli)
    distribution(cli)
    boundaries(cli)
    documents(cli, work)
    for_every_command(cli, work)
    events(cli)
    cli.show("[AuditRecord]", "audit", "list")
    cli.do("audit", "verify")
    cli.do("audit", "export")
    cli.do("token", "save", str(lab.work / "token"))
    cli.do("logout")
    expect(not cli.misfits, "\n".join(cli.misfits))
    missing = sorted(cli.commands - cli.used)
    expect(not missing, f"never used: {', '.join(missing)}")
    print(f"{len(cli.used)} commands")
    use_the_rest(lab, lab.must("GET", "/task-sequences")["items"][0]["id"])
    ask_wrongly(lab, contract)
    check(contract)


def main() -> int:
    build, name = Path(sys.argv[1]).resolve(), sys.argv[2]
    enter_namespace()
    with Lab(build) as lab:
        try:
            everything(lab, build)
        except Exception:
            print((lab.work / "err").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise
    print(f"{name}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
