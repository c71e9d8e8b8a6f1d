#include "kick.h"

#include "asterisk/channel.h"
#include "asterisk/lock.h"
#include "asterisk/logger.h"
#include "asterisk/module.h"
#include "asterisk/pbx.h"
#include "asterisk/stasis.h"
#include "asterisk/taskprocessor.h"
#include "asterisk/utils.h"

#include "config.h"
#include "sip.h"
#include "worker.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A round that takes this many intervals is said in the log. */
#define LATE_INTERVALS 3
/* How long the end waits for a round under way. */
#define STOP_PATIENCE_MS 2000

STASIS_MESSAGE_TYPE_DEFN_LOCAL(ha_round_message_type);

static struct ha_worker pacer;
static struct stasis_topic *topic;
static struct stasis_subscription *subscription;
static int kick_fd = -1;

/* Taken last, and for moments only. */
AST_MUTEX_DEFINE_STATIC(round_lock);
static struct ha_kicks kicks;
static int64_t started_ms;
static int under_way;
static int told_late;
static int told_lost;

static void come_to(const char *station, const char *which)
{
    ast_mutex_lock(&round_lock);
    snprintf(kicks.station, sizeof(kicks.station), "%s%s", station, which);
    ast_mutex_unlock(&round_lock);
}

/* Ends the round. A kick that the socket does not take is lost and the next one tried. */
static void end_round(int kicked)
{
    ast_mutex_lock(&round_lock);
    kicks.last_round_ms = (int)(ha_now_ms() - started_ms);
    kicks.longest_round_ms = MAX(kicks.longest_round_ms, kicks.last_round_ms);
    if (kicked) {
        kicks.sent++;
    } else {
        kicks.lost++;
    }
    int late = told_late, took_ms = kicks.last_round_ms;
    told_late = 0;
    under_way = 0;
    ast_mutex_unlock(&round_lock);
    if (late) {
        ast_log(LOG_NOTICE, "Asterisk's own threads came round after %d ms; kicking again\n", took_ms);
    }
}

static void tell_kick(const struct ha_config *config, int error)
{
    if (error && !told_lost) {
        ast_log(LOG_WARNING, "no HA daemon takes kicks at %s: %s; this is said once\n", config->kick_socket, strerror(error));
    } else if (!error && told_lost) {
        ast_log(LOG_NOTICE, "the HA daemon takes kicks at %s\n", config->kick_socket);
    }
    told_lost = error != 0;
}

/* Sends the kick without waiting; whether the socket took it. */
static int send_kick(const struct ha_config *config)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[sizeof("kick ") + HA_MAX_SERVICE_LEN];
    int len = snprintf(text, sizeof(text), "kick %s", config->service);

    ast_copy_string(address.sun_path, config->kick_socket, sizeof(address.sun_path));
    ssize_t sent = sendto(kick_fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
                          sizeof(address));
    tell_kick(config, sent < 0 ? errno : 0);
    return sent == len;
}

static void pass_channels(void)
{
    struct ast_channel *channel;

    come_to("the list of channels", "");
    struct ast_channel_iterator *all = ast_channel_iterator_all_new();
    if (!all) {
        return; /* no memory: the round ends without having seen them, which is no deadlock */
    }
    while ((channel = ast_channel_iterator_next(all))) {
        /* Not its name, which may change while nobody holds the lock. */
        come_to("the lock of the channel with the unique ID ", ast_channel_uniqueid(channel));
        ast_channel_lock(channel);
        ast_channel_unlock(channel);
        ast_channel_unref(channel);
        come_to("the list of channels", "");
    }
    ast_channel_iterator_destroy(all);
}

/* In a thread of the stasis pool: the last stations, then the kick. */
static void on_message(void *data, struct stasis_subscription *from, struct stasis_message *message)
{
    (void)data, (void)from;
    if (stasis_message_type(message) != ha_round_message_type()) {
        return; /* of the subscription itself */
    }
    come_to("the lock of the dialplan", "");
    ast_rdlock_contexts();
    ast_unlock_contexts();
    pass_channels();
    end_round(send_kick(stasis_message_data(message)));
}

