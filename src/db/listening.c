#include "db/listening.h"
#include "db/thread.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct DbListener {
    Listening *listening;
    char *channel;
    DbHeard heard;
    void *data;
    bool told;
};

struct Listening {
    const Driver *driver;
    DriverDatabase *database;
    ListeningCall call;
    pthread_mutex_t lock;
    pthread_cond_t called; /* calling has become NULL */
    GPtrArray *listeners;  /* DbListener * */
    DbListener *calling;   /* whose function runs now */
    pthread_t thread;
    bool started, ending;
    int wake; /* an eventfd: something was told, added or removed */
};

Listening *listening_new(const Driver *driver, DriverDatabase *database, ListeningCall call,
                         GError **error) {
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot make an event descriptor: %s",
                    g_strerror(errno));
        return NULL;
    }
    Listening *listening = g_new0(Listening, 1);
    listening->driver = driver;
    listening->database = database;
    listening->call = call;
    listening->wake = wake;
    listening->listeners = g_ptr_array_new();
    pthread_mutex_init(&listening->lock, NULL);
    pthread_cond_init(&listening->called, NULL);
    return listening;
}

static void wake_up(Listening *listening) {
    (void)eventfd_write(listening->wake, 1);
}

static void listener_free(DbListener *listener) {
    g_free(listener->channel);
    g_free(listener);
}

void listening_free(Listening *listening) {
    if (!listening)
        return;
    pthread_mutex_lock(&listening->lock);
    listening->ending = true;
    pthread_mutex_unlock(&listening->lock);
    wake_up(listening);
    if (listening->started)
        pthread_join(listening->thread, NULL);
    for (unsigned i = 0; i < listening->listeners->len; i++)
        listener_free(listening->listeners->pdata[i]);
    g_ptr_array_unref(listening->listeners);
    pthread_cond_destroy(&listening->called);
    pthread_mutex_destroy(&listening->lock);
    close(listening->wake);
    g_free(listening);
}

static void tell(void *data, const char *channel) {
    Listening *listening = data;
    pthread_mutex_lock(&listening->lock);
    for (unsigned i = 0; i < listening->listeners->len; i++) {
        DbListener *listener = listening->listeners->pdata[i];
        listener->told = listener->told || !channel || strcmp(listener->channel, channel) == 0;
    }
    pthread_mutex_unlock(&listening->lock);
}

void listening_tell(Listening *listening, const char *channel) {
    tell(listening, channel);
    wake_up(listening);
}

/* --- The thread ---------------------------------------------------------------------------- */

/* The next listener that was told, marked as the one that is called; NULL when there is none. */
static DbListener *take_told(Listening *listening) {
    DbListener *found = NULL;
    pthread_mutex_lock(&listening->lock);
    for (unsigned i = 0; !found && !listening->ending && i < listening->listeners->len; i++) {
        DbListener *listener = listening->listeners->pdata[i];
        if (listener->told)
            found = listener;
    }
    if (found)
        found->told = false;
    listening->calling = found;
    pthread_mutex_unlock(&listening->lock);
    return found;
}

static void call_told(Listening *listening) {
    DbListener *listener;
    while ((listener = take_told(listening))) {
        listening->call(listener->heard, listener->data);
        pthread_mutex_lock(&listening->lock);
        listening->calling = NULL;
        pthread_cond_broadcast(&listening->called);
        pthread_mutex_unlock(&listening->lock);
    }
}

/* The channels that are listened on, each once; false at the end. */
static bool read_channels(Listening *listening, GPtrArray *channels) {
    g_ptr_array_set_size(channels, 0);
    pthread_mutex_lock(&listening->lock);
    for (unsigned i = 0; i < listening->listeners->len; i++) {
        const DbListener *listener = listening->listeners->pdata[i];
        if (!g_ptr_array_find_with_equal_func(channels, listener->channel, g_str_equal, NULL))
            g_ptr_array_add(channels, g_strdup(listener->channel));
    }
    bool ending = listening->ending;
    pthread_mutex_unlock(&listening->lock);
    return !ending;
}

static void wait_for_wake(Listening *listening) {
    struct pollfd wake = {.fd = listening->wake, .events = POLLIN};
    (void)poll(&wake, 1, -1);
}

static void *listen_loop(void *data) {
    Listening *listening = data;
    const Driver *driver = listening->driver;
    DriverWatch *watch = NULL;
    eventfd_t wakes;
    g_autoptr(GPtrArray) channels = g_ptr_array_new_with_free_func(g_free);
    while (read_channels(listening, channels)) {
        if (channels->len == 0) {
            g_clear_pointer(&watch, driver->watch_end);
            wait_for_wake(listening);
        } else {
            watch = watch ? watch : driver->watch_begin(listening->database);
            driver->watch_wait(watch, channels, listening->wake, tell, listening);
        }
        (void)eventfd_read(listening->wake, &wakes);
        call_told(listening);
    }
    g_clear_pointer(&watch, driver->watch_end);
    return NULL;
}

/* --- Listeners ----------------------------------------------------------------------------- */

DbListener *listening_add(Listening *listening, const char *channel, DbHeard heard, void *data,
                          GError **error) {
    pthread_mutex_lock(&listening->lock);
    if (!listening->started)
        listening->started = thread_start(&listening->thread, listen_loop, listening, error);
    if (!listening->started) {
        pthread_mutex_unlock(&listening->lock);
        return NULL;
    }
    DbListener *listener = g_new0(DbListener, 1);
    listener->listening = listening;
    listener->channel = g_strdup(channel);
    listener->heard = heard;
    listener->data = data;
    g_ptr_array_add(listening->listeners, listener);
    pthread_mutex_unlock(&listening->lock);
    wake_up(listening);
    return listener;
}

void listening_remove(DbListener *listener) {
    Listening *listening = listener->listening;
    pthread_mutex_lock(&listening->lock);
    g_ptr_array_remove(listening->listeners, listener);
    while (listening->calling == listener)
        pthread_cond_wait(&listening->called, &listening->lock);
    pthread_mutex_unlock(&listening->lock);
    wake_up(listening);
    listener_free(listener);
}
