/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Capture Operating System Image into a WIM file of a network folder
 *
 * The file is written aside, as NAME.part, and renamed when it is whole; one that was there stays until then. A part that
 * an interruption has left is written anew.
 */

#include <stdbool.h>

#include "agent/steps/network_folder.h"
#include "agent/steps/step.h"

struct wim_create_options;

enum {
    CAPTURE_SHARE_NAME_MAX = 240, /* with ".part" it is a name that every file system takes */
    CAPTURE_SHARE_PATH_MAX = 512,
};

struct capture_share {
    struct network_folder folder;      /* to be connected; of a drive all empty */
    bool is_connected;                 /* a drive, of Connect To Network Folder */
    char path[CAPTURE_SHARE_PATH_MAX]; /* of the folder, here */
    char name[CAPTURE_SHARE_NAME_MAX]; /* of the file */
};

/* Is it meant as a path? All else is the name of an image of the content library. */
bool capture_share_is_path(const char *destination);

/**
 * capture_share_parse() - "\\server\share\folder\name.wim", "server:/export/name.wim", "Z:\folder\name.wim"
 *
 * Return: false if it is none of these.
 */
bool capture_share_parse(const char *destination, struct capture_share *ret);

/**
 * capture_share_write() - connect the folder as OSDCaptureAccount, write the file, and disconnect it
 * @options: what the file is made of
 *
 * Return: 0 with @ret a success or a failure, or -errno.
 */
int capture_share_write(struct step_context *c,
                        const struct capture_share *share,
                        const struct wim_create_options *options,
                        struct step_result *ret);
