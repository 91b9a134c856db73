#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's database moved, backed up and restored by slipwayd, against a running site; no virtual machine.

usage: database_test.py BUILD_DIR {backup-restore|sqlite-to-postgres}

sqlite-to-postgres is run by tools/with_postgresql.
"""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from security_test import CONFIG, Failed, Site, expect, skip  # noqa: E402

N_DEVICES = 40
EVENTS_LEFT_OUT = 1 << 40  # by a restore


def enter_namespace():
    if os.geteuid() != 0:
        skip("only root can make network namespaces")
    if os.environ.get("DATABASE_TEST_INSIDE") != "yes":
        os.environ["DATABASE_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Place(Site):
    """A site whose commands are run, too."""

    def __enter__(self):
        return self

    def begin(self):
        token = re.search(r"^Administrator token.*: (\S+)$", self.start(), re.M).group(1)
        status, answer, _ = self.call("POST", "/logins", {"token": token}, token=None)
        expect(status < 300, f"signing in: {status} {answer}")
        self.token = answer["token"]

    def add_devices(self, first: int, n: int):
        for i in range(first, first + n):
            body = {"name": f"PC-{i:04}", "mac": f"52:54:00:00:{i // 256:02x}:{i % 256:02x}"}
            self.must("POST", "/devices", body)

    def devices(self) -> list:
        items = self.must("GET", "/devices?limit=1000")["items"]
        return [{key: value for key, value in item.items() if key != "last_seen_at"} for item in items]

    def command(self, *words: str) -> subprocess.CompletedProcess:
        name, *rest = words
        options = ["--state", str(self.work / "state"), "--config", str(self.work / "conf")]
        return subprocess.run(
            [str(self.slipwayd), name, *options, *rest], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    def must_run(self, *words: str) -> str:
        done = self.command(*words)
        expect(done.returncode == 0, f"{words[0]}: {done.returncode} {done.stderr}")
        return done.stdout

    def must_fail(self, status: int, text: str, *words: str):
        done = self.command(*words)
        expect(done.returncode == status and text in done.stderr, f"{words}: {done}")

    def pin(self) -> bytes:
        return (self.work / "state/keys/pin").read_bytes()


def event_head(site: Place) -> tuple:
    """The newest number of an event, and up to which they are not kept any more; of a site that is stopped."""
    with contextlib.closing(sqlite3.connect(site.work / "state/site/slipway.db")) as db:
        return db.execute("SELECT n, gone FROM event_head").fetchone()


def test_backup_restore(site: Place):
    """What a running site had when it was backed up is there again after everything was lost."""
    site.begin()
    site.add_devices(0, N_DEVICES)
    pin, devices = site.pin(), site.devices()
    folder = str(site.work / "backup")
    site.must_run("backup", folder)
    site.must_fail(2, "is there already", "backup", folder)
    wrong = site.work / "no-such-state"
    words = [str(site.slipwayd), "backup", "--state", str(wrong), "--config", str(site.work / "conf"), str(site.work / "none")]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    expect(told.returncode == 27 and "there is no site in" in told.stderr, f"a backup of nothing: {told}")
    expect(not wrong.exists() and not (site.work / "none").exists(), "a backup of nothing has made a folder")
    sums = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
    expect(sums.returncode == 0, "sha256sum does not agree with the sums")
    expect((Path(folder).stat().st_mode & 0o777) == 0o700, "others can read the backup's keys")
    site.add_devices(N_DEVICES, 3)  # after the backup: not in it
    site.must_fail(10, "stop it first", "restore", folder)
    site.stop()
    told, _ = event_head(site)

    shutil.rmtree(site.work / "state")
    site.must_run("restore", folder)
    newest, gone = event_head(site)
    expect(newest == gone >= EVENTS_LEFT_OUT > told > 0, f"numbers of events come again: {told}, {newest}, {gone}")
    site.start()
    expect(site.pin() == pin, "another key: no device would trust the site")
    expect(site.devices() == devices, "other devices than were backed up")
    done = [record["action"] for record in site.must("GET", "/audit-log?limit=1000")["items"]]
    expect(done.count("site.restore") == 1, f"the audit log has not one restore: {done}")
    site.add_devices(N_DEVICES, 1)
    site.stop()

    # a site that is there is put aside, not lost; one that is stopped is backed up, too
    stopped = str(site.work / "stopped")
    site.must_run("backup", stopped)
    site.must_run("restore", folder)
    expect((site.work / "state/site/slipway.db.replaced").exists(), "the replaced database is lost")
    replaced = (site.work / "state/site/slipway.db.replaced").read_bytes()
    (site.work / "state/keys/site.key").write_bytes(b"OTHERKEY")
    site.must_run("restore", folder)
    expect((site.work / "state/site/slipway.db.replaced").read_bytes() == replaced, "a second restore destroys what the first put aside")
    expect((site.work / "state/site/slipway.db.replaced-2").exists(), "what the second restore replaced is lost")
    expect((site.work / "state/keys.replaced/site.key").read_bytes() == b"OTHERKEY", "the key of another site is lost")
    site.start()
    expect(site.devices() == devices, "restored over a site: other devices")
    site.stop()
    site.must_run("restore", stopped)
    site.start()
    expect(len(site.devices()) == N_DEVICES + 1, "the backup of the stopped site is not what it was")
    site.stop()

    # a bit of it is not as it was: nothing is touched
    before = (site.work / "state/site/slipway.db").read_bytes()
    database = Path(folder) / "slipway.db"
    damaged = bytearray(database.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    database.write_bytes(damaged)
    site.must_fail(27, "is damaged", "restore", folder)
    expect((site.work / "state/site/slipway.db").read_bytes() == before, "a damaged backup has changed the site")
    site.must_fail(27, "is no backup", "restore", str(site.work))


def make_database(name: str) -> str:
    """An empty one. Return: its address."""
    server = os.environ["SLIPWAY_TEST_POSTGRESQL"]
    query = server.split("?", 1)[1]
    run = ["psql", "-q", "-d", f"postgresql:///postgres?{query}", "-c", f"CREATE DATABASE {name} TEMPLATE template0"]
    subprocess.run(run, check=True)
    return f"postgresql:///{name}?{query}"


def ask(address: str, text: str) -> str:
    done = subprocess.run(["psql", "-At", "-d", address, "-c", text], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def counts_of(path: Path) -> dict:
    with contextlib.closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in names if not name.startswith("sqlite_") and name != "schema_migration"
        }


def kill_in_the_middle(site: Place):
    """Killed at whatever moment: the old site is whole, and the next run begins again."""
    options = ["--state", str(site.work / "state"), "--config", str(site.work / "conf")]
    process = subprocess.Popen([str(site.slipwayd), "migrate-database", *options], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    time.sleep(0.3)


def test_sqlite_to_postgres(site: Place):
    site.begin()
    site.add_devices(0, N_DEVICES)
    pin, devices = site.pin(), site.devices()
    address = make_database("moved")
    postgresql = f"[site]\ndatabase = {address}\n{CONFIG}"
    site.must_fail(10, "stop it first", "migrate-database")
    site.stop()
    site.must_fail(15, "does not say where PostgreSQL is", "migrate-database")
    counts = counts_of(site.work / "state/site/slipway.db")

    (site.work / "conf").write_text(postgresql, encoding="utf-8")
    kill_in_the_middle(site)
    expect((site.work / "state/site/slipway.db").exists(), "a killed move has put the old database aside")
    said = site.must_run("migrate-database")
    for table, n_rows in counts.items():
        expect(re.search(rf"^{table}: {n_rows} rows, checksum [0-9a-f]{{64}}$", said, re.M), f"{table}: {said}")
        expect(ask(address, f'SELECT count(*) FROM "{table}"') == str(n_rows), f"PostgreSQL has other rows in {table}")
    expect(not (site.work / "state/site/slipway.db").exists(), "the old database is still in use")
    (site.work / "state/site/slipway.db.migrated").rename(site.work / "state/site/slipway.db")
    site.must_fail(27, "is not empty", "migrate-database")
    (site.work / "state/site/slipway.db").unlink()

    site.start()
    expect(site.pin() == pin, "another key")
    expect(site.devices() == devices, "other devices than before the move")
    site.add_devices(N_DEVICES, 2)
    expect(not (site.work / "state/site/slipway.db").exists(), "the site has gone on with SQLite")

    # its backup is taken while it runs, and restored into another database
    devices = site.devices()
    folder = str(site.work / "backup")
    site.must_run("backup", folder)
    site.stop()
    site.must_fail(27, "is not empty", "restore", folder)
    other = make_database("restored")
    (site.work / "conf").write_text(postgresql.replace(address, other), encoding="utf-8")
    site.must_run("restore", folder)
    site.start()
    expect(site.devices() == devices, "other devices than were backed up")
    server_gone(site, other)
    site.stop()

    # and the way back: a backup restored without PostgreSQL
    (site.work / "conf").write_text(CONFIG, encoding="utf-8")
    site.must_run("restore", folder)
    site.start()
    expect(site.devices() == devices, "other devices in SQLite again")
    site.stop()


def server_gone(site: Place, address: str):
    """Its connections are cut: the next request is answered as if nothing had been."""
    ask(address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'slipway site'")
    status, answer, _ = site.call("GET", "/devices?limit=1")
    expect(status == 200, f"after the connection was cut: {status} {answer}")


TESTS = {"backup-restore": test_backup_restore, "sqlite-to-postgres": test_sqlite_to_postgres}


def main() -> int:
    enter_namespace()
    build, name = Path(sys.argv[1]), sys.argv[2]
    with Place(build) as site:
        try:
            TESTS[name](site)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"FAILED: {why}", file=sys.stderr)
            print((site.work / "err").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
            return 1
    print(f"ok: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
