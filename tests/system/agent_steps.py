# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of the agent on a system of their own: this machine's, with all that is written kept apart. No virtual machine."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape


class TestError(Exception):
    """What was not as it should be."""


def expect(found, wanted, what: str):
    if found != wanted:
        raise TestError(f"{what}: {found!r}, not {wanted!r}")


def run(*command, **more) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise TestError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout


def step(kind: str, name: str, **values) -> str:
    text = "".join(f'<variable name="{key}" property="{key}">{escape(value)}</variable>' for key, value in values.items())
    return f'<step type="SMS_TaskSequence_{kind}Action" name="{name}"><action/><defaultVarList>{text}</defaultVarList></step>'


class System:
    """A root folder over this machine's, for programs in mount namespaces."""

    def __init__(self, runner: Path, prefix=()):
        self.prefix = list(prefix)  # what enters the network namespace
        self.base = Path(tempfile.mkdtemp(prefix="slipway-steps-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        for name in ("upper", "work", "root"):
            (self.base / name).mkdir()
        self.log = ""
        (self.base / "upper/srv").mkdir()
        shutil.copy(runner, self.base / "upper/srv/run_steps")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.base, ignore_errors=True)

    def enter(self, script: str) -> list:
        """The command that runs a shell script in the system; it has a host name of its own."""
        root = f"{self.base}/root"
        mounts = (
            f"mount -t overlay overlay -o lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work {root} && "
            f"mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev && mount --rbind /sys {root}/sys && "
            f'mount -t tmpfs tmpfs {root}/run && mount -t tmpfs tmpfs {root}/tmp && exec chroot {root} /bin/sh -ec "$1"'
        )
        return [*self.prefix, "unshare", "--mount", "--uts", "--propagation", "private", "/bin/sh", "-ec", mounts, "sh", script]

    def inside(self, script: str, timeout=300) -> str:
        """Run a shell script in the system; what it prints."""
        done = subprocess.run(self.enter(script), capture_output=True, text=True, check=False, timeout=timeout)
        self.log += done.stderr
        if done.returncode != 0:
            raise TestError(f"{script}: {done.returncode}: {done.stderr[-3000:]}{done.stdout[-1000:]}")
        return done.stdout

    def steps(self, *steps: str, before="true") -> list:
        """Run them; how each ended."""
        sequence = f'<sequence version="3.10">{"".join(steps)}</sequence>'
        path = self.base / "upper/srv/sequence.xml"
        path.write_text(sequence, encoding="utf-8")
        out = self.inside(f"{{ {before}; }} >&2; /srv/run_steps /srv/sequence.xml")
        return json.loads(out)


def ended(results: list) -> list:
    return [(result["error_id"], result["exit_code"]) for result in results]
