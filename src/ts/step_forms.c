/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_forms.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/network_folder.h"
#include "ts/script_words.h"

enum {
    LABEL_MAX_BYTES = 63,
    DOMAIN_MAX_BYTES = 255,
    WORKGROUP_MAX_BYTES = 32,
    USER_MAX_BYTES = 32,
    PATH_MAX_BYTES = 4096 - 64, /* the id of a package goes behind it */
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool consists_of(const char *text, const char *characters, size_t max)
{
    size_t len = strlen(text);

    return len >= 1 && len <= max && strspn(text, characters) == len;
}

static bool is_host_name(const char *text)
{
    return consists_of(text, LOWER UPPER DIGITS "-", LABEL_MAX_BYTES) && text[0] != '-' &&
           text[strlen(text) - 1] != '-';
}

static bool is_domain(const char *text)
{
    return consists_of(text, LOWER UPPER DIGITS "-_.", DOMAIN_MAX_BYTES) && text[0] != '-';
}

static bool is_workgroup(const char *text)
{
    return consists_of(text, LOWER UPPER DIGITS "-_.", WORKGROUP_MAX_BYTES) && text[0] != '-';
}

static bool is_account(const char *text)
{
    if (strncmp(text, ".\\", 2) == 0) /* "of this computer" */
        text += 2;
    return text[0] != '\0' && text[0] != '-' && !strpbrk(text, ":\n");
}

static bool is_user(const char *text)
{
    return consists_of(text, LOWER DIGITS "-_", USER_MAX_BYTES) && strchr(LOWER, text[0]);
}

static bool is_line(const char *text)
{
    return !strchr(text, '\n');
}

static bool is_network_folder(const char *text)
{
    struct ts_network_folder folder;

    return ts_network_folder_parse(text, &folder);
}

static bool is_capture_target(const char *text)
{
    struct ts_capture_target target;

    return !ts_capture_is_path(text) || ts_capture_target_parse(text, &target);
}

static bool is_folder(const char *text)
{
    return text[0] == '/' && strlen(text) < PATH_MAX_BYTES;
}

static bool is_volume(const char *text)
{
    return strncmp(text, "/dev/", 5) == 0 ||
           (strchr(LOWER UPPER, text[0]) &&
            (text[1] == '\0' || strcmp(text + 1, ":") == 0 || strcmp(text + 1, ":\\") == 0));
}

static bool is_mac(const char *text)
{
    uint8_t mac[MAC_BYTES];

    return mac_parse(bytes_of(text), mac);
}

/* Without memory it is taken for right: the step will see. */
static bool are_parameters(const char *text)
{
    OWN(freep) struct ts_script_words *words = calloc(1, sizeof(*words));

    return !words || ts_script_words_split(words, text);
}

static const struct form {
    bool (*fits)(const char *text);
    const char *words;
    const char *error_id;
    bool is_of_linux;
} forms[TS_N_FORMS] = {
    [TS_FORM_HOST_NAME] = {is_host_name,
                           "host name: letters, digits and '-', at most 63",
                           "SLW-0437",
                           false},
    [TS_FORM_DOMAIN] = {is_domain, "name of a domain", "SLW-0449", false},
    [TS_FORM_WORKGROUP] = {is_workgroup,
                           "name of a workgroup: letters, digits, - _ ., at most 32",
                           "SLW-0449",
                           false},
    [TS_FORM_ACCOUNT] = {is_account, "name of an account", "SLW-0425", false},
    [TS_FORM_USER] = {is_user,
                      "user name: lower-case letters, digits, - and _, at most 32",
                      "SLW-0440",
                      true},
    [TS_FORM_LINE] = {is_line, "text of one line", "SLW-0440", true},
    [TS_FORM_NETWORK_FOLDER] =
        {is_network_folder,
         "network folder: write \\\\SERVER\\SHARE for SMB or SERVER:/PATH for NFS",
         "SLW-0448",
         false},
    [TS_FORM_MOUNT_POINT] = {ts_is_mount_point,
                             "drive letter (D to Z but X), nor a path to mount at",
                             "SLW-0448",
                             false},
    [TS_FORM_CAPTURE_TARGET] =
        {is_capture_target,
         "name of an OS image, nor a .wim file of a network folder: write "
         "\\\\SERVER\\SHARE\\FILE.wim, SERVER:/PATH/FILE.wim, or Z:\\FILE.wim for a drive of Connect "
         "To Network Folder",
         "SLW-0482",
         false},
    [TS_FORM_FOLDER] = {is_folder, "path of Linux: give one that begins with /", "SLW-0442", true},
    [TS_FORM_VOLUME] =
        {is_volume,
         "drive letter, nor a device, of a volume that Format and Partition Disk makes",
         "SLW-0459",
         false},
    [TS_FORM_MAC] = {is_mac, "MAC address", "SLW-0433", false},
    [TS_FORM_PARAMETERS] = {are_parameters,
                            "list of parameters: a quote in it does not end, or they are too many",
                            "SLW-0444",
                            true},
};

bool ts_form_fits(enum ts_form form, const char *text)
{
    return !forms[form].fits || forms[form].fits(text);
}

const char *ts_form_words(enum ts_form form)
{
    return forms[form].words ? forms[form].words : "";
}

const char *ts_form_error_id(enum ts_form form)
{
    return forms[form].error_id ? forms[form].error_id : "";
}

bool ts_form_is_of_linux(enum ts_form form)
{
    return forms[form].is_of_linux;
}
