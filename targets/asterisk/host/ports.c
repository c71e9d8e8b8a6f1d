#include "ports.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Longest frame that is looked at: an Ethernet frame with a VLAN tag. */
#define MAX_FRAME_LEN 1518
/* Frames of one socket in one turn; the others have their turn, too. */
#define MAX_BATCH 32
/* Class selector 6, network control: heartbeats go before calls. */
#define TOS_CS6 (48 << 2)

bool ports_mac(const char *interface, ucm_ha_mac *mac)
{
    struct ifreq request = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    bool read = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &request) == 0;
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    if (read) {
        memcpy(mac->octets, request.ifr_hwaddr.sa_data, sizeof mac->octets);
    }
    return read;
}

/* Bound to an EtherType it is not given what this machine sends. */
static int open_packets(unsigned int index, uint16_t ether_type)
{
    struct sockaddr_ll port = { .sll_family = AF_PACKET, .sll_protocol = htons(ether_type), .sll_ifindex = (int)index };
    /* Without a protocol nothing is received before it is bound to the interface. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&port, sizeof port) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static struct sockaddr_in udp_address(ucm_ha_ipv4 ip, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    memcpy(&address.sin_addr, ip.octets, sizeof ip.octets);
    return address;
}

static int open_udp(const char *interface, ucm_ha_ipv4 own_ip, uint16_t port)
{
    struct sockaddr_in own = udp_address(own_ip, port);
    int tos = TOS_CS6;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) != 0 ||
                    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos) != 0 ||
                    bind(fd, (struct sockaddr *)&own, sizeof own) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

bool ports_open(struct ports *ports, const char *cable, const char *lan, const ucm_ha_config *config, const char **failed)
{
    ports->heartbeat_port = config->heartbeat_port;
    ports->peer_ip = config->peer_ip;
    ports->lan_index = if_nametoindex(lan);
    ports->cable = open_packets(if_nametoindex(cable), ETHERTYPE_IP);
    ports->lan = open_udp(lan, config->own_ip, config->heartbeat_port);
    ports->arp = open_packets(ports->lan_index, ETHERTYPE_ARP);
    *failed = ports->cable < 0 ? "raw frames on the heartbeat port" : ports->lan < 0 ? "UDP on the LAN" : "ARP on the LAN";
    return ports->cable >= 0 && ports->lan >= 0 && ports->arp >= 0;
}

void ports_send(const struct ports *ports, const ucm_ha_output *output, const uint8_t *frame)
{
    ssize_t sent;

    if (output->kind == UCM_HA_OUTPUT_SEND_LAN) {
        struct sockaddr_in peer = udp_address(ports->peer_ip, ports->heartbeat_port);
        sent = sendto(ports->lan, frame, output->frame_len, 0, (struct sockaddr *)&peer, sizeof peer);
    } else {
        sent = send(output->kind == UCM_HA_OUTPUT_SEND_CABLE ? ports->cable : ports->arp, frame, output->frame_len, 0);
    }
    (void)sent; /* the node notices by itself when nothing comes back */
}

int ports_receive(const struct ports *ports, int fd, ucm_ha_node *node)
{
    uint8_t frame[MAX_FRAME_LEN];
    int count;

    for (count = 0; count < MAX_BATCH; count++) {
        struct sockaddr_in source = { 0 };
        socklen_t source_len = sizeof source;
        ssize_t len = fd == ports->lan
                          ? recvfrom(fd, frame, sizeof frame, 0, (struct sockaddr *)&source, &source_len)
                          : recv(fd, frame, sizeof frame, 0);
        if (len < 0) {
            break; /* no more, or the interface is down, which its carrier says */
        }
        if (fd == ports->lan) {
            ucm_ha_ipv4 ip;
            memcpy(ip.octets, &source.sin_addr, sizeof ip.octets);
            ucm_ha_node_lan_datagram(node, now_us(), ip, frame, (size_t)len);
        } else if (fd == ports->arp) {
            ucm_ha_node_arp_frame(node, now_us(), frame, (size_t)len);
        } else {
            ucm_ha_node_cable_frame(node, now_us(), frame, (size_t)len);
        }
    }
    return count;
}
