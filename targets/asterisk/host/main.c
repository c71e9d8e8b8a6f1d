/*
 * A program that embeds a node, as firmware would: one loop that gives the node what happened and carries out what it says.
 * docs/porting.md explains the steps, docs/asterisk.md how to run it.
 *
 * SIGUSR1 is a force switch, SIGTERM and SIGINT stop it: an active hands over to a ready peer first.
 */
#include "clock.h"
#include "netlink.h"
#include "options.h"
#include "ports.h"
#include "store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long the loop sleeps at most; then carriers and the address are looked at, whatever netlink told. */
#define MAX_SLEEP_MS 1000
/* How soon a removal of the address that failed is tried again. */
#define RETRY_MS 100
#define MAX_STOP_MS 5000

enum { CABLE, LAN, ARP, NETLINK, SIGNALS, SOURCES };

struct host {
    struct options options;
    struct ports ports;
    struct netlink netlink;
    ucm_ha_node node;
    int signals;
    bool held;      /* the cluster IP is bound, as far as this program knows */
    bool releasing; /* it could not be removed yet */
    uint64_t stop_at_us;
    bool stopped;
};

static void log_line(void *context, uint8_t level, const char *line)
{
    (void)context;
    printf("%s%s\n", level == UCM_HA_LOG_WARNING ? "warning: " : "", line);
}

static void release(struct host *host)
{
    const ucm_ha_config *config = &host->options.config;

    host->releasing = !netlink_remove_address(&host->netlink, host->ports.lan_index, config->cluster_ip,
                                              config->cluster_prefix_len);
    if (host->releasing) {
        printf("warning: the cluster IP cannot be removed: %s; trying again\n", strerror(errno));
        return;
    }
    host->held = false;
    ucm_ha_node_address(&host->node, now_us(), UCM_HA_ADDRESS_RELEASED);
}

/* The kernel may have dropped it, or an operator; to be asked before a renewal, which would add it anew. */
static void check_address(struct host *host)
{
    bool present;

    if (host->held && netlink_has_address(host->options.config.cluster_ip, &present) && !present) {
        printf("warning: the cluster IP was taken away\n");
        host->held = false;
        ucm_ha_node_address(&host->node, now_us(), UCM_HA_ADDRESS_LOST);
    }
}

/* Binds or renews. Not after the time that the output names: by then the peer may have the address. */
static void hold(struct host *host, const ucm_ha_output *output)
{
    const ucm_ha_config *config = &host->options.config;
    bool renewal = output->kind == UCM_HA_OUTPUT_RENEW_ADDRESS;

    if (renewal) {
        check_address(host);
        if (!host->held || now_us() >= output->before_us) {
            return;
        }
    }
    host->held = now_us() < output->before_us &&
                 netlink_add_address(&host->netlink, host->ports.lan_index, config->cluster_ip,
                                     config->cluster_prefix_len, output->valid_s);
    if (!renewal) {
        ucm_ha_node_address(&host->node, now_us(), host->held ? UCM_HA_ADDRESS_HELD : UCM_HA_ADDRESS_FAILED);
    } else if (!host->held) {
        printf("warning: the cluster IP cannot be renewed: %s\n", strerror(errno));
        /* Where that fails too, its lifetime ends it. */
        netlink_remove_address(&host->netlink, host->ports.lan_index, config->cluster_ip, config->cluster_prefix_len);
        ucm_ha_node_address(&host->node, now_us(), UCM_HA_ADDRESS_LOST);
    }
}

/* A disk that stalls would stall the loop: firmware with such a disk writes in another thread, as the daemon does. */
static void persist(struct host *host, const ucm_ha_record *record)
{
    bool saved = store_write(host->options.state, record);

    if (!saved) {
        printf("warning: %s cannot be written: %s\n", host->options.state, strerror(errno));
    }
    ucm_ha_node_persisted(&host->node, now_us(), saved);
}

static void carry_out(struct host *host)
{
    uint8_t frame[UCM_HA_FRAME_CAPACITY];
    ucm_ha_output output;

    while (ucm_ha_node_poll_output(&host->node, frame, sizeof frame, &output) == UCM_HA_OK &&
           output.kind != UCM_HA_OUTPUT_NONE) {
        ucm_ha_log_output(&output, log_line, NULL);
        switch (output.kind) {
        case UCM_HA_OUTPUT_SEND_CABLE:
        case UCM_HA_OUTPUT_SEND_LAN:
        case UCM_HA_OUTPUT_SEND_ARP:
            ports_send(&host->ports, &output, frame);
            break;
        case UCM_HA_OUTPUT_BIND_ADDRESS:
        case UCM_HA_OUTPUT_RENEW_ADDRESS:
            hold(host, &output);
            break;
        case UCM_HA_OUTPUT_RELEASE_ADDRESS:
            release(host);
            break;
        case UCM_HA_OUTPUT_PERSIST:
            persist(host, &output.record);
            break;
        case UCM_HA_OUTPUT_START_FULL_SYNC: /* nothing to copy here */
            ucm_ha_node_sync_done(&host->node, now_us(), 0, 1);
            break;
        case UCM_HA_OUTPUT_STOPPED:
            host->stopped = true;
            break;
        default: /* told by the line above; a reboot is for the firmware to do */
            break;
        }
    }
}

