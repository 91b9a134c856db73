# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing of programs, and rows of results: ours beside a peer's, as a ratio, with its target."""

import os
import resource
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Cost:
    wall_s: float
    cpu_s: float  # user and system, of the program and the children it waited for
    peak_bytes: int  # resident, of the largest of them
    out: str = ""


def timed(*command, stdin: str = None, timeout: float = 600, inside=()) -> Cost:
    """Run a program to its end and say what it took; RuntimeError with its words if it fails."""
    argv = [*inside, *map(str, command)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as source:
        if stdin is not None:
            source.write(stdin.encode())
            source.seek(0)
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=source, stdout=out, stderr=subprocess.STDOUT, process_group=0)
        usage = _wait(child, begin + timeout)
        wall = time.monotonic() - begin
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {child.returncode}\n{text[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text)


def _wait(child, deadline) -> resource.struct_rusage:
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            os.killpg(child.pid, signal.SIGKILL)
            os.wait4(child.pid, 0)
            child.returncode = -signal.SIGKILL
            raise RuntimeError(f"{' '.join(map(str, child.args))}: not done in time")
        time.sleep(0.002)


@dataclass
class Row:
    """One line of the table. The ratio is what the target is about; "at most" if is_less, else "at least". None: no target."""

    name: str
    ours: str
    peer: str
    ratio: float
    target: float | None
    is_less: bool = False
    ratios: list = field(default_factory=list)
    why: str = ""  # stage counters and the like: what bound it

    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        return self.ratio <= self.target if self.is_less else self.ratio >= self.target

    def as_json(self) -> dict:
        spread = {"lowest": round(min(self.ratios), 3), "highest": round(max(self.ratios), 3)} if self.ratios else {}
        return {"name": self.name, "ours": self.ours, "peer": self.peer, "ratio": round(self.ratio, 3), **spread,
                "target": self.target, "is_at_most": self.is_less, "is_met": self.is_met(), "why": self.why}

    def text(self) -> str:
        spread = f" ({min(self.ratios):.2f} to {max(self.ratios):.2f})" if len(self.ratios) > 1 else ""
        bound = "at most" if self.is_less else "at least"
        judged = "for information" if self.target is None else f"target {bound} {self.target:.2f}: {'met' if self.is_met() else 'MISSED'}"
        lines = [f"{self.name}", f"    ours {self.ours}", f"    peer {self.peer}", f"    ratio {self.ratio:.2f}{spread}, {judged}"]
        return "\n".join(lines + ([f"    {self.why}"] if self.why else []))

    def markdown(self) -> str:
        spread = f" ({min(self.ratios):.2f}–{max(self.ratios):.2f})" if len(self.ratios) > 1 else ""
        sign = "≤" if self.is_less else "≥"
        judged = "| |" if self.target is None else f"| {sign} {self.target:.2f} | {'met' if self.is_met() else '**missed**'} |"
        return f"| {self.name} | {self.ours} | {self.peer} | {self.ratio:.2f}{spread} {judged}"


def in_turns(sides: dict, rounds: int) -> dict:
    """Each side's results, one a round; sides take turns at being first: name → callable."""
    found = {name: [] for name in sides}
    for i in range(rounds):
        for name in list(sides)[:: 1 if i % 2 == 0 else -1]:
            found[name].append(sides[name]())
    return found


def median(values) -> float:
    return statistics.median(values)
