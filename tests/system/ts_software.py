#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Software Updates with apt, dnf and zypper: the real ones, and a repository on this machine; also after the power went
while dpkg was at work.

usage: ts_software.py RUN_STEPS

RUN_STEPS is the program of tests/run_steps.c. Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import hashlib
import os
import shutil
import sys
import time
from email.utils import formatdate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from agent_steps import System, TestError, ended, expect, run, step  # noqa: E402

PROGRAMS = ("apt-get", "dpkg-deb", "dnf", "zypper", "rpmbuild", "createrepo_c", "modifyrepo_c", "rpm", "unshare")
REPOSITORY = "srv/repository"
SOURCE = "[lab]\nname=Lab\nbaseurl=file:///srv/repository\nenabled=1\ngpgcheck=0\n"
# what makes one of them this system's (see package_manager_kind()), and where such a system has its list of packages
LIST = "mkdir -p /etc/rpm /var/lib/rpm; echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros"
SYSTEMS = {
    "dnf": f"{LIST}; rm -rf /var/lib/dpkg/status /etc/zypp; mkdir -p /etc/yum.repos.d; printf '{SOURCE}' > /etc/yum.repos.d/lab.repo",
    "zypper": f"{LIST}; rm -f /var/lib/dpkg/status; mkdir -p /etc/zypp/repos.d; printf '{SOURCE}' > /etc/zypp/repos.d/lab.repo",
}


def spec(name: str, version: str) -> str:
    return (
        f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: of the lab\nLicense: none\nBuildArch: noarch\n%description\nOf the lab.\n"
        f"%install\nmkdir -p %{{buildroot}}/opt\necho {version} > %{{buildroot}}/opt/{name}\n%files\n/opt/{name}\n"
    )


def make_rpm(folder: Path, name: str, version: str) -> Path:
    path = folder / f"{name}.spec"
    path.write_text(spec(name, version), encoding="utf-8")
    run("rpmbuild", "-bb", "--define", f"_topdir {folder}/build", path)
    return folder / f"build/RPMS/noarch/{name}-{version}-1.noarch.rpm"


def notice(kind: str, name: str, version: str, severity: str) -> str:
    """An update of a repository, as distributions publish it."""
    file = f"{name}-{version}-1.noarch.rpm"
    return (
        f'<update from="lab@example.org" status="stable" type="{kind}" version="1"><id>LAB-{name}</id><title>{name}</title>'
        f'<issued date="2026-11-01 00:00:00"/><severity>{severity}</severity><description>x</description><pkglist><collection short="lab"><name>lab</name>'
        f'<package name="{name}" version="{version}" release="1" epoch="0" arch="noarch" src="{file}"><filename>{file}</filename></package>'
        f"</collection></pkglist></update>"
    )


def make_repository(system: System, folder: Path):
    """Two packages in two versions: the new one of `weak` mends a weakness, that of `plain` does not."""
    at = system.base / "upper" / REPOSITORY
    at.mkdir(parents=True)
    old = system.base / "upper/srv/old"
    old.mkdir()
    for name in ("weak", "plain"):
        shutil.move(make_rpm(folder, name, "1.0"), old)
        shutil.move(make_rpm(folder, name, "2.0"), at)
    notices = "<updates>" + notice("security", "weak", "2.0", "Important") + notice("recommended", "plain", "2.0", "None") + "</updates>"
    (folder / "updateinfo.xml").write_text(notices, encoding="utf-8")
    run("createrepo_c", "--quiet", at)
    run("modifyrepo_c", folder / "updateinfo.xml", at / "repodata")


def update(name: str, target: str) -> str:
    return step("InstallUpdate", name, SMSInstallUpdateTarget=target)


def versions(system: System) -> str:
    return " ".join(system.inside("cat /opt/weak /opt/plain").split())


# The computer "goes down" while dpkg runs this, the first time: dpkg is gone at once, and has tidied nothing up.
POSTINST = '#!/bin/sh\nset -e\nif [ "$1" = configure ] && ! [ -e /srv/went-down ]; then touch /srv/went-down; kill -9 $PPID; sleep 60; fi\n'


