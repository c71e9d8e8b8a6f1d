/*
 * res_ha_deadlock: makes real deadlocks in a running Asterisk, for the tests of res_ucm_ha. Never install it elsewhere.
 *
 *   deadlock dialplan   two threads take the lock of the dialplan and another lock in opposite order
 *   deadlock channel    the same with the lock of a channel
 *   deadlock stasis     every thread of the stasis pool waits for a lock that nobody gives back
 *   deadlock sip        the same with the threads of PJSIP
 */

#include "asterisk.h"

#include "asterisk/channel.h"
#include "asterisk/cli.h"
#include "asterisk/lock.h"
#include "asterisk/module.h"
#include "asterisk/pbx.h"
#include "asterisk/stasis.h"
#include "asterisk/utils.h"

#include <dlfcn.h>

/* More than a pool has threads (50, unless configured otherwise). */
#define POOL_TASKS 200

AST_MUTEX_DEFINE_STATIC(other);
STASIS_MESSAGE_TYPE_DEFN_LOCAL(deadlock_message_type);
static pthread_barrier_t both_have_one;
static struct ast_channel *channel;

static void wait_for_both(void)
{
    pthread_barrier_wait(&both_have_one);
}

static void take_dialplan(void)
{
    ast_wrlock_contexts();
}

static void take_channel(void)
{
    ast_channel_lock(channel);
}

/* One of the two threads: `other` first. */
static void *other_first(void *take)
{
    ast_mutex_lock(&other);
    wait_for_both();
    ((void (*)(void))take)();
    return NULL;
}

static void *other_last(void *take)
{
    ((void (*)(void))take)();
    wait_for_both();
    ast_mutex_lock(&other);
    return NULL;
}

static int cross(void (*take)(void))
{
    pthread_t threads[2];

    return pthread_barrier_init(&both_have_one, NULL, 2) ||
           ast_pthread_create_detached(&threads[0], NULL, other_first, (void *)take) ||
           ast_pthread_create_detached(&threads[1], NULL, other_last, (void *)take);
}

static int cross_on_channel(void)
{
    channel = ast_channel_alloc(0, AST_STATE_DOWN, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, "Deadlock/1");
    if (!channel) {
        return -1;
    }
    ast_channel_unlock(channel);
    return cross(take_channel);
}

static int wait_for_ever(void *data)
{
    (void)data;
    ast_mutex_lock(&other);
    return 0;
}

static int block_sip(void)
{
    int (*push)(void *, int (*)(void *), void *) = (int (*)(void *, int (*)(void *), void *))dlsym(RTLD_DEFAULT, "ast_sip_push_task");
    int failed = push == NULL;

    for (int count = 0; count < POOL_TASKS && !failed; count++) {
        failed = push(NULL, wait_for_ever, NULL);
    }
    return failed;
}

static void on_message(void *data, struct stasis_subscription *from, struct stasis_message *message)
{
    (void)data, (void)from;
    if (stasis_message_type(message) == deadlock_message_type()) {
        wait_for_ever(NULL);
    }
}

static int block_stasis(void)
{
    struct stasis_topic *topic = stasis_topic_create("deadlock:all");
    struct ast_channel *nobody = ao2_alloc(1, NULL);
    struct stasis_message *message = stasis_message_create(deadlock_message_type(), nobody);

    for (int count = 0; count < POOL_TASKS; count++) {
        if (!topic || !stasis_subscribe_pool(topic, on_message, NULL)) {
            return -1;
        }
    }
    if (!message) {
        return -1;
    }
    stasis_publish(topic, message);
    return 0;
}

static char *deadlock(struct ast_cli_entry *e, int cmd, struct ast_cli_args *a)
{
    int failed;

    if (cmd == CLI_INIT) {
        e->command = "deadlock {dialplan|channel|stasis|sip}";
        e->usage = "Usage: deadlock <where>\n       Makes Asterisk useless until it is killed.\n";
        return NULL;
    }
    if (cmd == CLI_GENERATE) {
        return NULL;
    }
    switch (a->argv[1][0]) {
    case 'd':
        failed = cross(take_dialplan);
        break;
    case 'c':
        failed = cross_on_channel();
        break;
    default:
        /* The lock that nobody gives back. */
        ast_mutex_lock(&other);
        failed = !strcmp(a->argv[1], "sip") ? block_sip() : block_stasis();
        break;
    }
    ast_cli(a->fd, failed ? "no deadlock: an error\n" : "deadlocked\n");
    return CLI_SUCCESS;
}

static struct ast_cli_entry commands[] = { AST_CLI_DEFINE(deadlock, "Make a deadlock") };

static int load_module(void)
{
    if (STASIS_MESSAGE_TYPE_INIT(deadlock_message_type) || ast_cli_register_multiple(commands, ARRAY_LEN(commands))) {
        return AST_MODULE_LOAD_DECLINE;
    }
    return AST_MODULE_LOAD_SUCCESS;
}

static int unload_module(void)
{
    return -1; /* what is deadlocked cannot be undone */
}

AST_MODULE_INFO_STANDARD_EXTENDED(ASTERISK_GPL_KEY, "Deadlocks for tests");
