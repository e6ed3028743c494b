/* SPDX-License-Identifier: ISC */
/*
 * bench_member: the child that supervisors are measured with.
 *
 * Takes no arguments, since daemontools gives none; the environment says
 * what it does:
 *	BENCH_MARKS	file to which it appends one mark
 *	BENCH_LIFE	how long it lives, in microseconds; without it, until
 *			it is killed
 *
 * A mark is two 64-bit times of CLOCK_MONOTONIC in nanoseconds: of its
 * first instructions, and of its last.  One that lives until it is killed
 * writes its mark at the start, with 0 for the end.
 *
 * It has no libc: what one does before main(), most of it questions to the
 * processor, which a hypervisor answers slowly, takes longer than what is
 * measured.  Built with ORDINARY it is a program as others are, dynamically
 * linked: bench_ordinary.
 */

#include <linux/time.h>

#include <sys/syscall.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>

#define NS 1000000000

struct mark {
	int64_t start;
	int64_t end;
};

#if defined(__x86_64__) && !defined(ORDINARY)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n"
	"\tand $-16, %rsp\n\tcall begin\n");

static long
call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return (result);
}
#elif defined(__aarch64__) && !defined(ORDINARY)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl begin\n");

static long
call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return (x0);
}
#else /* or where it is not known how to call the system */
#include <unistd.h>
#define call(number, a, b, c, d) syscall(number, a, b, c, d)
#define WITH_LIBC
#endif

static int64_t
now_ns(void)
{
	struct __kernel_timespec ts = { 0, 0 };

	call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0);
	return (ts.tv_sec * NS + ts.tv_nsec);
}

static void
live(int64_t us)
{
	struct __kernel_timespec left = { us / 1000000, us % 1000000 * 1000 };

	while (call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&left,
		   (long)&left) != 0)
		;
}

/* The value of a variable, NULL without it. */
static const char *
value_of(char **environment, const char *name)
{
	const char *at, *wanted;

	for (; *environment != NULL; environment++) {
		wanted = name;
		for (at = *environment; *wanted != '\0' && *at == *wanted; at++)
			wanted++;
		if (*wanted == '\0' && *at == '=')
			return (at + 1);
	}
	return (NULL);
}

static int
run(int64_t start, char **environment)
{
	const char *marks = value_of(environment, "BENCH_MARKS");
	const char *life = value_of(environment, "BENCH_LIFE");
	struct mark mark = { start, 0 };
	int64_t us = 0;
	long fd;

	fd = call(SYS_openat, AT_FDCWD, (long)marks, O_WRONLY | O_APPEND, 0);
	if (fd < 0)
		return (1);
	if (life == NULL) {
		/* One write, appended: whole, whoever else writes. */
		call(SYS_write, fd, (long)&mark, sizeof(mark), 0);
		for (;;)
			live(INT32_MAX);
		return (0);
	}
	for (; *life >= '0' && *life <= '9'; life++)
		us = us * 10 + (*life - '0');
	if (us > 0)
		live(us);
	mark.end = now_ns();
	return (call(SYS_write, fd, (long)&mark, sizeof(mark), 0) !=
	    sizeof(mark));
}

#ifdef WITH_LIBC
int
main(int argc, char **argv, char **environment)
{
	int64_t start = now_ns();

	(void)argc;
	(void)argv;
	return (run(start, environment));
}
#else
/* stack: as the kernel leaves it: argc, argv, NULL, environment, NULL. */
__attribute__((used, noreturn)) void begin(long *stack);

void
begin(long *stack)
{
	int64_t start = now_ns();
	int status = run(start, (char **)(stack + stack[0] + 2));

	for (;;)
		call(SYS_exit_group, status, 0, 0, 0);
}
#endif
