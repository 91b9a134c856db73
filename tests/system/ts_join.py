#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Join Domain or Workgroup, and Setup after Apply Network Settings: computers join a domain whose controller is Samba's, in namespaces: one
with adcli, and one with realmd.

usage: ts_join.py RUN_STEPS

RUN_STEPS is the program of tests/run_steps.c. Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from agent_steps import System, TestError, ended, expect, run, step  # noqa: E402

PROGRAMS = ("samba", "samba-tool", "adcli", "realm", "dbus-daemon", "ldbsearch", "ip", "unshare")
DOMAIN = "lab.example.org"
UNIT = "OU=Labs,DC=lab,DC=example,DC=org"
CONTROLLER = "10.88.0.1"
CLIENT = "10.88.0.2"
ADMIN_PASSWORD = "Adm1n-of-the-lab"
JOIN_PASSWORD = "J0in-the-lab,now"
LOGON = 0x8007052E - (1 << 32)
START_SECONDS = 60
DATABASE = "/var/lib/samba/private/sam.ldb"


class Network:
    """Two computers and a cable between them."""

    def __init__(self):
        tag = f"slwj{os.getpid()}"
        self.names = (f"{tag}-dc", f"{tag}-pc")

    def __enter__(self):
        for name in self.names:
            run("ip", "netns", "add", name)
        controller, client = self.names
        run("ip", "-n", controller, "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", client)
        for name, address in ((controller, CONTROLLER), (client, CLIENT)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "lan")
            for link in ("lo", "lan"):
                run("ip", "-n", name, "link", "set", link, "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def prefix(self, i: int) -> list:
        return ["ip", "netns", "exec", self.names[i]]


class Controller(System):
    """A domain with an account that may join computers, and an organizational unit for them."""

    def provision(self):
        self.inside(
            "echo dc1 > /proc/sys/kernel/hostname; rm -f /etc/samba/smb.conf /etc/krb5.conf; rm -rf /var/lib/samba/* ; mkdir -p /var/lib/samba/private;"
            f" printf '127.0.0.1 localhost\\n{CONTROLLER} dc1.{DOMAIN} dc1\\n' > /etc/hosts; echo nameserver {CONTROLLER} > /etc/resolv.conf;"
            f" samba-tool domain provision --realm={DOMAIN.upper()} --domain=LAB --server-role=dc --dns-backend=SAMBA_INTERNAL"
            f" --host-ip={CONTROLLER} --host-name=dc1 --adminpass='{ADMIN_PASSWORD}' >&2; sed -i '/dns forwarder/d' /etc/samba/smb.conf;"
            f" samba-tool ou create '{UNIT}' -H {DATABASE} >&2; samba-tool user create joiner '{JOIN_PASSWORD}' -H {DATABASE} >&2;"
            f" samba-tool group addmembers 'Domain Admins' joiner -H {DATABASE} >&2"
        )

    def start(self):
        script = self.enter("exec samba --foreground --no-process-group --model=single --debug-stdout -d 1")
        with (self.base / "samba.log").open("wb") as log:
            self.process = subprocess.Popen(script, stdout=log, stderr=log)  # pylint: disable=consider-using-with

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def computers(self) -> str:
        return self.inside(f"ldbsearch -H {DATABASE} '(objectClass=computer)' dn")


def join(name: str, **values) -> str:
    usual = {"OSDJoinType": "0", "OSDJoinDomainName": DOMAIN, "OSDJoinSkipReboot": "true", "OSDJoinAccount": "LAB\\joiner"}
    return step("JoinDomainWorkgroup", name, **{**usual, **values})


def wait_for_controller(client: System):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.inside(f"adcli info {DOMAIN} >&2")
            return
        except TestError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def check_joining(controller: Controller, client: System):
    client.inside(
        f"printf 'nameserver {CONTROLLER}\\n' > /etc/resolv.conf; rm -f /usr/sbin/realm /usr/bin/realm /etc/krb5.keytab /etc/krb5.conf;"
        " printf '127.0.0.1 localhost\\n' > /etc/hosts"
    )
    wait_for_controller(client)
    wrong, unit, right = client.steps(
        join("a wrong password", OSDJoinPassword="wrong"),
        join("a unit that is not there", OSDJoinPassword=JOIN_PASSWORD, OSDJoinDomainOUName="LDAP://OU=None,DC=lab,DC=example,DC=org"),
        join("right", OSDJoinPassword=JOIN_PASSWORD, OSDJoinDomainOUName=f"LDAP://{UNIT}"),
        before="echo lab-pc > /proc/sys/kernel/hostname",
    )
    expect(ended([wrong]), [("SLW-0449", LOGON)], "a wrong password")
    expect([error for error, _ in ended([unit])], ["SLW-0449"], "a unit that is not there")
    expect(ended([right]), [(None, 0)], "joining")
    expect(right["then"], 0, "a restart that was left out")
    expect(f"dn: CN=LAB-PC,{UNIT}".lower() in controller.computers().lower(), True, f"the computer in its unit, of {controller.computers()}")
    client.inside(f"echo lab-pc > /proc/sys/kernel/hostname; adcli testjoin -D {DOMAIN} >&2; test -s /etc/krb5.keytab")
    expect([secret for secret in (JOIN_PASSWORD, "wrong ") if secret in client.log], [], "secrets in the log")
    again = client.steps(join("again", OSDJoinPassword=JOIN_PASSWORD, OSDJoinSkipReboot="false"), before="echo lab-pc > /proc/sys/kernel/hostname")
    expect((ended(again), again[0]["then"]), ([(None, 0)], 1), "joining once more, with a restart into the system")


# realmd sits on the system bus and asks polkit; people's sign-in by sssd is then a matter of services, which nothing runs here.
REALMD = """[service]
automatic-install = no
[sssd-packages]
sssd = /bin/true
sssd-tools = /bin/true
libnss-sss = /bin/true
libpam-sss = /bin/true
[commands]
sssd-enable-service =
sssd-restart-service =
sssd-caches-flush =
"""
BUS = (
    "mkdir -p /run/dbus /etc/sssd; dbus-daemon --system --nofork & bus=$!; until test -S /run/dbus/system_bus_socket; do sleep 0.1; done;"
    " /usr/lib/polkit-1/polkitd --no-debug & trap \"kill $! $bus\" EXIT; echo realm-pc > /proc/sys/kernel/hostname"
)


def check_joining_by_realmd(controller: Controller, client: System):
    client.inside(
        f"printf 'nameserver {CONTROLLER}\n' > /etc/resolv.conf; rm -f /etc/krb5.keytab /etc/krb5.conf;"
        f" printf '127.0.0.1 localhost\n' > /etc/hosts; printf '{REALMD}' > /etc/realmd.conf"
    )
    wrong, right = client.steps(
        join("a wrong password", OSDJoinPassword="wrong"),
        join("right", OSDJoinPassword=JOIN_PASSWORD, OSDJoinDomainOUName=f"LDAP://{UNIT}"),
        before=BUS,
    )
    expect([error for error, _ in ended([wrong])], ["SLW-0449"], "realmd: a wrong password")
    expect(ended([right]), [(None, 0)], "realmd: joining")
    expect(f"dn: CN=REALM-PC,{UNIT}".lower() in controller.computers().lower(), True, "realmd: the computer in its unit")
    client.inside(f"echo realm-pc > /proc/sys/kernel/hostname; adcli testjoin -D {DOMAIN} >&2; grep -q '^ad_domain = {DOMAIN}' /etc/sssd/sssd.conf")
    expect([secret for secret in (JOIN_PASSWORD, "wrong ") if secret in client.log], [], "realmd: secrets in the log")


# An image that can be set up: what manages its network, and the agent with its service
VOLUME = (
    "mkdir -p /run/slipway/target/etc /run/slipway/target/usr/sbin /usr/lib/slipway /etc/systemd/system/multi-user.target.wants;"
    " touch /run/slipway/target/usr/sbin/NetworkManager /usr/lib/slipway/slipway-agent;"
    " touch /etc/systemd/system/multi-user.target.wants/slipway-agent.service; rm -f /etc/krb5.keytab"
)


def check_setup(controller: Controller, client: System):
    """The domain of Apply Network Settings, joined by Setup in the installed system; captured there, it is joined again."""
    named = f"echo lab-set > /proc/sys/kernel/hostname; {VOLUME}"
    settings = {"OSDNetworkJoinType": "0", "OSDDomainName": DOMAIN, "OSDDomainOUName": f"LDAP://{UNIT}", "OSDJoinAccount": "LAB\\joiner"}
    incomplete = client.steps(step("ApplyNetworkSettings", "no password", **settings), before=named)
    expect([error for error, _ in ended(incomplete)], ["SLW-0435"], "a domain without a password")
    settings["OSDJoinPassword"] = JOIN_PASSWORD
    both = client.steps(step("ApplyNetworkSettings", "network", **settings), step("SetupWindowsAndSMS", "setup"), before=named)
    expect(ended(both), [(None, 0)] * 2, "Apply Network Settings and Setup")
    expect(f"dn: CN=LAB-SET,{UNIT}".lower() in controller.computers().lower(), True, f"the computer in its unit, of {controller.computers()}")
    client.inside(f"echo lab-set > /proc/sys/kernel/hostname; adcli testjoin -D {DOMAIN} >&2")
    client.inside("cp /etc/krb5.keytab /srv/keytab")
    captured = client.steps(
        step("CaptureNetworkSettings", "capture", OSDMigrateAdapterSettings="false"),
        step("ApplyNetworkSettings", "network", OSDJoinAccount="joiner", OSDJoinPassword=JOIN_PASSWORD, OSDNetworkJoinType="1", OSDWorkgroupName="LABS"),
        step("SetupWindowsAndSMS", "setup"),
        before=f"{named}; rm -f /etc/sssd/sssd.conf /etc/samba/smb.conf; cp /srv/keytab /etc/krb5.keytab",
    )
    expect(ended(captured), [(None, 0)] * 3, "a domain that was captured")
    expect(f"Setup will join the domain {DOMAIN}" in client.log, True, "the domain that was captured")
    expect(client.log.count(f"This computer is in the domain {DOMAIN}"), 2, "joins by Setup")
    expect([secret for secret in (JOIN_PASSWORD,) if secret in client.log], [], "secrets in the log")


def ts_join(runner: Path):
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())
        controller = stack.enter_context(Controller(runner, network.prefix(0)))
        client, other = (stack.enter_context(System(runner, network.prefix(1))) for _ in range(2))
        controller.provision()
        controller.start()
        try:
            check_joining(controller, client)
            check_joining_by_realmd(controller, other)
            check_setup(controller, client)
        except TestError:
            print((client.log + other.log)[-6000:])
            print((controller.base / "samba.log").read_text(encoding="utf-8", errors="replace")[-3000:])
            raise
        finally:
            controller.stop()


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    lacks = [name for name in PROGRAMS if not shutil.which(name)]
    if lacks or os.geteuid() != 0:
        print(f"needs root and {', '.join(lacks) or 'nothing else'}")
        return 1 if os.environ.get("CI") else 77
    started = time.monotonic()
    try:
        ts_join(Path(sys.argv[1]))
    except TestError as error:
        print(f"FAILED: {error}")
        return 1
    print(f"ok, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