/* Without its static address the peer's datagrams do not arrive here. What cannot be read stays as it was told. */
static void check_own_address(struct host *host)
{
    bool present;

    if (netlink_has_address(host->options.config.own_ip, &present)) {
        ucm_ha_node_own_address(&host->node, now_us(), present);
    }
}

static void look_at_interfaces(struct host *host)
{
    netlink_drain(&host->netlink);
    ucm_ha_node_link(&host->node, now_us(), UCM_HA_PORT_CABLE, netlink_has_carrier(host->options.cable));
    ucm_ha_node_link(&host->node, now_us(), UCM_HA_PORT_LAN, netlink_has_carrier(host->options.lan));
    check_own_address(host);
    check_address(host);
}

static void take_signal(struct host *host)
{
    struct signalfd_siginfo signal;

    if (read(host->signals, &signal, sizeof signal) != sizeof signal) {
        return;
    }
    bool stop = signal.ssi_signo != SIGUSR1;
    if (stop && host->stop_at_us == UCM_HA_NEVER_US) {
        host->stop_at_us = now_us() + MAX_STOP_MS * 1000u;
    }
    ucm_ha_node_command(&host->node, now_us(), stop ? UCM_HA_COMMAND_SHUTDOWN : UCM_HA_COMMAND_FORCE_SWITCH);
}

/* Until the node wants to be called, in ms, rounded up. */
static int sleep_ms(struct host *host)
{
    uint64_t deadline_us = UCM_HA_NEVER_US, now = now_us();
    uint64_t longest_us = (host->releasing ? RETRY_MS : MAX_SLEEP_MS) * 1000u;

    ucm_ha_node_next_timeout(&host->node, &deadline_us);
    uint64_t left_us = deadline_us > now ? deadline_us - now : 0;
    return (int)(((left_us < longest_us ? left_us : longest_us) + 999) / 1000);
}

static bool turn(struct host *host)
{
    struct pollfd sources[SOURCES] = {
        [CABLE] = { .fd = host->ports.cable, .events = POLLIN },  [LAN] = { .fd = host->ports.lan, .events = POLLIN },
        [ARP] = { .fd = host->ports.arp, .events = POLLIN },      [NETLINK] = { .fd = host->netlink.events, .events = POLLIN },
        [SIGNALS] = { .fd = host->signals, .events = POLLIN },
    };
    int ready = poll(sources, SOURCES, sleep_ms(host));

    if (ready < 0 && errno != EINTR) {
        fprintf(stderr, "ucm-ha-host: poll: %s\n", strerror(errno));
        return false;
    }
    for (int source = CABLE; source <= ARP; source++) {
        if (ready > 0 && sources[source].revents != 0) {
            ports_receive(&host->ports, sources[source].fd, &host->node);
        }
    }
    if (ready <= 0 || sources[NETLINK].revents != 0) {
        look_at_interfaces(host);
    }
    if (ready > 0 && sources[SIGNALS].revents != 0) {
        take_signal(host);
    }
    if (host->releasing) {
        release(host);
    }
    ucm_ha_node_timeout(&host->node, now_us());
    carry_out(host);
    return !host->stopped && now_us() < host->stop_at_us;
}

static int open_signals(void)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    return sigprocmask(SIG_BLOCK, &wanted, NULL) == 0 ? signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
}

static bool start(struct host *host)
{
    const ucm_ha_config *config = &host->options.config;
    const char *failed = "netlink";
    uint32_t boot_id;
    ucm_ha_record record;

    host->stop_at_us = UCM_HA_NEVER_US;
    host->signals = open_signals();
    if (host->signals < 0 || getrandom(&boot_id, sizeof boot_id, 0) != sizeof boot_id || !netlink_open(&host->netlink) ||
        !ports_open(&host->ports, host->options.cable, host->options.lan, config, &failed)) {
        fprintf(stderr, "ucm-ha-host: cannot open %s: %s\n", failed, strerror(errno));
        return false;
    }
    if (store_read(host->options.state, &record) == STORE_DAMAGED) {
        printf("warning: %s is damaged or cannot be read; starting with term 0\n", host->options.state);
    }
    int32_t result = ucm_ha_node_init(&host->node, UCM_HA_ABI_VERSION, config, &record, boot_id, now_us());
    if (result != UCM_HA_OK) {
        fprintf(stderr, "ucm-ha-host: %s\n", ucm_ha_result_text(result));
        return false;
    }
    carry_out(host);
    look_at_interfaces(host);
    carry_out(host);
    return true;
}

int main(int argc, char **argv)
{
    static struct host host; /* the node stays where it is: it must not be moved */

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!options_read(&host.options, argc, argv)) {
        return 2;
    }
    if (!start(&host)) {
        return 1;
    }
    printf("ready\n");
    while (turn(&host)) {
    }
    release(&host);
    return host.releasing ? 1 : 0;
}
