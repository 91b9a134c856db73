#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes out about alerts: to a web address by HTTPS, to a mail server (aiosmtpd) with STARTTLS; no virtual machine.

usage: alert_messages.py BUILD_DIR alert-messages
"""

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import queue
import re
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from database_test import enter_namespace  # noqa: E402
from monitoring_test import Client, Lab, mac_of  # noqa: E402
from security_test import Failed, expect, skip  # noqa: E402

HOST = "127.0.0.2"  # not among those that need no TLS
SECRET = "what only the two know"
MAIL_FROM, MAIL_TO = "slipway@lab.example", "ada@lab.example bea@lab.example"
SECONDS = 40
SITE_NAME = "Lábor"
CONFIG = """[site]
name = {name}
unknown-computers = yes
[alerts]
webhook = https://{host}:8444/hooks/slipway
webhook-secret = {secret}
webhook-ca = {certificate}
mail-server = smtp://{host}:2525
mail-from = {mail_from}
mail-to = {mail_to}
mail-ca = {certificate}
"""


def make_certificate(folder: Path) -> tuple:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=lab", "-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    certificate.chmod(0o644)
    return certificate, key


class Hook(http.server.BaseHTTPRequestHandler):
    found = queue.Queue()

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.found.put((self.path, dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def start_hook(certificate: Path, key: Path) -> http.server.HTTPServer:
    server = http.server.HTTPServer((HOST, 8444), Hook)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class MailServer:
    """It takes nothing without TLS, and prints what it takes."""

    def __init__(self, folder: Path, certificate: Path, key: Path):
        command = ["/usr/bin/python3", "-u", "-m", "aiosmtpd", "-n", "-l", f"{HOST}:2525", "--tlscert", str(certificate), "--tlskey", str(key)]
        self.log = folder / "mail.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Debugging", "stdout"], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def messages(self) -> list:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        raw = re.findall(r"-+ MESSAGE FOLLOWS -+\n(.*?)-+ END MESSAGE -+", text, re.S)
        found = []
        for one in raw:  # it puts a few lines of its own before
            one = re.sub(r"^(mail options|rcpt options): .*\n\n?", "", one, flags=re.M)
            found.append(email.message_from_string(one.lstrip("\n"), policy=email.policy.default))
        return found

    def wait(self, n: int) -> list:
        deadline = time.monotonic() + SECONDS
        while len(self.messages()) < n:
            expect(time.monotonic() < deadline and self.process.poll() is None, f"{len(self.messages())} of {n} mails: {self.log.read_text()}")
            time.sleep(0.2)
        return self.messages()


def check_hook(event: str, number: int) -> str:
    try:
        path, headers, body = Hook.found.get(timeout=SECONDS)
    except queue.Empty:
        raise Failed(f"the web address was not told of {event}") from None
    expect(path == "/hooks/slipway", path)
    stamp, signature = re.fullmatch(r"t=(\d+),sha256=([0-9a-f]{64})", headers["X-Slipway-Signature"]).groups()
    expect(abs(int(stamp) - time.time()) < 60, f"the time of the signature: {stamp}")
    wanted = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    expect(signature == wanted, "the signature is another")
    told = json.loads(body)
    expect((told["event"], told["site"], told["alert"]["number"]) == (event, SITE_NAME, number), f"what was told: {told}")
    return told["alert"]["text"]


def alert_messages(lab: Lab):
    certificate, key = make_certificate(lab.work)
    settings = {"host": HOST, "certificate": certificate, "secret": SECRET, "mail_from": MAIL_FROM, "mail_to": MAIL_TO, "name": SITE_NAME}
    with MailServer(lab.work, certificate, key) as mail:
        start_hook(certificate, key)
        lab.begin(CONFIG.format(**settings))
        wanted = {"task_sequence_id": lab.new_sequence("Größe"), "collection": "All Unknown Computers", "purpose": "required"}
        lab.must("POST", "/deployments", {**wanted, "rerun": "always"})
        lab.stop()
        lab.give_tickets([mac_of(1)], 2)
        lab.start()
        client = Client(lab, 1)
        client.register()
        client.tell("started")
        client.tell("failed", error_id="SLW-0401", message="no")
        text = check_hook("alert.raised", 1)
        expect("Größe" in text and "has failed on 1" in text, text)
        first = mail.wait(1)[0]
        expect(first["Subject"] == f"[{SITE_NAME}] error: {text}", f"the subject: {first['Subject']!r}")
        expect(first["From"] == MAIL_FROM and first["To"] == MAIL_TO.replace(" ", ", "), f"from {first['From']} to {first['To']}")
        body = first.get_body(("plain",)).get_content()
        expect(text in body and "slipway alert acknowledge 1" in body, body)
        lab.must("DELETE", f"/devices/{client.mac}")
        check_hook("alert.over", 1)
        second = mail.wait(2)[1]
        expect(second["Subject"].startswith(f"[{SITE_NAME}] over: "), second["Subject"])
        expect(second["Message-ID"] != first["Message-ID"], "two mails have one id")
        expect(SECRET not in (lab.work / "err").read_text(encoding="utf-8"), "the secret is in the log")


def main() -> int:
    if subprocess.run(["/usr/bin/python3", "-c", "import aiosmtpd"], check=False, capture_output=True).returncode != 0:
        skip("aiosmtpd is missing: install the package python3-aiosmtpd")
    enter_namespace()
    with Lab(Path(sys.argv[1])) as lab:
        try:
            alert_messages(lab)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"FAILED: {why}", file=sys.stderr)
            print((lab.work / "err").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
            return 1
    print(f"ok: {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
