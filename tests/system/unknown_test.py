#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unknown computers on virtual machines: what waits writes nothing, and becomes known by its name; one test a call.

usage: unknown_test.py BUILD_DIR TEST

Logs of the last run of each test are in BUILD_DIR/system/TEST/. Exit status as of system_test.py.
"""

import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import deployment as dep  # noqa: E402
from lab import LabError  # noqa: E402
from system_test import BOOT_SECONDS, World, expect, main, say, step_xml  # noqa: E402

SOON_SECONDS = 60
PASSWORD = "let me in 7"
QUIET_SECONDS = 8


def deploy_writing(site, name: str) -> str:
    """A sequence that writes to the disk, if the computer is called @name."""
    steps = step_xml("RunCommandLine", "Look at the name", "WinPE", CommandLine=f"/bin/busybox test %OSDComputerName% = {name}")
    steps += step_xml("SetVariable", "Users", "WinPE", VariableName="SMSTSUDAUsers", VariableValue="LAB\\ada, LAB\\bob")
    steps += step_xml("SetVariable", "Mode", "WinPE", VariableName="SMSTSAssignUsersMode", VariableValue="Auto")
    steps += step_xml(
        "RunCommandLine", "Write", "WinPE", CommandLine="/bin/busybox dd if=/init of=/dev/vda bs=512 count=8 conv=fsync"
    )
    xml = f'<sequence version="3.10">{steps}</sequence>'
    return dep.deploy(site, dep.import_task_sequence(site, xml, "Writes", dep.default_boot_image(site)))


def wait_request(site, is_it, what: str) -> dict:
    deadline = time.monotonic() + BOOT_SECONDS
    found = []
    while time.monotonic() < deadline:
        found = site.ask("unknown", "list")
        if found and is_it(found[0]):
            return found[0]
        time.sleep(0.5)
    raise LabError(f"{what} did not happen; the list is {found}")


def expect_untouched(vm, when: str):
    expect(vm.disk.stat().st_blocks, 0, f"blocks of the disk that were written {when}")


def expect_known(site, vm, name: str):
    device = site.ask("device", "show", name)
    expect((device["macs"], device["is_unknown"]), ([vm.mac], False), f"what {name} is")
    expect("All Systems" in device["collections"], True, f"{name} is one of All Systems")
    expect(site.ask("unknown", "list"), [], "what waits at the end")


def type_password(site, vm, process):
    """A wrong one writes nothing and lets nobody in; no log of the site and no boot file has the right one."""
    process.wait_line("To be typed: Password", BOOT_SECONDS)
    type_line(vm, "wrong one 1")
    process.wait_line("Problem: .*4 more tries", SOON_SECONDS)
    expect_untouched(vm, "after a wrong password")
    expect(site.ask("unknown", "list"), [], "what waits before the password")
    explained = site.ask("device", "explain-boot", vm.mac)["screen"]
    expect((explained["waits_for"], explained["n_wrong"]), ("password", 1), "what explain-boot says of the screen")
    type_line(vm, PASSWORD)
    shown = [line for _, line in process.lines if PASSWORD in line]
    expect(shown, [], "the password on the console")


def approval_gate(world: World):
    """Nothing is written while it waits, nor when another code is approved; denied and let ask again, approved, it runs."""
    site = world.start_site()
    world.lab.start_dhcp()
    site.cli("unknown", "rule", "set", "site", "--approval", "yes", "--name-pattern", "LAB-%mac:4%")
    password_file = world.folder / "password"
    password_file.write_text(PASSWORD, encoding="utf-8")
    site.cli("pxe", "password", "set", "site", "--password", f"@{password_file}")
    deployment = deploy_writing(site, "PC-0815")
    vm = world.add_vm("bios")
    process = vm.power_on(console=world.folder / "console")
    type_password(site, vm, process)
    request = wait_request(site, lambda r: r["state"] == "waiting", "asking for approval")
    expect(request["suggested_name"], "LAB-0001", "the name that is proposed")
    process.wait_line(f"Code: {request['code']}", SOON_SECONDS)
    process.wait_line("waits for an administrator's approval", SOON_SECONDS)
    time.sleep(QUIET_SECONDS)
    expect_untouched(vm, "while it waited")
    expect(dep.row_of(site, deployment, vm)["state"], "waiting", "state of the device in the deployment")
    wrong = site.cli("unknown", "approve", "AAA-AAA", check=False)
    expect(wrong.returncode, 3, f"approving another code: {wrong.stderr}")
    explained = site.cli("device", "explain-boot", vm.mac).stdout
    expect("waits" in explained, True, f"explain-boot: {explained}")
    site.cli("unknown", "deny", request["code"], "--reason", "not this one")
    process.wait_line("SLW-0470.*not this one", SOON_SECONDS)
    expect("unknown-denied" in site.cli("device", "explain-boot", vm.mac).stdout, True, "a denial is explained")
    expect_untouched(vm, "after the denial")
    say("the gate held: nothing was written before the denial")
    vm.power_cut()
    site.cli("unknown", "forget", vm.mac)
    site.cli("pxe", "password", "remove", "site")
    vm.power_on()
    code = wait_request(site, lambda r: r["state"] == "waiting", "asking again")["code"]
    expect(code != request["code"], True, "a new request has a new code")
    expect_untouched(vm, "before the approval")
    site.cli("unknown", "approve", code, "--name", "PC-0815")
    dep.wait_succeeded(site, deployment, vm, SOON_SECONDS)
    vm.power_cut()
    expect(vm.disk.stat().st_blocks > 0, True, "after the approval the disk was written")
    expect_known(site, vm, "PC-0815")
    say("approved by its code, it ran and is known as PC-0815")


def type_line(vm, text: str):
    with socket.socket(socket.AF_UNIX) as console:
        console.connect(str(vm.console))
        console.sendall(text.encode() + b"\r")
        time.sleep(1)


def unknown_to_known(world: World):
    """Its screen asks for the name; one that is taken is refused; the other one is the device's and the computer's."""
    site = world.start_site()
    world.lab.start_dhcp()
    site.cli("device", "import", "TAKEN", "--mac", "52:54:00:77:99:99")
    site.cli("unknown", "rule", "set", "site", "--ask-name", "yes", "--name-pattern", "LAB-%mac:4%")
    site.cli("affinity", "mode", "pending")
    deployment = deploy_writing(site, "PC-7")
    vm = world.add_vm("bios")
    process = vm.power_on(console=world.folder / "console")
    wait_request(site, lambda r: r["is_name_needed"], "asking for a name")
    process.wait_line('To be typed: Name of this computer, or Enter for "LAB-0001"', SOON_SECONDS)
    type_line(vm, "taken")
    process.wait_line("Problem: .*It is taken", SOON_SECONDS)
    expect_untouched(vm, "before it had a name")
    type_line(vm, "PC-7")
    dep.wait_succeeded(site, deployment, vm, SOON_SECONDS)
    expect_known(site, vm, "PC-7")
    expect([r["user"] for r in site.ask("affinity", "requests")], ["LAB\\ada", "LAB\\bob"], "users that wait for approval")
    site.cli("affinity", "approve", "PC-7", "LAB\\ada")
    expect(site.ask("device", "show", "PC-7")["primary_users"], ["LAB\\ada"], "primary users")
    history = site.cli("device", "history", "PC-7").stdout
    expect("device.rename" in history, True, f"the name is in the history: {history}")
    vm.power_cut()
    explained = site.cli("device", "explain-boot", vm.mac).stdout
    expect("unknown" in explained.split("\n")[0].lower(), False, f"explain-boot: {explained}")
    say("named on its screen, it is known as PC-7")


TESTS = {
    "approval-gate": approval_gate,
    "unknown-to-known": unknown_to_known,
}

if __name__ == "__main__":
    sys.exit(main(TESTS))
