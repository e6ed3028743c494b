/* SPDX-License-Identifier: ISC */
/*
 * What the machine is made of, for its own files alone: the tree of
 * supervisors, children and nodes with the counters by which the next start
 * or stop is found without a search.  What each file offers to the others
 * stands at the end.
 */
#ifndef RUNTIME_SUPERVISE_MACHINE_NODE_H
#define RUNTIME_SUPERVISE_MACHINE_NODE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "runtime/supervise/machine.h"
#include "runtime/supervise/window.h"

#define MACHINE_TEXT_MAX 256

/* The specification that children point into; freed with the last of them. */
struct source {
	size_t refs;
	struct spec_tree *tree;	   /* NULL: */
	struct spec_child spawned; /* of machine_spawn() */
};

struct key {
	RB_ENTRY(key) entry;
	char *text; /* NULL: not in the map */
	struct child *child;
	struct machine_node *node; /* NULL: all instances of child */
};
RB_HEAD(key_map, key);

struct timer {
	RB_ENTRY(timer) entry;
	int64_t due; /* -1: off */
	uint64_t number;
	struct machine_node *node;
	bool of_supervisor;
};
RB_HEAD(timer_tree, timer);

/* How a start came about: it tells what its failure does. */
enum kind {
	KIND_FIRST,   /* with its supervisor, which then fails */
	KIND_RESTART, /* counts as one more restart */
	KIND_REQUEST, /* the child stays idle, or goes */
};

/* What follows when the incarnation is over. */
enum next {
	NEXT_DECIDE,
	NEXT_IDLE,
	NEXT_START,
	NEXT_REMOVE,
};

/* What ended the incarnation, the first that did. */
enum cause {
	CAUSE_NONE,
	CAUSE_ENDED,	    /* status */
	CAUSE_ASKED,	    /* our stop */
	CAUSE_SHUTDOWN,	    /* a supervisor's auto_shutdown */
	CAUSE_FAILED,	    /* a supervisor: reason */
	CAUSE_START_FAILED, /* reason */
	CAUSE_NOT_READY,
	CAUSE_WATCHDOG,
	CAUSE_LEADER_DIED,
};

/* What a node adds to the counters of its child and supervisor. */
struct weight {
	bool alive;	/* not empty */
	bool unsettled; /* others wait for it to be ready */
	bool unsent;	/* alive and not told to stop */
	bool active;	/* significant, and not over */
	bool cycling;	/* alive and of a restart in common */
};

/* Where a pending node waits for its turn. */
enum queue {
	QUEUE_NONE,
	QUEUE_CHILD,
	QUEUE_URGENT, /* without regard to the order */
};

struct machine_node {
	TAILQ_ENTRY(machine_node) sibling; /* of the same child, by number */
	TAILQ_ENTRY(machine_node) turn;
	RB_ENTRY(machine_node) by_run;
	struct machine *machine;
	struct child *child;	   /* NULL: the root */
	struct branch *supervisor; /* NULL: a command */
	struct key key;		   /* unused where the child's serves */
	unsigned int number;	   /* from 1 */
	uint64_t run;
	enum machine_state state;
	enum kind kind;
	enum next next;
	enum kind next_kind; /* of NEXT_START */
	enum cause cause;
	enum queue queue;
	struct weight weight;
	bool wanted;	 /* by autostart or the last request */
	bool added;	 /* goes if its first start fails */
	bool cycle;	 /* of a restart in common */
	bool ready;	 /* this incarnation was */
	bool ready_once; /* since the supervisor's start */
	bool stop_sent;
	bool kill_sent;
	int status; /* of this incarnation; -1 */
	int last_status;
	char *reason;
	int64_t since;
	int64_t ready_at;
	unsigned int doublings; /* of its back-off */
	uint64_t restarts;
	struct timer timer;
};
TAILQ_HEAD(node_list, machine_node);
RB_HEAD(run_map, machine_node);

/* `from` has `to` among its depends_on. */
struct edge {
	LIST_ENTRY(edge) of_from;
	LIST_ENTRY(edge) of_to;
	struct child *from;
	struct child *to;
};
LIST_HEAD(edge_list, edge);

