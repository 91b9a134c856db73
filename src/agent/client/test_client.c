/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/client/client.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "base/own.h"
#include "plat/file.h"

/*
 * A client whose system is a folder, against a site on a Unix socket; time is the test's.
 */

enum {
    TEXT_MAX = 64 * 1024,
    MINUTE_US = 60 * 1000 * 1000,
};

static char folder[64] = "/tmp/slipway-test-client-XXXXXX";
static char root[96];
static char socket_path[96];
static char journal_path[96];
static char lock_path[96];
static char asked_path[96]; /* what the site was asked and told */
static char order_path[96]; /* while it exists, there is an order, once */
static char gone_path[96];  /* while it exists, the site does not take the key */
static char ran_path[96];
static char state_path[192];
static char identity_path[192];

static uint64_t now_us = 1000;

uint64_t __wrap_clock_monotonic_us(void);
uint64_t __wrap_clock_wall_us(void);
void __wrap_clock_sleep_us(uint64_t us);

uint64_t __wrap_clock_monotonic_us(void)
{
    return now_us;
}

uint64_t __wrap_clock_wall_us(void)
{
    return UINT64_C(1795253405000000) + now_us;
}

void __wrap_clock_sleep_us(uint64_t us)
{
    now_us += us;
}

static int collect(struct machine *ret)
{
    *ret = (struct machine){.manufacturer = "LAB", .n_cpus = 1};
    return 0;
}

static int run_step(struct step_context *c, struct step_result *ret)
{
    *ret = (struct step_result){0};
    test_note(ran_path, c->step_name);
    test_note(ran_path, c->environment == STEP_IN_FULL_OS ? "full-os" : "boot-image");
    if (strcmp(c->step_name, "restart") == 0)
        ret->then = STEP_THEN_RESTART_TO_BOOT_IMAGE;
    if (strcmp(c->step_name, "leave") == 0)
        return step_fail(ret, "SLW-0451", "it does not work");
    return 0;
}

static const struct step_type *find_type(const char *type)
{
    static const struct step_type only = {
        "step", STEP_IN_BOOT_IMAGE | STEP_IN_FULL_OS, true, run_step};

    return strcmp(type, "step") == 0 ? &only : NULL;
}

static int settle(const char *path)
{
    (void)path;
    return 0;
}

static void find_running(const struct machine *machine, struct step_target *ret)
{
    (void)machine;
    *ret = (struct step_target){.disk_serial = "disk-7", .root_uuid = "u-7", .is_old = true};
}

static const struct run_platform platform = {
    .collect = collect,
    .find_type = find_type,
    .settle = settle,
    .find_running = find_running,
    .full_os_root = root,
    .journal_path = journal_path,
    .poll_us = 1000,
    .patience_us = 1000000,
};

static void put_order(char *dst, size_t cap)
{
    OWN(buf_fini) struct buf steps = BUF_INIT(TEXT_MAX);

    test_read(order_path, &steps);
    (void)unlink(order_path);
    (void)snprintf(
        dst,
        cap,
        "{\"order_id\": \"0190f5b0-0000-7000-8000-000000000001\", \"deployment_id\": \"SLP20001\", \"device_id\": \"dev-1\","
        "\"device_name\": \"PC-1\", \"attempt\": 1, \"deadline_us\": 5, \"purpose\":"
        "\"required\", \"task_sequence\": {\"id\": \"t\", \"name\": \"t\", \"xml\":"
        "\"<sequence version='3.10'>%s</sequence>\"}, \"variables\": {}, \"content\": {},"
        "\"sources\": [], \"failed_wait_s\": 0}",
        buf_str(&steps));
}

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    char body[4096] = "{\"is_cancelled\": false}";
    const char *status = "200 OK";
    const char *state = strstr(request, "\"state\":");

    if (strstr(request, "/client/time "))
        (void)snprintf(body, sizeof(body), "{\"time_us\": 1795253405000000, \"challenge\": \"c\"}");
    else if (strstr(request, "/client/tokens ")) {
        status = file_exists(gone_path) ? "401 Unauthorized" : "201 Created";
        (void)snprintf(body, sizeof(body), "{\"token\": \"t\", \"token_life_s\": 900}");
    } else if (strncmp(request, "PUT /api/v1/client/inventory ", 29) == 0) {
        bool is_whole = strstr(request, "\"environment\":\"full-os\"") &&
                        strstr(request, "\"manufacturer\":\"LAB\"") &&
                        strstr(request, "\"facts\":{");

        test_note(asked_path, is_whole ? "inventory" : "half-an-inventory");
        if (file_exists(gone_path))
            status = "401 Unauthorized";
        (void)snprintf(body, sizeof(body), "{\"poll_s\": 3600}");
    } else if (strstr(request, "/client/orders ")) {
        bool is_named = strstr(request, "\"deployment_id\":\"SLP20001\"");

        test_note(asked_path, is_named ? "this-order" : "order");
        if (strstr(request, "\"environment\":\"full-os\"") && file_exists(order_path)) {
            put_order(body, sizeof(body));
        } else if (is_named) {
            status = "409 Conflict";
            (void)snprintf(body,
                           sizeof(body),
                           "{\"error_id\": \"SLW-0222\", \"detail\": \"It cannot be begun.\"}");
        } else {
            status = "204 No Content";
            body[0] = '\0';
        }
    } else if (strstr(request, "/client/deployments ")) {
        (void)snprintf(body, sizeof(body), "{\"items\": [{\"deployment_id\": \"SLP20001\"}]}");
    } else if (state) {
        char word[32];

        state += strlen("\"state\":");
        state += strspn(state, " \"");
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(state, "\""), state);
        test_note(asked_path, word);
    }
    return test_site_reply(status, body, dst, cap);
}

