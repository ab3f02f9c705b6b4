/* Replies that are made a piece at a time. */

#include "api/piece_stream.h"
#include "base/error.h"
#include "unit/api_support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENDLESS 1000000

/* Makes pieces of one letter, and writes down in which order they were made. */
typedef struct {
    char letter;
    int pieces;    /* in all; the last ends the reply */
    int fails_at;  /* the piece that cannot be made; 0: none */
    GString *made; /* shared by all that run on one thread */
    int *freed;
    SlowReader *gate; /* each piece waits until it is awake; NULL: none does */
    int count;
} Letters;

static bool make_letter(Stream *stream, void *data, GError **error) {
    Letters *letters = data;
    if (letters->gate)
        slow_reader_await(letters->gate);
    g_string_append_c(letters->made, letters->letter);
    letters->count++;
    if (letters->count == letters->fails_at) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE, "the piece is damaged");
        return false;
    }
    if (letters->count == letters->pieces)
        (void)stream_write_last(stream, &letters->letter, 1);
    else
        (void)stream_write(stream, &letters->letter, 1);
    return true;
}

static void free_letters(void *data) {
    Letters *letters = data;
    ++*letters->freed;
    g_free(letters);
}

/* A pool of one thread, and what its streams have written and freed. */
typedef struct {
    Pool *pool;
    GString *made;
    int freed;
} World;

static void world_init(World *world) {
    *world = (World){.pool = pool_new(1, 4), .made = g_string_new(NULL)};
}

