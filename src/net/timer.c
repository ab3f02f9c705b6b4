#include "net/timer.h"

#include <string.h>

typedef struct {
    int64_t due_ms;
    uint64_t id; /* grows, so it also orders timers of one due time */
    TimerFn fire;
    void *data;
} Timer;

struct TimerHeap {
    Timer *timers;
    unsigned count;
    unsigned room;
    uint64_t last_id;
};

TimerHeap *timer_heap_new(void) {
    return g_new0(TimerHeap, 1);
}

void timer_heap_free(TimerHeap *heap) {
    if (!heap) {
        return;
    }
    g_free(heap->timers);
    g_free(heap);
}

static bool is_earlier(const Timer *a, const Timer *b) {
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

static void sift_up(TimerHeap *heap, unsigned index) {
    Timer moving = heap->timers[index];
    while (index > 0 && is_earlier(&moving, &heap->timers[(index - 1) / 2])) {
        heap->timers[index] = heap->timers[(index - 1) / 2];
        index = (index - 1) / 2;
    }
    heap->timers[index] = moving;
}

static void sift_down(TimerHeap *heap, unsigned index) {
    Timer moving = heap->timers[index];
    for (unsigned child = index * 2 + 1; child < heap->count; child = index * 2 + 1) {
        if (child + 1 < heap->count && is_earlier(&heap->timers[child + 1], &heap->timers[child])) {
            child++;
        }
        if (!is_earlier(&heap->timers[child], &moving)) {
            break;
        }
        heap->timers[index] = heap->timers[child];
        index = child;
    }
    heap->timers[index] = moving;
}

static void remove_at(TimerHeap *heap, unsigned index) {
    heap->count--;
    if (index == heap->count) {
        return;
    }
    heap->timers[index] = heap->timers[heap->count];
    sift_down(heap, index);
    sift_up(heap, index);
}

uint64_t timer_heap_add(TimerHeap *heap, int64_t due_ms, TimerFn fire, void *data) {
    if (heap->count == heap->room) {
        heap->room = MAX(heap->room * 2, 16);
        heap->timers = g_renew(Timer, heap->timers, heap->room);
    }
    uint64_t id = ++heap->last_id;
    heap->timers[heap->count] = (Timer){.due_ms = due_ms, .id = id, .fire = fire, .data = data};
    sift_up(heap, heap->count++);
    return id;
}

bool timer_heap_cancel(TimerHeap *heap, uint64_t id) {
    for (unsigned i = 0; i < heap->count; i++) {
        if (heap->timers[i].id == id) {
            remove_at(heap, i);
            return true;
        }
    }
    return false;
}

unsigned timer_heap_fire(TimerHeap *heap, int64_t now_ms) {
    uint64_t newest = heap->last_id;
    unsigned fired = 0;
    while (heap->count && heap->timers[0].due_ms <= now_ms && heap->timers[0].id <= newest) {
        Timer timer = heap->timers[0];
        remove_at(heap, 0);
        timer.fire(timer.data);
        fired++;
    }
    return fired;
}

bool timer_heap_next(const TimerHeap *heap, int64_t *due_ms_out) {
    if (!heap->count) {
        return false;
    }
    *due_ms_out = heap->timers[0].due_ms;
    return true;
}

unsigned timer_heap_count(const TimerHeap *heap) {
    return heap->count;
}
