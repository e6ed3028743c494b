/* SPDX-License-Identifier: ISC */
/*
 * A host, the leaders of its groups and their processes, for spin:
 * `make check-model` checks it in the settings that model.sh lists.
 *
 * What is modelled
 *
 *   The kernel's table of N processes, which fork, reap and end at any
 *   moment; orphans go to the nearest living subreaper, their leader, then
 *   the host, then init.  A place is taken until its process is reaped, so
 *   that N is the limit a tree of forks runs into.
 *   The host: start, stop and reset at any moment, what it does about each
 *   message and about its leaders' ends (host.def), and its own sweep of what
 *   dead leaders left, whose proof is read from /proc one child after the
 *   other while processes go on (orphans.c).
 *   The leader, statement by statement as leader_run() goes: the check that
 *   the host lives, the member that waits for GO, turns of waitid(2), the
 *   table (leader.def), the settling of leftovers, the sweep, the last word.
 *   SIGKILL for the host (KILL_HOST) and for leaders (KILL_LEADER) between
 *   any two steps; not both for one group, unless BOTH.  After the host, with
 *   NEXT, the next host of its name, which waits for the lock that the host
 *   and its leaders hold.
 *
 * What is left out
 *
 *   Time: a deadline may come at any moment.  Signals but KILL and STOP: a
 *   process that is asked may end at any moment, as any other may.  The
 *   host's SIGKILL of a silent leader: it is one of KILL_LEADER.  A walk over
 *   descendants finds one that can run, if there is one, in a step; what it
 *   misses while processes move, the next finds.  A leader that was told
 *   empty and only has to exit (leavers.c) is gone.  At level cgroup a leader
 *   and a host ask the leaf besides, which can only delay a report.  Which
 *   process is the main one, that another may be adopted (LINK_ADOPT), and that
 *   the leader waits for the host's word on it: to the table, the end comes
 *   when it is that of the last one.
 *
 * What is shown
 *
 *   Whenever EMPTY is told, no process of the group lives.  No incarnation is
 *   executed while a process of an earlier one lives.  No process goes to
 *   init alive, but where a leader gave up on one that withstands SIGKILL and
 *   told so.  A key whose leader died is not started before stop or reset
 *   cleared its latch; one that was asked to stop gets none.  What host.def
 *   says can never be never is.  With PROGRESS, under weak fairness and with
 *   stop steps that end in KILL: a group that was asked to stop, or lost its
 *   host or leader, becomes empty, however often its processes fork.
 */
#ifndef N
#define N	3	/* processes of all groups, 2 to 4 */
#endif
#ifndef K
#define K	1	/* groups, 1 or 2 */
#endif
#ifndef STARTS
#define STARTS	2	/* of leaders */
#endif
#define TURN	2	/* what one turn reaps */

/* Parents; a number below N is a process. */
#define LEADER_PID(g) (N + (g))
#define HOST_PID (N + K)
#define INIT_PID (N + K + 1)
#define ZAP_PID (N + K + 2)	/* a namespace that ends with its leader */
#define NOBODY	255

/* Processes. */
#define FREE	0
#define READY	1	/* waits for GO, executes nothing */
#define LIVE	2
#define FROZEN	3
#define DEAD	4	/* not reaped yet */
byte st[N], par[N], own[N], inc[N];

#define READY_OR_LIVE(i) (st[i] == READY || st[i] == LIVE)
#define EXECUTES(i) (st[i] == LIVE || st[i] == FROZEN)
#define ANY_FREE (st[0] == FREE || st[1] == FREE || st[N - 2] == FREE || \
	st[N - 1] == FREE)
#define DEAD_CHILD(c, p) (st[c] == DEAD && par[c] == (p))
#define ANY_DEAD_CHILD(p) (DEAD_CHILD(0, p) || DEAD_CHILD(1, p) || \
	DEAD_CHILD(N - 2, p) || DEAD_CHILD(N - 1, p))

/* Leaders, as the kernel sees them. */
#define NONE	0
#define UP	1
#define DYING	2	/* init of a PID namespace, which ends first */
#define ZOMBIE	3
byte leader[K];
bool led[K];	/* its parent is this host */
byte now[K];	/* incarnation */
byte zap[K];	/* the one whose namespace ends, and nobody waits for */
byte primary[K] = NOBODY; /* place of the command */
bool execed[K], failed[K]; /* what member_spawn() waits for */

