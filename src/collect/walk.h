/* walk.h - the inside of a run: what run.c, ask.c, reading.c, emit.c and finish.c share.
 *
 * A Reading is one read of one plan node under one row of its parent (roots have none). It yields
 * rows: a list yields many; an answer without rows, a collected array and a folded object yield
 * one. Every Row starts the Readings of the node's children; it is whole when all of them are over.
 * A Reading is over when its end was reached (or denied) and all its rows are whole and emitted.
 *
 * Emission: the rows of a Reading leave in the order in which they came, and only while the Reading
 * is current: its parent row is the first of its own Reading, up to the root. So equal data gives
 * equal documents whatever the order of the answers.
 *
 * Everything here lives on the client's thread. Answers are never handled inside the code that
 * asked: asks wait in a queue that run_pump() works off.
 */
#pragma once

#include "base/json.h"
#include "collect/cassette.h"
#include "collect/completeness.h"
#include "collect/row_index.h"
#include "collect/row_shape.h"
#include "collect/run.h"
#include "collect/sheet.h"
#include "collect/writer.h"
#include "provider/page.h"
#include "provider/plan.h"
#include "provider/render.h"
#include "provider/scan.h"
#include "provider/summary.h"
#include "provider/value.h"

typedef struct Reading Reading;
typedef struct Row Row;

struct Row {
    Reading *reading;
    Value value;        /* null when the answer was absent or unread */
    Value environment;  /* what the children's templates see */
    Reading **children; /* as many as the plan node has */
    unsigned open_children;
    bool started; /* all children have been started */
};

struct Reading {
    Run *run;
    size_t node;                /* index in the plan */
    Row *parent;                /* NULL for a root */
    const DefinitionCall *call; /* that is asked now; NULL for `each` */
    bool list;                  /* its rows leave one by one; otherwise it has one row */
    Page *page;
    bool asking; /* an ask of it is queued or in flight */
    bool ended;  /* no further answer is wanted */
    bool over;
    bool stalled;    /* waits in Run.stalled */
    Outcome outcome; /* the first that was not ok, else ok */
    RespondThen then;
    GQueue sheets; /* Sheet * */
    GQueue rows;   /* Row *, in order, not yet emitted */
    Value collected;
    int64_t collected_count;
    Summary *fold;
    size_t attempt;     /* which of the node's calls is asked: `first` */
    int64_t poll_until; /* monotonic time at which a poll is given up; 0: not begun */
    uint64_t poll_timer;
    RowIndex *index; /* of a shared list */
    GPtrArray
        *waiting;      /* lookups (Reading *) that wait for this list, or for it to be begun here */
    Reading *wanted;   /* of a lookup: in whose list of waiting ones it is, or NULL */
    GPtrArray *echoes; /* readings (Reading *) that get every answer to this one, or NULL */
    bool echo;         /* another reading asks for it */
};

/* One wanted evidence type. */
typedef struct {
    const EvidenceType *type;
    size_t *plan_nodes; /* plan index of each node */
    size_t root;        /* plan index of the root of its chain */
    ExprProgram *program;
    ExprResult *results;
    RowShape *shape; /* NULL: a row is an object that the program gives */
    Value *names;    /* of the nodes */
    Value seen;      /* what the expressions of a row see: {settings, range, NODE: value} */
    Summary *summary;
    Writer *writer;
    Completeness *completeness;
    bool read;    /* all its rows were emitted */
    bool ended;   /* the writer was ended */
    bool storing; /* the unit of work is under way */
    bool stored;
    GError *error; /* the type as a whole failed: no record */
    bool held;     /* ... because another attempt may fare better */
} TypeState;

struct Run {
    RunConfig config;
    UnitPlace place;
    char *integration_id;
    char *job_id;
    ReadPlan *plan;
    Render *render;
    Pager *pager;
    Value settings;
    Value range;
    Value base; /* {settings, range} */
    Json *settings_json;
    TypeState *types;
    size_t type_count;
    ExprProgram **filters;  /* by plan node: its `where`, or NULL */
    SummaryProgram **folds; /* by plan node: its reducers, or NULL */
    ExprProgram **givens;   /* by plan node: `each` or `given`, or NULL */
    ExprProgram **keys;     /* by plan node: of the rows of a shared list, or of a lookup */
    ExprProgram **polls;    /* by plan node: when a poll is done, or NULL */
    Reading **roots;        /* by plan node; NULL for nodes with a parent */
    GString *line;          /* buffer for one printed row */
    GPtrArray *unread;      /* buffer for the names of its unread fields; borrowed */
    GQueue asks;            /* Ask * */
    GQueue spare_asks;      /* Ask *, to be used again */
    GQueue stalled; /* Reading * that have rows to take or emit and wait for room or their turn */
    unsigned in_flight;
    unsigned rows_live;
    unsigned failures_in_row; /* transient failures without a success between */
    Outcome tripped;          /* OUTCOME_OK, or what every further ask is answered with */
    char *tripped_message;
    int64_t parked_until;
    uint64_t calls;
    int64_t told_at; /* monotonic time of the last progress */
    bool pump_posted;
    uint64_t flush_timer; /* 0: none */
    bool started;
    bool over;
    GError *error;
};

/* Sees to it that run_pump() runs soon. */
void run_wake(Run *run);

/* Leaves a reading for a later turn of the pump. */
void run_stall(Reading *reading);

/* Sees to it that what was recorded is written within RUN_COMMIT_MS. */
void run_flush_soon(Run *run);

/* Whether the side reads of all types that are made of this root's rows are over. */
bool run_sides_are_over(const Run *run, size_t root);

/* Whether lists may take further rows: the writes keep up and nobody parks. */
bool run_may_take(const Run *run);

/* The failure of one type as a whole: nothing of it is stored. Takes the error. */
void run_fail_type(TypeState *type, GError *error);

void run_tell_progress(Run *run, const TypeState *type);

static inline const PlanNode *reading_plan(const Reading *reading) {
    return &reading->run->plan->nodes[reading->node];
}

static inline const ReadNode *reading_node(const Reading *reading) {
    return reading_plan(reading)->node;
}
