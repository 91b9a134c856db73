#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Default boot images are built anew when the kernel package or Slipway changes, and go to every distribution point that
has them; custom ones stay as they are.

usage: content_boot_images.py SLIPWAYD

Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import functools
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/lab"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import ROOT, LabError, kernel_root, staged, x86_root  # noqa: E402
from two_dps import SITE, SITE_ADDRESS, Pair, Server, expect, main, say, wait  # noqa: E402

BUILD_SECONDS = 600 # where much else runs
QUIET_SECONDS = 8 # the site is asked for work each second


def source_version() -> str:
    text = (ROOT / "meson.build").read_text(encoding="utf-8")
    return text.split("version: '")[1].split("'")[0]


def next_version(version: str) -> str:
    """As long as the one before, and other than it."""
    return version[:-1] + ("8" if version.endswith("9") else "9")


class KernelRoot:
    """A folder with a kernel, where a package is upgraded as apt-get does it: the new one comes beside the old one."""

    def __init__(self, source: Path, folder: Path):
        shutil.copytree(source, folder, symlinks=True)
        self.folder = folder
        (self.version,) = (path.name.removeprefix("vmlinuz-") for path in (folder / "boot").glob("vmlinuz-*"))

    def upgrade(self):
        """First what is in boot, at last lib/modules/VERSION/modules.order: the order of dpkg."""
        abi = self.version.split("-")[1]
        old, new = self.version, self.version.replace(f"-{abi}-", f"-{int(abi) + 1}-", 1)
        modules = self.folder / "lib/modules"
        shutil.copy2(self.folder / f"boot/vmlinuz-{old}", self.folder / f"boot/vmlinuz-{new}")
        (modules / new).mkdir()
        for name in sorted(path.name for path in (modules / old).iterdir()):
            if (modules / old / name).is_dir():
                shutil.copytree(modules / old / name, modules / new / name, copy_function=os.link)
            else:
                shutil.copy2(modules / old / name, modules / new / name)
        self.version = new