/* The link; messages bear the names of what they are to the host. */
mtype = { ON_START, ON_START_ORPHANED, ON_STOP, ON_RESET, ON_STARTED,
	ON_START_FAILED, ON_MAIN_ENDED, ON_MAIN_HELD, ON_UNKILLABLE, ON_EMPTY,
	ON_EMPTY_ENDED, ON_LEADER_LEFT, ON_LEADER_DIED, ON_LEADER_DIED_ASKED,
	ON_ORPHANS_GONE };
chan up[K] = [4] of { mtype };
bool linked[K];	/* the host's end is open */
byte go[K];	/* the incarnation that may execute */
bool stop_sent[K];

/* The host. */
mtype = { IDLE, STARTING, RUNNING, STOPPING, UNKILLABLE, LEADER_DIED };
mtype = { DO_FORK, DO_REFUSE_RUNNING, DO_REFUSE_DIED, DO_REFUSE_UNKILLABLE,
	DO_NOTHING, DO_ASK, DO_NOTE, DO_TELL_EMPTY, DO_ORPHANED };
mtype state[K] = IDLE;
bool host_up = true, told_empty[K], asked[K], orphans[K], proof;
byte starts;

mtype = { LEADER_RUNNING, LEADER_HELD, LEADER_STOPPING, LEADER_EMPTY };
mtype = { LEADER_ON_MAIN_END, LEADER_ON_NONE_LEFT, LEADER_ON_STOP,
	LEADER_ON_HOST_GONE };
mtype = { LEADER_IGNORE, LEADER_HOLD, LEADER_SWEEP_REST, LEADER_SWEEP,
	LEADER_SWEEP_ALONE, LEADER_WIDEN, LEADER_REPORT };
mtype = { SOME_LEFT, MORE_DEAD, NONE_LEFT };

/* What the caller is owed, whatever the host remembers. */
bool latched[K], asked_to[K], gave_up[K];

/* Scratch, meaningless between steps. */
hidden byte r, c, x;

inline vanish(i)
{
	st[i] = FREE; par[i] = 0; own[i] = 0; inc[i] = 0
}

/* What lives never becomes init's, short of giving up. */
inline adopt(i, parent)
{
	if
	:: parent == INIT_PID && st[i] == DEAD -> vanish(i)
	:: else ->
#ifndef UNGUARDED
		assert(parent != INIT_PID || !EXECUTES(i) || gave_up[own[i]]);
#endif
		par[i] = parent
	fi
}

inline hand_over(from, to)
{
	c = 0;
	do
	:: c < N ->
		if
		:: st[c] != FREE && par[c] == from -> adopt(c, to)
		:: else
		fi;
		c++
	:: else -> break
	od;
	c = 0
}

inline root_of(i)
{
	r = par[i];
	do
	:: r < N -> r = par[r]
	:: else -> break
	od
}

inline die(i)
{
	root_of(i);
	st[i] = DEAD;
	hand_over(i, r);
	if
	:: par[i] == INIT_PID -> vanish(i)
	:: else
	fi
}

/* The first place of which it is true; N: none. */
#define FIND(true_of_x) \
	x = 0; \
	do \
	:: x < N && !(true_of_x) -> x++ \
	:: else -> break \
	od

inline leader_gone(g)
{
	if
	:: led[g] -> hand_over(LEADER_PID(g), HOST_PID); leader[g] = ZOMBIE
	:: else -> hand_over(LEADER_PID(g), INIT_PID); leader[g] = NONE
	fi
}

/* Its descriptors are closed, the lock with them, before all else. */
inline leader_ends(g)
{
	stop_sent[g] = false;
#ifdef PIDNS
	if
	:: led[g] -> leader[g] = DYING
	:: else -> leader[g] = NONE; zap[g] = now[g]
	fi;
	hand_over(LEADER_PID(g), ZAP_PID)
#else
	leader_gone(g)
#endif
}

/* The leader that waits for it to execute hears that it ended. */
inline die_unborn(i)
{
	if
	:: st[i] == READY && inc[i] == now[own[i]] -> execed[own[i]] = true
	:: else
	fi;
	die(i)
}