struct child {
	TAILQ_ENTRY(child) sibling;
	RB_ENTRY(child) in_unsettled;
	RB_ENTRY(child) in_alive;
	RB_ENTRY(child) in_stoppable;
	TAILQ_ENTRY(child) in_startable;
	struct branch *parent;
	struct source *source;
	const struct spec_child *spec;
	struct key key;
	uint64_t position;
	struct node_list nodes;
	struct node_list turns;	  /* pending, in the order of the start */
	struct edge_list waits;	  /* for these */
	struct edge_list waiters; /* these for it */
	size_t nnodes;
	size_t nalive;
	size_t nunsettled;
	size_t nunsent;
	size_t waits_unsettled; /* of waits */
	size_t waiters_alive;	/* of waiters */
	bool spawned;
	bool removing;
	bool kept;   /* by the reload that is going on */
	bool fresh;  /* of that reload, still to be started */
	bool doomed; /* to be stopped when its turn comes */
	bool none;   /* scaled to 0: it stays, though temporary */
	bool is_unsettled, is_alive, is_stoppable, is_startable;
};
TAILQ_HEAD(child_list, child);
RB_HEAD(unsettled_tree, child);
RB_HEAD(alive_tree, child);
RB_HEAD(stoppable_tree, child);

enum phase {
	PHASE_DOWN,
	PHASE_BOOT, /* until all children were ready */
	PHASE_UP,
	PHASE_STOPPING,
};

enum outcome {
	OUTCOME_STOPPED,
	OUTCOME_SHUTDOWN, /* auto_shutdown */
	OUTCOME_LIMIT,
	OUTCOME_START_FAILED,
	OUTCOME_LEADER_DIED,
	OUTCOME_UNKILLABLE,
};

struct branch {
	TAILQ_ENTRY(branch) in_dirty;
	struct machine_node *node; /* itself */
	const struct spec_supervisor *spec;
	struct source *source; /* that its children are of */
	struct child_list children;
	uint64_t positions;
	enum phase phase;
	enum outcome outcome;
	int status; /* of SHUTDOWN, of wait(2) */
	char *text; /* of the outcome */
	char *why;  /* its children stop; NULL: they never did */
	struct unsettled_tree unsettled;
	struct alive_tree alive; /* those that follow the list's order */
	struct stoppable_tree stoppable; /* those that do not, turn come */
	TAILQ_HEAD(, child) startable;	 /* those that do not, turn come */
	struct node_list urgent;
	size_t nalive;	 /* children */
	size_t nactive;	 /* significant nodes */
	size_t ncycling; /* nodes */
	struct window window;
	bool fresh;   /* as its specification, never started */
	bool cycling; /* a restart in common goes on */
	bool cooling; /* that is the pause of on_limit */
	bool warming; /* cooling, or its children not all ready after it */
	bool dirty;
	int64_t cycle_due; /* -1: cooling, not yet known */
	unsigned int depth;
	struct timer timer; /* UP: of the cycle; STOPPING: of the kill */
};

struct queued {
	STAILQ_ENTRY(queued) entry;
	struct machine_action action;
	char text[]; /* and the key after it */
};

/* A run that withstood SIGKILL: its node may go, it is there all the same. */
struct stuck {
	LIST_ENTRY(stuck) link;
	uint64_t run;
};
LIST_HEAD(stuck_list, stuck);

struct machine {
	struct machine_node *root;
	struct key_map keys;
	struct run_map runs;
	struct timer_tree timers;
	STAILQ_HEAD(, queued) queue;
	struct queued *taken;
	TAILQ_HEAD(, branch) dirty;
	int64_t now;
	uint64_t last_run;
	uint64_t last_timer;
	uint64_t random;
	size_t nnodes;
	struct stuck_list stuck;
	bool over;
};

