/* SPDX-License-Identifier: ISC */
/*
 * sd_notify(3): what members send, and what the host sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/ready/notify.h"
#include "runtime/ready/tell.h"
#include "runtime/util/loop.h"
#include "support.h"

#define EVERYBODY ((uid_t)-1)

static struct notify_message message;
static struct notify_sender sender;
static unsigned int received;
static unsigned int all_flags;
static struct notify *to_free;

static unsigned int
parse(const char *text)
{
	return notify_parse(text, strlen(text), &message);
}

START_TEST(each_key_is_read)
{
	ck_assert_uint_eq(parse("READY=1"), NOTIFY_READY);
	ck_assert_uint_eq(parse("READY=1\n"), NOTIFY_READY);
	ck_assert_uint_eq(parse("STOPPING=1\n"), NOTIFY_STOPPING);
	ck_assert_uint_eq(parse("RELOADING=1\nMONOTONIC_USEC=12\n"),
	    NOTIFY_RELOADING | NOTIFY_MONOTONIC);
	ck_assert_int_eq(message.monotonic_us, 12);
	ck_assert_uint_eq(parse("WATCHDOG=1"), NOTIFY_WATCHDOG);
	ck_assert_uint_eq(parse("WATCHDOG=trigger"), NOTIFY_WATCHDOG_TRIGGER);
	ck_assert_uint_eq(parse("BARRIER=1"), NOTIFY_BARRIER);
	ck_assert_uint_eq(parse("MAINPID=4711"), NOTIFY_MAINPID);
	ck_assert_int_eq(message.main_pid, 4711);
	ck_assert_uint_eq(parse("ERRNO=2"), NOTIFY_ERRNO);
	ck_assert_int_eq(message.error, 2);
	ck_assert_uint_eq(parse("WATCHDOG_USEC=30000000"),
	    NOTIFY_WATCHDOG_USEC);
	ck_assert_int_eq(message.watchdog_us, 30000000);
	ck_assert_uint_eq(parse("EXTEND_TIMEOUT_USEC=5"), NOTIFY_EXTEND);
	ck_assert_int_eq(message.extend_us, 5);
	ck_assert_uint_eq(parse("READY=1\nSTATUS=a = b\nMAINPID=5"),
	    NOTIFY_READY | NOTIFY_STATUS | NOTIFY_MAINPID);
	ck_assert_str_eq(message.status, "a = b");
}
END_TEST

START_TEST(what_is_unknown_or_bad_is_ignored)
{
	static const char *const bad[] = { "", "\n", "\n\n\n", "READY", "=1",
		"READY=", "READY=0", "READY=11", " READY=1", "ready=1",
		"READY =1", "READY=1 ", "X=READY=1", "FDSTORE=1\nFDNAME=x",
		"MAINPID=", "MAINPID=-1", "MAINPID=0", "MAINPID=1",
		"MAINPID=4294967297", "MAINPID=99999999999999999999999999999",
		"MAINPID=12x", "WATCHDOG=2", "WATCHDOG_USEC=0",
		"WATCHDOG_USEC=99999999999999999999", "ERRNO=-1", "BARRIER=0" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse(bad[i]) == 0, "%s", bad[i]);
	ck_assert_uint_eq(notify_parse("READY=1\0", 8, &message), 0);
	ck_assert_uint_eq(notify_parse("\0\0\nREADY=1\n\0", 12, &message),
	    NOTIFY_READY);
}
END_TEST

START_TEST(the_first_of_several_counts)
{
	ck_assert_uint_eq(parse("MAINPID=x\nMAINPID=5\nMAINPID=6\n"
				"STATUS=a\nSTATUS=b\nREADY=1\nREADY=0"),
	    NOTIFY_MAINPID | NOTIFY_STATUS | NOTIFY_READY);
	ck_assert_int_eq(message.main_pid, 5);
	ck_assert_str_eq(message.status, "a");
}
END_TEST

START_TEST(a_status_is_short_and_plain)
{
	char text[4096] = "STATUS=";
	size_t i;

	ck_assert_uint_eq(notify_parse("STATUS=\033[1mx\0\177", 14, &message),
	    NOTIFY_STATUS);
	ck_assert_str_eq(message.status, "?[1mx??");
	/* Cut where a character begins. */
	for (i = 7; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\303\274", 2);
	ck_assert_uint_eq(notify_parse(text, sizeof(text) - 1, &message),
	    NOTIFY_STATUS);
	ck_assert_uint_eq(strlen(message.status), NOTIFY_STATUS_MAX - 2);
	memset(text + 7, 0x80, sizeof(text) - 7);
	notify_parse(text, sizeof(text), &message);
	ck_assert_str_eq(message.status, "");
}
END_TEST