class Test(Pair):
    def __init__(self, roots: dict, folder: Path, slipwayd: str, network):
        super().__init__(folder, slipwayd, network)
        self.kernels = {arch: KernelRoot(root, folder / arch) for arch, root in roots.items()}
        build = staged(Path(slipwayd).parents[2], folder / "build")
        config = f"[boot-image]\nkernel-root = {folder}/x64\nx86-root = {folder}/x86\n"
        self.slipwayd = build / "src/prog/slipwayd"
        self.site = Server(folder, str(self.slipwayd), "site", SITE, SITE_ADDRESS, config)
        self.agents = {arch: source_version() for arch in self.kernels}
        self.defaults = {}
        self.custom = {}

    def boot_image(self, package: str) -> dict:
        return self.api.call("GET", f"/boot-images/{package}")

    def wait_built(self, package: str, version: int) -> dict:
        def is_built():
            versions = self.api.call("GET", f"/content/{package}/versions")["items"]
            failed = [row for row in versions if row["state"] == "failed"]
            expect(not failed, f"building {package}: {failed}")
            shown = self.boot_image(package)
            return shown if shown["current_version"] == version else None
        return wait(is_built, f"version {version} of {package}", BUILD_SECONDS)

    def check_place(self, server: Server, package: str, arch: str, shown: dict):
        """The files that a computer boots are those of this version."""
        folder = server.state / "dp/boot" / package / arch
        told = json.loads((folder / "boot-image.json").read_text(encoding="utf-8"))
        expect(told["kernel_version"] == shown["kernel_version"], f"{folder} is of {told['kernel_version']}")
        expect(told["agent_version"] == shown["agent_version"], f"{folder} is of {told['agent_version']}")
        expect(told["arch"] == arch, f"{folder} is for {told['arch']}")

    def check_defaults(self, version: int):
        """Both defaults are of today's kernel and agent, at the site and at the distribution point."""
        for arch, package in self.defaults.items():
            shown = self.wait_built(package, version)
            wanted = (self.kernels[arch].version, self.agents[arch])
            expect((shown["kernel_version"], shown["agent_version"]) == wanted, f"{package} is not of {wanted}: {shown}")
            for dp, server in (("DP00001", self.site), (self.dp, self.remote)):
                self.api.wait_state(
                    package, dp, lambda row: row.get("state") == "success" and row.get("version") == version,
                    f"version {version} of {package} on {dp}")
                self.check_place(server, package, arch, shown)
            say(f"{arch}: version {version} is of {wanted[0]} and {wanted[1]}, on both distribution points")

    def check_custom(self):
        for arch, before in self.custom.items():
            shown = self.boot_image(before["id"])
            expect(shown == before, f"the custom boot image for {arch} has changed: {shown}, it was {before}")
            rows = self.api.call("GET", f"/content/{before['id']}/versions")["items"]
            expect(len(rows) == 1, f"the custom boot image for {arch} has versions: {rows}")
            self.check_place(self.remote, before["id"], arch, before)

    def test_defaults(self):
        """They are there without being asked for; the custom ones are not."""
        self.join(self.begin())
        for arch in self.kernels:
            def only_one(arch=arch):
                rows = [row for row in self.api.call("GET", "/boot-images")["items"] if row["arch"] == arch]
                expect(len(rows) < 2, f"more than one boot image for {arch}: {rows}")
                return rows[0]["id"] if rows else ""
            self.defaults[arch] = wait(only_one, f"the default boot image for {arch}")
        for arch, package in self.defaults.items():
            self.wait_built(package, 1)
            made = self.api.call("POST", "/boot-images", {"arch": arch, "name": f"Own {arch}", "is_custom": True,
                                 "flavour": self.boot_image(package)["flavour"]})
            self.custom[arch] = self.wait_built(made["id"], 1)
        for package in (*self.defaults.values(), *(shown["id"] for shown in self.custom.values())):
            self.api.call("POST", f"/content/{package}/distribution", {"distribution_points": [self.dp]})
        for shown in self.custom.values():
            self.api.wait_state(shown["id"], self.dp, lambda row: row.get("state") == "success", "the custom boot image")
        self.check_defaults(1)
        self.check_custom()

    def test_kernel(self):
        """The packages of both kernels are upgraded while the site runs: nobody restarts or orders anything."""
        for kernel in self.kernels.values():
            kernel.upgrade()
        self.check_defaults(2)
        self.check_custom()

    def test_slipway(self):
        """Slipway is upgraded: the same programs, that call themselves by another version."""
        self.site.end()
        old, new = source_version(), next_version(source_version())
        program = self.slipwayd.read_bytes()
        expect(old.encode() + b"\0" in program, f"the program does not know that it is {old}")
        aside = self.slipwayd.with_suffix(".new")
        aside.write_bytes(program.replace(old.encode() + b"\0", new.encode() + b"\0"))
        aside.chmod(0o755)
        aside.rename(self.slipwayd)
        (self.folder / "x86/usr/lib/slipway/agent-version").write_text(new + "\n", encoding="utf-8")
        self.agents = {arch: new for arch in self.agents}
        self.site.start()
        self.check_defaults(3)
        self.check_custom()

    def test_quiet(self):
        """Nothing has changed: nothing is built, whoever is restarted."""
        for server in (self.site, self.remote):
            server.end()
            server.start()
        time.sleep(QUIET_SECONDS)
        for arch, package in self.defaults.items():
            rows = self.api.call("GET", f"/content/{package}/versions")["items"]
            expect(max(row["version"] for row in rows) == 3, f"the boot image for {arch} was built again: {rows}")
        self.check_defaults(3)
        self.check_custom()


def made(folder: Path) -> dict:
    """What boot images are built of, from Debian's packages: before the network is another one."""
    try:
        x86_root(folder / "x86")
        return {"x64": kernel_root(), "x86": folder / "x86"}
    except LabError as why:
        print(f"FAILED: what boot images are built of: {why}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="slipway-x86-", dir="/var/tmp") as parts:
        sys.exit(main(functools.partial(Test, made(Path(parts))), ("defaults", "kernel", "slipway", "quiet"), "boot-images"))
