#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrators of an Active Directory sign in: Samba's domain controller in a namespace, and a running site in another one.

usage: ad_login.py BUILD_DIR ad-login
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from directory_test import ETC, Directory, make_authority, make_certificate, wait_until  # noqa: E402
from security_test import FULL, PASSWORD, Cli, Failed, Site, expect, run_in_namespace, skip  # noqa: E402
from ts_join import CLIENT, CONTROLLER, DATABASE, DOMAIN, START_SECONDS, UNIT, Controller  # noqa: E402

HOST = f"dc1.{DOMAIN}"
BASE = "DC=lab,DC=example,DC=org"
SECRET = "Of-the-s1te-alone"

# On the controller, past the network: what somebody does with the tools of a domain, at once.
WORK = """
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
import ldb
lp = LoadParm()
lp.load_default()
db = SamDB(url={database!r}, session_info=system_session(), lp=lp)
def change(name, attribute, value):
    dn = db.search({base!r}, expression="(sAMAccountName=%s)" % name, attrs=["dn"])[0].dn
    message = ldb.Message(dn)
    message[attribute] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attribute)
    db.modify(message)
def members(group, names, is_to_be=True):
    db.add_remove_group_members(group, names, add_members_operation=is_to_be)
{work}
"""
PEOPLE = ("ada", "bea", "bob", "dora", "eve", "gus", "max")
MAKE = f"""
db.newuser("slipway", {SECRET!r})
for name in {PEOPLE!r}:
    db.newuser(name, {PASSWORD!r} + "-A1-" + name, force_password_change_at_next_login_req=name == "max")
for group in ("Deployers", "Site Team", "Night Shift"):
    db.newgroup(group, groupou="OU=Labs")
members("Deployers", ["Site Team"])
members("Site Team", ["Night Shift", "dora", "eve", "max"])
members("Night Shift", ["ada", "bea", "gus"])
change("dora", "userAccountControl", "514")
change("eve", "accountExpires", "133000000000000000")
"""