START_TEST(any_bytes_are_survived)
{
	char text[512];
	unsigned int seed = 1;
	size_t i;
	int round;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < sizeof(text); i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = "READYSTATUS=1\n\0MAINPID"[seed / 65536 % 22];
		}
		notify_parse(text, seed / 65536 % sizeof(text), &message);
		ck_assert_uint_lt(strlen(message.status), NOTIFY_STATUS_MAX);
	}
}
END_TEST

static void
on_message(const struct notify_sender *from, const struct notify_message *what,
    void *arg)
{
	ck_assert_ptr_eq(arg, &received);
	sender = *from;
	message = *what;
	all_flags |= what->flags;
	received++;
	if (to_free != NULL)
		notify_free(to_free);
	to_free = NULL;
}

static struct loop *loop;

static struct notify *
open_notify(uid_t owner)
{
	struct notify *notify;

	loop = loop_new(NULL);
	notify = notify_new(loop, support_path("notify"), owner, on_message,
	    &received);
	ck_assert_msg(notify != NULL, "%s", strerror(errno));
	ck_assert_str_eq(notify_path(notify), support_path("notify"));
	return notify;
}

static void
done(struct notify *notify)
{
	struct stat st;

	notify_free(notify);
	ck_assert_int_eq(stat(support_path("notify"), &st), -1);
	loop_free(loop);
}

/* Descriptors go along where count is not 0. */
static void
send_with(const char *path, const char *text, size_t length, int fd, int count)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 253)];
	} control;
	struct iovec iov = { .iov_base = (char *)(uintptr_t)text,
		.iov_len = length };
	struct msghdr header = { .msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &iov,
		.msg_iovlen = 1 };
	struct cmsghdr *cmsg = &control.align;
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;

	strcpy(address.sun_path, path);
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
		for (i = 0; i < count; i++)
			memcpy(CMSG_DATA(cmsg) + sizeof(int) * (size_t)i, &fd,
			    sizeof(int));
	}
	ck_assert_msg(sendmsg(s, &header, 0) == (ssize_t)length, "%s",
	    strerror(errno));
	close(s);
}

static void
send_text(const char *text)
{
	send_with(support_path("notify"), text, strlen(text), -1, 0);
}

START_TEST(a_datagram_is_told_with_its_sender)
{
	struct notify *notify = open_notify(EVERYBODY);

	send_text("READY=1\nSTATUS=up");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(received, 1);
	ck_assert_uint_eq(message.flags, NOTIFY_READY | NOTIFY_STATUS);
	ck_assert_int_eq(sender.pid, getpid());
	ck_assert_uint_eq(sender.uid, geteuid());
	done(notify);
}
END_TEST

START_TEST(a_datagram_that_says_nothing_is_not_told)
{
	static char text[70000];
	struct notify *notify = open_notify(EVERYBODY);

	send_text("X_FOO=1");
	send_with(support_path("notify"), "", 0, -1, 0);
	memset(text, '\n', sizeof(text));
	memcpy(text, "READY=1", 7);
	send_with(support_path("notify"), text, sizeof(text), -1, 0);
	send_with(support_path("notify"), text, 4097, -1, 0);
	notify_drain(notify);
	ck_assert_uint_eq(received, 0);
	send_with(support_path("notify"), text, 4096, -1, 0);
	notify_drain(notify);
	ck_assert_uint_eq(received, 1);
	done(notify);
}
END_TEST

START_TEST(a_barrier_is_let_go_at_once)
{
	struct notify *notify = open_notify(EVERYBODY);
	struct pollfd pfd = { .events = 0 };
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	send_with(support_path("notify"), "BARRIER=1", 9, ends[1], 1);
	close(ends[1]);
	pfd.fd = ends[0];
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(message.flags, NOTIFY_BARRIER);
	ck_assert_int_eq(poll(&pfd, 1, 0), 1);
	ck_assert_int_ne(pfd.revents & POLLHUP, 0);
	close(ends[0]);
	done(notify);
}
END_TEST

/* None of them stays open: the fixture counts. */
START_TEST(descriptors_are_not_kept)
{
	struct notify *notify = open_notify(EVERYBODY);
	struct rlimit limit, few;

	send_with(support_path("notify"), "FDSTORE=1\nREADY=1", 17,
	    STDIN_FILENO, 253);
	send_with(support_path("notify"), "nothing", 7, STDIN_FILENO, 100);
	notify_drain(notify);
	ck_assert_uint_eq(received, 1);
	/* Also where there is room for some of them only. */
	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	few.rlim_cur = 20;
	send_with(support_path("notify"), "READY=1", 7, STDIN_FILENO, 100);
	setrlimit(RLIMIT_NOFILE, &few);
	notify_drain(notify);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_uint_eq(received, 2);
	done(notify);
}
END_TEST

