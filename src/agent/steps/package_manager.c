/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package_manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/run/sysfs.h"
#include "agent/steps/program.h"
#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "plat/process.h"
#include "ts/compare.h"

enum {
    WORDS_MAX = 1024,
    LISTING_MAX_BYTES = 4 * 1024 * 1024,
    VERSION_MAX_BYTES = 256,
    PATH_MAX_BYTES = 512,
    QUERY_TIMEOUT_US = 60 * 1000 * 1000,
    ZYPPER_REBOOT = 102,        /* it went well, a restart is wanted */
    ZYPPER_AGAIN = 103,         /* it went well for the package manager itself: run it again */
    ZYPPER_REPOS_SKIPPED = 106, /* it went well; a repository was not reached */
    ROUNDS_MAX = 3,
};

static const char *const quiet[] = {"DEBIAN_FRONTEND=noninteractive",
                                    "DEBCONF_NONINTERACTIVE_SEEN=true",
                                    "NEEDRESTART_MODE=a",
                                    NULL};

/* Files that people have changed are kept, and whoever else installs something just now is waited for. */
#define APT \
    "/usr/bin/apt-get", "-y", "-q", "-o", "Dpkg::Options::=--force-confdef", "-o", \
        "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=600"

static const char *const apt_scan[] = {APT, "-o", "APT::Update::Error-Mode=any", "update", NULL};
static const char *const apt_install[] = {APT, "install", NULL};
static const char *const apt_upgrade[] = {APT, "dist-upgrade", NULL};
static const char *const apt_only_upgrade[] = {APT, "--only-upgrade", "install", NULL};
/* A repository that cannot be reached is a failure, as with the others. */
static const char *const dnf_scan[] = {
    "/usr/bin/dnf", "-y", "--setopt=*.skip_if_unavailable=false", "--refresh", "makecache", NULL};
static const char *const dnf_install[] = {"/usr/bin/dnf", "-y", "install", NULL};
static const char *const dnf_upgrade[] = {"/usr/bin/dnf", "-y", "upgrade", NULL};
static const char *const dnf_security[] = {"/usr/bin/dnf", "-y", "--security", "upgrade", NULL};
static const char *const zypper_scan[] = {"/usr/bin/zypper", "-n", "refresh", NULL};
static const char *const zypper_install[] = {
    "/usr/bin/zypper", "-n", "install", "--auto-agree-with-licenses", NULL};
static const char *const zypper_upgrade[] = {
    "/usr/bin/zypper", "-n", "update", "--auto-agree-with-licenses", NULL};
static const char *const zypper_security[] = {
    "/usr/bin/zypper", "-n", "patch", "--auto-agree-with-licenses", "--category", "security", NULL};

enum action {
    SCAN,
    INSTALL,
    UPGRADE,
    SECURITY,
    N_ACTIONS,
};

static const struct {
    const char *name;
    const char *program;
    const char *const *actions[N_ACTIONS];
} managers[] = {
    [PACKAGE_MANAGER_NONE] = {"none", NULL, {NULL, NULL, NULL, NULL}},
    [PACKAGE_MANAGER_APT] = {"apt",
                             "/usr/bin/apt-get",
                             {apt_scan, apt_install, apt_upgrade, apt_only_upgrade}},
    [PACKAGE_MANAGER_DNF] = {"dnf",
                             "/usr/bin/dnf",
                             {dnf_scan, dnf_install, dnf_upgrade, dnf_security}},
    [PACKAGE_MANAGER_ZYPPER] = {"zypper",
                                "/usr/bin/zypper",
                                {zypper_scan, zypper_install, zypper_upgrade, zypper_security}},
};

