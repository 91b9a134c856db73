# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several deployments real firmware and the agent's screen come to; used by the boot tests of system_test.py.

Each function arranges deployments for a machine that is not on yet, and gives the one that is to begin.
"""

import json
import socket
import time

import deployment as dep
from lab import LabError


def _expect(got, want, what: str):
    if got != want:
        raise LabError(f"{what}: {got!r} instead of {want!r}")


def _named(site, name: str) -> str:
    xml = dep.task_sequence_xml(dep.newest_package(site, "os-image"))
    return dep.import_task_sequence(site, xml, name, dep.default_boot_image(site))


def before_others(site, wanted: str) -> str:
    """@wanted is required; newer ones are of low priority, available, expired or disabled."""
    sequence = _named(site, "Others")
    dep.deploy(site, sequence, more=["--priority", "low"])
    dep.deploy(site, sequence, more=["--expires", "2020-01-01T00:00Z"])
    site.cli("deployment", "disable", dep.deploy(site, sequence, more=["--priority", "high"]))
    dep.deploy(site, sequence, more=["--purpose", "available", "--priority", "high"])
    return wanted


def required_goes_first(site, vm) -> str:
    """An older one of high priority before a newer one, and before one that is available."""
    del vm
    sequence = _named(site, "Others")
    wanted = dep.deploy(site, sequence, more=["--priority", "high"])
    dep.deploy(site, sequence)
    dep.deploy(site, sequence, more=["--purpose", "available", "--priority", "high"])
    return wanted


def heeds_windows(site, vm) -> str:
    """A newer one of high priority waits for the maintenance window of its device; an older one says that it does not."""
    site.cli("collection", "create", "Serviced")
    site.cli("device", "import", "SERVICED", "--mac", vm.mac, "--collection", "Serviced")
    site.cli("collection", "window", "add", "Serviced", "--name", "Gone", "--start", "2020-01-01T00:00Z", "--minutes", "60")
    sequence = _named(site, "Others")
    wanted = dep.deploy(site, sequence, "Serviced", more=["--run-outside", "yes"])
    dep.deploy(site, sequence, "Serviced", more=["--priority", "high"])
    return wanted


def preferred_goes_first(site, vm) -> str:
    """A hidden one, which a variable of the device names, before a required one."""
    site.cli("collection", "create", "Preferring")
    site.cli("device", "import", "PREFERS", "--mac", vm.mac, "--collection", "Preferring")
    sequence = _named(site, "Hidden")
    more = ["--purpose", "available", "--make-available-to", "media-and-pxe-hidden"]
    wanted = dep.deploy(site, sequence, "Preferring", more=more)
    dep.deploy(site, sequence, "Preferring")
    site.cli("device", "variable", "set", "PREFERS", f"SMSTSPreferredAdvertID={wanted}")
    return wanted


PRESTART = 'echo "Which building?"; read -r name && echo "Building=$name" >> "$SLW_VARIABLES" && echo "Thanks, $name."'


def chosen_on_screen(site, vm) -> str:
    """Two available ones: the firmware's menu and then the agent's, where the second is the older one."""
    del vm
    older = dep.deploy(site, _named(site, "The older one"), more=["--purpose", "available"])
    dep.deploy(site, _named(site, "The newer one"), more=["--purpose", "available"])
    site.cli("pxe", "rule", "set", "site", "--choice-seconds", "0", "--menu-seconds", "20")
    site.cli("collection", "variable", "set", dep.UNKNOWN_COMPUTERS, "Room=", "Floor=3", "Building=")
    site.cli("boot-image", "set", dep.default_boot_image(site), "--prestart-command", PRESTART)
    site.cli("collection", "variable", "set", dep.UNKNOWN_COMPUTERS, "--secret", "JoinKey=")
    return older


def type_on(console, text: str):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(console))
        line.sendall(text.encode())
        time.sleep(0.5)


def choose_the_second(vm, process, seconds: float):
    """Down and Enter in GRUB's menu, whose default is the disk; what the prestart command asks; then a number on the screen, after one that is none."""
    process.wait_line("Start from the local disk", seconds)
    type_on(vm.console, "\x0e\r")
    process.wait_line("Which building", seconds)
    type_on(vm.console, "Noth\x7f\x7frth\r")
    process.wait_line("Thanks, North", seconds)
    process.wait_line("To choose from: 2: The older one", seconds)
    type_on(vm.console, "9\r")
    process.wait_line("Problem: Type one of the numbers", seconds)
    type_on(vm.console, "2\r")


TYPED_SECRET = "hush hush 77"


def type_variables(site, vm, process, seconds: float):
    """What has no value is asked for: back to the list and again to the second, a secret, and a value that is changed."""
    process.wait_line("To be typed: JoinKey, 1 of 2 .it is not shown", seconds)
    seen = len(process.lines)
    type_on(vm.console, "<\r")
    process.wait_line("To choose from: 2: The older one", seconds, seen)
    type_on(vm.console, "2\r")
    process.wait_line("To be typed: JoinKey, 1 of 2", seconds, seen)
    explained = site.ask("device", "explain-boot", vm.mac)["screen"]
    wanted = [{"name": "JoinKey", "is_secret": True}, {"name": "Room", "is_secret": False}]
    _expect((explained["waits_for"], explained["variables"]), ("variables", wanted), "what explain-boot says of the screen")
    _expect(vm.disk.stat().st_blocks, 0, "blocks of the disk that were written while variables are asked for")
    type_on(vm.console, TYPED_SECRET + "\r")
    process.wait_line("To be typed: Room, 2 of 2", seconds)
    type_on(vm.console, "4710\r")
    process.wait_line("Variable: Room = 4710", seconds)
    seen = len(process.lines)
    type_on(vm.console, "<\r")
    process.wait_line("To be typed: Room, 2 of 2", seconds, seen)
    type_on(vm.console, "4711\r")
    process.wait_line("Variable: Room = 4711", seconds)
    process.wait_line("To be typed: Enter to begin", seconds, seen)
    type_on(vm.console, "\r")


def expect_typed(site, deployment: str, vm, process, seconds: float):
    """The task sequence runs with it; the secret is nowhere to be seen."""
    deadline = time.monotonic() + seconds
    state = {}
    while "Room" not in state.get("variables", {}):
        _expect(time.monotonic() < deadline, True, f"the state of the order comes in time: {state}")
        time.sleep(1)
        answer = site.cli("deployment", "state", deployment, "--device", vm.mac, "--output", "json", check=False)
        state = json.loads(answer.stdout).get("state") or {} if answer.returncode == 0 else {}
    variables = state["variables"]
    _expect((variables["Room"], variables["Floor"], variables["Building"]), ("4711", "3", "North"), "variables of the run")
    _expect("JoinKey" in state["secrets"] and "JoinKey" not in variables, True, f"the secret one is kept as such: {state}")
    _expect([line for _, line in process.lines if TYPED_SECRET in line], [], "the secret on the console")
    for path in site.state.rglob("*.log"):
        _expect(TYPED_SECRET.encode() in path.read_bytes(), False, f"the secret is in {path}")
