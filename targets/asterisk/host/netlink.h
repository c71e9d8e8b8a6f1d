/* Addresses and carriers, by rtnetlink(7). */
#ifndef HOST_NETLINK_H
#define HOST_NETLINK_H

#include "ucm_ha.h"

#include <stdbool.h>

struct netlink {
    int requests; /* answered by the kernel before a call returns */
    int events;   /* readable when an interface or an address changed */
    uint32_t sequence;
};

/* false, with errno, if that fails. */
bool netlink_open(struct netlink *netlink);

/* Adds an address that the kernel removes after valid_s, or extends its life. false, with errno. */
bool netlink_add_address(struct netlink *netlink, unsigned int index, ucm_ha_ipv4 ip, uint8_t prefix_len, uint32_t valid_s);

/* Removes an address; one that is not there is removed. false, with errno. */
bool netlink_remove_address(struct netlink *netlink, unsigned int index, ucm_ha_ipv4 ip, uint8_t prefix_len);

/* Forgets the events so far: they say that something is to be read again, and no more. */
void netlink_drain(struct netlink *netlink);

/* Whether this machine has the address now. false, with errno, if that cannot be read. */
bool netlink_has_address(ucm_ha_ipv4 ip, bool *present);

/* Whether the interface has carrier. One that is not there has none. */
bool netlink_has_carrier(const char *interface);

#endif