static struct client_options options_of_test(void)
{
    static struct screen *screen;

    if (!screen)
        assert_int_equal(screen_new(NULL, 0, &screen), 0);
    return (struct client_options){.version = "test",
                                   .platform = &platform,
                                   .screen = screen,
                                   .lock_path = lock_path,
                                   .unix_socket = socket_path};
}

static enum client_next turn(struct client *client)
{
    const struct client_options options = options_of_test();
    enum client_next next = CLIENT_IS_NONE;

    assert_int_equal(client_turn(&options, client, &next), 0);
    return next;
}

/* All that was said since, in order. */
static void assert_asked(const char *wanted)
{
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);

    test_read(asked_path, &asked);
    assert_string_equal(buf_str(&asked), wanted);
    (void)unlink(asked_path);
}

static void assert_ran(const char *wanted)
{
    OWN(buf_fini) struct buf ran = BUF_INIT(TEXT_MAX);

    test_read(ran_path, &ran);
    assert_string_equal(buf_str(&ran), wanted);
    (void)unlink(ran_path);
}

static void order(const char *steps)
{
    assert_int_equal(file_write(order_path, bytes_of(steps), 0600), 0);
}

static int begin(void **state)
{
    const struct client_identity identity = {
        .site = {.urls = {"http://site"}, .n_urls = 1, .has_pin = true, .pin = {7}},
        .key = {1, 2, 3},
        .device_id = "dev-1",
        .device_name = "PC-1",
    };

    (void)state;
    (void)unlink(asked_path);
    (void)unlink(ran_path);
    (void)unlink(order_path);
    (void)unlink(gone_path);
    (void)dir_remove(root);
    return client_identity_write(root, &identity);
}

static void who_it_is_is_kept_for_root_alone_and_read_again(void **state)
{
    struct client_identity identity;
    struct stat st;

    (void)state;
    assert_int_equal(stat(identity_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(client_identity_read(root, &identity), 0);
    assert_string_equal(identity.device_id, "dev-1");
    assert_string_equal(identity.device_name, "PC-1");
    assert_string_equal(identity.site.urls[0], "http://site");
    assert_true(identity.site.has_pin && identity.site.pin[0] == 7);
    assert_int_equal(identity.key[2], 3);
    assert_int_equal(client_identity_remove(root), 0);
    assert_int_equal(client_identity_read(root, &identity), CLIENT_E_NONE);
    assert_int_equal(client_identity_remove(root), 0);
}

static const char of_another_version[] = {
    "{\"version\": 2, \"device_id\": \"d\", \"device_name\": \"n\", \"site\": {\"urls\": [\"https://a\"],"
    "\"key\": \"0101010101010101010101010101010101010101010101010101010101010101\"}}"};

static void an_identity_that_lacks_something_is_malformed(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"version\": 1}",
        "{\"version\": 1, \"device_id\": \"d\", \"device_name\": \"n\", \"site\": {\"urls\": [\"https://a\"]}}",
        of_another_version,
    };
    struct client_identity identity;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct client client = {0};

        assert_int_equal(file_write(identity_path, bytes_of(texts[i]), 0600), 0);
        assert_int_equal(client_identity_read(root, &identity), CLIENT_E_MALFORMED);
        assert_int_equal(turn(&client), CLIENT_IS_NONE);
    }
    assert_asked("");
}

static void it_tells_at_once_what_it_is_and_lets_the_computer_settle_before_it_asks(void **state)
{
    struct client client = {0};

    (void)state;
    order("<step type='step' name='once'/>");
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("inventory ");
    now_us += CLIENT_SETTLE_US - 1;
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("");
    assert_ran("");
    now_us += 1;
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("inventory order started step-started step-succeeded succeeded ");
    assert_ran("once full-os ");
    assert_false(file_exists(state_path));
    assert_true(file_exists(identity_path));
    /* there may be another one */
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("inventory order ");
    now_us += (uint64_t)53 * MINUTE_US; /* an hour, up to a tenth sooner or later */
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("");
    now_us += (uint64_t)14 * MINUTE_US;
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("inventory order ");
}

