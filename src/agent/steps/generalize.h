/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a computer has that another one made from its image must not have
 *
 * Of a system that runs ("/") or of its volume, mounted anywhere; whatever is gone already is fine. Nothing is followed
 * out of the root.
 */

/**
 * generalize_identity() - machine id, SSH host keys, random seed: the next start makes new ones
 * @root: inside_open()
 *
 * Return: 0 or -errno.
 */
int generalize_identity(int root);

/**
 * generalize_system() - the same, and name, logs, leases, network settings, names of devices, state of cloud-init
 *
 * Return: 0 or -errno.
 */
int generalize_system(int root);

/**
 * generalize_client() - what task sequences before this one left: logs, and menus that were put aside
 *
 * The agent, its service and the state of the one that runs stay: it goes on with them. A capture leaves them out.
 *
 * Return: 0 or -errno.
 */
int generalize_client(int root);

/* How it shows that the system is a member of a domain; NULL: it does not. */
const char *generalize_find_domain(int root);
