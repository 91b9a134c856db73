/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A boot image and an operating system, as far as the steps look at them, for tests
 */

/* Where everything lies that is only pretended; memory. */
#define PRETEND_ROOM "/run/slipway-pretend"

/**
 * pretend_boot_image() - this process gets mounts of its own: /run is memory, and below /usr/lib is what a boot image has
 *
 * What is made here is seen by nobody else, and goes with this process and its children.
 *
 * Return: 0, 1 if mounts cannot be made here (root is needed), or -errno.
 */
int pretend_boot_image(void);

/* The files of an operating system below @root, which is there. Return: 0 or -errno. */
int pretend_system(const char *root);
