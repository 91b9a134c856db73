/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void boot_text_menu(const struct boot_kernel *kernel, struct buf *ret)
{
    buf_addf(ret,
             "# Written by Setup Windows and Configuration Manager of Slipway.\n"
             "set timeout=0\n"
             "set default=0\n"
             "set slipway_root=%s\n"
             "set slipway_arguments=\"root=UUID=%s ro %s\"\n"
             "search --no-floppy --fs-uuid --set=root $slipway_root\n"
             "if [ -f ($root)" BOOT_ONCE_FILE " ]; then\n"
             "  source ($root)" BOOT_ONCE_FILE "\n"
             "elif [ -f ($root)/boot/grub/grub.cfg ]; then\n"
             "  set prefix=($root)/boot/grub\n"
             "  configfile ($root)/boot/grub/grub.cfg\n"
             "fi\n",
             kernel->root_uuid,
             kernel->root_uuid,
             kernel->arguments);
    if (kernel->has_links)
        buf_adds(ret,
                 "if [ -f ($root)/vmlinuz -a -f ($root)/initrd.img ]; then\n"
                 "  menuentry \"Newest kernel\" {\n"
                 "    linux ($root)/vmlinuz $slipway_arguments\n"
                 "    initrd ($root)/initrd.img\n"
                 "  }\n"
                 "fi\n");
    buf_addf(ret,
             "if [ -f ($root)%s ]; then\n"
             "  menuentry \"%s\" {\n"
             "    linux ($root)%s $slipway_arguments\n",
             kernel->kernel,
             kernel->kernel,
             kernel->kernel);
    if (kernel->initrd[0] != '\0')
        buf_addf(ret, "    initrd ($root)%s\n", kernel->initrd);
    buf_adds(ret, "  }\nfi\n");
}

void boot_text_esp(const char *root_uuid, struct buf *ret)
{
    buf_addf(ret,
             "search --no-floppy --fs-uuid --set=root %s\n"
             "set prefix=($root)" BOOT_MENU_FOLDER "\n"
             "configfile ($root)" BOOT_MENU_FOLDER "/grub.cfg\n",
             root_uuid);
}

void boot_text_staged(const char *uuid, const char *root_uuid, struct buf *ret)
{
    buf_addf(ret,
             "set timeout=0\n"
             "set default=0\n"
             "search --no-floppy --fs-uuid --set=root %s\n"
             "if [ -f ($root)" BOOT_ONCE_FILE " ]; then\n"
             "  source ($root)" BOOT_ONCE_FILE "\n"
             "else\n"
             "  search --no-floppy --fs-uuid --set=root %s\n"
             "  set prefix=($root)" BOOT_MENU_FOLDER "\n"
             "  configfile ($root)" BOOT_MENU_FOLDER "/grub.cfg\n"
             "fi\n",
             uuid,
             root_uuid);
}

void boot_text_once(const char *arguments, struct buf *ret)
{
    buf_addf(ret,
             "menuentry \"Slipway boot image\" {\n"
             "  linux ($root)/_SMSTaskSequence/boot/vmlinuz %s slipway.disk=1\n"
             "  initrd ($root)/_SMSTaskSequence/boot/initrd.img\n"
             "}\n",
             arguments);
}

static bool take_line(struct bytes *src, struct bytes *ret)
{
    if (src->len == 0)
        return false;
    const uint8_t *end = memchr(src->ptr, '\n', src->len);

    (void)bytes_take(src, end ? (size_t)(end - src->ptr) : src->len, ret);
    if (end) {
        src->ptr++;
        src->len--;
    }
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The next word of a line; empty at its end. */
static struct bytes take_word(struct bytes *line)
{
    struct bytes word = {0};
    size_t len = 0;

    while (line->len > 0 && is_blank(line->ptr[0])) {
        line->ptr++;
        line->len--;
    }
    while (len < line->len && !is_blank(line->ptr[len]))
        len++;
    (void)bytes_take(line, len, &word);
    return word;
}

static bool begins_with(struct bytes text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static bool is_kept(struct bytes line)
{
    struct bytes device = take_word(&line);
    struct bytes folder = take_word(&line);

    if (device.len == 0 || device.ptr[0] == '#')
        return true;
    if (bytes_eq(folder, bytes_of("/")) || bytes_eq(folder, bytes_of("/boot/efi")))
        return false;
    return !begins_with(device, "/dev/") && !begins_with(device, "UUID=") &&
           !begins_with(device, "LABEL=") && !begins_with(device, "PARTUUID=") &&
           !begins_with(device, "PARTLABEL=") && !begins_with(device, "ID=");
}

void boot_text_fstab(struct bytes old,
                     const char *root_uuid,
                     const char *root_type,
                     const char *esp_uuid,
                     struct buf *ret)
{
    struct bytes line;

    while (take_line(&old, &line)) {
        if (!is_kept(line))
            continue;
        buf_add(ret, line);
        buf_adds(ret, "\n");
    }
    buf_addf(ret,
             "UUID=%s / %s %s 0 %d\n",
             root_uuid,
             root_type,
             strcmp(root_type, "ext4") == 0 ? "errors=remount-ro" : "defaults",
             strcmp(root_type, "ext4") == 0 ? 1 : 0);
    if (esp_uuid[0] != '\0')
        buf_addf(ret, "UUID=%s /boot/efi vfat umask=0077,nofail 0 1\n", esp_uuid);
}

/* Call for each word of a command line that @keep likes. */
static void copy_words(const char *cmdline, bool (*keep)(struct bytes word), struct buf *ret)
{
    for (const char *at = cmdline + strspn(cmdline, " \n"); *at != '\0'; at += strspn(at, " \n")) {
        struct bytes word = {(const uint8_t *)at, strcspn(at, " \n")};

        at += word.len;
        if (!keep(word))
            continue;
        if (ret->len > 0)
            buf_adds(ret, " ");
        buf_add(ret, word);
    }
}

/* A word that GRUB's language would read as more than a word is left out. */
static bool is_plain(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] <= ' ' || word.ptr[i] > '~' || strchr("\"'`$\\;|&<>{}()#", word.ptr[i]))
            return false;
    return true;
}