RB_PROTOTYPE(key_map, key, entry, unused)
RB_PROTOTYPE(run_map, machine_node, by_run, unused)
RB_PROTOTYPE(timer_tree, timer, entry, unused)
RB_PROTOTYPE(unsettled_tree, child, in_unsettled, unused)
RB_PROTOTYPE(alive_tree, child, in_alive, unused)
RB_PROTOTYPE(stoppable_tree, child, in_stoppable, unused)

/* machine_node.c: making, finding, removing; the counters. */
struct source *source_new(struct spec_tree *tree);
void source_release(struct source *source);
struct machine_node *node_new(struct machine *machine, struct child *child,
    unsigned int number);
void node_free(struct machine_node *node);
struct child *child_new(struct branch *parent, struct source *source,
    const struct spec_child *spec);
void child_free(struct child *child);
bool child_link(struct child *child); /* its depends_on; false: unknown */
void child_unlink(struct child *child);
struct branch *branch_new(struct machine_node *node, struct source *source,
    const struct spec_supervisor *spec, unsigned int depth);
void branch_build(struct branch *supervisor);
void branch_clear(struct branch *supervisor);
const char *node_key(const struct machine_node *node);
char *child_key(const struct branch *parent, const char *id);
char *instance_key(const struct child *child, unsigned int number);
bool instance_taken(const struct child *child, unsigned int number);
const struct key *key_find(const struct machine *machine, const char *text);

/* State and whatever counts it; to be called after each change of flags. */
void node_set(struct machine_node *node, enum machine_state state);
void node_update(struct machine_node *node);
void child_update(struct child *child);
void branch_touch(struct branch *supervisor);
bool node_alive(const struct machine_node *node);
void node_reason(struct machine_node *node, const char *reason);

/* machine_queue.c: what goes out, and timers. */
void machine_emit(struct machine *machine, enum machine_action_type type,
    const struct machine_node *node);
void machine_emit_stop(const struct machine_node *node, const char *asked,
    bool kill);
void machine_emit_end(struct machine *machine, int status, const char *text);
void machine_tell(const struct machine_node *node, enum machine_note note,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
const char *text_of_ms(char *buffer, size_t size, int64_t ms);
const char *text_of_status(char *buffer, size_t size, int status);
int status_exit(int status);
void timer_set(struct timer *timer, int64_t due);
void timer_clear(struct timer *timer);

/* machine_order.c: who starts or stops next. */
void node_pend(struct machine_node *node, enum kind kind, bool urgent);
void node_unpend(struct machine_node *node);
void node_hasten(struct machine_node *node); /* its back-off is over */
enum kind kind_again(const struct machine_node *node); /* not of a request */
void node_start(struct machine_node *node);
/* asked: why, if it did nothing to deserve it; NULL: its reason says that. */
void node_stop(struct machine_node *node, const char *asked);
void node_is_ready(struct machine_node *node);
void branch_stop(struct branch *supervisor, enum outcome outcome,
    const char *text);
void branch_kill(struct branch *supervisor);
/* Why its children are stopped from now on; NULL: none. */
void branch_why(struct branch *supervisor, const char *why);
bool branch_runs(const struct branch *supervisor);

/* machine_cycle.c: a restart in common. */
void cycle_begin(struct machine_node *failed, int64_t due);
void cycle_cool(struct machine_node *failed);
void cycle_extend(struct branch *supervisor); /* after another order */
void cycle_run(struct branch *supervisor);    /* goes on with it */

/* machine_decide.c: what follows an end. */
void node_over(struct machine_node *node);
void branch_lose(struct machine_node *node, enum outcome outcome,
    const char *what);

/* machine_scale.c: nodes that come and go. */
void node_begin(struct machine_node *node);  /* start it, of a request */
void node_remove(struct machine_node *node); /* its child with the last */
void node_retire(struct machine_node *node, const char *why); /* when empty */
void child_begin(struct child *child); /* all of a new one */
/* asked: by a request, so that a new one whose start fails goes. */
void scale_to(struct child *child, size_t instances, bool asked);
size_t scale_count(const struct child *child);

/* Each event and request is between these two. */
void machine_enter(struct machine *machine, int64_t now);
void machine_settle(struct machine *machine);

#endif