/* A process, from its fork to its end. */
proctype Process(byte i)
{
	do
	:: atomic { st[i] == READY && go[own[i]] == inc[i] -> /* execve(2) */
		d_step {
			FIND(own[x] == own[i] && inc[x] != inc[i] &&
			    EXECUTES(x));
			assert(x == N)	/* executed beside an earlier one */
		}
		if
		:: st[i] = LIVE; execed[own[i]] = true
		:: d_step { failed[own[i]] = true; die(i) }
		fi }
	:: d_step { st[i] == READY && (!linked[own[i]] ||
	    now[own[i]] != inc[i]) && go[own[i]] != inc[i] ->
		die_unborn(i) }
	:: d_step { st[i] == LIVE && ANY_FREE -> /* fork(2) */
		FIND(st[x] == FREE);
		st[x] = LIVE; par[x] = i; own[x] = own[i]; inc[x] = inc[i] }
	:: d_step { st[i] == LIVE && ANY_DEAD_CHILD(i) -> /* wait(2) */
		FIND(DEAD_CHILD(x, i));
		vanish(x) }
	:: d_step { READY_OR_LIVE(i) -> /* exit(2), or a signal */
		die_unborn(i) }
	od
}

inline find_descendant(root, living)
{
	x = 0;
	do
	:: x < N ->
		if
		:: (living && READY_OR_LIVE(x)) ||
		    (!living && st[x] == FROZEN) ->
			root_of(x);
			if
			:: r == root -> break
			:: else
			fi
		:: else
		fi;
		x++
	:: else -> break
	od
}

/*
 * Stops one that runs; where none does, kills one.  One that executes nothing
 * yet cannot fork: it is as good as stopped.
 */
inline sweep_step(root)
{
	d_step {
		find_descendant(root, true);
		if
#ifndef MUTANT_NO_FREEZE
		:: x < N && st[x] == LIVE -> st[x] = FROZEN
		:: x < N && st[x] == READY -> die_unborn(x)
#else
		:: x < N -> die_unborn(x)
#endif
		:: else ->
			find_descendant(root, false);
			if
			:: x < N -> die(x)
			:: else
			fi
		fi
	}
}

#define LEADER(from, event, holds, action, next) \
	:: at == LEADER_##from && ev == LEADER_ON_##event && \
	    (hold && !gone) == holds -> \
		at = LEADER_##next; todo = LEADER_##action

/* A message that nobody reads any more is lost, and so is the host. */
#define TELL(message) \
	if \
	:: linked[g] && led[g] && !gone && nfull(up[g]) -> up[g]!message \
	:: !linked[g] || !led[g] || gone -> skip \
	fi