static void a_restart_into_the_boot_image_leaves_a_state_that_it_will_find(void **state)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    struct client client = {.ask_us = 1};

    (void)state;
    order("<step type='step' name='restart'/><step type='step' name='last'/>");
    assert_int_equal(turn(&client), CLIENT_RESTART);
    assert_asked("inventory order started step-started step-succeeded restarting ");
    test_read(state_path, &text);
    assert_non_null(strstr(buf_str(&text), "\"phase\": \"boot-image\""));
    assert_non_null(strstr(buf_str(&text), "\"disk_serial\": \"disk-7\""));
    assert_non_null(strstr(buf_str(&text), "\"root_uuid\": \"u-7\""));
    assert_non_null(strstr(buf_str(&text), "\"is_old\": true"));
    /* the boot image could not be started: what the state says is done here all the same */
    client = (struct client){0};
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("step-started step-succeeded succeeded ");
    assert_ran("restart full-os last full-os ");
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("inventory ");
}

static void somebody_begins_a_deployment_at_the_computer(void **state)
{
    const struct client_options options = options_of_test();
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX);
    OWN(json_decrefp) json_t *list = NULL;
    enum run_end end;
    int lock = -1;

    (void)state;
    assert_int_equal(client_list(&options, &list, &why), 0);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(client_begin(&options, "SLP20001", &end, &why), CLIENT_E_REFUSED);
    assert_string_equal(buf_str(&why), "SLW-0222: It cannot be begun.");
    assert_asked("this-order ");
    order("<step type='step' name='once'/>");
    assert_int_equal(client_lock(lock_path, false, &lock), 0);
    assert_int_equal(client_begin(&options, "SLP20001", &end, &why), CLIENT_E_BUSY);
    fd_closep(&lock);
    assert_asked("");
    assert_int_equal(client_begin(&options, "SLP20001", &end, &why), 0);
    assert_int_equal(end, RUN_FINISHED);
    assert_ran("once full-os ");
    order("<step type='step' name='leave'/>");
    assert_int_equal(client_begin(&options, "SLP20001", &end, &why), 0);
    assert_int_equal(end, RUN_FAILED);
}

static void whom_the_site_does_not_know_runs_nothing_and_asks_seldom(void **state)
{
    struct client client = {.ask_us = 1};

    (void)state;
    order("<step type='step' name='once'/>");
    test_note(gone_path, "yes");
    assert_int_equal(turn(&client), CLIENT_WAIT);
    (void)unlink(asked_path);
    assert_int_equal(turn(&client), CLIENT_WAIT);
    now_us += (uint64_t)4 * MINUTE_US;
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_asked("");
    assert_ran("");
    now_us += (uint64_t)2 * MINUTE_US;
    (void)unlink(gone_path);
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_ran("once full-os ");
}

static void a_variable_has_the_agent_go_with_the_task_sequence(void **state)
{
    struct client client = {.ask_us = 1};
    char link[192];

    (void)state;
    (void)snprintf(link, sizeof(link), "%s/etc/systemd/system/multi-user.target.wants", root);
    assert_int_equal(dir_make(link, 0755), 0);
    (void)snprintf(link,
                   sizeof(link),
                   "%s/etc/systemd/system/multi-user.target.wants/slipway-client.service",
                   root);
    assert_int_equal(symlink("/etc/systemd/system/slipway-client.service", link), 0);
    order("<globalVarList><variable name='SLWKeepClient'>false</variable></globalVarList>"
          "<step type='step' name='once'/>");
    assert_int_equal(turn(&client), CLIENT_WAIT);
    assert_ran("once full-os ");
    assert_false(file_exists(identity_path));
    assert_int_equal(readlink(link, (char[8]){0}, 8), -1);
    assert_int_equal(turn(&client), CLIENT_IS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_it_is_is_kept_for_root_alone_and_read_again, begin),
        cmocka_unit_test_setup(an_identity_that_lacks_something_is_malformed, begin),
        cmocka_unit_test_setup(
            it_tells_at_once_what_it_is_and_lets_the_computer_settle_before_it_asks, begin),
        cmocka_unit_test_setup(a_restart_into_the_boot_image_leaves_a_state_that_it_will_find,
                               begin),
        cmocka_unit_test_setup(somebody_begins_a_deployment_at_the_computer, begin),
        cmocka_unit_test_setup(whom_the_site_does_not_know_runs_nothing_and_asks_seldom, begin),
        cmocka_unit_test_setup(a_variable_has_the_agent_go_with_the_task_sequence, begin),
    };
    static const struct {
        char *path;
        const char *name;
    } places[] = {{root, "root"},
                  {socket_path, "site"},
                  {journal_path, "memory/smsts.log"},
                  {lock_path, "run/agent.lock"},
                  {asked_path, "asked"},
                  {order_path, "order"},
                  {gone_path, "gone"},
                  {ran_path, "ran"}};
    pid_t site;
    int n_failed;

    if (!mkdtemp(folder))
        return 1;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        (void)snprintf(places[i].path, 96, "%s/%s", folder, places[i].name);
    (void)snprintf(state_path, sizeof(state_path), "%s/%s", root, TARGET_STATE_FILE);
    (void)snprintf(identity_path, sizeof(identity_path), "%s/%s", root, CLIENT_FILE);
    site = test_site_start(socket_path, answer_to);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)dir_remove(folder);
    return n_failed;
}
