#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if program, manual page and completion do not have the same commands and options.

usage: check_cli_docs.py SLIPWAY SLIPWAY_1 COMPLETION
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

COMMON = {"--output", "--help"}


def run(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **more).stdout


def program_commands(slipway):
    """{"device show": {"--output", ...}}"""
    commands = {}
    for line in run(slipway, "--help").splitlines():
        match = re.match(r"^  ([a-z-]+) +([a-z-]+)? +[A-Z]", line)
        if match:
            words = [word for word in match.groups() if word]
            text = run(slipway, *words, "--help")
            commands[" ".join(words)] = set(re.findall(r"^  (--[a-z-]+)", text, re.M))
    return commands


def manual_commands(page):
    """Commands and options are what stands behind .TP in the section COMMANDS."""
    commands = {}
    current = None
    in_commands = False
    before = ""
    for line in page.read_text(encoding="utf-8").replace("\\-", "-").splitlines():
        if line.startswith(".SH"):
            in_commands = line == ".SH COMMANDS"
        match = re.match(r'^\.BI? "?(--)?([a-z-]+( [a-z-]+)?)', line)
        if in_commands and before == ".TP" and match:
            if match.group(1):
                commands[current].add(f"--{match.group(2)}")
            else:
                current = match.group(2)
                commands[current] = set()
        before = line
    return commands


def completed(slipway, completion, *words):
    script = """source "$1"; shift
        COMP_WORDS=(slipway "$@" ""); COMP_CWORD=$(($# + 1))
        _slipway; printf '%s\\n' "${COMPREPLY[@]}" """
    path = f"{Path(slipway).resolve().parent}{os.pathsep}{os.environ['PATH']}"
    return set(run("bash", "-c", script, "bash", completion, *words, env={"PATH": path}).split())


def differences(what, known, wanted):
    yield from (f"{what}: {one} is missing" for one in sorted(wanted - known))
    yield from (f"{what}: {one} does not exist" for one in sorted(known - wanted))


def troff_warnings(page):
    """groff reports them and succeeds all the same."""
    result = subprocess.run(["groff", "-man", "-ww", "-z", page], check=False, capture_output=True, text=True)
    return result.stderr.splitlines()


def check(slipway, page, completion):
    if shutil.which("groff"):
        yield from troff_warnings(page)
    program = program_commands(slipway)
    if len(program) < 20:
        yield f"--help shows only {len(program)} commands"
    manual = manual_commands(Path(page))
    yield from differences("manual", set(manual), set(program))
    nouns = {name.split()[0] for name in program}
    yield from differences("completion", completed(slipway, completion), nouns | {"--help", "--version"})
    for name, options in program.items():
        yield from differences(f"manual: {name}", manual.get(name, set()), options - COMMON)
        yield from differences(f"completion: {name}", completed(slipway, completion, *name.split()), options)
    for noun in nouns - set(program):
        verbs = {name.split()[1] for name in program if name.startswith(noun + " ")}
        yield from differences(f"completion: {noun}", completed(slipway, completion, noun), verbs)


def main() -> int:
    bad = list(check(*sys.argv[1:]))
    for line in bad:
        print(line)
    print(f"cli docs: {len(bad)} differences" if bad else "cli docs: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
