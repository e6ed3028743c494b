/* SPDX-License-Identifier: ISC */
#include "tests/faults/scenarios.h"

#include <signal.h>

#define ARGV(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* Clients are given time, not success: the fault may strike what they ask. */
#define PATIENT_CLIENT \
	"g() {\n" \
	"	timeout 15 \"$GROUPER\" \"$@\" >>$DIR/said 2>&1\n" \
	"	test $? -lt 124 || { echo \"stuck: $*\" >$DIR/why; exit 98; }\n" \
	"}\n"

static const char tree_text[] =
    "name: faults\n"
    "auto_shutdown: any_significant\n"
    "intensity: 20\n"
    "children:\n"
    "  - {id: steady, command: [sleep, '100'], topics: ['t:*']}\n"
    "  - {id: crash, backoff: {min: 1ms, max: 2ms}, shell: "
    "'test -e ${DIR}/crashed && exec sleep 100; : >${DIR}/crashed; exit 1'}\n"
    "  - id: inner\n"
    "    supervisor:\n"
    "      strategy: rest_for_one\n"
    "      intensity: 20\n"
    "      children:\n"
    "        - {id: a, ready: 'fd:3', log: prefix, shell: "
    "'echo a; echo >&3; exec 3>&-; exec sleep 100'}\n"
    "        - {id: b, shutdown: [TERM 20ms, KILL], start_pre: ['true'], "
    "shell: 'setsid sleep 100 & exec sleep 100'}\n"
    "  - {id: main, restart: temporary, significant: true, "
    "command: [/bin/sh, '${DIR}/script']}\n";

/*
 * At the end the host has no more descriptors than without a fault, but for
 * what it keeps of /proc once it had to sweep.
 */
static const char tree_script[] = PATIENT_CLIENT
    "at() { sed -n 's/^PPid:[ \t]*//p' /proc/$1/status; }\n"
    "host=$(at $PPID)\n"
    "open() { ls -l /proc/$host/fd | grep -vc '> /proc'; }\n"
    "g status\n"
    "g spawn --key s1 -- sleep 100\n"
    "g spawn --key s2 -- false\n"
    "g wait s2\n"
    "g topics create team\n"
    "g topics add team t:x\n"
    "g broadcast team ev text\n"
    "g listen -n 1 'u:*' &\n"
    "g publish t:x ev text\n"
    "while kill -0 $! 2>/dev/null; do g publish u:y ev text; done\n"
    "g register me $$\n"
    "g whereis me\n"
    "g config put k 1\n"
    "g restart inner/a\n"
    "g stop s1\n"
    "g delete s1\n"
    "g topics delete team\n"
    "sed s/steady/other/ $DIR/tree.yaml >$DIR/new && "
    "mv $DIR/new $DIR/tree.yaml\n"
    "g reload\n"
    "g status --json\n"
    "tries=100\n"
    "while n=$(open) && test -n \"$FDS\" && test $n -gt $FDS; do\n"
    "	tries=$((tries - 1))\n"
    "	test $tries -gt 0 || {\n"
    "		{ echo \"$n descriptors of $FDS\"; ls -l /proc/$host/fd; } "
    ">$DIR/why\n"
    "		exit 98\n"
    "	}\n"
    "	sleep 0.05\n"
    "done\n"
    "echo $n >$DIR/fds\n"
    "exit 7\n";

static const char asked_script[] = PATIENT_CLIENT "g spawn --key s -- true\n"
						  "g wait s\n"
						  "g topics create team\n"
						  "g broadcast team ev text\n"
						  "g config put k '[1,2]'\n"
						  "g status --json\n"
						  "exit 7\n";

