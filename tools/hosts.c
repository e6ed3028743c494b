/* SPDX-License-Identifier: ISC */
/*
 * grouper hosts: the running hosts of this user.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/control/hosts.h"
#include "runtime/group/names.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/table.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper hosts [--json]\n"
    "\n"
    "Lists the running hosts of this user: name, pid, socket.\n"
    "\n"
    "      --json           as JSON objects, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, also if there are none; 1 if they cannot be listed, 2\n"
    "for bad usage.  See grouper-status(1).\n";

struct list {
	struct table *table; /* NULL: as JSON */
	int failed;
};

static void
add_host(const char *name, const char *path, void *arg)
{
	struct list *list = arg;
	struct client *client = client_connect(path, CLIENT_TRUSTS_OWN, 0);
	const char *cells[3];
	char pid[16] = "-";

	if (client == NULL && errno != ETIMEDOUT)
		return; /* its socket was left behind */
	if (client != NULL)
		snprintf(pid, sizeof(pid), "%d", (int)client_peer(client));
	cells[0] = name;
	cells[1] = pid;
	cells[2] = path;
	if (list->table != NULL)
		list->failed |= table_add(list->table, cells);
	else
		list->failed |= json_print(STDOUT_FILENO,
		    json_pack("{s:o, s:o, s:o}", "host", json_text(name), "pid",
			client != NULL ? json_integer(client_peer(client)) :
					 json_null(),
			"socket", json_text(path)));
	client_free(client);
}

static int
list_hosts(bool json)
{
	static const char *const titles[] = { "HOST", "PID", "SOCKET", NULL };
	struct list list = { json ? NULL : table_new(titles), 0 };
	char why[256];
	int result = -1;

	if (json || list.table != NULL)
		result = hosts_each(add_host, &list);
	if (result == 0 && list.table != NULL)
		result = table_print(list.table, STDOUT_FILENO);
	if (result == 0)
		result = list.failed;
	table_free(list.table);
	if (result == 0)
		return TOOL_OK;
	if (!names_why(why, sizeof(why)))
		snprintf(why, sizeof(why), "%s", strerror(errno));
	tool_error("hosts", "%s", why);
	return TOOL_NO;
}

int
hosts_main(int argc, char **argv)
{
	static const struct option table[] = { OPTIONS_JSON, OPTIONS_END };
	struct options options = { .verb = "hosts", .help = help };
	int status;

	status = options_read(&options, argc, argv, ":", table, NULL, NULL);
	if (status != -1)
		return status;
	if (options_no_more("hosts", argv) != TOOL_OK)
		return TOOL_USAGE;
	return list_hosts(options.json);
}
