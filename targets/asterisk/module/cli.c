#include "asterisk.h"

#include "cli.h"

#include "asterisk/astobj2.h"
#include "asterisk/cli.h"
#include "asterisk/json.h"
#include "asterisk/strings.h"

#include "config.h"
#include "control.h"
#include "kick.h"

#define ROW "%-20s"

static const char *text_of(struct ast_json *object, const char *key)
{
    const char *text = ast_json_object_string_get(object, key);
    return S_OR(text, "unknown");
}

static int is_true(struct ast_json *object, const char *key)
{
    return ast_json_is_true(ast_json_object_get(object, key));
}

static void show_peer(int fd, struct ast_json *peer)
{
    if (ast_json_is_null(ast_json_object_get(peer, "last_heard_ms"))) {
        ast_cli(fd, ROW "%s, never heard\n", "Peer", text_of(peer, "ip"));
        return;
    }
    int cable = is_true(peer, "cable"), lan = is_true(peer, "lan");
    ast_cli(fd, ROW "%s, %s, %s, %s, last %jd ms ago\n", "Peer", text_of(peer, "ip"), text_of(peer, "mac"),
            text_of(peer, "role"),
            cable && lan ? "heard over cable and LAN"
            : cable      ? "heard over the cable only"
            : lan        ? "heard over the LAN only"
                         : "not heard",
            ast_json_object_integer_get(peer, "last_heard_ms"));
}

static void show_faults(int fd, struct ast_json *faults)
{
    int raised = 0;

    for (size_t index = 0; index < ast_json_array_size(faults); index++) {
        struct ast_json *fault = ast_json_array_get(faults, index);
        if (is_true(fault, "raised")) {
            const char *reason = ast_json_object_string_get(fault, "reason");
            ast_cli(fd, ROW "%s%s%s\n", raised++ ? "" : "Faults", text_of(fault, "name"), reason ? " " : "", S_OR(reason, ""));
        }
    }
    if (!raised) {
        ast_cli(fd, ROW "none\n", "Faults");
    }
}

static void show_node(int fd, struct ast_json *status)
{
    struct ast_json *cluster_ip = ast_json_object_get(status, "cluster_ip");
    struct ast_json *force_switch = ast_json_object_get(status, "force_switch");

    ast_cli(fd, ROW "%s\n", "HA status", text_of(status, "ha_status"));
    ast_cli(fd, ROW "%s\n", "Role", text_of(status, "role"));
    ast_cli(fd, ROW "%s\n", "Station type", text_of(status, "station_type"));
    ast_cli(fd, ROW "%s\n", "MAC", text_of(status, "mac"));
    ast_cli(fd, ROW "%jd\n", "Term", ast_json_object_integer_get(status, "term"));
    ast_cli(fd, ROW "%s, %s\n", "Cluster IP", text_of(cluster_ip, "address"),
            is_true(cluster_ip, "bound") ? "bound" : "not bound");
    show_peer(fd, ast_json_object_get(status, "peer"));
    ast_cli(fd, ROW "%s\n", "Full backup status", text_of(status, "full_backup_status"));
    ast_cli(fd, ROW "%s\n", "Force switch",
            is_true(force_switch, "available") ? "possible" : text_of(force_switch, "reason"));
    show_faults(fd, ast_json_object_get(status, "faults"));
}

/* Whether the daemon has a service of this name; each has an entry among the faults, raised or not. */
static int is_watched(struct ast_json *faults, const char *service)
{
    char name[sizeof("SERVICE ") + HA_MAX_SERVICE_LEN];

    snprintf(name, sizeof(name), "SERVICE %s", service);
    for (size_t index = 0; index < ast_json_array_size(faults); index++) {
        if (!strcmp(text_of(ast_json_array_get(faults, index), "name"), name)) {
            return 1;
        }
    }
    return 0;
}

static void show_kicks(int fd, struct ast_json *status)
{
    RAII_VAR(struct ha_config *, config, ha_config_get(), ao2_cleanup);
    struct ha_kicks kicks;

    ha_kick_state(&kicks);
    ast_cli(fd, ROW "as %s every %d ms: %u sent, %u lost\n", "Kicks", config->service, config->kick_interval_ms, kicks.sent,
            kicks.lost);
    if (status && !is_watched(ast_json_object_get(status, "faults"), config->service)) {
        ast_cli(fd, ROW "the daemon has no [[service]] %s: nobody misses these kicks\n", "", config->service);
    }
    ast_cli(fd, ROW "last %d ms, longest %d ms, %s\n", "Rounds", kicks.last_round_ms, kicks.longest_round_ms,
            kicks.has_sip ? "through PJSIP" : "without PJSIP, which does not run");
    if (kicks.waiting_ms >= config->kick_interval_ms) {
        ast_cli(fd, ROW "for %s since %d ms\n", "Waiting", kicks.station, kicks.waiting_ms);
    }
}

