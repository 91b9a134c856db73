# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration and the system tests do with a site: content, task sequence, deployment, waiting."""

import time

from lab import ROOT, LabError, Site, Vm

UNKNOWN_COMPUTERS = "All Unknown Computers"


def site_config(kernel_root, more="", x86_root="/nonexistent") -> str:
    return (
        "[site]\nname = Lab\naddress = 10.77.0.1\nunknown-computers = yes\n"
        f"[boot-image]\nkernel-root = {kernel_root}\nx86-root = {x86_root}\n{more}"
    )


def task_sequence_xml(image_id: str, root_password=None, more_settings="") -> str:
    """The example of docs/examples for this image; with a password root can log in."""
    xml = (ROOT / "docs/examples/debian-12.xml").read_text(encoding="utf-8").replace("SLP00002", image_id)
    if root_password:
        xml = xml.replace(
            '<variable name="OSDRandomAdminPassword" property="RandomAdminPassword">true</variable>',
            '<variable name="OSDRandomAdminPassword" property="RandomAdminPassword">false</variable>'
            f'<variable name="OSDLocalAdminPassword" property="AdminPassword">{root_password}</variable>',
        )
    return xml.replace("<!--MORE-->", more_settings)


def newest_package(site: Site, noun: str) -> str:
    items = site.ask(noun, "list")
    if not items:
        raise LabError(f"slipway {noun} list: nothing there")
    return max(item["id"] for item in items if item["state"] == "ready")


def default_boot_image(site: Site, arch="x64", timeout=300) -> str:
    """The one that the site makes by itself, once it is ready."""
    deadline = time.monotonic() + timeout
    found = []
    while time.monotonic() < deadline:
        found = [item for item in site.ask("boot-image", "list") if item["arch"] == arch]
        ready = next((item["id"] for item in found if item["state"] == "ready"), None)
        if ready:
            return ready
        time.sleep(0.3)
    raise LabError(f"no boot image for {arch} in {timeout} s: {found}\n{site.cli('status').stdout}")


def add_os_image(site: Site, wim) -> str:
    site.cli("os-image", "add", wim, "--name", "Debian 12", timeout=300)
    return newest_package(site, "os-image")


def import_task_sequence(site: Site, xml: str, name: str, boot_image: str) -> str:
    path = site.home / "task-sequence.xml"
    path.write_text(xml, encoding="utf-8")
    return site.ask("ts", "import", path, "--name", name, "--boot-image", boot_image)["id"]


def deploy(site: Site, task_sequence: str, collection=UNKNOWN_COMPUTERS, content_option="stream", more=()) -> str:
    words = ("--task-sequence", task_sequence, "--collection", collection, "--content-option", content_option)
    return site.ask("deployment", "create", *words, *more)["id"]


def rows(site: Site, deployment: str) -> list:
    return site.ask("deployment", "show", deployment).get("devices", [])


def row_of(site: Site, deployment: str, vm: Vm):
    return next((row for row in rows(site, deployment) if row["mac"] == vm.mac), None)


def wait_row(site: Site, deployment: str, vm: Vm, is_it, timeout: float, what: str):
    """Until @is_it says yes of the device's row; a row that is failed when that is not wanted ends it too."""
    begin = time.monotonic()
    deadline = begin + timeout
    row = None
    while time.monotonic() < deadline:
        done = site.cli("deployment", "show", deployment, "--output", "json", check=False)
        if done.returncode in (0, 7):
            row = row_of(site, deployment, vm)
            if row and is_it(row):
                return row
            if row and row["state"] in ("failed", "succeeded"):
                break
        if vm.process and vm.process.trouble():
            break
        time.sleep(0.5)
    waited = time.monotonic() - begin
    trouble, screen = (vm.process.trouble(), vm.process.screen()) if vm.process else ("", "")
    raise LabError(f"{vm.name}: {what} did not happen in {waited:.0f} s of {timeout:.0f}{trouble}; the site says {row}", screen)


def wait_succeeded(site: Site, deployment: str, vm: Vm, timeout=300):
    return wait_row(site, deployment, vm, lambda row: row["state"] == "succeeded", timeout, "success")
