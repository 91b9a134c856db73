/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where the steps of a task sequence name packages
 */

#include <stdbool.h>
#include <stddef.h>

struct ts_step;
struct ts_variable;

enum {
    TS_PACKAGE_ID_MAX = 16, /* bytes of an id: "SLP00012", and a NUL */
};

/* A property whose value is the id of a package, such as ImagePackageID. The client of the reference product is left out:
   our agent comes with the boot image. */
bool ts_is_package_property(const char *property);

/* A variable whose value is ids, perhaps with commas between them, of which some may be packages: an application of ours
   is one; ids of the reference product's applications have a '/'. */
bool ts_is_package_list(const struct ts_variable *variable);

/* Leave each id where it stands first, and nowhere else. @n: how many there are; in and out. Return: 0 or -ENOMEM. */
int ts_packages_once(const char **ids, size_t *n);

/* The lists that enabled Install Package and Install Application steps install: what their variables begin with. */
struct ts_package_lists {
    struct ts_package_list {
        const char *base; /* of the step */
        size_t n_digits;  /* that a number behind it has */
    } * items;            /* owned; in an order of its own */
    size_t n;
};

/* Return: 0 or -ENOMEM. _fini() may be called twice, and of {0}. */
int ts_package_lists_init(struct ts_package_lists *lists,
                          const struct ts_step *steps,
                          size_t n_steps);
void ts_package_lists_fini(struct ts_package_lists *lists);

/**
 * ts_named_package() - the package that a Set Task Sequence Variable step puts into a list
 * @lists: of the document
 *
 * Only what the document says itself can be found: a value without variables in it that begins with an id.
 *
 * Return: whether there is one.
 */
bool ts_named_package(const struct ts_package_lists *lists,
                      const struct ts_step *setter,
                      char ret[static TS_PACKAGE_ID_MAX]);
