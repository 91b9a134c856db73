#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply Windows Settings and Setup, and what a real Debian makes of it: languages from locale-gen, the time zone, the keyboard, accounts.

usage: ts_settings.py RUN_STEPS

RUN_STEPS is the program of tests/run_steps.c. Exit status 77: this machine lacks something, which is said; never where CI is set.
"""

import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from agent_steps import System, TestError, ended, expect, step  # noqa: E402

PROGRAMS = ("locale-gen", "localedef", "locale", "unshare")
PASSWORD = "S3cret,of-root"
# The system is its own volume, and has the agent with its service as Setup leaves it. No language is there before.
VOLUME = (
    "mkdir -p /run/slipway/target && mount --bind / /run/slipway/target;"
    " mkdir -p /usr/lib/slipway /etc/systemd/system/multi-user.target.wants; touch /usr/lib/slipway/slipway-agent"
    " /etc/systemd/system/multi-user.target.wants/slipway-agent.service;"
    " rm -rf /usr/lib/locale/locale-archive /etc/locale.gen /etc/default/locale /etc/default/keyboard"
)
SETTINGS = {
    "OSDComputerName": "LAB-77",
    "OSDTimeZone": "W. Europe Standard Time",
    "OSDWindowsSettingsUILanguage": "de-DE",
    "OSDWindowsSettingsUILanguageFallback": "en-GB",
    "OSDWindowsSettingsUserLocale": "fr-FR",
    "OSDWindowsSettingsSystemLocale": "de-DE",
    "OSDWindowsSettingsInputLocale": "0407:00000407",
    "OSDRegisteredUserName": "The lab",
    "OSDRegisteredOrgName": "Labs",
    "OSDRandomAdminPassword": "false",
    "OSDLocalAdminPassword": PASSWORD,
}
# Nothing of who runs the test
PLAIN = "unset TZ LANG LANGUAGE LC_ALL LC_TIME"
# What is asked of the system then, and what it says.
ANSWERS = {
    "cat /etc/hostname": "LAB-77",
    "getent hosts LAB-77 | cut -d' ' -f1": "127.0.1.1",
    "date -d '2026-07-01 12:00 UTC' +%Z,%H": "CEST,14",
    "locale -a | grep -x -e '.*utf8' | grep -v ^C | tr '\\n' ,": "de_DE.utf8,fr_FR.utf8,",
    ". /etc/default/locale; export LANG LC_TIME; date -d 2026-11-23 +%A": "lundi",
    ". /etc/default/locale; export LANG; date -d 2026-11-23 +%A": "Montag",
    ". /etc/default/locale; echo $LANGUAGE": "de_DE:en_GB",
    ". /etc/default/keyboard; echo $XKBLAYOUT": "de",
    "grep -c Labs /etc/machine-info": "1",
}


def check_settings(system: System):
    both = system.steps(step("ApplyWindowsSettings", "settings", **SETTINGS), step("SetupWindowsAndSMS", "setup"), before=VOLUME)
    expect(ended(both), [(None, 0)] * 2, "Apply Windows Settings and Setup")
    for question, wanted in ANSWERS.items():
        expect(system.inside(f"{PLAIN}; {question}").strip(), wanted, question)
    hashed = system.inside("grep ^root: /etc/shadow").split(":")[1]
    kind = hashed.rsplit("$", 1)[0]
    perl = f"perl -e 'print crypt($ENV{{P}}, $ENV{{K}})'"
    expect(system.inside(f"P='{PASSWORD}' K='{kind}$' {perl}").strip(), hashed, "the password of root")
    expect([secret for secret in (PASSWORD,) if secret in system.log], [], "secrets in the log")


def check_refusals(system: System):
    """What nobody can set is told before anything of its kind is written."""
    for name, value, error in (("OSDTimeZone", "Mars Standard Time", "SLW-0438"), ("OSDWindowsSettingsUILanguage", "no language", "SLW-0439")):
        bad = system.steps(step("ApplyWindowsSettings", "bad", **(SETTINGS | {name: value})), before=VOLUME)
        expect([found for found, _ in ended(bad)], [error], value)


def ts_settings(runner: Path):
    for check in (check_settings, check_refusals):
        with System(runner) as system:
            try:
                check(system)
            except TestError:
                print(system.log[-6000:])
                raise


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    lacks = [name for name in PROGRAMS if not shutil.which(name)]
    if lacks or os.geteuid() != 0:
        print(f"needs root and {', '.join(lacks) or 'nothing else'}")
        return 1 if os.environ.get("CI") else 77
    started = time.monotonic()
    try:
        ts_settings(Path(sys.argv[1]))
    except TestError as error:
        print(f"FAILED: {error}")
        return 1
    print(f"ok, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
