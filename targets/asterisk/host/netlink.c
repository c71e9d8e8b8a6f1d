#include "netlink.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Longer than the kernel needs for any answer; then something is wrong with it. */
#define ANSWER_TIMEOUT_MS 500
/* Events that are read at once; the rest waits for the next turn. */
#define MAX_EVENTS 32

struct address_request {
    struct nlmsghdr header;
    struct ifaddrmsg address;
    uint8_t attributes[64];
};

static int open_socket(uint32_t groups, int flags)
{
    struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_groups = groups };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool netlink_open(struct netlink *netlink)
{
    struct timeval patience = { .tv_sec = 0, .tv_usec = ANSWER_TIMEOUT_MS * 1000 };

    netlink->sequence = 0;
    netlink->requests = open_socket(0, 0);
    netlink->events = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR, SOCK_NONBLOCK);
    return netlink->requests >= 0 && netlink->events >= 0 &&
           setsockopt(netlink->requests, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0;
}

static void add_attribute(struct address_request *request, unsigned short type, const void *data, unsigned short len)
{
    struct rtattr *attribute = (struct rtattr *)(void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(attribute), data, len);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_SPACE(len);
}

static struct address_request request_for(struct netlink *netlink, uint16_t type, unsigned int index, ucm_ha_ipv4 ip,
                                          uint8_t prefix_len)
{
    struct address_request request = {
        .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                    .nlmsg_type = type,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                    .nlmsg_seq = ++netlink->sequence },
        .address = { .ifa_family = AF_INET, .ifa_prefixlen = prefix_len, .ifa_index = index },
    };

    add_attribute(&request, IFA_LOCAL, ip.octets, sizeof ip.octets);
    return request;
}

/* Sends a request and waits for the kernel's word about it. */
static bool carry_out(struct netlink *netlink, const struct address_request *request)
{
    _Alignas(struct nlmsghdr) char answer[1024];
    const struct nlmsghdr *header = (const void *)answer;

    if (send(netlink->requests, request, request->header.nlmsg_len, 0) < 0) {
        return false;
    }
    do {
        ssize_t len = recv(netlink->requests, answer, sizeof answer, 0);
        if (len < 0) {
            return false;
        }
        if (!NLMSG_OK(header, (size_t)len)) {
            errno = EPROTO;
            return false;
        }
        /* One that came too late for an earlier request is passed over. */
    } while (header->nlmsg_seq != request->header.nlmsg_seq || header->nlmsg_type != NLMSG_ERROR);
    errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    return errno == 0;
}

bool netlink_add_address(struct netlink *netlink, unsigned int index, ucm_ha_ipv4 ip, uint8_t prefix_len, uint32_t valid_s)
{
    struct ifa_cacheinfo lifetime = { .ifa_valid = valid_s, .ifa_prefered = valid_s };
    struct address_request request = request_for(netlink, RTM_NEWADDR, index, ip, prefix_len);

    request.header.nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
    add_attribute(&request, IFA_ADDRESS, ip.octets, sizeof ip.octets);
    add_attribute(&request, IFA_CACHEINFO, &lifetime, sizeof lifetime);
    return carry_out(netlink, &request);
}

bool netlink_remove_address(struct netlink *netlink, unsigned int index, ucm_ha_ipv4 ip, uint8_t prefix_len)
{
    struct address_request request = request_for(netlink, RTM_DELADDR, index, ip, prefix_len);

    return carry_out(netlink, &request) || errno == EADDRNOTAVAIL;
}

void netlink_drain(struct netlink *netlink)
{
    char event[4096];

    for (int count = 0; count < MAX_EVENTS; count++) {
        /* Also after ENOBUFS, which says that some were lost. */
        if (recv(netlink->events, event, sizeof event, 0) < 0 && errno != ENOBUFS) {
            return;
        }
    }
}

bool netlink_has_address(ucm_ha_ipv4 ip, bool *present)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) != 0) {
        return false;
    }
    *present = false;
    for (const struct ifaddrs *each = all; each != NULL; each = each->ifa_next) {
        if (each->ifa_addr != NULL && each->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *address = (const void *)each->ifa_addr;
            *present |= memcmp(&address->sin_addr, ip.octets, sizeof ip.octets) == 0;
        }
    }
    freeifaddrs(all);
    return true;
}

bool netlink_has_carrier(const char *interface)
{
    struct ifreq request = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    bool asked = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (fd >= 0) {
        close(fd);
    }
    /* IFF_RUNNING is the carrier of an interface that is up. */
    return asked && (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
}