/* In a thread of the SIP pool, or in the pacer where there is none. */
static int on_sip(void *data)
{
    RAII_VAR(struct ha_config *, config, data, ao2_cleanup);
    RAII_VAR(struct stasis_message *, message, stasis_message_create(ha_round_message_type(), config), ao2_cleanup);

    come_to("the threads of stasis", "");
    if (message) {
        stasis_publish(topic, message);
    } else {
        end_round(0);
    }
    return 0;
}

static void start_round(void)
{
    struct ha_config *config = ha_config_get();

    ast_mutex_lock(&round_lock);
    under_way = 1;
    started_ms = ha_now_ms();
    ast_mutex_unlock(&round_lock);
    if (!ha_sip_is_there()) {
        on_sip(config);
        return;
    }
    come_to("the threads of PJSIP", "");
    if (ha_sip_push(on_sip, config)) {
        ao2_cleanup(config);
        end_round(0);
    }
}

static int interval_ms(void)
{
    RAII_VAR(struct ha_config *, config, ha_config_get(), ao2_cleanup);

    return config->kick_interval_ms;
}

/* The pacer's work: the next round, unless one is under way. */
static void pace(void)
{
    struct ha_kicks state;

    ha_kick_state(&state);
    if (state.waiting_ms < 0) {
        start_round();
        return;
    }
    ast_mutex_lock(&round_lock);
    int tell = under_way && !told_late && state.waiting_ms >= LATE_INTERVALS * interval_ms();
    told_late |= tell;
    ast_mutex_unlock(&round_lock);
    if (tell) {
        ast_log(LOG_ERROR, "Asterisk waits for %s since %d ms: no kick for the HA daemon until that is over\n",
                state.station, state.waiting_ms);
    }
}

void ha_kick_state(struct ha_kicks *state)
{
    ast_mutex_lock(&round_lock);
    *state = kicks;
    state->waiting_ms = under_way ? (int)(ha_now_ms() - started_ms) : -1;
    ast_mutex_unlock(&round_lock);
    state->has_sip = ha_sip_is_there();
}

void ha_kick_find_sip(void)
{
    ha_sip_find();
}

static void clean_up(void)
{
    /* In this order: what comes later may still use what goes later. */
    ha_sip_forget();
    subscription = subscription ? stasis_unsubscribe_and_join(subscription) : NULL;
    ao2_cleanup(topic);
    topic = NULL;
    STASIS_MESSAGE_TYPE_CLEANUP(ha_round_message_type);
    if (kick_fd >= 0) {
        close(kick_fd);
        kick_fd = -1;
    }
}

int ha_kick_start(void)
{
    kicks.last_round_ms = -1;
    kick_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (kick_fd < 0) {
        ast_log(LOG_ERROR, "no socket for kicks: %s\n", strerror(errno));
        return -1;
    }
    if (STASIS_MESSAGE_TYPE_INIT(ha_round_message_type) || !(topic = stasis_topic_create("ucm_ha:round")) ||
        !(subscription = stasis_subscribe_pool(topic, on_message, NULL))) {
        ast_log(LOG_ERROR, "stasis takes no topic for the rounds; is ha_round_message_type declined in stasis.conf?\n");
        clean_up();
        return -1;
    }
    stasis_subscription_accept_message_type(subscription, ha_round_message_type());
    stasis_subscription_set_filter(subscription, STASIS_SUBSCRIPTION_FILTER_SELECTIVE);
    ha_sip_find();
    if (ha_worker_start(&pacer, pace, interval_ms)) {
        clean_up();
        return -1;
    }
    return 0;
}

static int is_under_way(void)
{
    struct ha_kicks state;

    ha_kick_state(&state);
    return state.waiting_ms >= 0;
}

int ha_kick_stop(void)
{
    int64_t end_ms = ha_now_ms() + STOP_PATIENCE_MS;

    ha_worker_stop(&pacer);
    while (is_under_way() && ha_now_ms() < end_ms) {
        usleep(10000);
    }
    if (is_under_way()) {
        struct ha_kicks state;
        ha_kick_state(&state);
        ast_log(LOG_ERROR, "not unloaded: Asterisk waits for %s since %d ms\n", state.station, state.waiting_ms);
        /* The thread that is stuck has to find the module when it comes loose: so it stays, and paces on. */
        ha_worker_start(&pacer, pace, interval_ms);
        return -1;
    }
    clean_up();
    return 0;
}
