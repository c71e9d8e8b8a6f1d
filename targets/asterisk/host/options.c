#include "options.h"

#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ucm-ha-host --station primary|secondary --lan INTERFACE --cable INTERFACE --own IP/LEN --peer IP\n"
    "                   --cluster IP/LEN --state FILE [--gateway IP] [--timeout SECONDS]\n";

static const struct option names[] = {
    { "station", required_argument, NULL, 's' }, { "lan", required_argument, NULL, 'l' },
    { "cable", required_argument, NULL, 'c' },   { "own", required_argument, NULL, 'o' },
    { "peer", required_argument, NULL, 'p' },    { "cluster", required_argument, NULL, 'i' },
    { "gateway", required_argument, NULL, 'g' }, { "timeout", required_argument, NULL, 't' },
    { "state", required_argument, NULL, 'f' },   { 0 },
};

static bool refuse(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "ucm-ha-host: --%s %s: %s\n", option, value, wanted);
    return false;
}

static bool take_ip(const char *text, ucm_ha_ipv4 *ip)
{
    return inet_pton(AF_INET, text, ip->octets) == 1;
}

static bool take_number(const char *text, uint8_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *number = (uint8_t)value;
    return *text >= '0' && *text <= '9' && *end == '\0' && value <= UINT8_MAX;
}

static bool take_cidr(const char *text, ucm_ha_ipv4 *ip, uint8_t *prefix_len)
{
    char copy[INET_ADDRSTRLEN + 4];

    if (strlen(text) >= sizeof copy) {
        return false;
    }
    strcpy(copy, text);
    char *slash = strchr(copy, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return take_ip(copy, ip) && take_number(slash + 1, prefix_len);
}

static bool take(struct options *options, int name, const char *value)
{
    ucm_ha_config *config = &options->config;

    switch (name) {
    case 's':
        config->station_type = strcmp(value, "primary") == 0 ? UCM_HA_STATION_PRIMARY : UCM_HA_STATION_SECONDARY;
        return strcmp(value, "primary") == 0 || strcmp(value, "secondary") == 0 ||
               refuse("station", value, "write primary or secondary");
    case 'l':
        options->lan = value;
        return if_nametoindex(value) != 0 || refuse("lan", value, "there is no such interface; see /sys/class/net");
    case 'c':
        options->cable = value;
        return if_nametoindex(value) != 0 || refuse("cable", value, "there is no such interface; see /sys/class/net");
    case 'o':
        return take_cidr(value, &config->own_ip, &config->own_prefix_len) ||
               refuse("own", value, "write the address and the length of its prefix, as in 192.168.129.42/24");
    case 'p':
        return take_ip(value, &config->peer_ip) || refuse("peer", value, "write an IPv4 address");
    case 'i':
        return take_cidr(value, &config->cluster_ip, &config->cluster_prefix_len) ||
               refuse("cluster", value, "write the address and the length of its prefix, as in 192.168.129.64/24");
    case 'g':
        config->has_gateway = 1;
        return take_ip(value, &config->gateway) || refuse("gateway", value, "write an IPv4 address");
    case 't':
        return take_number(value, &config->heartbeat_timeout_s) || refuse("timeout", value, "write 3 to 10, in seconds");
    case 'f':
        options->state = value;
        return true;
    default:
        fputs(usage, stderr);
        return false;
    }
}

bool options_read(struct options *options, int argc, char **argv)
{
    ucm_ha_config *config = &options->config;
    int name;

    memset(options, 0, sizeof *options);
    ucm_ha_config_defaults(config);
    config->model = UCM_HA_MODEL_UCM6304A;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take(options, name, optarg)) {
            return false;
        }
    }
    if (optind != argc || options->lan == NULL || options->cable == NULL || options->state == NULL) {
        fputs(usage, stderr);
        return false;
    }
    /* Takeover within half a second needs the gateway as a witness. */
    config->fast_failover = config->has_gateway;
    if (!ports_mac(options->lan, &config->mac) || !ports_mac(options->cable, &config->cable_mac)) {
        fprintf(stderr, "ucm-ha-host: the MAC addresses cannot be read: %s\n", strerror(errno));
        return false;
    }
    int32_t result = ucm_ha_config_check(config);
    if (result != UCM_HA_OK) {
        fprintf(stderr, "ucm-ha-host: %s\n", ucm_ha_result_text(result));
    }
    return result == UCM_HA_OK;
}
