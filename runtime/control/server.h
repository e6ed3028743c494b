/* SPDX-License-Identifier: ISC */
/*
 * The control socket of a named host: accepts connections and answers
 * JSON-RPC requests on the host's loop.
 */
#ifndef RUNTIME_CONTROL_SERVER_H
#define RUNTIME_CONTROL_SERVER_H

struct grouper_host;

/*
 * Serves the host's socket from now on; connections that came before wait in
 * its queue.  Freed with the host.  Does nothing for an anonymous host, or
 * if the host is served already.  0, or -1 with errno.
 */
int server_attach(struct grouper_host *host);

#endif
