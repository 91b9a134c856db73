#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrators sign in at an OpenID provider: oidc-provider of npm, and one that forges, in a network namespace; no virtual machine.

usage: oidc_test.py BUILD_DIR oidc-login
"""

import base64
import hashlib
import hmac
import html
import http.client
import http.cookiejar
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from api_contract import Contract  # noqa: E402
from directory_test import ETC, make_authority, make_certificate, wait_until  # noqa: E402
from security_test import CONFIG, FULL, PASSWORD, ROOT, Cli, Failed, Site, expect, run_in_namespace, skip  # noqa: E402

PORT, FORGER = 8443, 8444
ISSUER = f"https://127.0.0.1:{PORT}"
FORGING = f"https://127.0.0.1:{FORGER}/realms/a"
SECRET = "of the site: 100% & alone"
MODULES = ROOT / ".cache" / "oidc-provider" / "node_modules"
PAGE = "https://site.example.org/console/signed-in"
LOOPBACK = "http://127.0.0.1:9/"
PEOPLE = {
    "ada": {"sub": "s-ada", "groups": ["Full", "other"]},
    "bob": {"sub": "s-bob", "groups": ["Desk"]},
    "stranger": {"sub": "s-stranger", "groups": ["other"]},
    "administrator": {"sub": "s-not-ours", "groups": ["Full"]},
    "Ada Lovelace": {"sub": "s-lovelace", "groups": ["Full"]},
}
MAKE_KEY = """
const made = require('crypto').generateKeyPairSync(...JSON.parse(process.argv[1])).privateKey.export({format: 'jwk'});
console.log(JSON.stringify({...made, kid: process.argv[2], use: 'sig'}));
"""


def make_key(kid: str, kind: str) -> dict:
    options = {"modulusLength": 2048} if kind == "rsa" else {"namedCurve": "P-256"}
    done = subprocess.run(["node", "-e", MAKE_KEY, json.dumps([kind, options]), kid], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ETC / "ca.crt"))


class Provider:
    """oidc-provider, in a process of its own."""

    def __init__(self, folder: Path):
        self.folder, self.process = folder, None
        self.settings = {
            "issuer": ISSUER,
            "port": PORT,
            "key": str(ETC / "server.key"),
            "certificate": str(ETC / "server.crt"),
            "client_secret": SECRET,
            "keys": [make_key("first", "rsa")],
            "has_device_flow": True,
        }
        folder.mkdir()
        self.put_people(PEOPLE)

    def put_people(self, people: dict):
        (self.folder / "people.json").write_text(json.dumps(people), encoding="utf-8")

    def start(self):
        (self.folder / "provider.json").write_text(json.dumps(self.settings), encoding="utf-8")
        with open(self.folder / "log", "wb") as log:
            command = ["node", str(Path(__file__).resolve().parent / "oidc_provider" / "provider.mjs"), str(self.folder)]
            env = {**os.environ, "SLIPWAY_NODE_MODULES": str(MODULES)}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env)  # pylint: disable=consider-using-with
        for _ in range(600):
            if "ready" in (self.folder / "log").read_text(encoding="utf-8"):
                return
            time.sleep(0.05)
        raise Failed("the provider does not start: " + (self.folder / "log").read_text(encoding="utf-8"))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


class Browser:
    """Follows links and fills in forms, as a person with a new browser does."""

    def __init__(self):
        handlers = [NoRedirect(), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.HTTPSHandler(context=tls())]
        self.opener = urllib.request.build_opener(*handlers)
        self.opener.addheaders = [("User-Agent", "a browser")]

    def open(self, url: str, form=None):
        """Status, address of the next page or "", text."""
        try:
            answer = self.opener.open(url, urllib.parse.urlencode(form).encode() if form else None, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        place = answer.headers.get("Location")
        return answer.status, urllib.parse.urljoin(url, place) if place else "", answer.read().decode()

    def sign_in(self, url: str, name: str, user_code: str = "") -> str:
        """Until it is sent out of the provider, to the address that is returned; or there is nothing left to be filled in: the text."""
        form = None
        for _ in range(30):
            status, place, text = self.open(url, form)
            if place and not place.startswith(ISSUER):
                return place
            if place:
                url, form = place, None
                continue
            found = re.search(r"<form[^>]*action=\"([^\"]+)\"[^>]*>(.*?)</form>", text, re.S)
            if not found:
                return f"{status} {text}"
            url = urllib.parse.urljoin(url, html.unescape(found.group(1)))
            form = {}
            for tag in re.findall(r"<input[^>]*>", found.group(2)):
                words = {k: html.unescape(v) for k, v in re.findall(r"(\w+)=\"([^\"]*)\"", tag)}
                form[words["name"]] = words.get("value", "")
            for field, value in (("login", name), ("password", "any"), ("user_code", user_code)):
                if field in form and not form[field]:
                    form[field] = value
        raise Failed(f"no end of forms at {url}")


class Oidc:
    """A site and its provider."""

    def __init__(self, site: Site):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", ETC], check=True)
        for name in ("ca", "other"):
            make_authority(name)
        make_certificate("ca", "server", "IP:127.0.0.1")
        make_certificate("ca", "elsewhere", "DNS:elsewhere.example.org")
        (ETC / "secret").write_text(SECRET + "\n", encoding="utf-8")
        self.own_secret(0o600)
        self.site = site
        self.contract = Contract()
        self.provider = Provider(site.work / "provider")

    def own_secret(self, mode: int):
        try:
            uid = subprocess.run(["id", "-u", "slipway-site"], capture_output=True, text=True, check=True).stdout
        except subprocess.CalledProcessError:
            uid = "61701"  # where there is no such user
        os.chown(ETC / "secret", int(uid), 0)
        os.chmod(ETC / "secret", mode)

    def use(self, **settings):
        """Start the site anew, with these in [oidc]."""
        usual = {
            "issuer": ISSUER,
            "client-id": "slipway",
            "client-secret-file": f"{ETC}/secret",
            "ca-file": f"{ETC}/ca.crt",
            "redirect-uri": PAGE,
        }
        usual.update({name.replace("_", "-"): value for name, value in settings.items()})
        lines = [f"{name} = {value}" for name, value in usual.items() if value]
        self.site.stop()
        (self.site.work / "conf").write_text(CONFIG + "[oidc]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        self.site.start()

    def post(self, path: str, body: dict, address="192.0.2.1"):
        """Status, answer, headers."""
        status, answer, headers = self.site.call("POST", "/oidc/" + path, body, token=None, address=address)
        self.contract.note("POST", "/oidc/" + path, status, headers.getheader("Content-Type"), json.dumps(answer).encode())
        return status, answer, headers

    def begin(self, uri=LOOPBACK, address="192.0.2.1") -> dict:
        status, answer, _ = self.post("start", {"flow": "code", "redirect_uri": uri}, address)
        expect(status == 201, f"start: {status} {answer}")
        return answer

    def come_back(self, begun: dict, name: str) -> dict:
        """What the browser brings from the provider."""
        place = Browser().sign_in(begun["authorization_url"], name)
        expect(place.startswith(("http://127.0.0.1:9/?", PAGE + "?")), f"{name} is not sent back: {place}")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))

    def end(self, begun: dict, brought: dict, **more):
        body = {"state": brought["state"], "secret": begun["secret"], "code": brought["code"], "iss": brought.get("iss"), **more}
        return self.post("callback", {k: v for k, v in body.items() if v is not None})

    def sign_in(self, name: str, uri=LOOPBACK, **more):
        begun = self.begin(uri)
        return self.end(begun, self.come_back(begun, name), **more)

    def token(self, name: str) -> str:
        status, answer, _ = self.sign_in(name)
        expect(status == 201, f"{name} does not sign in: {status} {answer}")
        return answer["token"]

    def refused(self, name: str, why: str):
        status, answer, _ = self.sign_in(name)
        expect((status, answer.get("error_id")) == (401, "SLW-0234"), f"{name}: {status} {answer}")
        expect(why in self.last_failure(), f"{name}: the log says {self.last_failure()}")

    def last_failure(self) -> str:
        rows = self.site.must("GET", "/audit-log?limit=1000")["items"]
        return max((r for r in rows if r["action"] == "login.failed"), key=lambda r: r["number"], default={"detail": ""})["detail"]

    def new_group(self, name: str, group: str, role: str, target: dict):
        self.site.must("POST", "/administrators", {"name": name, "kind": "oidc-group", "external_name": group})
        self.site.must("POST", f"/administrators/{name}/grants", {"role": role, **target})

    def log(self) -> str:
        return (self.site.work / "err").read_text(encoding="utf-8")


def check_off(o: Oidc):
    status, answer, _ = o.post("start", {"flow": "code", "redirect_uri": LOOPBACK})
    expect((status, answer["error_id"]) == (409, "SLW-0235"), f"without a provider: {status} {answer}")


def check_signing_in(o: Oidc):
    o.new_group("full-admins", "Full", FULL, {"scope": "All"})
    o.new_group("desks", "Desk", "Help Desk", {"scope": "Default"})
    ada, bob = o.token("ada"), o.token("bob")
    shown = o.site.must("GET", "/administrators/ada")
    expect((shown["kind"], shown["external_name"], shown["has_password"]) == ("oidc-user", "s-ada", False), f"{shown}")
    expect([g["name"] for g in shown["groups"]] == ["full-admins"], f"{shown}")
    expect(o.site.call("GET", "/administrators", token=ada)[0] == 200, "ada, in a group, may not read")
    expect(o.site.call("GET", "/deployments", token=bob)[0] == 200, "bob, in a group, may not read")
    expect(o.site.call("GET", "/administrators", token=bob)[0] == 403, "bob may more than his group")
    log = o.site.must("GET", "/audit-log?limit=1000")["items"]
    expect(any((r["action"], r["who"], r["detail"]) == ("login", "ada", "by the OpenID provider") for r in log), "the sign-in is not in the log")
    for name, why in (("stranger", "no group"), ("administrator", "has this name"), ("Ada Lovelace", "no name")):
        o.refused(name, why)
    o.site.must("POST", "/administrators", {"name": "lovelace", "kind": "oidc-user", "external_name": "s-lovelace"})
    o.token("Ada Lovelace")
    expect([g["name"] for g in o.site.must("GET", "/administrators/lovelace")["groups"]] == ["full-admins"], "lovelace is in no group")
    for kind in ("oidc-user", "oidc-group"):
        status, answer, _ = o.site.call("POST", "/administrators", {"name": "x", "kind": kind})
        expect((status, answer["error_id"]) == (400, "SLW-0102"), f"{kind} without an external name: {status} {answer}")
    status, answer, _ = o.site.call("POST", "/administrators/ada/password", {"password": PASSWORD})
    expect((status, answer["error_id"]) == (409, "SLW-0195"), f"a password for ada: {status} {answer}")
    return ada, bob


def check_session(o: Oidc):
    status, answer, headers = o.sign_in("ada", PAGE, is_session=True)
    cookie = headers.getheader("Set-Cookie") or ""
    expect(status == 201 and "token" not in answer and answer["csrf_token"], f"a session: {status} {answer}")
    expect(all(word in cookie for word in ("__Host-slipway=", "Secure", "HttpOnly", "SameSite=Strict")), f"{cookie}")
    status, answer, _ = o.site.call("GET", "/devices", token=None, headers={"Cookie": cookie.split(";")[0]})
    expect(status == 200, f"the session is not good: {status} {answer}")


def check_attempts(o: Oidc):
    """A sign-in is who began it, once, and soon."""
    for uri in ("https://evil.example.org/", PAGE + "/x", PAGE + "?x", "http://127.0.0.1:80/x", "http://127.0.0.1/", "http://127.0.0.1:0/",
                "http://127.0.0.1:80@evil.example.org/", "http://localhost:80/", "http://10.0.0.1:80/", "javascript:x"):  # fmt: skip
        status, answer, _ = o.post("start", {"flow": "code", "redirect_uri": uri})
        expect((status, answer["error_id"]) == (400, "SLW-0236"), f"{uri}: {status} {answer}")
    begun = o.begin()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(begun["authorization_url"]).query))
    expect((query["code_challenge_method"], query["response_type"]) == ("S256", "code") and begun["secret"] not in begun["authorization_url"], f"{query}")
    brought = o.come_back(begun, "ada")
    other = o.begin()
    for body in ({**begun, "secret": other["secret"]}, {**other, "secret": "x"}):
        status, answer, _ = o.end(body, brought)
        expect((status, answer["error_id"]) == (401, "SLW-0233"), f"with another secret: {status} {answer}")
    status, answer, _ = o.end(begun, {**brought, "iss": "https://other.example.org"})
    expect((status, answer["error_id"]) == (401, "SLW-0234"), f"another issuer's answer: {status} {answer}")
    begun = o.begin()
    brought = o.come_back(begun, "ada")
    expect(o.end(begun, brought)[0] == 201, "it is not signed in")
    status, answer, _ = o.end(begun, brought)
    expect((status, answer["error_id"]) == (401, "SLW-0233"), f"the same code again: {status} {answer}")
    # a code of one sign-in, put into another: the verifier is not that of its challenge
    one, two = o.begin(), o.begin()
    stolen = o.come_back(one, "ada")
    status, answer, _ = o.end(two, {**stolen, "state": two["state"]})
    expect((status, answer["error_id"]) == (401, "SLW-0234"), f"a code of another sign-in: {status} {answer}")
    statuses = [o.post("start", {"flow": "code", "redirect_uri": LOOPBACK}, "192.0.2.77")[0] for _ in range(21)]
    expect(statuses == [201] * 20 + [429], f"sign-ins of one address: {statuses}")


def follow_cli(o: Oidc, cli: Cli, *options: str):
    """slipway login --oidc, and what it says to do; its end is to be waited for."""
    command = [cli.program, "login", cli.url, "--oidc", *options]
    process = subprocess.Popen(command, env=cli.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with
    process.stderr.readline()
    return process, process.stderr.readline().strip()


def end_cli(process: subprocess.Popen, status: int) -> str:
    out, err = process.communicate(timeout=60)
    expect(process.returncode == status, f"slipway login --oidc: {process.returncode}: {out}{err}")
    return err


def check_cli(o: Oidc):
    cli = Cli(o.site, "oidc")
    process, url = follow_cli(o, cli)
    place = Browser().sign_in(url, "ada")
    port = urllib.parse.urlsplit(place).port
    with socket.create_connection(("127.0.0.1", port)) as silent:  # as browsers do beforehand
        for query in ("", "?code=x&state=y"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/" + query)
            expect(connection.getresponse().status == 404, "it takes what is not its answer")
        page = urllib.request.urlopen(place, timeout=20).read().decode()
        silent.close()
    expect("close this page" in page, f"the browser is shown {page}")
    end_cli(process, 0)
    expect(cli.json("device", "list") == [], "the command line is not signed in")
    process, url = follow_cli(o, Cli(o.site, "denied"))
    begun = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    urllib.request.urlopen(f"{begun['redirect_uri']}?error=access_denied&state={begun['state']}", timeout=20).read()
    expect("SLW-0237" in end_cli(process, 5), "that the provider refused is not said")
    cli.fails("login", cli.url, "--device", status=2)
    cli.fails("login", cli.url, "--oidc", "--user", "ada", status=2)


def check_device(o: Oidc):
    cli = Cli(o.site, "device")
    process, url = follow_cli(o, cli, "--device")
    process.stderr.readline()
    code = process.stderr.readline().strip()
    text = Browser().sign_in(url, "bob", code)
    expect(text.startswith("200"), f"the provider says {text}")
    end_cli(process, 0)
    expect(cli.json("deployment", "list") == [], "the command line is not signed in")
    status, begun, _ = o.post("start", {"flow": "device"})
    expect(status == 201 and begun["user_code"], f"{status} {begun}")
    body = {"state": begun["state"], "secret": begun["secret"]}
    status, answer, _ = o.post("callback", body)
    expect((status, answer["error_id"]) == (429, "SLW-0113"), f"asked at once: {status} {answer}")
    time.sleep(begun["interval_s"])
    status, answer, _ = o.post("callback", body)
    expect(status == 202 and answer["interval_s"] > 0, f"nobody has signed in: {status} {answer}")
    status, answer, _ = o.post("callback", {**body, "secret": "x"})
    expect((status, answer["error_id"]) == (401, "SLW-0233"), f"with another secret: {status} {answer}")


def check_rights_go(o: Oidc, ada: str, bob: str):
    made = o.site.must("POST", "/tokens", {"name": "script", "days": 30}, token=ada)["token"]
    o.provider.put_people({**PEOPLE, "ada": {"sub": "s-ada", "groups": ["Desk"]}, "bob": {"sub": "s-bob", "groups": []}})
    less = o.token("ada")
    for token in (ada, less, made):
        expect(o.site.call("GET", "/administrators", token=token)[0] == 403, "ada left her group, signed in, and may as before")
    o.refused("bob", "no group")
    expect(o.site.call("GET", "/deployments", token=bob)[0] == 403, "bob is in no group, has tried to sign in, and may as before")
    o.provider.put_people({**PEOPLE, "ada": {"sub": "s-another", "groups": ["Full"]}})
    o.refused("ada", "has this name")
    o.provider.put_people(PEOPLE)
    o.token("ada")
    o.site.must("PATCH", "/administrators/ada", {"is_disabled": True})
    o.refused("ada", "disabled")
    o.site.must("PATCH", "/administrators/ada", {"is_disabled": False})
    o.site.must("PATCH", "/administrators/full-admins", {"is_disabled": True})
    o.refused("ada", "no group")
    o.site.must("PATCH", "/administrators/full-admins", {"is_disabled": False})
    o.use(trust_minutes="1")
    last = o.token("ada")
    expect(o.site.call("GET", "/devices", token=last)[0] == 200, "a token of now is not good")


def check_keys(o: Oidc):
    """The provider has a new key, of another kind; what was signed with the old one is let go."""
    o.provider.stop()
    o.provider.settings["keys"] = [make_key("second", "ec")]
    o.provider.start()
    time.sleep(5.1)  # keys are not asked for more often than every five seconds because of a token
    o.token("ada")
    o.provider.stop()
    o.provider.settings.update(method="client_secret_post", has_device_flow=False)
    o.provider.start()
    status, answer, _ = o.post("start", {"flow": "device"})
    expect(status != 201, f"a device without the flow: {status} {answer}")
    o.use()
    status, answer, _ = o.post("start", {"flow": "device"})
    expect((status, answer["error_id"]) == (409, "SLW-0235"), f"a device without the flow: {status} {answer}")


def down(o: Oidc, why: str):
    status, answer, headers = o.post("start", {"flow": "code", "redirect_uri": LOOPBACK})
    expect((status, answer["error_id"]) == (503, "SLW-0232") and headers.getheader("Retry-After"), f"{why}: {status} {answer}")
    expect(why in o.log(), f"the log does not say \"{why}\"")
    o.site.must("GET", "/devices")


def check_bad_providers(o: Oidc):
    o.site.must("POST", "/administrators/administrator/password", {"password": PASSWORD})
    o.use(ca_file=f"{ETC}/other.crt")
    down(o, "certificate")
    o.use(issuer=ISSUER + "/other")
    down(o, "does not say where it has what")
    o.own_secret(0o644)
    o.use()
    begun = o.begin()
    status, answer, _ = o.end(begun, {"state": begun["state"], "code": "x", "iss": ISSUER})
    expect((status, answer["error_id"]) == (503, "SLW-0232") and "its mode must be 0600 or 0640" in o.log(), f"an open secret: {status} {answer}")
    (ETC / "secret").write_text("another\n", encoding="utf-8")
    o.own_secret(0o600)
    begun = o.begin()
    status, answer, _ = o.end(begun, {"state": begun["state"], "code": "x", "iss": ISSUER})
    expect((status, answer["error_id"]) == (503, "SLW-0232") and "does not let the site itself in" in o.log(), f"a wrong secret: {status} {answer}")
    (ETC / "secret").write_text(SECRET + "\n", encoding="utf-8")
    ada = o.token("ada")
    o.provider.stop()
    o.use()
    down(o, "could not be asked")
    expect(o.site.call("GET", "/devices", token=ada)[0] == 200, "what it said before is not good any more")
    expect(o.site.call("POST", "/logins", {"user": "administrator", "password": PASSWORD}, token=None)[0] == 201, "a local administrator does not sign in")
    o.provider.start()
    wait_until(lambda: o.post("start", {"flow": "code", "redirect_uri": LOOPBACK})[0] == 201, "it is not asked again")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """A provider whose answers a test makes."""

    def __init__(self):
        self.answer, self.status, self.document_size, self.is_slow = b"{}", 200, 0, False
        for name in ("forger", "stranger"):
            subprocess.run(["openssl", "genrsa", "-out", ETC / f"{name}.pem", "2048"], check=True, capture_output=True)
        forger = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self, data: bytes, status=200):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                documents = {"/realms/a/.well-known/openid-configuration": forger.metadata, "/keys": forger.keys}
                if forger.is_slow:
                    time.sleep(30)
                self.reply(json.dumps(documents[self.path]()).encode())

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(forger.answer, forger.status)

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", FORGER), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ETC / "server.crt", ETC / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def metadata(self):
        place = f"https://127.0.0.1:{FORGER}"
        return {"issuer": FORGING, "authorization_endpoint": place + "/auth", "token_endpoint": place + "/token", "jwks_uri": place + "/keys", "x": "x" * self.document_size}

    @staticmethod
    def keys():
        modulus = subprocess.run(["openssl", "rsa", "-in", ETC / "forger.pem", "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        n = bytes.fromhex(modulus.strip().split("=")[1])
        return {"keys": [{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": b64(n), "e": "AQAB"}, {"kty": "oct", "kid": "o", "k": b64(b"secret")}]}

    @staticmethod
    def sign(header: dict, claims: dict, key="forger") -> str:
        text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        if header.get("alg") == "HS256":
            public = subprocess.run(["openssl", "rsa", "-in", ETC / "forger.pem", "-pubout"], check=True, capture_output=True).stdout
            signature = hmac.new({"k": public, "o": b"secret"}[header["kid"]], text.encode(), hashlib.sha256).digest()
        else:
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", ETC / f"{key}.pem"], input=text.encode(), check=True, capture_output=True).stdout
        return text + "." + b64(signature)


def without(claims: dict, name: str) -> dict:
    return {k: v for k, v in claims.items() if k != name}


def forged(f: Forger, claims: dict):
    """What the log says, and a token; made of claims that are good."""
    header, now = {"alg": "RS256", "kid": "k", "typ": "JWT"}, int(time.time())
    good = f.sign(header, claims)
    head, body, signature = good.split(".")
    yield "RS256", f.sign({"alg": "HS256", "kid": "k"}, claims)
    yield "RS256", f.sign({"alg": "HS256", "kid": "o"}, claims)
    yield "RS256", b64(b'{"alg":"none","kid":"k"}') + "." + body + "." + signature
    yield "three parts", b64(b'{"alg":"none"}') + "." + body + "."
    yield "three parts", ".".join([b64(b'{"alg":"RSA-OAEP","enc":"A128GCM"}'), "AA", "AA", "AA", "AA"])
    yield "does not have", f.sign({**header, "kid": "new"}, claims)
    yield "signature", f.sign(header, claims, "stranger")
    yield "signature", head + "." + b64(json.dumps({**claims, "groups": ["Full", "x"]}).encode()) + "." + signature
    yield "signature", head + "." + body + "." + b64(bytes(256))
    yield "has jku", f.sign({**header, "jku": f"https://127.0.0.1:{FORGER}/keys"}, claims)
    yield "has jwk", f.sign({**header, "jwk": f.keys()["keys"][0]}, claims)
    yield "has crit", f.sign({**header, "crit": ["exp"]}, claims)
    yield "type", f.sign({**header, "typ": "at+jwt"}, claims)
    yield "(iss)", f.sign(header, {**claims, "iss": ISSUER})
    yield "(iss)", f.sign(header, {**claims, "iss": FORGING + "/"})
    yield "(aud)", f.sign(header, {**claims, "aud": "another"})
    yield "(aud)", f.sign(header, {**claims, "aud": ["another"]})
    yield "(azp)", f.sign(header, {**claims, "aud": ["slipway", "another"]})
    yield "(azp)", f.sign(header, {**claims, "azp": "another"})
    yield "(exp)", f.sign(header, {**claims, "exp": now - 120})
    yield "ends", f.sign(header, without(claims, "exp"))
    yield "(nbf)", f.sign(header, {**claims, "nbf": now + 300})
    yield "(iat)", f.sign(header, {**claims, "iat": now + 300})
    yield "(iat)", f.sign(header, {**claims, "iat": now - 3600})
    yield "(nonce)", f.sign(header, {**claims, "nonce": "another"})
    yield "(nonce)", f.sign(header, without(claims, "nonce"))
    yield "(sub)", f.sign(header, without(claims, "sub"))
    yield "more groups", f.sign(header, {**claims, "groups": ["a"] * 1001})
    yield "too long", f.sign(header, {**claims, "x": "x" * 16384})
    yield "no ID token", ""


def check_forged(o: Oidc):
    """A provider that is believed for its keys, and tokens that are not to be; each through a sign-in of its own."""
    f = Forger()
    o.use(issuer=FORGING)

    def good_claims(begun):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(begun["authorization_url"]).query))
        now = int(time.time())
        return {"iss": FORGING, "sub": "f-1", "aud": "slipway", "exp": now + 300, "iat": now, "nonce": query["nonce"], "preferred_username": "faye", "groups": ["Full"]}

    def come(begun, token):
        f.answer = json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": token}).encode()
        return o.end(begun, {"state": begun["state"], "code": "x"})[:2]

    n = len(list(forged(f, good_claims(o.begin(address="203.0.113.1")))))
    for at in range(n):
        begun = o.begin(address=f"198.51.100.{at}")
        why, token = list(forged(f, good_claims(begun)))[at]
        status, answer = come(begun, token)
        expect((status, answer["error_id"]) == (401, "SLW-0234"), f"a token that is wrong by {why}: {status} {answer}")
        expect(why in o.last_failure(), f"for {why} the log says {o.last_failure()}")
    names = {a["name"] for a in o.site.must("GET", "/administrators?limit=1000")["items"]}
    expect("faye" not in names, "somebody was made by a forged token")
    begun = o.begin()
    claims = good_claims(begun)
    status, answer = come(begun, f.sign({"alg": "RS256", "kid": "k"}, claims))
    expect(status == 201, f"the good token: {status} {answer}")
    # the same token, for the next sign-in
    status, answer = come(o.begin(), f.sign({"alg": "RS256", "kid": "k"}, claims))
    expect((status, answer["error_id"]) == (401, "SLW-0234"), f"the token of another sign-in: {status} {answer}")
    # somebody of another provider, with the subject of one who is known
    begun = o.begin()
    status, answer = come(begun, f.sign({"alg": "RS256", "kid": "k"}, {**good_claims(begun), "sub": "s-ada"}))
    expect((status, answer["error_id"]) == (401, "SLW-0234") and "another provider" in o.last_failure(), f"ada of another provider: {status} {answer}")
    # something before the provider says no to one: the next need not wait
    begun = o.begin()
    f.answer, f.status = b"<html>No</html>", 403
    status, said, _ = o.end(begun, {"state": begun["state"], "code": "x"})
    expect((status, said["error_id"]) == (503, "SLW-0232"), f"a page instead of an answer: {status} {said}")
    f.status = 200
    begun = o.begin()
    status, answer = come(begun, f.sign({"alg": "RS256", "kid": "k"}, good_claims(begun)))
    expect(status == 201, f"somebody else waits: {status} {answer}")
    for answer in (b"", b"[]", b"{", b"x" * 300000):
        begun = o.begin()
        f.answer = answer
        status, said, _ = o.end(begun, {"state": begun["state"], "code": "x"})
        expect((status, said["error_id"]) == (503, "SLW-0232"), f"an answer of {answer[:8]}: {status} {said}")
        o.use(issuer=FORGING)
    f.document_size = 300000
    down_at = time.monotonic()
    down(o, "could not be asked")
    f.document_size, f.is_slow = 0, True
    o.use(issuer=FORGING)
    down_at = time.monotonic()
    down(o, "could not be asked")
    expect(time.monotonic() - down_at < 19, "it is waited for too long")
    f.server.shutdown()


def check_contract(o: Oidc):
    expect(not o.contract.misfits, "answers that the contract does not promise:\n" + "\n".join(o.contract.misfits))
    expect({"startOidc", "finishOidc"} <= o.contract.good, f"used well: {o.contract.good}")


def check_no_secrets(o: Oidc):
    everything = o.log() + (o.site.work / "out").read_text(encoding="utf-8") + str(o.site.must("GET", "/audit-log?limit=1000"))
    expect(SECRET not in everything and "slw_oidc" not in everything and "eyJ" not in everything, "a secret is in a log")


def oidc_login(site: Site):
    o = Oidc(site)
    try:
        o.provider.start()
        check_off(o)
        o.use()
        ada, bob = check_signing_in(o)
        check_session(o)
        check_attempts(o)
        check_cli(o)
        check_device(o)
        check_rights_go(o, ada, bob)
        check_keys(o)
        check_bad_providers(o)
        check_forged(o)
        check_no_secrets(o)
        check_contract(o)
    except Exception:
        print((o.provider.folder / "log").read_text(encoding="utf-8")[-2000:], file=sys.stderr)
        raise
    finally:
        o.provider.stop()


def main() -> int:
    for tool in ("node", "openssl"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if not MODULES.is_dir():
        skip(f"{MODULES} is not there: tools/bootstrap installs it")
    return run_in_namespace(oidc_login)


if __name__ == "__main__":
    sys.exit(main())