START_TEST(a_socket_may_be_freed_in_its_callback)
{
	struct notify *notify = open_notify(EVERYBODY);

	to_free = notify;
	send_text("READY=1");
	send_text("READY=1");
	if (_i == 0)
		notify_drain(notify);
	else
		ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(received, 1);
	done(NULL);
}
END_TEST

static bool
become(uid_t uid)
{
	return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
	    setresuid(uid, uid, uid) == 0;
}

/* Under another uid: 0 if READY=1 could be sent. */
static int
send_as(uid_t uid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(become(uid) &&
			    tell_ready(support_path("notify"), NULL) == 0 ?
			0 :
			1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(another_user_may_send)
{
	uid_t uid = support_user();
	struct notify *notify;
	const char *why;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	notify = open_notify(_i == 0 ? EVERYBODY : uid);
	ck_assert_int_eq(send_as(uid), 0);
	notify_drain(notify);
	ck_assert_uint_eq(received, 1);
	ck_assert_uint_eq(sender.uid, uid);
	ck_assert_int_gt(sender.pid, 0);
	done(notify);
}
END_TEST

START_TEST(only_the_owner_may_send)
{
	struct notify *notify;
	const char *why;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	notify = open_notify(_i == 0 ? geteuid() : support_user() + 1);
	ck_assert_int_ne(send_as(support_user()), 0);
	notify_drain(notify);
	ck_assert_uint_eq(received, 0);
	done(notify);
}
END_TEST

START_TEST(a_socket_takes_the_place_of_an_old_one)
{
	struct notify *notify;

	support_file("notify", 0600, "");
	umask(0777);
	notify = open_notify(EVERYBODY);
	send_text("READY=1");
	notify_drain(notify);
	ck_assert_uint_eq(received, 1);
	umask(022);
	done(notify);
}
END_TEST

START_TEST(a_socket_that_cannot_be_made_is_refused)
{
	char path[200];

	loop = loop_new(NULL);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_ptr_null(notify_new(loop, path, EVERYBODY, on_message, NULL));
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_ptr_null(notify_new(loop, support_path("none/notify"),
	    EVERYBODY, on_message, NULL));
	ck_assert_int_eq(errno, ENOENT);
	notify_free(NULL);
	loop_free(loop);
}
END_TEST

/* The program itself, which also waits for its barrier. */
static void
run_systemd_notify(const char *arguments, uid_t uid)
{
	char command[256];
	int status;
	pid_t pid;

	snprintf(command, sizeof(command), "exec systemd-notify %s", arguments);
	pid = fork();
	if (pid == 0) {
		setenv("NOTIFY_SOCKET", support_path("notify"), 1);
		if (uid == 0 || become(uid))
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(status, 0);
}

static void
on_tick(void *arg)
{
	loop_timer_set(*(struct loop_timer **)arg, 20);
}

START_TEST(systemd_notify_is_understood)
{
	struct notify *notify;
	struct loop_timer *tick;
	uid_t uid = _i == 0 ? 0 : support_user();

	if (system("command -v systemd-notify >/dev/null") != 0)
		SUPPORT_SKIP("systemd-notify is not installed");
	if (uid != 0 && geteuid() != 0)
		SUPPORT_SKIP("only root can run it as another user");
	notify = open_notify(uid == 0 ? geteuid() : uid);
	/* So that the program's end is seen. */
	tick = loop_timer_new(loop, on_tick, &tick);
	loop_timer_set(tick, 20);
	run_systemd_notify("--ready --status='up and running'", uid);
	notify_drain(notify);
	ck_assert_uint_eq(all_flags & ~(unsigned int)NOTIFY_MAINPID,
	    NOTIFY_READY | NOTIFY_STATUS | NOTIFY_BARRIER);
	ck_assert_uint_eq(sender.uid, uid == 0 ? geteuid() : uid);
	all_flags = 0;
	run_systemd_notify("--no-block --pid=4711 WATCHDOG=1", uid);
	notify_drain(notify);
	ck_assert_uint_eq(all_flags, NOTIFY_MAINPID | NOTIFY_WATCHDOG);
	ck_assert_int_eq(message.main_pid, 4711);
	loop_timer_free(tick);
	done(notify);
}
END_TEST

START_TEST(the_manager_is_told)
{
	const char *path = support_path("notify");
	struct notify *notify = open_notify(EVERYBODY);

	ck_assert_int_eq(tell_ready(path, "3 children\nREADY=0"), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_READY | NOTIFY_STATUS);
	ck_assert_str_eq(message.status, "3 children READY=0");
	ck_assert_int_eq(tell_ready(path, NULL), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_READY);
	ck_assert_int_eq(tell_status(path, "busy"), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_STATUS);
	ck_assert_int_eq(tell_stopping(path), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_STOPPING);
	ck_assert_int_eq(tell_reloading(path), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_RELOADING | NOTIFY_MONOTONIC);
	ck_assert_int_gt(message.monotonic_us, 0);
	ck_assert_int_eq(tell_watchdog(path), 0);
	notify_drain(notify);
	ck_assert_uint_eq(message.flags, NOTIFY_WATCHDOG);
	done(notify);
}
END_TEST

START_TEST(an_abstract_address_is_told)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[64], text[64];
	ssize_t n;

	snprintf(name, sizeof(name), "@grouper-%d", (int)getpid());
	strcpy(address.sun_path + 1, name + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			     (socklen_t)(sizeof(sa_family_t) + strlen(name))),
	    0);
	ck_assert_int_eq(tell_watchdog(name), 0);
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	ck_assert_int_eq(n, 11);
	ck_assert_int_eq(memcmp(text, "WATCHDOG=1\n", 11), 0);
	close(fd);
}
END_TEST

START_TEST(a_bad_address_is_refused)
{
	char path[200];

	ck_assert_int_eq(tell_watchdog(""), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(tell_watchdog("@"), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(tell_watchdog("relative"), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(tell_watchdog("vsock:2:1234"), -1);
	ck_assert_int_eq(errno, EINVAL);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(tell_watchdog(path), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(tell_watchdog(support_path("none")), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_manager_that_is_behind_holds_nobody)
{
	struct notify *notify = open_notify(EVERYBODY);
	int i;

	for (i = 0; i < 100000; i++)
		if (tell_watchdog(support_path("notify")) == -1)
			break;
	ck_assert_int_lt(i, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	notify_drain(notify);
	ck_assert_uint_eq(received, (unsigned int)i);
	done(notify);
}
END_TEST

START_TEST(the_manager_s_watchdog_is_read)
{
	ck_assert_int_eq(tell_watchdog_ms("3000000", NULL, 7), 1500);
	ck_assert_int_eq(tell_watchdog_ms("3000000", "7", 7), 1500);
	ck_assert_int_eq(tell_watchdog_ms("3000000", "8", 7), 0);
	ck_assert_int_eq(tell_watchdog_ms("3000000", "x", 7), 0);
	ck_assert_int_eq(tell_watchdog_ms("1", NULL, 7), 1);
	ck_assert_int_eq(tell_watchdog_ms("0", NULL, 7), 0);
	ck_assert_int_eq(tell_watchdog_ms("soon", NULL, 7), 0);
	ck_assert_int_eq(tell_watchdog_ms(NULL, NULL, 7), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc;

	tc = support_case(suite, "message");
	tcase_add_test(tc, each_key_is_read);
	tcase_add_test(tc, what_is_unknown_or_bad_is_ignored);
	tcase_add_test(tc, the_first_of_several_counts);
	tcase_add_test(tc, a_status_is_short_and_plain);
	tcase_add_test(tc, any_bytes_are_survived);
	tc = support_case(suite, "socket");
	tcase_add_test(tc, a_datagram_is_told_with_its_sender);
	tcase_add_test(tc, a_datagram_that_says_nothing_is_not_told);
	tcase_add_test(tc, a_barrier_is_let_go_at_once);
	tcase_add_test(tc, descriptors_are_not_kept);
	tcase_add_loop_test(tc, a_socket_may_be_freed_in_its_callback, 0, 2);
	tcase_add_loop_test(tc, another_user_may_send, 0, 2);
	tcase_add_loop_test(tc, only_the_owner_may_send, 0, 2);
	tcase_add_test(tc, a_socket_takes_the_place_of_an_old_one);
	tcase_add_test(tc, a_socket_that_cannot_be_made_is_refused);
	tcase_add_loop_test(tc, systemd_notify_is_understood, 0, 2);
	tc = support_case(suite, "manager");
	tcase_add_test(tc, the_manager_is_told);
	tcase_add_test(tc, an_abstract_address_is_told);
	tcase_add_test(tc, a_bad_address_is_refused);
	tcase_add_test(tc, a_manager_that_is_behind_holds_nobody);
	tcase_add_test(tc, the_manager_s_watchdog_is_read);
	return support_main(suite, NULL);
}
