/* SPDX-License-Identifier: ISC */
/*
 * Which use of a call fails, see faults.h.  What the wrappers call here runs
 * in leaders and vfork'd members too: nothing is allocated.
 */
#include "tests/faults/faults.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

/* The linker's: where the program begins. */
extern const char __executable_start[];

static struct faults_page *page; /* NULL: nothing is asked for */
static bool striking;		 /* the unwinder may call what is wrapped */

static struct {
	bool random;
	uint64_t seed;
	unsigned int one_in;
	unsigned int call; /* FAULTS_CALLS: none */
	int error;
	unsigned int nth;
	bool on; /* and each later */
} wanted = { .call = FAULTS_CALLS };

static __attribute__((noreturn)) void
refuse(const char *text)
{
	dprintf(STDERR_FILENO, "GROUPER_FAULT: %s\n", text);
	_exit(2);
}

static bool
has_error(unsigned int call, const char *name, int *error)
{
	int i;

	for (i = 0; i < FAULTS_VARIANTS; i++) {
		*error = faults_calls[call].errors[i];
		if (*error != 0 && strcmp(faults_error_name(*error), name) == 0)
			return true;
	}
	return false;
}

static void
parse(const char *text)
{
	char name[32] = "", number[32] = "", error[32] = "", *end;
	unsigned long value;

	if (sscanf(text, "%31[^:]:%31[^:]:%31s", name, number, error) != 3)
		refuse("not of the form call:n:error");
	value = strtoul(number, &end, 0);
	if (strcmp(name, "random") == 0) {
		wanted.random = true;
		wanted.seed = value;
		wanted.one_in = (unsigned int)strtoul(error, NULL, 0);
		return;
	}
	wanted.nth = (unsigned int)value;
	wanted.on = *end == '+';
	for (unsigned int call = 0; call < FAULTS_CALLS; call++)
		if (strcmp(name, faults_calls[call].name) == 0 &&
		    has_error(call, error, &wanted.error)) {
			wanted.call = call;
			return;
		}
	refuse("no such call, or it does not meet this error");
}

/* By bare system calls, which are not counted. */
static void *
map_page(const char *path)
{
	int fd = -1;
	void *room;

	if (path != NULL) {
		fd = (int)syscall(SYS_openat, AT_FDCWD, path,
		    O_RDWR | O_CLOEXEC);
		if (fd == -1)
			refuse("cannot open the page");
	}
	room = (void *)syscall(SYS_mmap, NULL, sizeof(*page),
	    PROT_READ | PROT_WRITE,
	    fd == -1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0L);
	if (room == MAP_FAILED)
		refuse("cannot map the page");
	if (fd != -1)
		syscall(SYS_close, fd);
	return room;
}

static void __attribute__((constructor)) set_up(void)
{
	const char *text = getenv("GROUPER_FAULT");
	const char *path = getenv("GROUPER_FAULT_PAGE");

	if (text == NULL && path == NULL)
		return;
	if (text != NULL)
		parse(text);
	page = map_page(path);
}

struct frames {
	unsigned int count;
};

static _Unwind_Reason_Code
add_frame(struct _Unwind_Context *context, void *arg)
{
	struct frames *frames = arg;

	if (frames->count == FAULTS_FRAMES)
		return _URC_END_OF_STACK;
	page->frames[frames->count++] = (uintptr_t)_Unwind_GetIP(context) -
	    (uintptr_t)__executable_start;
	return _URC_NO_REASON;
}

static void
strike(enum faults_call call, int variant)
{
	struct frames frames = { 0 };

	striking = true;
	memset(page->frames, 0, sizeof(page->frames));
	page->call = (int)call;
	page->variant = variant;
	page->pid = (int)syscall(SYS_getpid);
	syscall(SYS_prctl, PR_GET_NAME, page->process, 0, 0, 0);
	_Unwind_Backtrace(add_frame, &frames);
	atomic_fetch_add(&page->struck, 1);
	striking = false;
}

/* May a use meet the error? */
static bool
meets(int error, unsigned int can)
{
	switch (error) {
	case EINTR:
		return (can & CAN_WAIT) != 0;
	case EAGAIN:
		return (can & CAN_REFUSE) != 0;
	case EIO:
	case ENOSPC:
		return (can & CAN_STORE) != 0;
	case EPIPE:
		return (can & CAN_BREAK) != 0;
	case FAULTS_SHORT:
		return (can & CAN_CUT) != 0;
	default:
		return (can & CAN_FAIL) != 0;
	}
}

/* Of a number that no two uses share, as good as by chance. */
static bool
drawn(enum faults_call call, int variant, unsigned int n)
{
	uint64_t x = wanted.seed ^ (uint64_t)call << 48 ^
	    (uint64_t)variant << 40 ^ n;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return (x ^ x >> 31) % wanted.one_in == 0;
}

static bool
is_wanted(enum faults_call call, int variant, unsigned int n)
{
	if (wanted.random)
		return drawn(call, variant, n);
	return call == wanted.call &&
	    faults_calls[call].errors[variant] == wanted.error &&
	    (n == wanted.nth || (wanted.on && n > wanted.nth));
}

int
faults_use(enum faults_call call, unsigned int can)
{
	int result = 0, saved = errno, error, i;
	unsigned int n;

	if (page == NULL || striking)
		return 0;
	for (i = 0; i < FAULTS_VARIANTS; i++) {
		error = faults_calls[call].errors[i];
		if (error == 0)
			break;
		if (!meets(error, can))
			continue;
		n = atomic_fetch_add(&page->uses[call][i], 1) + 1;
		if (result != 0 || !is_wanted(call, i, n))
			continue;
		strike(call, i);
		result = error;
	}
	errno = saved;
	return result;
}
