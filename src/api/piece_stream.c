#include "api/piece_stream.h"

/* --- a turn ----------------------------------------------------------------------------------- */

typedef struct {
    Stream *stream; /* referenced, and with it the source */
    const PieceSource *source;
} Turn;

static void take_turn(PoolSeat *seat, void *data) {
    Turn *turn = data;
    const PieceSource *source = turn->source;
    g_autoptr(GError) error = NULL;
    (void)seat;
    if (!source->make(turn->stream, source->data, &error)) {
        log_line(LOG_ERROR, source->failed, source->of_what, LOG_TEXT("why", error->message));
        stream_end(turn->stream, true);
    }
    stream_unref(turn->stream);
    g_free(turn);
}

static void hungry(Stream *stream, void *data) {
    Turn *turn = g_new0(Turn, 1);
    turn->stream = stream_ref(stream);
    turn->source = data;
    pool_insist(turn->source->pool, take_turn, turn);
}

/* --- the stream ------------------------------------------------------------------------------- */

static void free_source(void *data) {
    PieceSource *source = data;
    source->free_data(source->data);
    g_free(source);
}

Stream *piece_stream_new(const PieceSource *source) {
    PieceSource *own = g_new0(PieceSource, 1);
    *own = *source;
    return stream_new(&(StreamSource){.hungry = hungry, .closed = free_source, .data = own});
}
