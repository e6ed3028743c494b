/* SPDX-License-Identifier: ISC */
/*
 * grouper doctor: what this machine can guarantee.
 */
#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <grouper/group.h>

#include "runtime/group/cgroup.h"
#include "runtime/group/names.h"
#include "runtime/os/os.h"
#include "runtime/util/fd.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define KERNEL_MAJOR 5
#define KERNEL_MINOR 11
#define NLEVELS 3

static const char help[] =
    "Usage: grouper doctor [-qv] [--json]\n"
    "\n"
    "Tells what this machine can guarantee: each level of containment, and\n"
    "what it rests on.\n"
    "\n"
    "      --json     as a JSON object\n"
    "  -q, --quiet    tell nothing; the exit status does\n"
    "  -v, --verbose  changes nothing: all is told\n"
    "  -h, --help     this text\n"
    "  -V, --version  the version\n"
    "\n"
    "Exit status: 0 if groups can be contained, which level reaper tells; 1 "
    "if\nnot, 2 for bad usage.  See grouper-doctor(1).\n";

static const enum grouper_containment levels[NLEVELS] = {
	GROUPER_CONTAIN_REAPER,
	GROUPER_CONTAIN_CGROUP,
	GROUPER_CONTAIN_PIDNS,
};

struct findings {
	bool level[NLEVELS];
	const char *why[NLEVELS];	 /* not; NULL if it is there */
	enum grouper_containment chosen; /* by auto */
	struct utsname system;
	bool kernel_suffices;
	bool proc_mounted;
	char hidepid[16];   /* "0" where everything is shown */
	bool proc_children; /* /proc/PID/task/TID/children */
	bool pidfd;
	bool pidfd_info; /* it tells about its process, without /proc */
	bool cgroup_mounted;
	bool cgroup_delegated;
	char directory[PATH_MAX]; /* for sockets */
	int directory_error;
};

static void
look_at_levels(struct findings *found)
{
	size_t i;
	int dir;

	for (i = 0; i < NLEVELS; i++)
		found->level[i] = grouper_containment_probe(levels[i],
				      &found->why[i]) == 0;
	dir = cgroup_open_own();
	found->cgroup_mounted = dir != -1;
	found->cgroup_delegated = dir != -1 && cgroup_is_delegated();
	fd_close(&dir);
	found->chosen = found->cgroup_delegated ? GROUPER_CONTAIN_CGROUP :
						  GROUPER_CONTAIN_REAPER;
}

static void
look_at_kernel(struct findings *found)
{
	unsigned int major = 0, minor = 0;

	uname(&found->system);
	sscanf(found->system.release, "%u.%u", &major, &minor);
	found->kernel_suffices = major > KERNEL_MAJOR ||
	    (major == KERNEL_MAJOR && minor >= KERNEL_MINOR);
}

/* The last mount on /proc is the one to be seen. */
static void
look_at_proc(struct findings *found)
{
	struct mntent *mount;
	const char *option;
	FILE *mounts;

	found->proc_mounted = access("/proc/self/stat", R_OK) == 0;
	found->proc_children = access("/proc/thread-self/children", R_OK) == 0;
	strcpy(found->hidepid, "0");
	mounts = setmntent("/proc/self/mounts", "re");
	if (mounts == NULL)
		return;
	while ((mount = getmntent(mounts)) != NULL) {
		if (strcmp(mount->mnt_dir, "/proc") != 0)
			continue;
		option = hasmntopt(mount, "hidepid");
		if (option != NULL && option[7] == '=')
			option += 8;
		else
			option = "0";
		snprintf(found->hidepid, sizeof(found->hidepid), "%.*s",
		    (int)strcspn(option, ","), option);
	}
	endmntent(mounts);
}

static void
look_at_pidfd(struct findings *found)
{
	struct os_proc none = { .dir = -1, .self = -1 };
	struct os_stat stat;
	int pidfd;

	pidfd = os_pidfd(getpid());
	found->pidfd = pidfd != -1;
	found->pidfd_info = found->pidfd &&
	    os_proc_stat(&none, getpid(), pidfd, &stat) == 0 &&
	    stat.ppid == getppid();
	fd_close(&pidfd);
}

static void
look_at_directory(struct findings *found)
{
	/* What goes behind the directory of a `run` with the longest pid. */
	static const char name[] = "/run-4194304.sock";
	struct sockaddr_un address;

	if (names_directory(found->directory, sizeof(found->directory)) != 0 ||
	    access(found->directory, W_OK | X_OK) != 0)
		found->directory_error = errno;
	else if (strlen(found->directory) + sizeof(name) >
	    sizeof(address.sun_path))
		found->directory_error = ENAMETOOLONG;
}

