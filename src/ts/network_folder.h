/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Folders of other computers, and files in them, as steps name them: Connect To Network Folder, Capture Operating System Image
 *
 * The agent connects them, validate finds what could not be connected.
 */

#include <stdbool.h>

enum {
    TS_NETWORK_HOST_MAX = 256,
    TS_NETWORK_PATH_MAX = 1024,
    TS_NETWORK_PORT_MAX = 8,
    TS_CAPTURE_PATH_MAX = 512,
    TS_CAPTURE_NAME_MAX = 240, /* with ".part" it is a name that every file system takes */
};

enum ts_network_kind {
    TS_NETWORK_SMB,
    TS_NETWORK_NFS,
};

struct ts_network_folder {
    enum ts_network_kind kind;
    char host[TS_NETWORK_HOST_MAX];
    char port[TS_NETWORK_PORT_MAX];   /* ""; NFS only */
    char share[TS_NETWORK_PATH_MAX];  /* "share" or, NFS, "/export/path" */
    char folder[TS_NETWORK_PATH_MAX]; /* SMB: below the share, "a/b"; "" */
};

/**
 * ts_network_folder_parse() - "\\server\share\folder", "//server/share", "server:/export" or "nfs://server:port/export"
 *
 * Return: false if it is none of these.
 */
bool ts_network_folder_parse(const char *path, struct ts_network_folder *ret);

/* "Z:" and "z" are 'Z'; '\0' if it is no letter from D to Z. X: is the boot image's own, as documented. */
char ts_drive_letter(const char *drive);

/* Whether a folder can be mounted there: a drive, or "/a/path". */
bool ts_is_mount_point(const char *drive);

/* A WIM file of a network folder. */
struct ts_capture_target {
    struct ts_network_folder folder; /* to be connected; of a drive all empty */
    char drive; /* 'Z', which Connect To Network Folder has connected; '\0': none */
    char path[TS_CAPTURE_PATH_MAX]; /* of a drive: the folder on it, "x/y/"; "" */
    char name[TS_CAPTURE_NAME_MAX]; /* of the file */
};

/* Is it meant as a path? All else is the name of an image of the content library. */
bool ts_capture_is_path(const char *destination);

/**
 * ts_capture_target_parse() - "\\server\share\folder\name.wim", "server:/export/name.wim", "Z:\folder\name.wim"
 *
 * Return: false if it is none of these.
 */
bool ts_capture_target_parse(const char *destination, struct ts_capture_target *ret);