def make_deb(folder: Path, version: str) -> Path:
    tree = folder / f"breaks-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "opt").mkdir()
    (tree / "opt/breaks").write_text(version + "\n", encoding="utf-8")
    control = f"Package: breaks\nVersion: {version}\nArchitecture: all\nMaintainer: lab <lab@example.org>\nDescription: of the lab\n"
    (tree / "DEBIAN/control").write_text(control, encoding="utf-8")
    if version != "1.0":
        (tree / "DEBIAN/postinst").write_text(POSTINST, encoding="utf-8")
        (tree / "DEBIAN/postinst").chmod(0o755)
    path = folder / f"breaks_{version}_all.deb"
    run("dpkg-deb", "--root-owner-group", "--build", tree, path)
    return path


def make_deb_repository(system: System, folder: Path):
    """One package in two versions; the system has the old one, and knows no other repository."""
    at = system.base / "upper" / REPOSITORY
    at.mkdir(parents=True)
    new = Path(shutil.copy(make_deb(folder, "2.0"), at))
    content = new.read_bytes()
    entry = run("dpkg-deb", "--field", new) + f"Filename: ./{new.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n\n"
    (at / "Packages").write_text(entry, encoding="utf-8")
    index = hashlib.sha256(entry.encode()).hexdigest()
    (at / "Release").write_text(f"Suite: lab\nDate: {formatdate(usegmt=True)}\nSHA256:\n {index} {len(entry)} Packages\n", encoding="utf-8")
    shutil.copy(make_deb(folder, "1.0"), system.base / "upper/srv/old.deb")
    source = f"deb [trusted=yes] file:/{REPOSITORY} ./"
    # what this machine lacks of what its packages want is no matter here
    system.inside(f"rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*; echo '{source}' >/etc/apt/sources.list; dpkg --force-all -i /srv/old.deb")


def check_apt(system: System):
    folder = system.base / "make"
    folder.mkdir()
    make_deb_repository(system, folder)
    error, code = ended(system.steps(update("all", "All")))[0]
    expect((error, code != 0), ("SLW-0447", True), "apt: the computer goes down meanwhile")
    left = system.inside("ls /var/lib/dpkg/updates; dpkg-query -W -f '${Status}' breaks")
    expect("half-configured" in left or "000" in left, True, f"apt: that dpkg has not ended: {left!r}")
    expect("dpkg was interrupted" in system.inside("apt-get -y install breaks 2>&1 || true"), True, "apt: that it refuses everything then")
    expect(ended(system.steps(update("all", "All"))), [(None, 0)], "apt: all updates, after the start")
    expect(system.inside("cat /opt/breaks; dpkg-query -W -f '${Status}' breaks").split(), ["2.0", "install", "ok", "installed"], "apt: the package")
    expect("that is ended first" in system.log, True, "apt: that dpkg was told to end")
    expect(ended(system.steps(update("again", "All"))), [(None, 0)], "apt: nothing to do")


def try_updates(manager: str, runner: Path):
    with System(runner) as system:
        try:
            if manager == "apt":
                check_apt(system)
            else:
                check_updates(manager, system)
        except TestError:
            print(system.log)
            raise


def check_updates(manager: str, system: System):
    folder = system.base / "make"
    folder.mkdir()
    make_repository(system, folder)
    system.inside(f"{SYSTEMS[manager]}; rpm --nodeps -i /srv/old/*.rpm")
    expect(versions(system), "1.0 1.0", f"{manager}: before")
    expect(ended(system.steps(update("security", "Mandatory"))), [(None, 0)], f"{manager}: security updates")
    expect(f"updates with {manager}" in system.log, True, f"{manager}: that it was asked")
    expect(versions(system), "2.0 1.0", f"{manager}: after security updates")
    expect(ended(system.steps(update("all", "All"))), [(None, 0)], f"{manager}: all updates")
    expect(versions(system), "2.0 2.0", f"{manager}: after all updates")
    expect(ended(system.steps(update("again", "All"))), [(None, 0)], f"{manager}: nothing to do")
    system.inside("mv /srv/repository /srv/away")
    error, code = ended(system.steps(update("without a repository", "All")))[0]
    expect((error, code != 0), ("SLW-0447", True), f"{manager}: a repository that is not there")


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    lacks = [name for name in PROGRAMS if not shutil.which(name)]
    if lacks or os.geteuid() != 0:
        print(f"needs root and {', '.join(lacks) or 'nothing else'}")
        return 1 if os.environ.get("CI") else 77
    for manager in ("apt", *SYSTEMS):
        started = time.monotonic()
        try:
            try_updates(manager, Path(sys.argv[1]))
        except TestError as error:
            print(f"{manager} FAILED: {error}")
            return 1
        print(f"{manager}: ok, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
