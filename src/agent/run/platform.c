/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the runner asks of this computer, as it really is */

#include "agent/run/machine.h"
#include "agent/run/network.h"
#include "agent/run/report.h"
#include "agent/run/restart.h"
#include "agent/run/run.h"
#include "agent/run/target.h"
#include "agent/steps/content.h"
#include "agent/steps/network_reach.h"
#include "plat/clock.h"
#include "plat/tpm.h"

#define US_PER_S UINT64_C(1000000)

enum {
    DEFAULT_FAILED_WAIT_S = 900,
    FOLDER_WAIT_S = 300,
};

const struct run_platform *run_platform(void)
{
    static const struct run_platform real = {
        .collect = machine_collect,
        .network_up = network_up,
        .set_clock = clock_set_wall_us,
        .open_tpm = tpm_open,
        .mount = target_mount,
        .unmount = target_unmount,
        .find_state = target_find_state,
        .find_windows = target_find_windows,
        .find_running = target_find_running,
        .find_type = step_type_find,
        .boot_image_is_back = restart_to_boot_image_done,
        .prepare_boot_image = restart_prepare,
        .get_ahead = content_get_ahead,
        .connect_folder = network_folder_connect,
        .is_folder_connected = network_folder_is_connected,
        .settle = target_settle,
        .target_root = TARGET_ROOT,
        .full_os_root = "",
        .journal_path = "/run/slipway/smsts.log",
        .log_settings_path = "/etc/slipway/SMSTS.ini",
        .poll_us = 15 * US_PER_S,
        .off_us = 30 * US_PER_S,
        .patience_us = REPORT_PATIENCE_US,
        .folder_patience_us = FOLDER_WAIT_S * US_PER_S,
        .failed_wait_us = DEFAULT_FAILED_WAIT_S * US_PER_S,
    };

    return &real;
}