class Domain(Directory):
    """A site and the controller of a domain; what they are called by Directory is the same."""

    def __init__(self, site: Site, controller: Controller):  # pylint: disable=super-init-not-called
        self.site, self.controller = site, controller
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", ETC], check=True)
        (ETC / "hosts").write_text(f"127.0.0.1 localhost\n{CONTROLLER} {HOST}\n", encoding="utf-8")
        subprocess.run(["mount", "--bind", ETC / "hosts", "/etc/hosts"], check=True)
        make_authority("ca")
        make_certificate("ca", "server", f"DNS:{HOST}")
        (ETC / "secret").write_text(SECRET, encoding="utf-8")
        self.own_secret(0o600)
        tls = controller.base / "upper/srv/tls"
        tls.mkdir()
        for name in ("ca.crt", "server.crt", "server.key"):
            shutil.copy(ETC / name, tls / name)
        (tls / "server.key").chmod(0o600)

    def work(self, text: str):
        script = self.controller.base / "upper/srv/work.py"
        script.write_text(WORK.format(database=DATABASE, base=BASE, work=text), encoding="utf-8")
        self.controller.inside("/usr/bin/python3 /srv/work.py >&2")

    def start(self):
        self.controller.provision()
        tls = "tls cafile = /srv/tls/ca.crt\\n tls certfile = /srv/tls/server.crt\\n tls keyfile = /srv/tls/server.key"
        self.controller.inside(f"sed -i 's|^\\[global\\]|[global]\\n {tls}|' /etc/samba/smb.conf")
        self.work(MAKE)
        self.controller.start()
        end = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((CONTROLLER, 636)) == 0:
                    return
            if time.monotonic() > end:
                raise Failed("the controller does not start: " + (self.controller.base / "samba.log").read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def use_it(self, **settings):
        usual = {
            "url": f"ldaps://{HOST}",
            "kind": "active-directory",
            "bind_dn": f"CN=slipway,CN=Users,{BASE}",
            "user_base": BASE,
            "group_base": BASE,
        }
        self.use(**{**usual, **settings})

    def sign_in(self, name: str, password=None, address="192.0.2.1"):
        return super().sign_in(name, password or f"{PASSWORD}-A1-{name.lower()}", address)


def check_signing_in(d: Domain):
    d.new_group("deployers", f"cn=deployers,{UNIT}", FULL, {"scope": "All"})
    d.new_group("abroad", "CN=Admins,DC=elsewhere,DC=example,DC=net", FULL, {"scope": "All"})
    d.new_group("everybody", f"CN=Domain Users,CN=Users,{BASE}", "Read-only Analyst", {"scope": "All"})
    cli = Cli(d.site, "ada")
    cli.run("login", cli.url, "--user", "ADA", "--password", "@-", given=f"{PASSWORD}-A1-ada\n")
    shown = cli.json("admin", "show", "ada")
    expect([g["name"] for g in shown["groups"]] == ["deployers", "everybody"], f"groups in groups, and the primary one: {shown}")
    ada, bob, gus = (d.token(name) for name in ("ada", "bob", "gus"))
    expect(d.site.call("GET", "/administrators", token=bob)[0] == 200, "bob, by his primary group, may not read")
    expect(d.site.call("POST", "/collections", {"name": "x"}, token=bob)[0] == 403, "bob may more than his group")
    d.site.must("POST", "/collections", {"name": "made by a member of a member"}, token=ada)
    return ada, bob, gus


def check_refusals(d: Domain):
    wrong = d.refused("ada", 401, "SLW-0114", "not the password")
    for name in ("dora", "eve", "max", "nobody", "dc1$", "LAB\\ada", f"ada@{DOMAIN}", "ad*"):
        expect(d.refused(name, 401, "SLW-0114", f"{PASSWORD}-A1-{name}", f"198.51.100.{len(name)}") == wrong, f"{name} is answered otherwise")
    why = {r["who"]: r["detail"] for r in d.site.must("GET", "/audit-log?limit=1000")["items"] if r["action"] == "login.failed"}
    expect("userAccountControl" in why["dora"] and "accountExpires" in why["eve"], f"{why}")
    expect("refused" in why["max"] and "no such account" in why["nobody"], f"{why}")


HIDE = """
from samba.sd_utils import SDUtils
sid = db.search(%r, expression="(sAMAccountName=slipway)", attrs=["objectSid"])[0]["objectSid"][0]
import samba.ndr, samba.dcerpc.security
sid = samba.ndr.ndr_unpack(samba.dcerpc.security.dom_sid, sid)
dn = db.search(%r, expression="(sAMAccountName=bea)", attrs=["dn"])[0].dn
SDUtils(db).dacl_add_ace(dn, "(OD;;RP;b7c69e6d-2cc7-11d2-854e-00a0c983f608;;%%s)" %% sid)
""" % (BASE, BASE)


def check_hidden_groups(d: Domain):
    """Where the site's account may not read tokenGroups it asks about each group, which leaves out the primary one."""
    d.work(HIDE)
    d.token("bea")
    groups = d.site.must("GET", "/administrators/bea")["groups"]
    expect([g["name"] for g in groups] == ["deployers"], f"without tokenGroups: {groups}")


def check_rights_go(d: Domain, ada: str, bob: str, gus: str):
    d.use_it(check_seconds="1", url=f"ldap://{HOST}")
    d.work('members("Site Team", ["Night Shift"], False)\nchange("gus", "userAccountControl", "514")')
    wait_until(lambda: d.site.call("POST", "/collections", {"name": "y"}, token=ada)[0] == 403, "a group left another, and its members may as before")
    wait_until(lambda: d.site.call("GET", "/devices", token=gus)[0] == 401, "gus is disabled, and may as before")
    expect(d.site.call("GET", "/devices", token=bob)[0] == 200, "bob may nothing any more")
    d.token("bob")
    log = d.log() + (d.site.work / "out").read_text(encoding="utf-8") + str(d.site.must("GET", "/audit-log?limit=1000"))
    expect(SECRET not in log and f"{PASSWORD}-A1" not in log, "a password is in a log")


def ad_login(site: Site):
    name = f"slwa{os.getpid()}-dc"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", name], check=True)
    for prefix, address in (([], CLIENT), (["-n", name], CONTROLLER)):
        subprocess.run(["ip", *prefix, "address", "add", f"{address}/24", "dev", "lan"], check=True)
        for link in ("lo", "lan"):
            subprocess.run(["ip", *prefix, "link", "set", link, "up"], check=True)
    try:
        with Controller(Path("/bin/true"), ["ip", "netns", "exec", name]) as controller:
            d = Domain(site, controller)
            d.start()
            try:
                d.use_it()
                tokens = check_signing_in(d)
                check_refusals(d)
                check_hidden_groups(d)
                check_rights_go(d, *tokens)
            finally:
                controller.stop()
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


def main() -> int:
    for tool in ("samba", "samba-tool", "ip", "openssl"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    return run_in_namespace(ad_login)


if __name__ == "__main__":
    sys.exit(main())
