#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrators of an LDAP directory sign in: slapd with TLS and a running site, in a network namespace; no virtual machine.

usage: directory_test.py BUILD_DIR ldap-login
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from security_test import CONFIG, FULL, PASSWORD, Cli, Failed, Site, expect, run_in_namespace, skip  # noqa: E402

ETC = Path("/etc/opt")  # in the mount namespace a folder of our own, which the role site may read
SUFFIX = "dc=example,dc=org"
SITE_DN = f"cn=slipway,{SUFFIX}"
SITE_SECRET = "of-the-site-alone"
HOST = "ldap.example.org"
PLAIN, TLS, SILENT = 3389, 3636, 3700
SITE_UID = 61701  # where there is no user slipway-site

SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {work}/slapd.pid
TLSCACertificateFile {etc}/ca.crt
TLSCertificateFile {etc}/server.crt
TLSCertificateKeyFile {etc}/server.key
sizelimit size=500 size.prtotal=unlimited
referral ldap://elsewhere.example.net
database mdb
suffix "{suffix}"
rootdn "cn=root,{suffix}"
rootpw root
directory {work}/data
index objectClass,uid,member,uniqueMember,memberUid eq
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.base="{site}" read by * none
"""


def openssl(*args: str):
    done = subprocess.run(["openssl", *args], cwd=ETC, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"openssl {' '.join(args)}: {done.stderr}")


def make_authority(name: str):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
            f"{name}.key", "-out", f"{name}.crt")  # fmt: skip


def make_certificate(authority: str, name: str, alt: str):
    (ETC / "ext").write_text(f"subjectAltName = {alt}\n", encoding="utf-8")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
            f"{name}.csr")  # fmt: skip
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2",
            "-extfile", "ext", "-out", f"{name}.crt")  # fmt: skip


def person(name: str, *more: str) -> str:
    lines = [f"dn: uid={name},ou=people,{SUFFIX}", "objectClass: inetOrgPerson", "objectClass: shadowAccount", f"uid: {name}", f"cn: {name}", "sn: x"]
    return "\n".join([*lines, f"userPassword: {PASSWORD}-{name}", *more]) + "\n"


def group(name: str, *members: str) -> str:
    return "\n".join([f"dn: {group_dn(name)}", "objectClass: groupOfNames", f"cn: {name}", *(f"member: {m}" for m in members)]) + "\n"


def group_dn(name: str) -> str:
    return f"cn={name},ou=groups,{SUFFIX}"


def user_dn(name: str) -> str:
    return f"uid={name},ou=people,{SUFFIX}"


ENTRIES = [
    f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n",
    f"dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n",
    f"dn: ou=groups,{SUFFIX}\nobjectClass: organizationalUnit\nou: groups\n",
    f"dn: {SITE_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: slipway\nuserPassword: {SITE_SECRET}\n",
    *(person(name) for name in ("ada", "bob", "carl", "eve", "fay", "gus", "administrator", "stranger")),
    person("dave", "shadowExpire: 1"),
    # the odd name stands for itself: it matches nobody else
    person("odd*", "description: a name with a star"),
    group("full", user_dn("ada"), user_dn("dave"), user_dn("eve"), user_dn("administrator"), user_dn("gus")),
    group("desk", user_dn("bob"), group_dn("circle")),
    group("circle", group_dn("desk")),
    group("all desks", group_dn("desk")),
    f"dn: cn=posix,ou=groups,{SUFFIX}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 4711\nmemberUid: carl\n",
    *(group(f"many{n}", user_dn("bob")) for n in range(600)),
]


class Slapd:
    def __init__(self, work: Path):
        self.work = work
        self.process = None
        (work / "data").mkdir(parents=True)
        conf = SLAPD.format(work=work, etc=ETC, suffix=SUFFIX, site=SITE_DN)
        (work / "slapd.conf").write_text(conf, encoding="utf-8")
        (work / "all.ldif").write_text("\n".join(ENTRIES), encoding="utf-8")
        done = subprocess.run(["slapadd", "-q", "-f", work / "slapd.conf", "-l", work / "all.ldif"], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"slapadd: {done.stderr}")

    def start(self):
        where = f"ldap://127.0.0.1:{PLAIN} ldaps://127.0.0.1:{TLS}"
        with open(self.work / "log", "ab") as log:
            command = ["slapd", "-f", str(self.work / "slapd.conf"), "-h", where, "-d", "0"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # pylint: disable=consider-using-with
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", TLS)) == 0:
                    return
            time.sleep(0.05)
        raise Failed("slapd does not start: " + (self.work / "log").read_text(encoding="utf-8"))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def change(self, ldif: str):
        command = ["ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{PLAIN}", "-D", f"cn=root,{SUFFIX}", "-w", "root"]
        done = subprocess.run(command, input=ldif, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"ldapmodify: {done.stdout}{done.stderr}")

    def leave(self, name: str, of: str):
        self.change(f"dn: {group_dn(of)}\nchangetype: modify\ndelete: member\nmember: {user_dn(name)}\n")


class Directory:
    """A site and its slapd."""

    def __init__(self, site: Site):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", ETC], check=True)
        for name in ("ca", "other"):
            make_authority(name)
        make_certificate("ca", "server", f"IP:127.0.0.1,DNS:{HOST}")
        (ETC / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n", encoding="utf-8")
        subprocess.run(["mount", "--bind", ETC / "hosts", "/etc/hosts"], check=True)
        (ETC / "secret").write_text(SITE_SECRET + "\n", encoding="utf-8")
        self.own_secret(0o600)
        self.site = site
        self.slapd = Slapd(site.work / "ldap")

    def own_secret(self, mode: int):
        try:
            uid = pwd.getpwnam("slipway-site").pw_uid
        except KeyError:
            uid = SITE_UID
        os.chown(ETC / "secret", uid, 0)
        os.chmod(ETC / "secret", mode)

    def use(self, **settings):
        """Start the site anew, with these in [directory]."""
        usual = {
            "url": f"ldaps://127.0.0.1:{TLS}",
            "ca-file": f"{ETC}/ca.crt",
            "bind-dn": SITE_DN,
            "password-file": f"{ETC}/secret",
            "user-base": f"ou=people,{SUFFIX}",
            "group-base": f"ou=groups,{SUFFIX}",
            "check-seconds": "300",
        }
        usual.update({name.replace("_", "-"): value for name, value in settings.items()})
        lines = [f"{name} = {value}" for name, value in usual.items()]
        self.site.stop()
        (self.site.work / "conf").write_text(CONFIG + "[directory]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        self.site.start()

    def sign_in(self, name: str, password=None, address="192.0.2.1"):
        """Status, answer."""
        body = {"user": name, "password": password or f"{PASSWORD}-{name}"}
        return self.site.call("POST", "/logins", body, token=None, address=address)[:2]

    def token(self, name: str) -> str:
        status, answer = self.sign_in(name)
        expect(status == 201, f"{name} does not sign in: {status} {answer}")
        return answer["token"]

    def refused(self, name: str, status: int, error: str, password=None, address="192.0.2.1"):
        found, answer = self.sign_in(name, password, address)
        expect((found, answer["error_id"]) == (status, error), f"{name!r}: {found} {answer}")
        return answer

    def new_group(self, name: str, dn: str, role: str, target: dict):
        self.site.must("POST", "/administrators", {"name": name, "kind": "directory-group", "external_name": dn})
        self.site.must("POST", f"/administrators/{name}/grants", {"role": role, **target})

    def log(self) -> str:
        return (self.site.work / "err").read_text(encoding="utf-8")


def check_signing_in(d: Directory):
    d.new_group("full-admins", "CN=Full, OU=Groups, DC=Example, DC=org", FULL, {"scope": "All"})
    d.new_group("desks", group_dn("all desks"), "Help Desk", {"scope": "Default"})
    d.new_group("posix", group_dn("posix"), "Read-only Analyst", {"scope": "All"})
    for name in ("full-admins", "desks"):
        d.refused(name, 401, "SLW-0114", "anything at all")
    cli = Cli(d.site, "ada")
    cli.run("login", cli.url, "--user", "Ada", "--password", "@-", given=f"{PASSWORD}-ada\n")
    shown = cli.json("admin", "show", "ada")
    expect((shown["kind"], shown["has_password"], shown["grants"]) == ("directory-user", False, []), f"{shown}")
    expect([g["name"] for g in shown["groups"]] == ["full-admins"], f"{shown}")
    bob, carl = d.token("bob"), d.token("carl")
    expect(d.site.call("GET", "/deployments", token=bob)[0] == 200, "bob, in a group in a group, may not read")
    expect(d.site.call("GET", "/administrators", token=bob)[0] == 403, "bob may more than his group")
    expect(d.site.call("GET", "/administrators", token=carl)[0] == 200, "carl, in a group of names, may not read")
    expect(d.site.call("POST", "/collections", {"name": "x"}, token=carl)[0] == 403, "carl may write")
    log = d.site.must("GET", "/audit-log?limit=1000")["items"]
    expect(any((r["action"], r["who"], r["detail"]) == ("login", "ada", "by the directory") for r in log), "the sign-in is not in the log")
    expect(any(r["who"] == "ada" and r["action"] == "administrator.create" for r in log), "ada was not made")
    return bob, carl


def check_refusals(d: Directory):
    wrong = d.refused("ada", 401, "SLW-0114", "not the password")
    for name in ("nobody", "stranger", "dave", "*", "a*", "ada)(uid=*", "*)(|(uid=*", "ada)(|(objectClass=*)", "\\61da", "ada\\00", " ada", "odd*", "uid=ada"):
        answer = d.refused(name, 401, "SLW-0114", f"{PASSWORD}-{name if name in ('stranger', 'dave', 'odd*') else 'ada'}", f"198.51.100.{len(name)}")
        expect(answer == wrong, f"{name!r} is answered otherwise than a wrong password: {answer}")
    names = {a["name"] for a in d.site.must("GET", "/administrators")["items"]}
    expect(not names & {"stranger", "dave", "nobody"}, f"somebody was made: {names}")
    why = {r["who"]: r["detail"] for r in d.site.must("GET", "/audit-log?limit=1000")["items"] if r["action"] == "login.failed"}
    expect("expired" in why["dave"] and "no group" in why["stranger"] and "no such account" in why["nobody"], f"{why}")
    # of the site itself: its password counts, and not the one that the directory has for the same name
    d.site.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    d.refused("administrator", 401, "SLW-0114", f"{PASSWORD}-administrator")
    expect(d.sign_in("administrator", PASSWORD)[0] == 201, "a local administrator does not sign in")
    status, answer, _ = d.site.call("POST", "/administrators/ada/password", {"password": PASSWORD})
    expect((status, answer["error_id"]) == (409, "SLW-0195"), f"a password for ada: {status} {answer}")
    for n in range(4):
        d.refused("eve", 401, "SLW-0114", "not the password", f"192.0.2.{n + 30}")
    d.refused("EVE", 401, "SLW-0114", "not the password", "192.0.2.40")
    d.refused("eve", 429, "SLW-0113", None, "192.0.2.41")


def wait_until(is_so, what: str):
    deadline = time.monotonic() + 8
    while not is_so():
        expect(time.monotonic() < deadline, what)
        time.sleep(0.1)


def check_rights_go(d: Directory, bob: str, carl: str):
    """What a group is granted goes with the next request; that somebody left it, within check-seconds."""
    d.site.must("DELETE", "/administrators/posix/grants/SLP0002R/SLP00ALL")
    expect(d.site.call("GET", "/devices", token=carl)[0] == 403, "a revoked grant of a group is still good")
    d.site.must("PATCH", "/administrators/desks", {"is_disabled": True})
    expect(d.site.call("GET", "/deployments", token=bob)[0] == 403, "a disabled group still gives something")
    d.site.must("PATCH", "/administrators/desks", {"is_disabled": False})
    expect(d.site.call("GET", "/deployments", token=bob)[0] == 200, "an enabled group gives nothing")
    ada, gus = d.token("ada"), d.token("gus")
    d.use(check_seconds="1")
    d.slapd.leave("bob", "desk")
    wait_until(lambda: d.site.call("GET", "/deployments", token=bob)[0] == 401, "bob left his group, and may as before")
    d.refused("bob", 401, "SLW-0114")
    d.slapd.change(f"dn: {user_dn('gus')}\nchangetype: modify\nreplace: shadowExpire\nshadowExpire: 1\n")
    wait_until(lambda: d.site.call("GET", "/devices", token=gus)[0] == 401, "gus has expired, and may as before")
    expect(d.site.call("GET", "/devices", token=ada)[0] == 200, "ada may nothing any more")
    d.slapd.change(f"dn: {user_dn('ada')}\nchangetype: delete\n")
    wait_until(lambda: d.site.call("GET", "/devices", token=ada)[0] == 401, "ada is gone, and may as before")
    d.slapd.change(f"changetype: add\n{person('ada')}".replace(f"changetype: add\ndn: {user_dn('ada')}", f"dn: {user_dn('ada')}\nchangetype: add"))
    d.slapd.change(f"dn: {group_dn('full')}\nchangetype: modify\nreplace: member\nmember: {user_dn('ada')}\nmember: {user_dn('fay')}\n")
    d.refused("ada", 401, "SLW-0114")
    d.site.must("DELETE", "/administrators/ada")
    d.token("ada")


def check_group_elsewhere(d: Directory):
    """What a server says of one group, as that another one has it, is nothing about the others, nor about who signs in."""
    d.new_group("abroad", "cn=admins,dc=elsewhere,dc=net", FULL, {"scope": "All"})
    d.use(kind="active-directory", user_attribute="uid")
    for _ in range(2):
        d.refused("fay", 401, "SLW-0114")
    told = [line for line in d.log().splitlines() if "cannot be looked at" in line]
    expect(len(told) == 1 and "dc=elsewhere" in told[0].lower(), f"of a group that is elsewhere the log says {told}")
    d.site.must("DELETE", "/administrators/abroad")
    d.use()


class Silent:
    """A server that takes connections, and says what it is told to; it keeps what it hears."""

    def __init__(self, answer: bytes):
        self.answer, self.heard, self.ended = answer, b"", False
        self.listener = socket.create_server(("127.0.0.1", SILENT))
        self.listener.settimeout(0.1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peers = []
        while not self.ended:
            try:
                peers.append(self.listener.accept()[0])
                peers[-1].settimeout(0.1)
            except TimeoutError:
                pass
            for peer in peers:
                try:
                    piece = peer.recv(65536)
                    self.heard += piece
                    if piece and self.answer:
                        peer.sendall(self.answer)
                except OSError:
                    pass
        for peer in peers:
            peer.close()
        self.listener.close()

    def end(self):
        self.ended = True
        self.thread.join()


# LDAP: the extended operation 1 is refused, "unwilling to perform"
NO_STARTTLS = bytes.fromhex("300c02010178070a013504000400")


def check_bad_servers(d: Directory):
    d.use(ca_file=f"{ETC}/other.crt")
    d.refused("fay", 503, "SLW-0194")
    expect("not reached over TLS" in d.log(), "the log does not say why")
    expect(d.sign_in("administrator", PASSWORD)[0] == 201, "a local administrator does not sign in")
    make_certificate("ca", "server", "DNS:elsewhere.example.org")
    d.slapd.stop()
    d.slapd.start()
    d.use()
    d.refused("fay", 503, "SLW-0194")
    make_certificate("ca", "server", f"IP:127.0.0.1,DNS:{HOST}")
    d.slapd.stop()
    d.own_secret(0o644)
    d.use(url=f"ldap://127.0.0.1:{SILENT} ldap://{HOST}:{PLAIN}")
    d.refused("fay", 503, "SLW-0194")
    expect("its mode must be 0600 or 0640" in d.log(), "the log does not say why")
    d.own_secret(0o600)
    d.slapd.start()
    refusing = Silent(NO_STARTTLS)
    d.use(url=f"ldap://127.0.0.1:{SILENT}")
    d.refused("fay", 503, "SLW-0194")
    refusing.end()
    expect(refusing.heard and b"uid" not in refusing.heard and SITE_SECRET.encode() not in refusing.heard, f"without TLS it said {refusing.heard}")
    d.use(url=f"ldap://127.0.0.1:{SILENT} ldap://{HOST}:{PLAIN}")
    d.token("fay")


def check_slow_server(d: Directory):
    silent = Silent(b"")
    d.use(url=f"ldaps://127.0.0.1:{SILENT}")
    answers, threads = [], []
    for name in ("fay", "gus", "stranger"):
        other = Directory.__new__(Directory)
        other.site = Site.__new__(Site)
        other.site.work, other.site.token, other.site.connection = d.site.work, None, None
        threads.append(threading.Thread(target=lambda d=other, name=name: answers.append(d.sign_in(name, None, "192.0.2.60"))))
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    while not silent.heard:
        time.sleep(0.05)
    expect(d.sign_in("administrator", PASSWORD)[0] == 201, "a local administrator does not sign in")
    d.site.must("GET", "/devices")
    took = time.monotonic() - begin
    for thread in threads:
        thread.join()
    took_all = time.monotonic() - begin
    expect([(status, answer["error_id"]) for status, answer in answers] == [(503, "SLW-0194")] * 3, f"{answers}")
    expect(took < 3 and took_all < 9, f"others waited {took:.1f} s, three answers took {took_all:.1f} s")
    d.refused("fay", 503, "SLW-0194")
    expect(time.monotonic() - begin - took_all < 1, "it was asked again at once")
    silent.end()


def check_down_and_up(d: Directory):
    d.use()
    fay = d.token("fay")
    d.slapd.stop()
    d.refused("fay", 503, "SLW-0194")
    expect(d.site.call("GET", "/devices", token=fay)[0] == 200, "what it said before is not good any more")
    d.slapd.start()
    wait_until(lambda: d.sign_in("fay")[0] == 201, "it is not asked again")
    everything = d.log() + (d.site.work / "out").read_text(encoding="utf-8") + str(d.site.must("GET", "/audit-log?limit=1000"))
    expect(SITE_SECRET not in everything and f"{PASSWORD}-" not in everything, "a password is in a log")


def ldap_login(site: Site):
    d = Directory(site)
    try:
        d.slapd.start()
        d.use()
        bob, carl = check_signing_in(d)
        check_refusals(d)
        check_group_elsewhere(d)
        check_rights_go(d, bob, carl)
        check_bad_servers(d)
        check_slow_server(d)
        check_down_and_up(d)
    finally:
        d.slapd.stop()


def main() -> int:
    for tool in ("slapd", "slapadd", "ldapmodify", "openssl"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    return run_in_namespace(ldap_login)


if __name__ == "__main__":
    sys.exit(main())
