/* server.h - the sandbox's HTTP server (libmicrohttpd inside): one event thread, and one thread
 * that wakes delayed answers.
 *
 * A request is answered in the event thread under one lock. An answer that is to come later
 * (delayed, held, a wait) suspends its connection; server_run(), in the caller's thread, resumes it
 * when its time has come or when the control API lets it go.
 *
 * Life: server_new() listens; server_attach() gives it the service that answers (the service needs
 * the port, so it comes second); server_run() blocks until a descriptor becomes readable;
 * server_free() resumes everything and stops.
 */
#pragma once

#include "sandbox/service.h"

#include <glib.h>
#include <stdint.h>

typedef struct Server Server;

/* Listens on 127.0.0.1; port 0 takes a free one. ERROR_CONFIGURATION when the port is taken. */
Server *server_new(uint16_t port, GError **error) G_GNUC_WARN_UNUSED_RESULT;
uint16_t server_port(const Server *server);

/* Begins to answer. The service is borrowed and must outlive the server. */
bool server_attach(Server *server, Service *service, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs until one of the descriptors is readable or hung up (-1 entries are left out). */
void server_run(Server *server, const int *descriptors, size_t count);

void server_free(Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)
