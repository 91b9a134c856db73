# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several deployments real firmware and the agent's screen come to; used by the boot tests of system_test.py.

Each function arranges deployments for a machine that is not on yet, and gives the one that is to begin.
"""

import socket
import time

import deployment as dep


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


def chosen_on_screen(site, vm) -> str:
    """Two available ones: the firmware's menu and then the agent's, where the second is the older one."""
    del vm
    older = dep.deploy(site, _named(site, "The older one"), more=["--purpose", "available"])
    dep.deploy(site, _named(site, "The newer one"), more=["--purpose", "available"])
    site.cli("pxe", "rule", "set", "site", "--choice-seconds", "0", "--menu-seconds", "20")
    return older


def type_on(console, text: str):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(console))
        line.sendall(text.encode())
        time.sleep(0.5)


def choose_the_second(vm, process, seconds: float):
    """Down and Enter in GRUB's menu, whose default is the disk; then a number on the screen, after one that is none."""
    process.wait_line("Start from the local disk", seconds)
    type_on(vm.console, "\x0e\r")
    process.wait_line("To choose from: 2: The older one", seconds)
    type_on(vm.console, "9\r")
    process.wait_line("Problem: Type one of the numbers", seconds)
    type_on(vm.console, "2\r")
