/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <locale.h>

#include "cli/commands.h"

int main(int argc, char **argv)
{
    /* For the width of characters; messages are English. It lives as long as the program. */
    (void)uselocale(newlocale(LC_CTYPE_MASK, "", (locale_t)0));
    return (int)commands_main(argc, argv);
}