/* What a client prints with status 0 is what it prints without a fault. */
static const char clients_script[] =
    "g() {\n"
    "	timeout 15 \"$GROUPER\" \"$@\" >>$DIR/said 2>&1 || exit 98\n"
    "}\n"
    "f() {\n"
    "	want=$1; shift\n"
    "	timeout 15 \"$FAULTY\" \"$@\" >$DIR/out 2>$DIR/err\n"
    "	s=$?\n"
    "	if test $s -eq 0; then\n"
    "		test \"$(cat $DIR/out)\" = \"$want\" && return\n"
    "	elif test $s -lt 124; then\n"
    "		test -s $DIR/err && return\n"
    "	fi\n"
    "	{ echo \"$*: status $s:\"; cat $DIR/out $DIR/err; } >$DIR/why\n"
    "	exit 98\n"
    "}\n"
    "g topics create team\n"
    "g topics add team a b\n"
    "g config put k '[1,2,3]'\n"
    "g register me $$\n"
    "f 'a\nb' topics show team\n"
    "f '[1,2,3]' config get k\n"
    "f $$ whereis me\n"
    "f '' publish t ev text\n"
    "f '' broadcast team ev text\n"
    "f '' send me ev text\n"
    "f s1 spawn --key s1 -- true\n"
    "f '' wait s1\n"
    "f '' stop s1\n"
    "f '' delete s1\n"
    "f '' config put l 5\n"
    "exit 7\n";

/* A daemon that forks itself away and tells its new pid, twice. */
static const char daemon_text[] =
    "name: faults\n"
    "auto_shutdown: any_significant\n"
    "intensity: 20\n"
    "children:\n"
    "  - {id: d, ready: notify, ready_timeout: 5s, "
    "shutdown: [TERM 20ms, KILL], shell: "
    "'setsid sleep 100 & systemd-notify --ready MAINPID=$!'}\n"
    "  - {id: main, restart: temporary, significant: true, "
    "command: [/bin/sh, '${DIR}/script']}\n";

static const char daemon_script[] = PATIENT_CLIENT "g status\n"
						   "g signal KILL d\n"
						   "g wait --ready d\n"
						   "g restart d\n"
						   "g status --json\n"
						   "exit 7\n";

static const struct scenario_file no_files[] = { { NULL, NULL } };
static const struct scenario_file tree_files[] = { { "tree.yaml", tree_text },
	{ "script", tree_script }, { NULL, NULL } };
static const struct scenario_file daemon_files[] = { { "tree.yaml",
							 daemon_text },
	{ "script", daemon_script }, { NULL, NULL } };
static const struct scenario_file asked_files[] = { { "script", asked_script },
	{ NULL, NULL } };
static const struct scenario_file clients_files[] = {
	{ "script", clients_script }, { NULL, NULL }
};

#define RUN(...) ARGV("run", "--shutdown", "TERM 60ms, KILL", __VA_ARGS__)
#define FEW(how) "--", "hostile", "few", how
#define NONE ARGV(NULL)

/* Name, arena, clean, stop, status, every, ... */
const struct scenario scenarios[SCENARIOS] = {
	{ "run", 0, false, false, 7, 2, RUN(FEW("leave")), no_files, NONE,
	    NULL },
	{ "options", 0, false, false, 7, 3,
	    RUN("--name", "f", "--messages", "--topic", "t", "--report",
		"--tmpdir", "--leaks", "warn", "--nice", "1", "--limits",
		"nofile=100", "--pty", FEW("leave")),
	    no_files, ARGV("recvmsg:2:ENOMEM", "sendmsg:3:ENOBUFS"), NULL },
	{ "stop", 0, false, true, 128 + SIGTERM, 3, RUN(FEW("stay")), no_files,
	    NONE, NULL },
	{ "cgroup", 2, false, false, 7, 3,
	    RUN("--contain", "cgroup", FEW("leave")), no_files, NONE, NULL },
	{ "pidns", 4, false, false, 7, 2,
	    RUN("--contain", "pidns", FEW("leave")), no_files, NONE, NULL },
	{ "asked", 0, false, false, 7, 4, RUN("--", "/bin/sh", "@/script"),
	    asked_files, NONE, NULL },
	{ "clients", 0, true, false, 7, 3, RUN("--", "/bin/sh", "@/script"),
	    clients_files, ARGV("write:5:ENOSPC", "write:6:ENOSPC"), NULL },
	{ "tree", 0, false, false, 7, 9, ARGV("supervise", "@/tree.yaml"),
	    tree_files,
	    ARGV("mmap:1:ENOMEM", "listen:1:ENOMEM", "close_range:1:ENOMEM",
		"write:1:EPIPE", "asprintf:6:ENOMEM"),
	    NULL },
	{ "daemon", 0, false, false, 7, 9, ARGV("supervise", "@/tree.yaml"),
	    daemon_files, ARGV("waitid:1:EINTR"), "/usr/bin/systemd-notify" },
};
