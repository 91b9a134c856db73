#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if program, manual pages and completions do not have the same commands and options.

usage: check_cli_docs.py SLIPWAY SLIPWAY_1 COMPLETIONS PAGE...

COMPLETIONS is the folder of the completions; the pages are those made from the table, slipway-NOUN.1.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# of every command of a kind; slipway.1 has them once
COMMON = {"--output", "--help", "--request-id", "--watch", "--dry-run", "--yes"}


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
            commands[" ".join(words)] = set(re.findall(r"^  (--[a-z0-9-]+)", text, re.M))
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
        match = re.match(r'^\.BI? "?(--)?([a-z0-9-]+( [a-z-]+)?)', line)
        if in_commands and before == ".TP" and match:
            if match.group(1):
                commands[current].add(f"--{match.group(2)}")
            else:
                current = match.group(2)
                commands[current] = set()
        before = line
    return commands


def path_of(slipway):
    return f"{Path(slipway).resolve().parent}{os.pathsep}{os.environ['PATH']}"


# Each reads lines "WORD WORD..." and prints what may stand behind them, a line of words per line. bash and fish
# complete as at a terminal; for zsh the two functions that show the result are ours.
SHELLS = {
    "bash": """source "$1"
        while read -ra typed; do
            COMP_WORDS=(slipway "${typed[@]}" "--"); COMP_CWORD=$((${#typed[@]} + 1))
            _slipway; options="${COMPREPLY[*]}"
            COMP_WORDS[COMP_CWORD]=""
            _slipway; echo "${COMPREPLY[@]}" "$options"
        done""",
    "zsh": """_files() { : }; _describe() { print -rn -- ${found%%:*} "" }; words=() CURRENT=2
        source $1 >/dev/null
        while read -r line; do
            CURRENT=$((${#${=line}} + 2))
            words=(slipway ${=line} --); _slipway
            words=(slipway ${=line} ""); _slipway; echo
        done""",
    "fish": """source $argv[1]
        while read line
            echo (complete -C "slipway $line --" | cut -f1) (complete -C "slipway $line " | cut -f1)
        end""",
}
EXTENSIONS = {"bash": "slipway", "zsh": "_slipway", "fish": "slipway.fish"}


def completed(slipway, shell, script, lines):
    """What the shell offers behind each of the lines."""
    behind = {"bash": [shell, "-c", SHELLS[shell], shell, script], "zsh": [shell, "-fc", SHELLS[shell], shell, script]}
    argv = behind.get(shell, [shell, "--no-config", "-c", SHELLS[shell], script])
    with tempfile.TemporaryDirectory() as home:  # where fish makes folders
        text = run(*argv, input="".join(f"{line}\n" for line in lines), env={"PATH": path_of(slipway), "HOME": home})
    return [set(line.split()) for line in text.splitlines()]


def differences(what, known, wanted):
    yield from (f"{what}: {one} is missing" for one in sorted(wanted - known))
    yield from (f"{what}: {one} does not exist" for one in sorted(known - wanted))


def troff_warnings(page):
    """groff reports them and succeeds all the same."""
    result = subprocess.run(["groff", "-man", "-ww", "-z", page], check=False, capture_output=True, text=True)
    return result.stderr.splitlines()


def check_completion(slipway, shell, script, program):
    nouns = {name.split()[0] for name in program}
    wanted = {"": nouns | {"--help", "--version"}}
    for noun in nouns - set(program):
        wanted[noun] = {name.split()[1] for name in program if name.startswith(noun + " ")}
    wanted |= program
    found = completed(slipway, shell, script, wanted)
    if len(found) != len(wanted):
        yield f"{shell}: {len(found)} answers to {len(wanted)} questions"
    for line, words in zip(wanted, found):
        # Files of the folder are offered where a file may stand.
        words = {word for word in words if word.startswith("--") or line in nouns - set(program) or not line}
        yield from differences(f"{shell}: slipway {line}", words, wanted[line])


def check(slipway, page, completions):
    if shutil.which("groff"):
        yield from troff_warnings(page)
    program = program_commands(slipway)
    if len(program) < 20:
        yield f"--help shows only {len(program)} commands"
    manual = manual_commands(Path(page))
    yield from differences("manual", set(manual), set(program))
    for name, options in program.items():
        yield from differences(f"manual: {name}", manual.get(name, set()) - COMMON, options - COMMON)
    for shell, script in EXTENSIONS.items():
        if shutil.which(shell):
            yield from check_completion(slipway, shell, Path(completions) / script, program)
        else:
            yield f"{shell} is not installed"


def check_pages(slipway, pages):
    """Each noun has its page, and man can read it."""
    nouns = {name.split()[0] for name in program_commands(slipway)}
    yield from differences("manual pages", {Path(page).stem.removeprefix("slipway-") for page in pages}, nouns)
    for page in pages:
        yield from troff_warnings(page)


def main() -> int:
    slipway, page, completions, *pages = sys.argv[1:]
    bad = [*check(slipway, page, completions), *check_pages(slipway, pages)]
    for line in bad:
        print(line)
    print(f"cli docs: {len(bad)} differences" if bad else "cli docs: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
