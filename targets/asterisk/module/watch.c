#include "asterisk.h"

#include "watch.h"

#include "asterisk/json.h"
#include "asterisk/logger.h"
#include "asterisk/manager.h"
#include "asterisk/strings.h"
#include "asterisk/utils.h"

#include "control.h"
#include "worker.h"

/* How often the daemon is asked. */
#define WATCH_INTERVAL_MS 500
#define UNKNOWN "Unknown"

static struct ha_worker watcher;
/* Of the watcher alone. */
static char role[32];
static intmax_t term;

static void tell(const char *now, intmax_t new_term, struct ast_json *status)
{
    const char *ha_status = status ? ast_json_object_string_get(status, "ha_status") : NULL;
    const char *cluster_ip = status ? ast_json_object_string_get(ast_json_object_get(status, "cluster_ip"), "address") : NULL;

    /*** DOCUMENTATION: in res_ucm_ha-en_US.xml ***/
    manager_event(EVENT_FLAG_SYSTEM, "HARoleChange",
                  "Role: %s\r\n"
                  "PreviousRole: %s\r\n"
                  "Term: %jd\r\n"
                  "HAStatus: %s\r\n"
                  "ClusterIP: %s\r\n",
                  now, role, new_term, S_OR(ha_status, UNKNOWN), S_OR(cluster_ip, UNKNOWN));
    ast_verb(2, "HA role is %s, was %s (term %jd)\n", now, role, new_term);
    ast_copy_string(role, now, sizeof(role));
    term = new_term;
}

/* The watcher's work: asks, and tells what changed. */
static void look(void)
{
    char problem[HA_PROBLEM_LEN];
    struct ast_json *status = ha_control_status(problem);
    const char *now = status ? ast_json_object_string_get(status, "role") : NULL;

    if (!now) {
        if (strcmp(role, UNKNOWN)) {
            ast_log(LOG_WARNING, "the HA role is not known: %s\n", status ? "the status has none" : problem);
            tell(UNKNOWN, term, NULL);
        }
    } else {
        intmax_t new_term = ast_json_object_integer_get(status, "term");
        if (strcmp(role, now) || term != new_term) {
            tell(now, new_term, status);
        }
    }
    ast_json_unref(status);
}

static int interval_ms(void)
{
    return WATCH_INTERVAL_MS;
}

int ha_watch_start(void)
{
    role[0] = '\0';
    term = 0;
    return ha_worker_start(&watcher, look, interval_ms);
}

void ha_watch_stop(void)
{
    ha_worker_stop(&watcher);
}
