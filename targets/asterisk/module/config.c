#include "config.h"

#include "asterisk/astobj2.h"
#include "asterisk/config.h"
#include "asterisk/logger.h"
#include "asterisk/strings.h"

#include <errno.h>

#define MIN_KICK_INTERVAL_MS 100
#define MAX_KICK_INTERVAL_MS 10000

static AO2_GLOBAL_OBJ_STATIC(current);

static struct ha_config *defaults(void)
{
    struct ha_config *config = ao2_alloc_options(sizeof(*config), NULL, AO2_ALLOC_OPT_LOCK_NOLOCK);

    if (config) {
        ast_copy_string(config->control_socket, "/run/ucm-ha/control.sock", sizeof(config->control_socket));
        ast_copy_string(config->kick_socket, "/run/ucm-ha/kick.sock", sizeof(config->kick_socket));
        ast_copy_string(config->service, "asterisk", sizeof(config->service));
        config->kick_interval_ms = 1000;
    }
    return config;
}

static int take_path(const char *value, char *path)
{
    if (value[0] != '/' || strlen(value) > HA_MAX_PATH_LEN) {
        return -1;
    }
    ast_copy_string(path, value, HA_MAX_PATH_LEN + 1);
    return 0;
}

static int take_service(const char *value, char *service)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(value);

    if (len == 0 || len > HA_MAX_SERVICE_LEN || strspn(value, allowed) != len) {
        return -1;
    }
    ast_copy_string(service, value, HA_MAX_SERVICE_LEN + 1);
    return 0;
}

static int take_interval(const char *value, int *interval_ms)
{
    char *end;

    errno = 0;
    long parsed = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || parsed < MIN_KICK_INTERVAL_MS || parsed > MAX_KICK_INTERVAL_MS) {
        return -1;
    }
    *interval_ms = (int)parsed;
    return 0;
}

/* What is wanted of the value; null where it was taken. */
static const char *take(struct ha_config *config, const char *name, const char *value)
{
    if (!strcasecmp(name, "control_socket")) {
        return take_path(value, config->control_socket) ? "must be an absolute path of at most 107 bytes" : NULL;
    }
    if (!strcasecmp(name, "kick_socket")) {
        return take_path(value, config->kick_socket) ? "must be an absolute path of at most 107 bytes" : NULL;
    }
    if (!strcasecmp(name, "service")) {
        return take_service(value, config->service) ? "must be 1 to 32 letters, digits, '.', '_' or '-', as the name of "
                                                      "a [[service]] of the daemon" : NULL;
    }
    if (!strcasecmp(name, "kick_interval_ms")) {
        return take_interval(value, &config->kick_interval_ms) ? "must be a number from 100 to 10000" : NULL;
    }
    return "is not a setting; there are control_socket, kick_socket, service and kick_interval_ms";
}

/* Takes every setting of the file; how many could not be taken. */
static int read_settings(struct ast_config *file, struct ha_config *config)
{
    int mistakes = 0;
    const char *section = NULL;

    while ((section = ast_category_browse(file, section))) {
        if (strcasecmp(section, "general")) {
            ast_log(LOG_ERROR, "%s: [%s] is not a section; all settings are in [general]\n", HA_CONFIG_FILE, section);
            mistakes++;
        }
    }
    for (struct ast_variable *v = ast_variable_browse(file, "general"); v; v = v->next) {
        const char *wanted = take(config, v->name, v->value);
        if (wanted) {
            ast_log(LOG_ERROR, "%s:%d: %s = %s: %s\n", HA_CONFIG_FILE, v->lineno, v->name, v->value, wanted);
            mistakes++;
        }
    }
    return mistakes;
}

int ha_config_load(void)
{
    struct ast_flags flags = { 0 };
    struct ast_config *file = ast_config_load(HA_CONFIG_FILE, flags);
    RAII_VAR(struct ha_config *, config, NULL, ao2_cleanup);

    if (file == CONFIG_STATUS_FILEINVALID) {
        ast_log(LOG_ERROR, "%s cannot be read: see the error above\n", HA_CONFIG_FILE);
        return -1;
    }
    config = defaults();
    if (!config) {
        return -1;
    }
    if (file == CONFIG_STATUS_FILEMISSING) {
        ast_log(LOG_NOTICE, "no %s: kicking as '%s' at %s every %d ms\n", HA_CONFIG_FILE, config->service,
                config->kick_socket, config->kick_interval_ms);
    } else {
        int mistakes = read_settings(file, config);
        ast_config_destroy(file);
        if (mistakes) {
            return -1;
        }
    }
    ao2_global_obj_replace_unref(current, config);
    return 0;
}

struct ha_config *ha_config_get(void)
{
    return ao2_global_obj_ref(current);
}

void ha_config_forget(void)
{
    ao2_global_obj_release(current);
}