/* leader_run() */
proctype Leader(byte g)
{
	mtype at = LEADER_RUNNING, ev, todo, left;
	byte mine, turn, back;
	bool hold, ended, news, told, gone, acted, settle;

	do
	:: atomic { leader[g] == UP -> mine = now[g] };
	{
		atomic {	/* watch_host() */
			if
			:: !led[g] -> goto out
			:: else
			fi
		};
#ifdef HOLDS
		if
		:: hold = true
		:: skip
		fi;
#endif
		d_step {	/* member_spawn() */
			FIND(st[x] == FREE);
			if
			:: x < N ->
				st[x] = READY; par[x] = LEADER_PID(g);
				own[x] = g; inc[x] = mine; primary[g] = x
			:: else -> failed[g] = true
			fi
		};
		atomic { execed[g] || failed[g] ->
			if
			:: failed[g] -> TELL(ON_START_FAILED)
			:: else -> TELL(ON_STARTED)
			fi };

live:		do	/* reap() */
		:: d_step { left == 0 ->
			FIND(DEAD_CHILD(x, LEADER_PID(g)));
			if
			:: x < N ->
				if
				:: x == primary[g] ->
					ended = true; news = true;
					primary[g] = NOBODY
				:: else
				fi;
				vanish(x);
				turn++;
				if
				:: turn < TURN
#ifdef MUTANT_REAP_ENDLESSLY
				:: else -> turn = 0
#else
				:: else -> left = MORE_DEAD
#endif
				fi
			:: else ->
				FIND(st[x] != FREE && par[x] == LEADER_PID(g));
				if
				:: x == N -> left = NONE_LEFT
#ifdef MUTANT_EARLY_EMPTY
				:: x < N && ended -> left = NONE_LEFT
				:: x < N && !ended -> left = SOME_LEFT
#else
				:: x < N -> left = SOME_LEFT
#endif
				fi
			fi }
		:: atomic { left != 0 -> turn = 0; break }
		od;
		atomic {
			if
			:: left == NONE_LEFT ->
				news = false; ev = LEADER_ON_NONE_LEFT;
				goto act
			:: left != NONE_LEFT && news ->
				ev = LEADER_ON_MAIN_END; goto act
			:: else
			fi;
reaped:			if
			:: news && at != LEADER_HELD ->
				told = true; TELL(ON_MAIN_ENDED)
			:: else
			fi;
			news = false;
			if
			:: at == LEADER_EMPTY -> goto hear_last
			:: else
			fi;
			if
#ifndef MUTANT_HOST_UNWATCHED
			:: gone && !acted ->
				acted = true; ev = LEADER_ON_HOST_GONE;
				back = 1; goto act
#endif
			:: else
			fi;
host_seen:		if
			:: settle -> settle = false; told = true;
				TELL(ON_MAIN_HELD)
			:: skip		/* not yet, or nothing to tell */
			fi;
			if
			:: at != LEADER_STOPPING -> goto wait
#ifdef MUTANT_DEAD_FIRST
			:: left == MORE_DEAD -> goto wait
#endif
			:: else
			fi
		};
		if
		:: sweep_step(LEADER_PID(g))
#ifdef GIVES_UP
		:: atomic { !gave_up[g] -> gave_up[g] = true;
			TELL(ON_UNKILLABLE) }
#endif
		fi;
wait:		atomic {	/* wait_for_event() */
			left = 0;
			if
			:: gave_up[g] && gone -> goto out
			:: else
			fi;
			if
			:: !gone && (!led[g] || !linked[g]) -> gone = true
			:: stop_sent[g] ->
				stop_sent[g] = false; ev = LEADER_ON_STOP;
				back = 2; goto act
			:: !stop_sent[g] && (gone || (led[g] && linked[g]))
			fi;
			goto live;

act:			if
#include "leader.def"
			fi;
			ev = 0;
			if
			:: settle && at != LEADER_HELD && at != LEADER_EMPTY ->
				settle = false; told = true;
				TELL(ON_MAIN_ENDED)
			:: else
			fi;
			if
			:: todo == LEADER_HOLD -> settle = true
			:: todo == LEADER_REPORT ->
				if
				:: ended && !told -> TELL(ON_EMPTY_ENDED)
				:: else -> TELL(ON_EMPTY)
				fi
			:: else
			fi;
			todo = 0;
			if
			:: back == 0 -> goto reaped
			:: back == 1 -> back = 0; goto host_seen
			:: back == 2 -> back = 0; goto live
			:: back == 3 -> back = 0; goto out
			fi
		};

hear_last:	atomic {
			if
			:: stop_sent[g] ->
				stop_sent[g] = false; ev = LEADER_ON_STOP;
				back = 3; goto act
			:: else
			fi
		};
out:		atomic { leader[g] == UP && now[g] == mine -> leader_ends(g) }
	} unless { leader[g] != UP || now[g] != mine };
	d_step {
		at = LEADER_RUNNING; ev = 0; todo = 0; left = 0; mine = 0;
		turn = 0; back = 0; hold = false; ended = false; news = false;
		told = false; gone = false; acted = false; settle = false
	}
	od
}

/* Calls come at any moment, but may not keep the host from its work. */
#ifdef PROGRESS
#define FEW_CALLS
#endif
#ifdef FEW_CALLS
#define MAY_START(g) (state[g] == IDLE)
#define MAY_STOP(g) (state[g] == STARTING || state[g] == RUNNING)
#else
#define MAY_START(g) true
#define MAY_STOP(g) (now[g] != 0)
#endif

#ifdef QUICK
#define OVER(g) told_empty[g]
#else
#define OVER(g) false
#endif

#define HOST_EVENTS(G) \
	:: (state[G] != IDLE || orphans[G] || starts < STARTS) && \
	    MAY_START(G) -> \
		g = G; ev = ON_START; \
		if \
		:: orphans[g] -> ev = ON_START_ORPHANED \
		:: else \
		fi \
	:: MAY_STOP(G) -> g = G; ev = ON_STOP \
	:: MAY_STOP(G) -> g = G; ev = ON_RESET \
	:: linked[G] && !told_empty[G] && nempty(up[G]) -> g = G; up[G]?ev \
	:: linked[G] && ((leader[G] == ZOMBIE && empty(up[G])) || OVER(G)) -> \
		g = G; leader[G] = NONE; linked[G] = false; led[G] = false; \
		stop_sent[G] = false; \
		if \
		:: told_empty[g] -> ev = ON_LEADER_LEFT \
		:: !told_empty[g] && asked[g] -> ev = ON_LEADER_DIED_ASKED \
		:: else -> ev = ON_LEADER_DIED \
		fi