static const char *
colour(const char *code)
{
	return tool_colours(STDOUT_FILENO) ? code : "";
}

static void
print_answer(const char *name, bool yes, const char *text)
{
	printf("%-10s %s%s%s%s%s\n", name,
	    colour(yes ? "\033[32m" : "\033[31m"), yes ? "yes" : "no",
	    colour("\033[0m"), text != NULL && *text != '\0' ? ": " : "",
	    text != NULL ? text : "");
}

static const char *
proc_text(const struct findings *found)
{
	if (!found->proc_mounted)
		return "not mounted: pidfds serve in its place";
	if (strcmp(found->hidepid, "0") != 0)
		return "hides other users' processes (hidepid)";
	if (!found->proc_children)
		return "without children files: every process is looked at";
	return "shows every process, with children files";
}

static void
print_text(const struct findings *found)
{
	char text[sizeof(found->directory) + 160];
	size_t i;

	for (i = 0; i < NLEVELS; i++)
		print_answer(grouper_containment_name(levels[i]),
		    found->level[i], found->why[i]);
	printf("%-10s %s\n", "auto", grouper_containment_name(found->chosen));
	snprintf(text, sizeof(text), "%s %s, needed is %d.%d",
	    found->system.sysname, found->system.release, KERNEL_MAJOR,
	    KERNEL_MINOR);
	print_answer("kernel", found->kernel_suffices, text);
	print_answer("proc", found->proc_mounted, proc_text(found));
	print_answer("pidfd", found->pidfd,
	    found->pidfd_info ? "tells about processes without /proc" :
				"does not tell about processes");
	print_answer("delegated", found->cgroup_delegated,
	    !found->cgroup_mounted ? "no cgroup v2 is mounted" :
		found->cgroup_delegated ?
				     "this cgroup was delegated to us" :
				     "this cgroup was not delegated to us");
	snprintf(text, sizeof(text), "%s%s%s", found->directory,
	    found->directory_error != 0 ? ": " : "",
	    found->directory_error != 0 ? names_error(found->directory_error) :
					  "");
	print_answer("sockets", found->directory_error == 0, text);
}

static json_t *
levels_json(const struct findings *found)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < NLEVELS; i++)
		json_put(&object, grouper_containment_name(levels[i]),
		    json_pack("{s:b, s:s?}", "available", (int)found->level[i],
			"why", found->why[i]));
	return object;
}

static int
print_json(const struct findings *found)
{
	return json_print(STDOUT_FILENO,
	    json_pack("{s:s, s:o, s:s, s:{s:s, s:b}, s:{s:b, s:s, s:b}, "
		      "s:{s:b, s:b}, s:{s:b, s:b}, s:{s:o, s:b, s:s?}}",
		"version", PACKAGE_VERSION, "levels", levels_json(found),
		"auto", grouper_containment_name(found->chosen), "kernel",
		"release", found->system.release, "sufficient",
		(int)found->kernel_suffices, "proc", "mounted",
		(int)found->proc_mounted, "hidepid", found->hidepid, "children",
		(int)found->proc_children, "pidfd", "available",
		(int)found->pidfd, "info", (int)found->pidfd_info, "cgroup2",
		"mounted", (int)found->cgroup_mounted, "delegated",
		(int)found->cgroup_delegated, "runtime_directory", "path",
		json_text(found->directory), "usable",
		found->directory_error == 0, "why",
		found->directory_error != 0 ?
		    names_error(found->directory_error) :
		    NULL));
}

static int
examine(bool json, bool quiet)
{
	struct findings found;
	int result = 0;

	memset(&found, 0, sizeof(found));
	look_at_levels(&found);
	look_at_kernel(&found);
	look_at_proc(&found);
	look_at_pidfd(&found);
	look_at_directory(&found);
	if (quiet)
		return found.level[0] ? TOOL_OK : TOOL_NO;
	if (json)
		result = print_json(&found);
	else
		print_text(&found);
	if (result != 0 || fflush(stdout) != 0) {
		tool_error("doctor", "standard output: %s", strerror(errno));
		return TOOL_NO;
	}
	return found.level[0] ? TOOL_OK : TOOL_NO;
}

int
doctor_main(int argc, char **argv)
{
	static const struct option table[] = { OPTIONS_JSON, OPTIONS_TELL,
		OPTIONS_END };
	struct options options = { .verb = "doctor", .help = help };
	int status;

	status = options_read(&options, argc, argv, "+:" OPTIONS_TELL_LETTERS,
	    table, NULL, NULL);
	if (status != -1)
		return status;
	if (options_no_more("doctor", argv) != TOOL_OK)
		return TOOL_USAGE;
	return examine(options.json, options.quiet);
}
