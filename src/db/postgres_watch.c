#include "db/postgres_watch.h"
#include "db/postgres_wire.h"
#include <poll.h>

#define PAUSE_MS_FIRST 50
#define PAUSE_MS_MAX 5000

struct DriverWatch {
    const PostgresAddress *address;
    Wire *wire;       /* NULL: not connected */
    GPtrArray *heard; /* char *, the channels that the connection listens on */
    int pause_ms;
};

DriverWatch *postgres_watch_new(const PostgresAddress *address) {
    DriverWatch *watch = g_new0(DriverWatch, 1);
    watch->address = address;
    watch->heard = g_ptr_array_new_with_free_func(g_free);
    watch->pause_ms = PAUSE_MS_FIRST;
    return watch;
}

static void disconnect(DriverWatch *watch) {
    g_clear_pointer(&watch->wire, wire_close);
    g_ptr_array_set_size(watch->heard, 0);
}

void postgres_watch_free(DriverWatch *watch) {
    disconnect(watch);
    g_ptr_array_unref(watch->heard);
    g_free(watch);
}

static bool reconnect(DriverWatch *watch, int wake_fd) {
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    bool passes;
    if (watch->wire)
        return true;
    watch->wire = wire_open(watch->address, &passes, NULL);
    if (watch->wire) {
        watch->pause_ms = PAUSE_MS_FIRST;
        return true;
    }
    (void)poll(&wake, 1, watch->pause_ms);
    watch->pause_ms = MIN(watch->pause_ms * 2, PAUSE_MS_MAX);
    return false;
}

/* Channels are of characters that need no more than quotes (db.c). */
static bool command(DriverWatch *watch, const char *verb, const char *channel) {
    g_autofree char *sql = g_strdup_printf("%s \"%s\"", verb, channel);
    wire_command(watch->wire, sql);
    g_autofree char *answer = wire_ask(watch->wire);
    return answer != NULL;
}

static bool is_among(const GPtrArray *channels, const char *channel) {
    for (unsigned i = 0; i < channels->len; i++) {
        if (g_str_equal(channels->pdata[i], channel))
            return true;
    }
    return false;
}

/* Listens on what is new and no more on what is gone; false when the connection is lost. */
static bool follow(DriverWatch *watch, const GPtrArray *channels, DriverTell tell, void *data,
                   bool *told_out) {
    for (unsigned i = 0; i < channels->len; i++) {
        const char *channel = channels->pdata[i];
        if (is_among(watch->heard, channel))
            continue;
        if (!command(watch, "listen", channel))
            return false;
        g_ptr_array_add(watch->heard, g_strdup(channel));
        tell(data, channel);
        *told_out = true;
    }
    for (unsigned i = watch->heard->len; i-- > 0;) {
        if (is_among(channels, watch->heard->pdata[i]))
            continue;
        if (!command(watch, "unlisten", watch->heard->pdata[i]))
            return false;
        g_ptr_array_remove_index_fast(watch->heard, i);
    }
    return true;
}

static bool tell_news(DriverWatch *watch, DriverTell tell, void *data) {
    bool told = false;
    for (char *channel; (channel = wire_next_channel(watch->wire)); told = true) {
        tell(data, channel);
        g_free(channel);
    }
    return told;
}

void postgres_watch_wait(DriverWatch *watch, const GPtrArray *channels, int wake_fd,
                         DriverTell tell, void *data) {
    bool told = false;
    if (!reconnect(watch, wake_fd))
        return;
    bool alive = follow(watch, channels, tell, data, &told);
    if (alive && !tell_news(watch, tell, data) && !told) {
        alive = wire_wait(watch->wire, wake_fd);
        (void)tell_news(watch, tell, data);
    }
    if (!alive)
        disconnect(watch);
}