static char *show_status(struct ast_cli_entry *e, int cmd, struct ast_cli_args *a)
{
    char problem[HA_PROBLEM_LEN];

    if (cmd == CLI_INIT) {
        e->command = "ha show status";
        e->usage = "Usage: ha show status\n"
                   "       Shows the high availability of this node as its daemon sees it, and\n"
                   "       how Asterisk's signs of life for the daemon fare.\n";
        return NULL;
    }
    if (cmd == CLI_GENERATE) {
        return NULL;
    }
    if (a->argc != e->args) {
        return CLI_SHOWUSAGE;
    }
    struct ast_json *status = ha_control_status(problem);
    if (status) {
        show_node(a->fd, status);
    } else {
        ast_cli(a->fd, ROW "unknown: %s\n", "HA status", problem);
    }
    show_kicks(a->fd, status);
    ast_json_unref(status);
    return status ? CLI_SUCCESS : CLI_FAILURE;
}

/* Says what a switch would do, or why there can be none. */
static char *announce_switch(int fd)
{
    char problem[HA_PROBLEM_LEN];
    struct ast_json *status = ha_control_status(problem);

    if (!status) {
        ast_cli(fd, "No switch: %s\n", problem);
    } else if (is_true(ast_json_object_get(status, "force_switch"), "available")) {
        ast_cli(fd,
                "This hands the active role and %s to the peer, %s. Calls over this node end.\n"
                "To go on: ha switch confirm\n",
                text_of(ast_json_object_get(status, "cluster_ip"), "address"),
                text_of(ast_json_object_get(status, "peer"), "ip"));
    } else {
        ast_cli(fd, "Refused: %s\n", text_of(ast_json_object_get(status, "force_switch"), "reason"));
    }
    ast_json_unref(status);
    return CLI_SUCCESS;
}

static char *carry_out_switch(int fd)
{
    char problem[HA_PROBLEM_LEN];
    struct ast_json *reply = ha_control_ask("switch", HA_SWITCH_TIMEOUT_MS, problem);

    if (!reply) {
        ast_cli(fd, "Not known whether the peer took the role: %s\nSee: ha show status\n", problem);
        return CLI_FAILURE;
    }
    const char *kind = text_of(reply, "reply");
    if (!strcmp(kind, "done")) {
        ast_cli(fd, "The peer is active now.\n");
    } else {
        ast_cli(fd, "%s: %s\n", !strcmp(kind, "refused") ? "Refused" : "Failed", text_of(reply, "reason"));
    }
    ast_json_unref(reply);
    return CLI_SUCCESS;
}

static char *force_switch(struct ast_cli_entry *e, int cmd, struct ast_cli_args *a)
{
    if (cmd == CLI_INIT) {
        e->command = "ha switch";
        e->usage = "Usage: ha switch [confirm]\n"
                   "       On the active node: hands the role to the peer. Without 'confirm' it only\n"
                   "       says what that would do, or why it is refused.\n";
        return NULL;
    }
    if (cmd == CLI_GENERATE) {
        return a->pos == 2 && a->n == 0 ? ast_strdup("confirm") : NULL;
    }
    if (a->argc == e->args) {
        return announce_switch(a->fd);
    }
    if (a->argc == e->args + 1 && !strcasecmp(a->argv[e->args], "confirm")) {
        return carry_out_switch(a->fd);
    }
    return CLI_SHOWUSAGE;
}

static struct ast_cli_entry commands[] = {
    AST_CLI_DEFINE(show_status, "Show the high availability of this node"),
    AST_CLI_DEFINE(force_switch, "Hand the active role to the peer"),
};

int ha_cli_register(void)
{
    return ast_cli_register_multiple(commands, ARRAY_LEN(commands));
}

void ha_cli_unregister(void)
{
    ast_cli_unregister_multiple(commands, ARRAY_LEN(commands));
}
