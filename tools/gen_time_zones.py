#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make src/ts/time_zones_table.h: the time zones of Windows with their IANA names, and all IANA names.

usage: gen_time_zones.py [WINDOWS_ZONES_XML [ZONEINFO_FOLDER]] > src/ts/time_zones_table.h

The first is common/supplemental/windowsZones.xml of Unicode's CLDR, in Debian's package unicode-cldr-core; the folder is that of Debian's package
tzdata. Zones of a territory's own are left out: Windows has one zone for all of them, and the territory "001" names the city that
stands for it. CLDR keeps names that the IANA database has replaced; newer systems have only the new ones, older ones only the old.
"""

import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree

XML = "/usr/share/unicode/cldr/common/supplemental/windowsZones.xml"
ZONEINFO = "/usr/share/zoneinfo"

WIDTH = 80

HEAD = """/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Made by tools/gen_time_zones.py from windowsZones.xml of Unicode's Common Locale Data Repository (type version {cldr})
 * and from the IANA time zone database {iana}
 */

#include <stddef.h>

/* Of Windows, what each is called in the IANA database, and what it was called there before (NULL: the same). */
static const struct {{
    const char *windows;
    const char *iana;
    const char *older;
}} windows_zones[] = {{"""


def main() -> int:
    if len(sys.argv) > 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    xml, folder = [*sys.argv[1:], *(XML, ZONEINFO)[len(sys.argv) - 1 :]]
    lines = Path(folder, "tzdata.zi").read_text(encoding="ascii").splitlines()
    version = lines[0].split()[-1]
    links = {words[2]: words[1] for words in map(str.split, lines) if words[:1] == ["L"]}
    zones = {words[1] for words in map(str.split, lines) if words[:1] == ["Z"]}
    current = {line.split()[2] for line in Path(folder, "zone.tab").read_text(encoding="utf-8").splitlines() if not line.startswith("#")}
    table = ElementTree.parse(xml).find("windowsZones/mapTimezones")
    print(HEAD.format(cldr=table.get("typeVersion"), iana=version))
    for zone in table.iter("mapZone"):
        name = zone.get("type")
        if zone.get("territory") != "001":
            continue
        new = name if name in current or name.startswith("Etc/") else links.get(name, name)
        print(f'    {{"{zone.get("other")}", "{new}", ' + ("NULL}," if new == name else f'"{name}"}},'))
    print('};\n\n/* All names of the IANA database: in each of these, one behind the other, with an empty one at the end. */')
    print("static const char *const iana_zones[] = {")
    names = " ".join(sorted(zones | set(links)))
    for line in textwrap.wrap(names, WIDTH, break_on_hyphens=False):
        print('    "' + line.replace(" ", "\\0") + '\\0",')
    print("};")
    return 0


if __name__ == "__main__":
    sys.exit(main())
