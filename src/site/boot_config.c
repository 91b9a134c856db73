/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_config.h"

#include <ctype.h>
#include <string.h>

#include "site/site.h"

enum {
    CPUID_LONG_MODE = 29, /* the bit of the extended features that says the processor has 64 bits */
    HTTP_PORT = 80,
    AGAIN_WAIT_S = 10,
};

static const char again[] = "The boot image could not be loaded, starting again in 10 seconds";

/* The site's URLs, the address the device asked first; a remote distribution point has no API. */
static void put_site_urls(const struct boot_config *config, struct buf *dst)
{
    const char *at = config->site->settings.addresses;
    unsigned port = config->site->settings.https_port;
    size_t own_len = config->dp_http_port == 0 ? strlen(config->server_address) : 0;

    if (own_len > 0)
        buf_addf(dst, "https://%s:%u", config->server_address, port);
    while (*at) {
        size_t n = strcspn(at, " ");

        if (n != own_len || memcmp(at, config->server_address, n) != 0)
            buf_addf(dst, "%shttps://%.*s:%u", dst->len > 0 ? "," : "", (int)n, at, port);
        at += n + (at[n] == ' ' ? 1 : 0);
    }
}

void boot_config_put_command_line(const struct boot_config *config, struct buf *dst)
{
    struct buf urls = BUF_INIT(BOOT_CONFIG_MAX_BYTES);

    put_site_urls(config, &urls);
    buf_addf(dst, "slipway.site=%s slipway.pin=%s", buf_str(&urls), config->site->settings.pin);
    dst->failed = dst->failed || urls.failed;
    buf_fini(&urls);
    if (config->ticket[0])
        buf_addf(dst, " slipway.ticket=%s", config->ticket);
    if (config->mac[0])
        buf_addf(dst, " slipway.mac=%s", config->mac);
    buf_addf(dst,
             " slipway.image=%s console=tty0 console=ttyS0,115200 quiet "
             "panic=60",
             config->package_id);
}

/* What no boot loader could take for anything but text. */
static void put_title(const char *title, struct buf *dst)
{
    for (; *title; title++) {
        unsigned char c = (unsigned char)*title;
        char out = isalnum(c) || strchr(" .,:_-", c) ? (char)c : '?';

        buf_add(dst, (struct bytes){(const uint8_t *)&out, 1});
    }
}

static void put_port(const struct boot_config *config, struct buf *dst)
{
    unsigned port =
        config->dp_http_port > 0 ? config->dp_http_port : config->site->settings.http_port;

    if (port != HTTP_PORT)
        buf_addf(dst, ":%u", port);
}

void boot_config_put_url(const struct boot_config *config, const char *file, struct buf *dst)
{
    buf_addf(dst, "http://%s", config->server_address);
    put_port(config, dst);
    buf_addf(dst, "/boot/%s/%s/%s", config->package_id, config->arch, file);
}

/* A kernel without its initrd is never started: a loader goes on when a file did not come. */
static void put_grub_entry(const struct boot_config *config, struct buf *dst)
{
    buf_adds(dst, "menuentry \"");
    put_title(config->title, dst);
    buf_adds(dst, "\" {\n  if linux \"$files/vmlinuz\" ");
    boot_config_put_command_line(config, dst);
    buf_addf(dst,
             "; then\n    if initrd \"$files/initrd.img\"; then\n      boot\n    fi\n  fi\n"
             "  echo \"%s\"\n  sleep %d\n  reboot\n}\n",
             again,
             AGAIN_WAIT_S);
}

void boot_config_put_grub(const struct boot_config *config, struct buf *dst)
{
    buf_addf(dst, "set timeout=%u\nset default=0\n", config->is_required ? 0U : config->menu_s);
    buf_addf(
        dst, "if [ \"$slipway_http\" = 1 ]; then\n  set files=\"(http,%s", config->server_address);
    put_port(config, dst);
    buf_addf(dst, ")/boot/%s/%s\"\nelse\n", config->package_id, config->arch);
    buf_addf(dst,
             "  set files=\"(tftp,%s)/%s/%s\"\nfi\n",
             config->server_address,
             config->package_id,
             config->arch);
    if (!config->is_required)
        buf_adds(dst, "menuentry \"Start from the local disk\" {\n  exit\n}\n");
    put_grub_entry(config, dst);
}

static void put_ipxe_boot(const struct boot_config *config, struct buf *dst)
{
    buf_adds(dst, "kernel ");
    boot_config_put_url(config, "vmlinuz", dst);
    buf_adds(dst, " initrd=initrd.img ");
    boot_config_put_command_line(config, dst);
    buf_adds(dst, " || goto again\ninitrd ");
    boot_config_put_url(config, "initrd.img", dst);
    buf_adds(dst, " || goto again\nboot || goto again\n");
}

/* Not the disk, if something did not come: the order waits. */
static void put_ipxe_again(struct buf *dst)
{
    buf_addf(dst, ":again\necho %s\nsleep %d\nreboot\n", again, AGAIN_WAIT_S);
}

/* An iPXE that does not know cpuid starts the one for x86, which every processor can run. */
void boot_config_put_ipxe(const struct boot_config *config, struct buf *dst)
{
    struct boot_config x86 = *config;

    buf_adds(dst, "#!ipxe\n");
    if (!config->is_required) {
        buf_adds(dst, "menu Slipway\nitem disk Start from the local disk\nitem deploy ");
        put_title(config->title, dst);
        buf_addf(dst,
                 "\nchoose --default disk --timeout %u target || goto disk\n"
                 "goto ${target}\n:disk\nexit\n:deploy\n",
                 config->menu_s * 1000);
    }
    if (!config->x86_package_id || !config->x86_package_id[0]) {
        put_ipxe_boot(config, dst);
        put_ipxe_again(dst);
        return;
    }
    x86.package_id = config->x86_package_id;
    x86.arch = "x86";
    buf_addf(dst, "cpuid --ext %d || goto x86\n", CPUID_LONG_MODE);
    put_ipxe_boot(config, dst);
    buf_adds(dst, ":x86\n");
    put_ipxe_boot(&x86, dst);
    put_ipxe_again(dst);
}
