/* metadata_peer.h - the instance metadata service, played by a scripted peer.
 *
 * Included by one file of a test program: every connection of the program is then made by
 * connect() below, which leads the service's address to the peer and lets nothing else leave the
 * machine.
 */
#pragma once

#include "net/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned metadata_port; /* of the peer */
static atomic_uint metadata_connections;

int connect(int descriptor, const struct sockaddr *address, socklen_t size) {
    struct sockaddr_in in = {0};
    memcpy(&in, address, MIN(sizeof(in), (size_t)size));
    if (egress_is_instance_metadata(address, size)) {
        atomic_fetch_add(&metadata_connections, 1);
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in.sin_port = htons((uint16_t)metadata_port);
    } else if (in.sin_family != AF_INET || in.sin_addr.s_addr != htonl(INADDR_LOOPBACK)) {
        errno = ENETUNREACH;
        return -1;
    }
    return (int)syscall(SYS_connect, descriptor, &in, sizeof(in));
}