/* A machine may have several: that of its own distribution keeps the list of packages. */
enum package_manager package_manager_kind(void)
{
    static const struct {
        enum package_manager kind;
        const char *list;
    } lists[] = {
        {PACKAGE_MANAGER_APT, "/var/lib/dpkg/status"},
        {PACKAGE_MANAGER_ZYPPER, "/etc/zypp"},
        {PACKAGE_MANAGER_DNF, "/"},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (access(managers[lists[i].kind].program, X_OK) == 0 && file_exists(lists[i].list))
            return lists[i].kind;
    return PACKAGE_MANAGER_NONE;
}

const char *package_manager_name(enum package_manager kind)
{
    return managers[kind].name;
}

void package_manager_os_release(const char *name, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    size_t len = strlen(name);

    sys_read("", "etc/os-release", &text);
    for (const char *line = buf_str(&text); *line != '\0';) {
        size_t n = strcspn(line, "\n");

        if (strncmp(line, name, len) == 0 && line[len] == '=') {
            const char *value = line + len + 1;
            size_t size = n - len - 1;
            bool is_quoted = size >= 2 && (*value == '"' || *value == '\'');

            buf_add(ret,
                    (struct bytes){(const uint8_t *)value + (is_quoted ? 1 : 0),
                                   size - (is_quoted ? 2 : 0)});
            return;
        }
        line += n + (line[n] == '\n' ? 1 : 0);
    }
}

/* A question to a program. Return: whether it ended with 0. */
static bool ask(const char *const *argv, struct buf *output)
{
    static const char *const environment[] = {
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", NULL};
    struct process_result result = {0};

    return process_run(&(struct process_options){.argv = argv,
                                                 .envp = environment,
                                                 .folder = "/",
                                                 .output = output,
                                                 .timeout_us = QUERY_TIMEOUT_US},
                       &result) == 0 &&
           result.signal == 0 && result.exit_code == 0;
}

bool package_manager_find(const char *name, struct buf *ret_version)
{
    static const char installed[] = "ii ";
    const char *const dpkg[] = {
        "/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "--", name, NULL};
    const char *const rpm[] = {
        "/usr/bin/rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", "--", name, NULL};
    OWN(buf_fini) struct buf output = BUF_INIT(LISTING_MAX_BYTES);

    if (package_manager_kind() != PACKAGE_MANAGER_APT) {
        if (!ask(rpm, &output))
            return false;
        buf_adds(ret_version, buf_str(&output));
        return true;
    }
    if (!ask(dpkg, &output) || strncmp(buf_str(&output), installed, sizeof(installed) - 1) != 0)
        return false;
    buf_adds(ret_version, buf_str(&output) + sizeof(installed) - 1);
    return true;
}

bool package_manager_is_at_least(const char *version, const char *least)
{
    const char *const dpkg[] = {"/usr/bin/dpkg", "--compare-versions", version, "ge", least, NULL};
    OWN(buf_fini) struct buf output = BUF_INIT(VERSION_MAX_BYTES);
    int order = 0;

    if (package_manager_kind() == PACKAGE_MANAGER_APT)
        return ask(dpkg, &output);

    OWN(freep) char *upstream = strndup(version, strcspn(version, "-"));

    return upstream && ts_compare_versions(upstream, least, &order) && order >= 0;
}

/* A kernel came since this computer has started. */
static bool has_new_kernel(void)
{
    static const char prefix[] = "vmlinuz-";
    struct dirent **names = NULL;
    struct timespec up = {0};
    int n = sys_list("", "boot", &names);
    bool has_any = false;

    (void)clock_gettime(CLOCK_BOOTTIME, &up);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX_BYTES];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/boot/%s", names[i]->d_name);
        has_any |= strncmp(names[i]->d_name, prefix, sizeof(prefix) - 1) == 0 &&
                   stat(path, &st) == 0 && st.st_ctim.tv_sec > time(NULL) - up.tv_sec;
    }
    sys_free_names(&names, n);
    return has_any;
}

bool package_manager_wants_restart(void)
{
    static const char *const dnf[] = {"/usr/bin/dnf", "-q", "needs-restarting", "-r", NULL};
    static const char *const zypper[] = {"/usr/bin/zypper", "-q", "needs-rebooting", NULL};
    OWN(buf_fini) struct buf output = BUF_INIT(LISTING_MAX_BYTES);

    switch (package_manager_kind()) {
    case PACKAGE_MANAGER_DNF:
        return !ask(dnf, &output) && strstr(buf_str(&output), "eboot") != NULL;
    case PACKAGE_MANAGER_ZYPPER:
        return !ask(zypper, &output) && strstr(buf_str(&output), "eboot") != NULL;
    case PACKAGE_MANAGER_APT:
    case PACKAGE_MANAGER_NONE:
        break;
    }
    return file_exists("/run/reboot-required") || has_new_kernel();
}

static bool went_well(enum package_manager kind, int code)
{
    return code == 0 || (kind == PACKAGE_MANAGER_ZYPPER &&
                         (code == ZYPPER_REBOOT || code == ZYPPER_REPOS_SKIPPED));
}

static int call_program(struct step_context *c,
                        const char *const *words,
                        const struct package_manager_call *how,
                        int *ret_code,
                        struct step_result *ret)
{
    const struct program program = {.argv = words,
                                    .folder = how->folder,
                                    .environment = quiet,
                                    .timeout_s = how->timeout_s,
                                    .what = how->what};

    return TRACE(program_run(c, &program, ret_code, ret));
}

/* dpkg keeps what it has begun in files with numbers for names until it is done. */
static bool has_begun(void)
{
    struct dirent **names = NULL;
    int n = sys_list("", "var/lib/dpkg/updates", &names);
    bool has_any = false;

    for (int i = 0; i < n; i++)
        has_any |= names[i]->d_name[0] >= '0' && names[i]->d_name[0] <= '9';
    sys_free_names(&names, n);
    return has_any && package_manager_kind() == PACKAGE_MANAGER_APT;
}

/* If the computer went down meanwhile, apt refuses everything until dpkg has been told to end it. */
static int end_what_was_begun(struct step_context *c,
                              const struct package_manager_call *how,
                              struct step_result *ret)
{
    static const char *const words[] = {
        "/usr/bin/dpkg", "--force-confdef", "--force-confold", "--configure", "-a", NULL};
    int code = 0;
    int r;