static void world_clear(World *world) {
    pool_free(world->pool);
    g_string_free(world->made, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static Stream *world_stream(World *world, const Letters *like) {
    Letters *letters = g_new0(Letters, 1);
    *letters = *like;
    letters->made = world->made;
    letters->freed = &world->freed;
    return piece_stream_new(&(PieceSource){.pool = world->pool,
                                           .make = make_letter,
                                           .data = letters,
                                           .free_data = free_letters,
                                           .failed = "letter_not_made",
                                           .of_what = LOG_TEXT("letters", "abc")});
}

/* Reads one byte, or the end; waits for it where it has to. A connection that sleeps asks nothing.
 */
static ssize_t read_one(Stream *stream, SlowReader *reader, char *out) {
    ssize_t got;
    do {
        slow_reader_await(reader);
        got = stream_read(stream, out, 1);
    } while (got == 0);
    return got;
}

static void a_piece_is_made_when_the_one_before_is_sent(void) {
    g_auto(World) world;
    SlowReader reader;
    char out[8];
    world_init(&world);
    g_autoptr(Stream) stream = world_stream(&world, &(Letters){.letter = 'a', .pieces = 3});
    slow_reader_init(&reader, stream);
    g_assert_cmpuint(world.made->len, ==, 0);
    for (unsigned piece = 1; piece <= 3; piece++) {
        g_assert_cmpint(stream_read(stream, out, sizeof out), ==, 0);
        slow_reader_await(&reader);
        g_assert_cmpint(stream_read(stream, out, sizeof out), ==, 1);
        g_assert_cmpuint(world.made->len, ==, piece);
    }
    g_assert_cmpint(stream_read(stream, out, sizeof out), ==, STREAM_DONE);
    g_assert_cmpint(world.freed, ==, 0);
}

static void the_source_is_freed_with_the_stream(void) {
    g_auto(World) world;
    world_init(&world);
    Stream *stream = world_stream(&world, &(Letters){.letter = 'a', .pieces = 3});
    Stream *reply = stream_ref(stream);
    stream_unref(stream);
    g_assert_cmpint(world.freed, ==, 0);
    stream_abandon(reply);
    stream_unref(reply);
    g_assert_cmpint(world.freed, ==, 1);
    g_assert_cmpuint(world.made->len, ==, 0);
}

static void streams_that_share_a_thread_take_turns(void) {
    g_auto(World) world;
    SlowReader gate;
    SlowReader reader[2];
    Stream *stream[2];
    char out;
    world_init(&world);
    g_autoptr(Stream) held = stream_new(&(StreamSource){0});
    slow_reader_init(&gate, held);
    g_assert_cmpint(stream_read(held, &out, 1), ==, 0); /* asleep: the thread is kept */
    for (int i = 0; i < 2; i++) {
        stream[i] = world_stream(&world, &(Letters){(char)('a' + i), ENDLESS, .gate = &gate});
        slow_reader_init(&reader[i], stream[i]);
        g_assert_cmpint(stream_read(stream[i], &out, 1), ==, 0);
    }
    g_assert_true(stream_write(held, "x", 1));
    for (int piece = 0; piece < 10; piece++)
        g_assert_cmpint(read_one(stream[piece % 2], &reader[piece % 2], &out), ==, 1);
    for (int i = 0; i < 2; i++) {
        stream_abandon(stream[i]);
        stream_unref(stream[i]);
    }
    pool_free(g_steal_pointer(&world.pool));
    g_assert_true(g_str_has_prefix(world.made->str, "ababababab"));
    g_assert_cmpint(world.freed, ==, 2);
}

static void a_piece_that_cannot_be_made_breaks_the_reply_off_and_is_logged(void) {
    g_auto(World) world;
    SlowReader reader;
    int ends[2];
    char out;
    char line[1024] = "";
    g_assert_cmpint(pipe2(ends, O_CLOEXEC | O_NONBLOCK), ==, 0);
    log_set_descriptor(ends[1]);
    world_init(&world);
    g_autoptr(Stream) stream =
        world_stream(&world, &(Letters){.letter = 'a', .pieces = 5, .fails_at = 3});
    slow_reader_init(&reader, stream);
    g_assert_cmpint(read_one(stream, &reader, &out), ==, 1);
    g_assert_cmpint(read_one(stream, &reader, &out), ==, 1);
    g_assert_cmpint(read_one(stream, &reader, &out), ==, STREAM_BROKEN);
    log_set_descriptor(-1);
    g_assert_cmpint(read(ends[0], line, sizeof line - 1), >, 0);
    g_assert_nonnull(strstr(line, "\"level\":\"error\",\"event\":\"letter_not_made\","
                                  "\"letters\":\"abc\",\"why\":\"the piece is damaged\"}\n"));
    g_assert_cmpuint(world.made->len, ==, 3);
    close(ends[0]);
    close(ends[1]);
}

static void who_leaves_while_a_piece_is_made_takes_nothing_away_from_it(void) {
    g_auto(World) world;
    SlowReader gate;
    SlowReader reader;
    char out;
    world_init(&world);
    g_autoptr(Stream) held = stream_new(&(StreamSource){0});
    slow_reader_init(&gate, held);
    g_assert_cmpint(stream_read(held, &out, 1), ==, 0);
    Stream *stream = world_stream(&world, &(Letters){.letter = 'a', .pieces = 9, .gate = &gate});
    slow_reader_init(&reader, stream);
    g_assert_cmpint(stream_read(stream, &out, 1), ==, 0);
    stream_abandon(stream);
    stream_unref(stream);
    g_assert_true(stream_write(held, "x", 1));
    pool_free(g_steal_pointer(&world.pool));
    g_assert_cmpstr(world.made->str, ==, "a");
    g_assert_cmpint(world.freed, ==, 1);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const ApiTest tests[] = {
    TEST(a_piece_is_made_when_the_one_before_is_sent),
    TEST(the_source_is_freed_with_the_stream),
    TEST(streams_that_share_a_thread_take_turns),
    TEST(a_piece_that_cannot_be_made_breaks_the_reply_off_and_is_logged),
    TEST(who_leaves_while_a_piece_is_made_takes_nothing_away_from_it),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "piece_stream", tests, G_N_ELEMENTS(tests));
}
