/* SPDX-License-Identifier: ISC */
/*
 * trace_order: which instructions a start of grouper executes outside of the
 * part of the program that tools/order.ld brings together.
 *
 *	trace_order FROM TO PROGRAM [ARG...]
 *
 * FROM and TO are offsets in PROGRAM's memory, in hexadecimal.  It is executed
 * step by step by ptrace(2), host and leader, until the command is; each offset
 * of an instruction outside of that range is printed once, a line for each.
 *
 * Exits with 0, or with 1 and a line on stderr.
 */
#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE_MAX_SEEN ((size_t)16 << 20)
#define OPTIONS \
	(PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

static bool seen[SIZE_MAX_SEEN];
static size_t from, to;
static unsigned long base; /* of the program, the same in its forks */

static size_t
parse_offset(const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 16);
	if (errno != 0 || end == text || *end != '\0' || value > SIZE_MAX_SEEN)
		errx(1, "'%s': expected an offset in hexadecimal", text);
	return value;
}

/* The first line of proc_pid_maps(5) is the program's. */
static void
find_base(pid_t pid)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%lx-", &base) != 1)
		err(1, "%s", path);
	fclose(file);
}

static void
see(pid_t pid)
{
	struct user_regs_struct registers;
	size_t offset;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) == -1)
		return; /* it was killed */
	offset = registers.rip - base;
	if (offset < SIZE_MAX_SEEN && (offset < from || offset >= to) &&
	    !seen[offset]) {
		seen[offset] = true;
		printf("%#zx\n", offset);
	}
}

/* One stop of one process, and on it goes. */
static void
step(pid_t pid, int status)
{
	int event = status >> 16, number = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXEC && base != 0) {
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		find_base(pid);
	else if (event == 0 && number == SIGTRAP)
		see(pid);
	if (event != 0 || number == SIGTRAP || number == SIGSTOP)
		number = 0;
	ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(uintptr_t)number);
}

static void
execute(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		err(1, "ptrace");
	raise(SIGSTOP);
	execv(argv[0], argv);
	err(1, "%s", argv[0]);
}

int
main(int argc, char **argv)
{
	pid_t child, pid;
	int status, result = 1;

	if (argc < 4)
		errx(1, "usage: trace_order FROM TO PROGRAM [ARG...]");
	from = parse_offset(argv[1]);
	to = parse_offset(argv[2]);
	child = fork();
	if (child == -1)
		err(1, "fork");
	if (child == 0)
		execute(argv + 3);
	if (waitpid(child, &status, 0) == -1 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, OPTIONS) == -1 ||
	    ptrace(PTRACE_CONT, child, NULL, NULL) == -1)
		err(1, "ptrace");
	while ((pid = waitpid(-1, &status, __WALL)) != -1)
		if (WIFSTOPPED(status))
			step(pid, status);
		else if (pid == child)
			result = status == 0 ? 0 : 1;
	if (result != 0)
		errx(1, "%s failed", argv[3]);
	return 0;
}