static bool is_console(struct bytes word)
{
    return is_plain(word) && begins_with(word, "console=");
}

static bool is_for_every_start(struct bytes word)
{
    return is_plain(word) && !begins_with(word, "slipway.ticket=") &&
           !begins_with(word, "slipway.disk=") && !begins_with(word, "initrd=") &&
           !begins_with(word, "BOOT_IMAGE=");
}

void boot_text_arguments(const char *cmdline, struct buf *ret)
{
    copy_words(cmdline, is_console, ret);
}

void boot_text_again(const char *cmdline, struct buf *ret)
{
    copy_words(cmdline, is_for_every_start, ret);
}

#define AGENT_PROGRAM \
    "/usr/lib/slipway/ld.so --inhibit-cache --library-path /usr/lib/slipway/lib " \
    "/usr/lib/slipway/slipway-agent "
#define AGENT_COMMAND  AGENT_PROGRAM "run --full-os"
#define CLIENT_COMMAND AGENT_PROGRAM "client"

const char *boot_text_systemd_unit(void)
{
    return "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "[Unit]\n"
           "Description=Slipway agent: finishes the task sequence\n"
           "ConditionPathExists=/_SMSTaskSequence/state.json\n"
           "Wants=network-online.target\n"
           "After=network-online.target\n"
           "\n"
           "[Service]\n"
           "ExecStart=" AGENT_COMMAND "\n"
           "Restart=on-failure\n"
           "RestartSec=10\n"
           "KillMode=process\n" /* what steps and SMSTSPostAction left running goes on */
           "StandardOutput=journal+console\n"
           "\n"
           "[Install]\n"
           "WantedBy=multi-user.target\n";
}

const char *boot_text_openrc_script(void)
{
    return "#!/sbin/openrc-run\n"
           "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "description=\"Slipway agent: finishes the task sequence\"\n"
           "command=/usr/lib/slipway/ld.so\n"
           "command_args=\"--inhibit-cache --library-path /usr/lib/slipway/lib "
           "/usr/lib/slipway/slipway-agent run --full-os\"\n"
           "command_background=true\n"
           "pidfile=/run/slipway-agent.pid\n"
           "depend() {\n"
           "    need net\n"
           "    after firewall\n"
           "}\n"
           "start_pre() {\n"
           "    [ -e /_SMSTaskSequence/state.json ]\n"
           "}\n";
}

const char *boot_text_sysv_script(void)
{
    return "#!/bin/sh\n"
           "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "### BEGIN INIT INFO\n"
           "# Provides:          slipway-agent\n"
           "# Required-Start:    $network $remote_fs\n"
           "# Required-Stop:\n"
           "# Default-Start:     2 3 4 5\n"
           "# Default-Stop:\n"
           "# Short-Description: Slipway agent: finishes the task sequence\n"
           "### END INIT INFO\n"
           "case \"$1\" in\n"
           "start)\n"
           "    [ -e /_SMSTaskSequence/state.json ] || exit 0\n"
           "    " AGENT_COMMAND " </dev/null >/dev/console 2>&1 &\n"
           "    ;;\n"
           "esac\n";
}

const char *boot_text_client_unit(void)
{
    return "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "[Unit]\n"
           "Description=Slipway client: asks the site what is to be run here\n"
           "Wants=network-online.target\n"
           "After=network-online.target slipway-agent.service\n"
           "\n"
           "[Service]\n"
           "ExecStart=" CLIENT_COMMAND "\n"
           "Restart=on-failure\n"
           "RestartSec=60\n"
           "KillMode=process\n" /* as of the other */
           "\n"
           "[Install]\n"
           "WantedBy=multi-user.target\n";
}

const char *boot_text_client_openrc_script(void)
{
    return "#!/sbin/openrc-run\n"
           "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "description=\"Slipway client: asks the site what is to be run here\"\n"
           "command=/usr/lib/slipway/ld.so\n"
           "command_args=\"--inhibit-cache --library-path /usr/lib/slipway/lib "
           "/usr/lib/slipway/slipway-agent client\"\n"
           "command_background=true\n"
           "pidfile=/run/slipway-client.pid\n"
           "depend() {\n"
           "    need net\n"
           "    after firewall slipway-agent\n"
           "}\n";
}

const char *boot_text_client_sysv_script(void)
{
    return "#!/bin/sh\n"
           "# SPDX-License-Identifier: GPL-3.0-or-later\n"
           "### BEGIN INIT INFO\n"
           "# Provides:          slipway-client\n"
           "# Required-Start:    $network $remote_fs\n"
           "# Required-Stop:\n"
           "# Default-Start:     2 3 4 5\n"
           "# Default-Stop:\n"
           "# Short-Description: Slipway client: asks the site what is to be run here\n"
           "### END INIT INFO\n"
           "case \"$1\" in\n"
           "start)\n"
           "    " CLIENT_COMMAND " </dev/null >/dev/null 2>&1 &\n"
           "    ;;\n"
           "esac\n";
}
