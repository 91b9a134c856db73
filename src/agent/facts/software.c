/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is installed, by dpkg's list, and the services of systemd: of a deployed system. */

#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"

enum {
    STATUS_MAX = 64 * 1024 * 1024,
    PACKAGES_MAX =
        8000, /* with more the classes are left out: half of them would give wrong answers */
    SERVICES_MAX = 2000,
    FIELD_MAX = 512,
};

static const char status_path[] = "var/lib/dpkg/status";
static const char unit_suffix[] = ".service";

struct package {
    char name[FIELD_MAX];
    char version[FIELD_MAX];
    char vendor[FIELD_MAX];
    bool is_installed;
};

/* The value of a line "Name: value" of a paragraph. */
static bool take_field(const char *line, size_t len, const char *name, char dst[static FIELD_MAX])
{
    size_t n = strlen(name);

    if (len <= n || strncmp(line, name, n) != 0 || line[n] != ':')
        return false;
    sys_copy_line(dst, FIELD_MAX, (struct bytes){(const uint8_t *)line + n + 1, len - n - 1});
    return true;
}

static void take_line(const char *line, size_t len, struct package *p)
{
    static const char installed[] = " installed";
    char status[FIELD_MAX];
    size_t n;

    if (take_field(line, len, "Package", p->name) || take_field(line, len, "Version", p->version) ||
        take_field(line, len, "Maintainer", p->vendor) || !take_field(line, len, "Status", status))
        return;
    n = strlen(status);
    p->is_installed =
        n >= sizeof(installed) - 1 && strcmp(status + n - (sizeof(installed) - 1), installed) == 0;
}

/* One of the program's own list, and one of those that a software condition asks for. */
static void put_package(struct gather *g, const struct package *p)
{
    struct ts_instance *product = gather_add(g, "Win32_Product");
    struct ts_instance *ours =
        ts_class_add(g->table, ts_table_class(g->table, TS_OF_OURS, "software"));

    gather_text(g, product, "Name", p->name);
    gather_text(g, product, "Version", p->version);
    gather_text(g, product, "Vendor", p->vendor);
    ts_instance_add_null(g->table, product, "IdentifyingNumber");
    gather_text(g, ours, "name", p->name);
    gather_text(g, ours, "version", p->version);
}

/* Calls @put for each package that is installed. Return: how many. */
static size_t each_package(struct gather *g,
                           const char *text,
                           void (*put)(struct gather *, const struct package *))
{
    struct package p = {.name = ""};
    size_t n = 0;

    for (const char *line = text;; line += *line == '\n' ? 1 : 0) {
        size_t len = strcspn(line, "\n");

        take_line(line, len, &p);
        if (len == 0) { /* the end of a paragraph, or of all */
            n += p.is_installed && p.name[0] != '\0';
            if (put && p.is_installed && p.name[0] != '\0')
                put(g, &p);
            p = (struct package){.name = ""};
        }
        line += len;
        if (*line == '\0')
            break;
    }
    return n;
}

static void put_packages(struct gather *g)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATUS_MAX);

    sys_read(g->root, status_path, &text);
    if (text.len == 0)
        return; /* another package manager, or none: nobody here can tell */
    buf_adds(&text, "\n");
    if (text.failed || each_package(g, buf_str(&text), NULL) > PACKAGES_MAX)
        return;
    gather_class(g, "Win32_Product");
    (void)ts_table_class(g->table, TS_OF_OURS, "software");
    (void)each_package(g, buf_str(&text), put_package);
}

static bool is_wanted(const struct gather *g, const char *unit)
{
    static const char *const folders[] = {"etc/systemd/system/multi-user.target.wants",
                                          "etc/systemd/system/graphical.target.wants",
                                          "etc/systemd/system/sysinit.target.wants",
                                          "etc/systemd/system/basic.target.wants",
                                          "etc/systemd/system/network-online.target.wants"};

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (sys_exists(g->root, folders[i], ".", unit))
            return true;
    return false;
}

/* Its state is that of its control group, which is there as long as something of it runs. */
static void put_service(struct gather *g, const char *unit)
{
    size_t len = strlen(unit);
    struct ts_instance *i;
    char name[FIELD_MAX];
    bool is_running;

    if (len <= sizeof(unit_suffix) - 1 || len >= sizeof(name) || strchr(unit, '@') ||
        strcmp(unit + len - (sizeof(unit_suffix) - 1), unit_suffix) != 0)
        return;
    (void)snprintf(name, sizeof(name), "%.*s", (int)(len - (sizeof(unit_suffix) - 1)), unit);
    is_running = sys_exists(g->root, "sys/fs/cgroup/system.slice", unit, "cgroup.procs");
    i = gather_add(g, "Win32_Service");
    gather_text(g, i, "Name", name);
    gather_text(g, i, "DisplayName", name);
    gather_text(g, i, "State", is_running ? "Running" : "Stopped");
    ts_instance_add_boolean(g->table, i, "Started", is_running);
    gather_text(g, i, "StartMode", is_wanted(g, unit) ? "Auto" : "Manual");
    gather_text(g, i, "Status", "OK");
    ts_instance_add_null(g->table, i, "PathName");
    ts_instance_add_null(g->table, i, "StartName");
}

static void put_services(struct gather *g)
{
    static const char *const folders[] = {"usr/lib/systemd/system", "etc/systemd/system"};

    if (!sys_exists(g->root, "usr/lib", "systemd", "systemd"))
        return; /* nothing of systemd runs in the boot image */
    gather_class(g, "Win32_Service");
    for (size_t k = 0; k < sizeof(folders) / sizeof(folders[0]); k++) {
        struct dirent **names = NULL;
        int n = sys_list(g->root, folders[k], &names);

        for (int i = 0; i < n && i < SERVICES_MAX; i++)
            if (k == 0 || !sys_exists(g->root, folders[0], ".", names[i]->d_name))
                put_service(g, names[i]->d_name);
        sys_free_names(&names, n);
    }
}

void gather_software(struct gather *g)
{
    put_packages(g);
    put_services(g);
}