#define HOST(from, event, action, next) \
	:: state[g] == from && ev == ON_##event -> \
		state[g] = next; todo = DO_##action;
#define HOST_NEVER(from, event) \
	:: state[g] == from && ev == ON_##event -> assert(false);

inline fork_leader(g)
{
	assert(!latched[g]);
	starts++; now[g]++;
	leader[g] = UP; led[g] = true; linked[g] = true;
	told_empty[g] = false; asked[g] = false; stop_sent[g] = false;
	execed[g] = false; failed[g] = false; primary[g] = NOBODY;
	asked_to[g] = false; gave_up[g] = false; go[g] = 0
}

/* Nothing of this incarnation lives, whoever waits is told so. */
inline tell_empty(g)
{
	FIND(own[x] == g && ((inc[x] == now[g] && READY_OR_LIVE(x)) ||
	    EXECUTES(x)));
	assert(x == N);
	asked_to[g] = false
}

active proctype Host()
{
	mtype ev, todo;
	byte g, at, listed, reaped;

again:	skip;
	{
next:		do
		:: atomic {
			if
			HOST_EVENTS(0)
#if K > 1
			HOST_EVENTS(1)
#endif
			:: orphans[0] || orphans[K - 1] -> goto sweep
			fi;
act:			if
#include "host.def"
			fi;
			if
			:: ev == ON_EMPTY || ev == ON_EMPTY_ENDED ->
				told_empty[g] = true
			:: ev == ON_STOP || ev == ON_RESET ->
				latched[g] = false
			:: ev == ON_LEADER_DIED ->
				assert(!asked_to[g]);
				latched[g] = true
			:: else
			fi;
#ifdef MUTANT_NO_LATCH
			if
			:: ev == ON_LEADER_DIED -> state[g] = STOPPING
			:: else
			fi;
#endif
			ev = 0;
			if
			:: todo == DO_FORK -> fork_leader(g); goto forked
			:: todo == DO_ASK ->
				stop_sent[g] = (leader[g] == UP);
				asked[g] = true; asked_to[g] = true
			:: todo == DO_NOTE ->
#ifndef MUTANT_STOP_UNNOTED
				asked[g] = true;
#endif
				asked_to[g] = linked[g]
			:: todo == DO_ORPHANED ->
#ifdef MUTANT_NO_HOST_SWEEP
				proof = true;
#endif
				orphans[g] = true
			:: todo == DO_TELL_EMPTY -> tell_empty(g)
			:: else
			fi;
finish:			todo = 0; g = 0;
			if
			:: !proof
			:: proof && orphans[0] ->
				orphans[0] = false; ev = ON_ORPHANS_GONE;
				goto act
#if K > 1
			:: proof && !orphans[0] && orphans[1] ->
				g = 1; orphans[1] = false;
				ev = ON_ORPHANS_GONE; goto act
#endif
			:: proof && !orphans[0] && !orphans[K - 1] ->
				proof = false
			fi }
		od;

forked:		if
		:: atomic { go[g] = now[g]; todo = 0; g = 0 } /* group_go() */
#ifndef FEW_CALLS
		:: linked[g] = false; /* group_abandon() */
			atomic { leader[g] == ZOMBIE ->
				leader[g] = NONE; led[g] = false;
				do
				:: nempty(up[g]) -> up[g]?ev
				:: empty(up[g]) -> break
				od;
				ev = 0; state[g] = IDLE; todo = 0; g = 0 }
#endif
		fi;
		goto next;

		/* sweep_turn(); the list is read one by one */
sweep:		do
		:: d_step { at < N ->
			if
			:: st[at] != FREE && par[at] == HOST_PID ->
#ifdef MUTANT_REAP_WHILE_READING
				if
				:: st[at] == DEAD -> vanish(at)
				:: else -> listed = listed | (1 << at)
				fi
#else
				listed = listed | (1 << at)
#endif
			:: else
			fi;
			at++ }
		:: atomic { at == N ->
			at = 0;
			if
			:: listed == 0 -> proof = true; goto finish
			:: else -> break
			fi }
		od;
		do
		:: d_step { at < N ->
			if
			:: (listed & (1 << at)) && DEAD_CHILD(at, HOST_PID) ->
				vanish(at); reaped++
			:: else
			fi;
			at++ }
		:: atomic { at == N ->
			at = 0; listed = 0;
#ifdef MUTANT_DEAD_FIRST
			if
			:: reaped != 0 -> reaped = 0; goto next
			:: else
			fi;
#endif
			reaped = 0; break }
		od;
		sweep_step(HOST_PID);
		goto next
	} unless { !host_up };
	d_step {
		ev = 0; g = 0; at = 0; listed = 0; reaped = 0;
		todo = 0; proof = false
	};
#ifdef NEXT
	d_step {
		at = 0;
		do	/* the next host remembers nothing */
		:: at < K ->
			state[at] = IDLE; told_empty[at] = false;
			asked[at] = false; orphans[at] = false;
			latched[at] = false; asked_to[at] = false;
			do
			:: nempty(up[at]) -> up[at]?ev
			:: empty(up[at]) -> break
			od;
			ev = 0; at++
		:: else -> break
		od;
		at = 0
	};
	leader[0] != UP && leader[K - 1] != UP;
#ifdef LEAF
	do	/* clear_leftovers() */
	:: atomic {
		FIND(READY_OR_LIVE(x) || st[x] == FROZEN);
		if
		:: x < N -> die(x)
		:: else -> break
		fi }
	od;
#endif
	host_up = true;
	goto again
#endif
}

