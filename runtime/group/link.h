/* SPDX-License-Identifier: ISC */
/*
 * What a host and a leader say to each other over a SOCK_SEQPACKET pair: one
 * struct a message.
 */
#ifndef RUNTIME_GROUP_LINK_H
#define RUNTIME_GROUP_LINK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "runtime/group/steps.h"
#include "runtime/group/sweep.h"

enum link_up_type {
	LINK_STARTED,	   /* pid */
	LINK_START_FAILED, /* stage, error */
	LINK_PAUSED,	   /* signum */
	LINK_CONTINUED,
	LINK_STEP,	 /* signum, target, ms: a stop step is being sent */
	LINK_MAIN_ENDED, /* status, usage; held: what is left awaits a STOP */
	LINK_AWAITING,	 /* it ended; is there a LINK_ADOPT?  Till LINK_SWEEP */
	LINK_ADOPTED,	 /* pid is the main process; status: as it was asked;
			    error: it is not taken */
	LINK_UNKILLABLE, /* pids, in the leader's PID namespace */
	LINK_EMPTY,	 /* usage */
};

struct link_up {
	uint32_t type;
	int32_t pid;
	int32_t status;
	int32_t signum;
	int32_t stage;
	int32_t error;
	uint32_t held;
	uint32_t ended;	 /* EMPTY tells status too: no MAIN_ENDED came */
	uint32_t target; /* enum sweep_target */
	uint32_t count;
	int64_t ms;
	int64_t user_us;
	int64_t system_us;
	uint64_t peak_memory;
	uint64_t processes;
	int32_t pids[SWEEP_LIST];
};

enum link_down_type {
	LINK_GO,     /* to the member itself: execute */
	LINK_SIGNAL, /* signum, to the main process */
	LINK_STOP,   /* steps, target */
	LINK_ADOPT,  /* pid, in the leader's PID namespace: the main process;
			ADOPTED follows, or EMPTY */
	LINK_SWEEP,  /* to one AWAITING: no ADOPT is to come */
	LINK_WAKE,   /* the host is going to stop: see host_wake() */
};

struct link_down {
	uint32_t type;
	int32_t signum;
	int32_t pid;
	uint32_t target; /* enum sweep_target */
	struct steps steps;
};

/* Messages in a turn; in the last one, more than a queue holds. */
#define LINK_TURN 64
#define LINK_ALL 4096

/* A pair of ends, close-on-exec.  0, or -1 with errno. */
int link_pair(int ends[2]);

enum link_send {
	LINK_WAIT,	/* wait where the other side does not read */
	LINK_DROP,	/* rather lose it: EAGAIN */
	LINK_TRANSLATE, /* wait; pid is to be translated into the reader's PID
			   namespace, which reads link_pass_credentials() */
};

/*
 * Sends one message; 0, or -1 with errno.  Down never waits for the reader;
 * both wait for a while where the kernel is short of memory.
 */
int link_send_up(int fd, const struct link_up *up, enum link_send how);
int link_send_down(int fd, const struct link_down *down);

/*
 * The member's wait for LINK_GO, the first message down.  It comes when the
 * host has done what must be done before the command runs, beside which the
 * leader and the member were made.  false: never, the host is gone or refuses.
 */
bool link_await_go(int fd);

/*
 * Receives one message.  1; 0 where the other side is gone; -1 with errno,
 * EAGAIN if there is none.  A malformed message is EPROTO.  Any other error
 * passes: it is no end.
 */
int link_receive_up(int fd, struct link_up *up);
int link_receive_down(int fd, struct link_down *down);

/*
 * Has the kernel attach credentials to what is received on this end, from
 * which link_receive_up() takes the pid.  0, or -1 with errno.
 */
int link_pass_credentials(int fd);

#endif
