/* The sockets of a node: raw frames on the heartbeat port, UDP and ARP on the LAN interface. */
#ifndef HOST_PORTS_H
#define HOST_PORTS_H

#include "ucm_ha.h"

#include <stdbool.h>

struct ports {
    int cable;
    int lan;
    int arp;
    uint16_t heartbeat_port;
    ucm_ha_ipv4 peer_ip;
    unsigned int lan_index;
};

/* Reads the MAC address of an interface. false, with errno. */
bool ports_mac(const char *interface, ucm_ha_mac *mac);

/* Opens all. false, with errno and the name of the socket that could not be opened. */
bool ports_open(struct ports *ports, const char *cable, const char *lan, const ucm_ha_config *config, const char **failed);

/* Sends what an output of the kinds UCM_HA_OUTPUT_SEND_* asks for. A frame that is not sent is a lost one. */
void ports_send(const struct ports *ports, const ucm_ha_output *output, const uint8_t *frame);

/* Gives what one of the sockets received to the node; how many frames that was. At most 32 at once. */
int ports_receive(const struct ports *ports, int fd, ucm_ha_node *node);

#endif