#ifdef PIDNS
active proctype Kernel()
{
	do
	:: d_step { leader[0] == DYING || zap[0] != 0 ->
		x = 0;
		do
		:: x < N ->
			if
			:: st[x] != FREE && ((leader[0] == DYING &&
			    inc[x] == now[0]) || inc[x] == zap[0]) ->
				vanish(x)
			:: else
			fi;
			x++
		:: else -> break
		od;
		zap[0] = 0;
		if
		:: leader[0] == DYING -> leader_gone(0)
		:: else
		fi }
	od
}
#endif

#ifdef BOTH
#define HOST_GUARDS false
#else
#define GUARDS(i) (EXECUTES(i) && par[i] == HOST_PID)
#define HOST_GUARDS (GUARDS(0) || GUARDS(1) || GUARDS(N - 2) || \
	GUARDS(N - 1))
#endif

inline forget(g)
{
	linked[g] = false; led[g] = false;
	if
	:: leader[g] == ZOMBIE -> leader[g] = NONE
	:: leader[g] == DYING -> leader[g] = NONE; zap[g] = now[g]
	:: else
	fi
}

inline host_dies()
{
	host_up = false;
	forget(0);
#if K > 1
	forget(1);
#endif
	hand_over(HOST_PID, INIT_PID)
}

active proctype Killer()
{
#ifdef NEXT
	byte more = 1;
#endif

	do
#ifdef KILL_LEADER
#ifdef BOTH
	:: d_step { leader[0] == UP -> leader_ends(0) }
#else
	:: d_step { leader[0] == UP && led[0] -> leader_ends(0) }
#if K > 1
	:: d_step { leader[1] == UP && led[1] -> leader_ends(1) }
#endif
#endif
#endif
#ifdef KILL_HOST
#ifdef NEXT
	:: d_step { host_up && !HOST_GUARDS && more > 0 -> more--;
#else
	:: d_step { host_up && !HOST_GUARDS ->
#endif
		host_dies() }
#endif
	:: false
	od
}

init {
	atomic {
		run Process(0);
		run Process(1);
#if N > 2
		run Process(2);
#endif
#if N > 3
		run Process(3);
#endif
		run Leader(0);
#if K > 1
		run Leader(1)
#endif
	}
}

#ifdef PROGRESS
#define ALIVE (EXECUTES(0) || EXECUTES(1) || EXECUTES(N - 2) || \
	EXECUTES(N - 1))
#define OWED ((host_up && ((asked_to[0] && linked[0]) || orphans[0])) || \
	(!host_up && ALIVE))
ltl becomes_empty { [] (OWED -> <> !OWED) }
#endif
