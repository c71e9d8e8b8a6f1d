/*
 * res_ucm_ha: Asterisk as a client of the high-availability daemon `ucm-ha`, which runs beside it. See docs/asterisk.md.
 *
 * Under the MIT licence, as the rest of the project; with Asterisk it may be distributed under the terms of its GPL version 2.
 */

#include "asterisk.h"

#include "asterisk/module.h"

#include "cli.h"
#include "config.h"
#include "kick.h"
#include "watch.h"

static int load_module(void)
{
    if (ha_config_load()) {
        return AST_MODULE_LOAD_DECLINE;
    }
    if (ha_kick_start()) {
        ha_config_forget();
        return AST_MODULE_LOAD_DECLINE;
    }
    if (ha_watch_start() || ha_cli_register()) {
        ha_watch_stop();
        ha_kick_stop();
        ha_config_forget();
        return AST_MODULE_LOAD_DECLINE;
    }
    return AST_MODULE_LOAD_SUCCESS;
}

static int unload_module(void)
{
    if (ha_kick_stop()) {
        return -1;
    }
    ha_cli_unregister();
    ha_watch_stop();
    ha_config_forget();
    return 0;
}

/* The rounds go on meanwhile. */
static int reload_module(void)
{
    ha_kick_find_sip();
    return ha_config_load() ? AST_MODULE_LOAD_DECLINE : AST_MODULE_LOAD_SUCCESS;
}

/* After everything whose threads the kicks go through. */
AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "High availability: client of the ucm-ha daemon",
                .support_level = AST_MODULE_SUPPORT_EXTENDED,
                .load = load_module,
                .unload = unload_module,
                .reload = reload_module,
                .load_pri = AST_MODPRI_DEVSTATE_CONSUMER,
                .optional_modules = "res_pjsip");
