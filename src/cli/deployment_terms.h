/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The terms of a deployment as options of commands
 */

#include <jansson.h>
#include <stdbool.h>

#include "cli/args.h"
#include "cli/table.h"

/* Rows of a command's options; "due" is the one that may repeat. */
#define DEPLOYMENT_TERMS_OPTIONS \
    OPTION( \
        "available-from", \
        "TIME", \
        "From when it may begin: 2026-11-22T22:00 by the site's clock, with a Z by UTC (default: now)."), \
        OPTION("expires", "TIME", "From when it does not begin any more (default: never)."), \
        OPTION_MANY( \
            "due", \
            "WHEN", \
            "When a required one is due: as-soon-as-possible (default), or TIME [every [N] " \
            "hours|days|weeks|months [on DAY]]."), \
        OPTION_OF( \
            "rerun", \
            "BEHAVIOUR", \
            "never|always|if-failed|if-succeeded", \
            "Whether a device that has run it runs it again when it is due again (default: always)."), \
        OPTION_OF("make-available-to", \
                  "WHOM", \
                  "clients|clients-media-and-pxe|media-and-pxe|media-and-pxe-hidden", \
                  "Who is offered it (default: clients-media-and-pxe)."), \
        OPTION_OF("priority", \
                  "PRIORITY", \
                  "high|normal|low", \
                  "Which goes first where several reach a device (default: normal)."), \
        OPTION("lost-contact", \
               "SECONDS", \
               "After how long without a word a device has failed (default: 1800)."), \
        OPTION("alert-success", \
               "PERCENT", \
               "Raise an alert if fewer of its devices have succeeded (default: 0, none)."), \
        OPTION_OF("run-outside", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether it begins outside maintenance windows too (default: no)."), \
        OPTION_OF("restart-outside", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether it may go on after the window in which it began (default: no)."), \
        OPTION( \
            "max-run", \
            "MINUTES", \
            "How long it may take: it begins only where that fits into a window; 0: not said."), \
        OPTION_OF("wake-on-lan", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether devices are sent magic packets when it is due on them (default: no)."), \
        OPTION_OF("show-progress", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether the screen of an installed system shows its progress (default: yes)."), \
        OPTION_OF("use-neighbours", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether content may come from neighbour boundary groups (default: yes)."), \
        OPTION_OF("use-default-group", \
                  "YES|NO", \
                  "yes|no", \
                  "Whether content may come from the default boundary group (default: yes)."), \
        OPTION("available-over", \
               "DAYS", \
               "Devices get it spread over so many days, at most 30 (default: 0, all at once)."), \
        OPTION("alert-after", "SECONDS", "So long after it was made (default: 86400)."), \
        OPTION("comment", "TEXT", "A comment of at most 255 characters.")

/**
 * deployment_terms_put() - what was given, as members of a request
 *
 * Return: false if an option is wrong; that is reported.
 */
bool deployment_terms_put(struct session *s, const struct args *args, json_t *dst);

/* --confirm, if it was given, as a member of a request. */
bool deployment_put_confirmation(struct session *s, const struct args *args, json_t *body);
