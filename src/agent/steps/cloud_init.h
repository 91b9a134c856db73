/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A cloud-init in the image, which runs when the system starts for the first time: what the steps have set it is not to undo
 *
 * It has a configuration of its own for that, which counts before what a data source says of the same
 * (https://cloudinit.readthedocs.io, Configuration priority). In an image without cloud-init nothing is written.
 */

#include <stdbool.h>

/**
 * cloud_init_keep_settings() - computer name and hosts, and the language if it was set, stay as they are
 * @root: inside_open()
 *
 * Return: 0 or -errno.
 */
int cloud_init_keep_settings(int root, bool has_language);

/* The network stays as Apply Network Settings has written it, unless an answer file brings its own. Return: 0 or -errno. */
int cloud_init_keep_network(int root);

/* An answer file has a network-config: that counts, if @is_its_own; otherwise cloud-init leaves the network alone. Return: 0 or -errno. */
int cloud_init_note_answer(int root, bool is_its_own);
