#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of a remote distribution point and its short tokens, from joining to removal, and of one from before there were keys.

usage: dp_key.py SLIPWAYD

Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import contextlib
import hashlib
import os
import signal
import sqlite3
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from two_dps import SITE_ADDRESS, Pair, expect, main, wait  # noqa: E402

OLD_TOKEN = "slw_dpc_" + "A" * 43
KEEPER = "slipwayd-token"


class Test(Pair):
    def path(self, name: str) -> Path:
        return self.remote.state / name

    def token(self) -> str:
        return self.path("run/token/dp-token").read_text(encoding="ascii")

    def claim(self, token: str) -> int:
        """The status that the site answers to a distribution point that shows this."""
        request = urllib.request.Request(f"https://{SITE_ADDRESS}/api/v1/internal/dp/jobs:claim", data=b'{"kinds": []}', method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, context=self.api.tls, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def database(self, text: str, *values) -> list:
        with contextlib.closing(sqlite3.connect(self.site.state / "site/slipway.db", timeout=30)) as db, db:
            return db.execute(text, values).fetchall()

    def keepers(self) -> list:
        """The process of our own slipwayd that has the key."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                name = (folder / "comm").read_text(encoding="utf-8").strip()
                parent = int((folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
                if name == KEEPER and parent == self.remote.process.pid:
                    found.append(int(folder.name))
        return found

    def wait_short_token(self, before: str) -> str:
        def is_new():
            token = self.token()
            return token if token.startswith("slw_dpt_") and token != before else ""
        return wait(is_new, "a new token")

    def test_join(self):
        self.join(self.begin())
        expect(self.path("keys/dp-key").stat().st_mode & 0o777 == 0o600, "others than root may read the key")
        expect(self.path("keys/dp-key").stat().st_uid == 0, "the key is not root's")
        expect(not self.path("keys/dp-token").exists(), "it joined with a key and has a token that does not end")
        token = self.wait_short_token("")
        kept = self.path("run/token/dp-token").stat()
        expect(kept.st_mode & 0o777 == 0o440 and kept.st_uid == 0, f"the token's file: {kept}")
        expect(self.claim(token) in (200, 204), "the token is not good")
        row = self.database("SELECT token_hash FROM distribution_point WHERE id = ?", self.dp)
        expect(row == [(None,)], f"the site keeps a token that does not end: {row}")

    def test_process(self):
        """It is nobody else, and when it dies another one gets another token."""
        before = self.token()
        keepers = self.keepers()
        expect(len(keepers) == 1, f"{len(keepers)} processes have the key")
        uid = Path(f"/proc/{keepers[0]}").stat().st_uid
        others = {path.stat().st_uid for path in (self.path("dp"), self.path("http"))}
        expect(uid != 0 and uid not in others, f"the key's process runs as {uid}, and others as {others}")
        os.kill(keepers[0], signal.SIGKILL)
        self.wait_short_token(before)

    def test_lost_tokens(self):
        """The site forgets all tokens, as one that was restored: the next one that the key gets is good, and the roles use it."""
        self.database("DELETE FROM distribution_point_access")
        before = self.token()
        expect(self.claim(before) == 401, "a token that was forgotten is good")
        os.kill(self.keepers()[0], signal.SIGKILL)
        self.wait_short_token(before)
        seen = self.database("SELECT seen_us FROM distribution_point WHERE id = ?", self.dp)
        wait(lambda: self.database("SELECT seen_us FROM distribution_point WHERE id = ?", self.dp) > seen, "it to be heard of")

    def test_upgrade(self):
        """One that joined before there were keys goes on with its token, makes a key by itself, and then the token is void."""
        self.remote.end()
        self.path("keys/dp-key").unlink()
        self.path("run/token/dp-token").unlink()
        self.path("keys/dp-token").write_text(OLD_TOKEN, encoding="ascii")
        self.database("DELETE FROM distribution_point_key")
        self.database("UPDATE distribution_point SET token_hash = ? WHERE id = ?",
                      hashlib.sha256(OLD_TOKEN.encode()).hexdigest(), self.dp)
        expect(self.claim(OLD_TOKEN) in (200, 204), "an older program does not get on")
        self.site.end()
        self.remote.start()
        wait(lambda: self.token() == OLD_TOKEN, "the roles to have the old token while the site is away")
        expect(self.path("keys/dp-key").exists(), "it has made no key")
        self.site.start()
        token = self.wait_short_token("")
        wait(lambda: not self.path("keys/dp-token").exists(), "the old token to go")
        expect(self.claim(OLD_TOKEN) == 401, "the old token is still good")
        expect(self.claim(token) in (200, 204), "the token for the new key is not good")
        self.remote.end()
        self.remote.start()
        self.wait_short_token(token)

    def test_remove(self):
        token = self.token()
        self.api.call("DELETE", f"/distribution-points/{self.dp}?force=true")
        expect(self.claim(token) == 401, "the token of one that was removed is good")
        os.kill(self.keepers()[0], signal.SIGKILL)
        wait(lambda: b"does not know this distribution point" in self.remote.log.read_bytes(), "the key to be refused")
        expect(self.remote.process.poll() is None, "it ended because it was removed")


if __name__ == "__main__":
    sys.exit(main(Test, ("join", "process", "lost_tokens", "upgrade", "remove"), "dp-key"))
