/* SPDX-License-Identifier: ISC */
/*
 * The control socket of a named host: accepts connections and answers
 * JSON-RPC requests on the host's loop.
 */
#ifndef RUNTIME_CONTROL_SERVER_H
#define RUNTIME_CONTROL_SERVER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <grouper/error.h>

#include "runtime/control/connection.h"

struct call;
struct grouper_host;

/*
 * A method answers each call exactly once, at once or later: by call_result(),
 * call_fail() or call_stream().  params is an object or NULL, the caller's.
 */
typedef void server_method_fn(struct call *call, const json_t *params,
    void *arg);

struct server_method {
	const char *name;
	server_method_fn *fn;
	bool others; /* also for peers that are neither root nor the host's */
};

struct server_methods {
	const struct server_method *list;
	size_t count;
	void *arg;
	const struct server_methods *next; /* NULL, or more of them */
};

/*
 * Serves the host's socket from now on; connections that came before wait in
 * its queue.  Freed with the host.  Does nothing for an anonymous host.
 * methods are those apart from `ident`, static, or NULL; their arg must live
 * until the host is closed.  0, or -1 with errno.
 */
int server_attach(struct grouper_host *host,
    const struct server_methods *methods);

/*
 * The same, but the methods are asked for when the first client comes; NULL,
 * there are none for now: the next client asks again.
 */
typedef const struct server_methods *server_methods_fn(void *arg);
int server_attach_later(struct grouper_host *host, server_methods_fn *fn,
    void *arg);

/*
 * Other methods from now on, for a host with a socket.  Who awaits an answer
 * of those before, or has a stream of theirs, is told nothing more: its
 * connection ends.
 */
void server_set_methods(struct grouper_host *host,
    const struct server_methods *methods);

/* The answer; the result is taken over.  The call is over. */
void call_result(struct call *call, json_t *result);

/* The same, of one member that is large: its JSON as text, which is copied. */
void call_result_text(struct call *call, const char *member, const char *text);

/* A text of its own, or NULL for the error's. */
void call_fail(struct call *call, enum grouper_error error, const char *text);
void call_fail_code(struct call *call, int code, const char *text);

/*
 * The same, with descriptors at its first byte, CONNECTION_FDS_MAX at most,
 * which are taken over whatever becomes of the answer.
 */
void call_result_fds(struct call *call, json_t *result, const int *fds,
    size_t count);

/*
 * The descriptors that came with the request, close-on-exec, are the caller's
 * now; only before the method returns, which closes what it has not taken.
 * Those of other users are dropped.  Returns how many.
 */
size_t call_take_fds(struct call *call, int fds[CONNECTION_FDS_MAX]);

/* Who asks; its uid has been checked. */
pid_t call_pid(const struct call *call);

/*
 * The key of the group of this host that it belongs to, by descent; NULL:
 * none.  Valid until the host is freed.
 */
const char *call_group(const struct call *call);

/* Whether it is neither root nor of the host's user. */
bool call_is_foreign(const struct call *call);

/*
 * Keeps a call for an answer that comes later.  on_gone is called if the
 * client leaves or the server ends first, or before this returns if too many
 * clients have calls kept, which is answered; the call is over then.
 */
typedef void call_gone_fn(void *arg);
void call_defer(struct call *call, call_gone_fn *on_gone, void *arg);

/*
 * Answers with a result and sends notifications of this method from then on,
 * for as long as the client reads: next() makes the params of one, or returns
 * NULL if there is none for now.  It is called whenever the client has taken
 * what was sent; call_wake() says that there is more.  on_gone is called as
 * by call_defer().
 */
typedef json_t *call_next_fn(void *arg);
void call_stream(struct call *call, json_t *result, const char *method,
    call_next_fn *next, call_gone_fn *on_gone, void *arg);
void call_wake(struct call *call);

#endif