    if (!has_begun())
        return 0;
    c->log(c->ctx, "The computer went down while dpkg was at work: that is ended first");
    r = call_program(c, words, how, &code, ret);
    if (r == 0 && !ret->error_id && code != 0) /* apt may yet mend it, and says more if it cannot */
        c->log(c->ctx, "dpkg ended with exit code %d", code);
    return TRACE(r);
}

/* The words of the action, and the names behind them. Return: false if they are too many. */
static bool join(const char *const *action, const char *const *names, const char **ret)
{
    size_t n = 0;

    for (; *action && n < WORDS_MAX; action++)
        ret[n++] = *action;
    for (; names && *names && n < WORDS_MAX; names++)
        ret[n++] = *names;
    ret[n] = NULL;
    return n < WORDS_MAX;
}

static int call(struct step_context *c,
                enum action action,
                const char *const *names,
                const struct package_manager_call *how,
                struct step_result *ret)
{
    enum package_manager kind = package_manager_kind();
    const char *words[WORDS_MAX + 1];
    int code = 0;

    if (kind == PACKAGE_MANAGER_NONE)
        return step_fail_with(ret,
                              RETURN_UNSUPPORTED,
                              "SLW-0447",
                              "there is no package manager here that is known: apt, dnf or zypper");
    if (!join(managers[kind].actions[action], names, words))
        return step_fail_with(
            ret, RETURN_PARAMETER, "SLW-0447", "more than %d packages at once", (int)WORDS_MAX);
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        int r = call_program(c, words, how, &code, ret);

        if (r < 0 || ret->error_id)
            return TRACE(r);
        if (kind != PACKAGE_MANAGER_ZYPPER || code != ZYPPER_AGAIN)
            break;
    }
    if (!went_well(kind, code))
        (void)step_fail_with(ret,
                             code,
                             "SLW-0447",
                             "%s ended with exit code %d; what it said is in smsts.log",
                             managers[kind].name,
                             code);
    return 0;
}

int package_manager_scan(struct step_context *c,
                         const struct package_manager_call *how,
                         struct step_result *ret)
{
    return TRACE(call(c, SCAN, NULL, how, ret));
}

int package_manager_install(struct step_context *c,
                            const char *const *names,
                            const struct package_manager_call *how,
                            struct step_result *ret)
{
    int r = end_what_was_begun(c, how, ret);

    return r < 0 || ret->error_id ? TRACE(r) : TRACE(call(c, INSTALL, names, how, ret));
}

/* "Inst curl [7.88.1-10] (7.88.1-10+deb12u5 Debian-Security:12/stable-security [amd64])" */
static bool is_security(const char *line, size_t len)
{
    const char *archive = memchr(line, '(', len);
    char text[VERSION_MAX_BYTES];

    if (!archive)
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)(len - (size_t)(archive - line)), archive);
    return strcasestr(text, "-security") != NULL;
}

size_t package_manager_security_names(const char *listing, struct buf *ret)
{
    static const char word[] = "Inst ";
    size_t n = 0;

    for (const char *line = listing; *line != '\0';) {
        size_t len = strcspn(line, "\n");

        if (strncmp(line, word, sizeof(word) - 1) == 0 && is_security(line, len)) {
            const char *name = line + sizeof(word) - 1;

            buf_add(ret, (struct bytes){(const uint8_t *)name, strcspn(name, " \n")});
            buf_add(ret, (struct bytes){(const uint8_t *)"", 1});
            n++;
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return n;
}

/* apt knows archives, not weaknesses: what comes from a security archive is installed by name. */
static int
update_apt(struct step_context *c, const struct package_manager_call *how, struct step_result *ret)
{
    static const char *const simulate[] = {"/usr/bin/apt-get", "-s", "dist-upgrade", NULL};
    OWN(buf_fini) struct buf listing = BUF_INIT(LISTING_MAX_BYTES);
    OWN(buf_fini) struct buf names = BUF_INIT(LISTING_MAX_BYTES);
    const char *words[WORDS_MAX];
    const char *name;
    size_t n;

    if (!ask(simulate, &listing))
        return step_fail(
            ret, "SLW-0447", "apt cannot say what there is to update: %.300s", buf_str(&listing));
    n = package_manager_security_names(buf_str(&listing), &names);
    if (names.failed || n >= WORDS_MAX)
        return step_fail(ret, "SLW-0447", "apt would update too many packages at once");
    c->log(c->ctx, "%zu packages have updates from a security archive", n);
    if (n == 0)
        return 0;
    name = names.ptr;
    for (size_t i = 0; i < n; i++) {
        words[i] = name;
        name += strlen(name) + 1;
    }
    words[n] = NULL;
    return TRACE(call(c, SECURITY, words, how, ret));
}

int package_manager_update(struct step_context *c,
                           bool is_security_only,
                           const struct package_manager_call *how,
                           struct step_result *ret)
{
    int r = end_what_was_begun(c, how, ret);

    if (r < 0 || ret->error_id)
        return TRACE(r);
    if (is_security_only && package_manager_kind() == PACKAGE_MANAGER_APT)
        return TRACE(update_apt(c, how, ret));
    return TRACE(call(c, is_security_only ? SECURITY : UPGRADE, NULL, how, ret));
}
