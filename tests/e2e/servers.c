/* SPDX-License-Identifier: ISC */
/*
 * What all servers of the tests have in common, and those that need no more
 * than a file of settings.
 */
#include "servers.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_TIME 2000
#define SBIN "/usr/local/sbin:/usr/sbin:/sbin"
#define NOBODY "65534"

struct readiness {
	const struct server *server;
	const struct support_run *run;
	bool ready;
};

const char *
server_text(struct server *s, const char *fmt, ...)
{
	char *text = s->text + s->length;
	size_t space = sizeof(s->text) - s->length;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, space, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= space)
		ck_abort_msg("the texts of %s are too long", s->kind->name);
	s->length += (size_t)n + 1;
	return text;
}

const char *
server_path(struct server *s, const char *name)
{
	return server_text(s, "%s/%s", s->directory, name);
}

const char *
server_find(struct server *s, const char *name)
{
	const char *path = getenv("PATH");
	char file[512], list[4096];
	char *dir, *next = list;

	snprintf(list, sizeof(list), "%s:" SBIN, path != NULL ? path : "");
	while ((dir = strsep(&next, ":")) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", dir, name);
		if (*dir == '/' && access(file, X_OK) == 0)
			return server_text(s, "%s", file);
	}
	s->why = server_text(s, "%s is not installed", name);
	return NULL;
}

static void
give_to_user(const struct server *s, const char *path)
{
	const struct passwd *pw;

	if (s->user == NULL)
		return;
	if ((pw = getpwnam(s->user)) == NULL ||
	    chown(path, pw->pw_uid, pw->pw_gid) == -1)
		ck_abort_msg("%s: cannot be given to %s", path, s->user);
}

void
server_write(struct server *s, const char *path, const char *text)
{
	FILE *file;

	if ((file = fopen(path, "we")) == NULL || fputs(text, file) == EOF ||
	    fclose(file) == EOF)
		ck_abort_msg("%s: %s", path, strerror(errno));
	give_to_user(s, path);
}

/* Of 127.0.0.1; whoever takes it before the server does makes the test fail. */
static unsigned int
free_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t length = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, length) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &length) == -1)
		ck_abort_msg("no port: %s", strerror(errno));
	close(fd);
	return ntohs(sin.sin_port);
}

static int
connect_to(const struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_unix = strncmp(s->socket, "unix:", 5) == 0;
	int fd, result;

	fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		ck_abort_msg("socket: %s", strerror(errno));
	if (is_unix) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", s->socket + 5);
		result = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		in.sin_port = htons((uint16_t)atoi(s->socket));
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		result = connect(fd, (struct sockaddr *)&in, sizeof(in));
	}
	if (result == 0)
		return fd;
	close(fd);
	return -1;
}

bool
server_answers(const struct server *s, const char *request, size_t length,
    const char *answer)
{
	struct pollfd pfd = { .events = POLLIN };
	char text[256];
	ssize_t n = -1;

	if ((pfd.fd = connect_to(s)) == -1)
		return false;
	if (send(pfd.fd, request, length, MSG_NOSIGNAL) == (ssize_t)length &&
	    poll(&pfd, 1, ANSWER_TIME) == 1)
		n = recv(pfd.fd, text, sizeof(text) - 1, 0);
	close(pfd.fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, answer) != NULL;
}

static bool
is_ready(void *arg)
{
	struct readiness *readiness = arg;
	const struct server *s = readiness->server;
	struct support_process p;

	if (access(s->pid_file, F_OK) == 0 && s->kind->ready(s)) {
		readiness->ready = true;
		return true;
	}
	return !support_process(readiness->run->pid, &p) || !support_alive(&p);
}

void
server_await_ready(const struct server *s, const struct support_run *r)
{
	struct readiness readiness = { s, r, false };
	char *log;

	support_until(is_ready, &readiness, SUPPORT_PATIENCE);
	if (readiness.ready)
		return;
	log = support_slurp(s->log_file);
	ck_abort_msg("%s does not start, its log: %s", s->kind->name, log);
}

bool
server_ended_in_order(const struct server *s)
{
	if (access(s->pid_file, F_OK) == 0)
		return false;
	return s->kind->saved == NULL || s->kind->saved(s);
}

bool
server_prepare(struct server *s, const struct server_kind *kind)
{
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->directory = server_text(s, "%s", support_path(kind->name));
	s->pid_file = server_path(s, "pid");
	s->log_file = server_path(s, "log");
	s->socket = server_text(s, "unix:%s/socket", s->directory);
	if (mkdir(s->directory, 0755) == -1 || chmod(s->directory, 0755) == -1)
		ck_abort_msg("%s: %s", s->directory, strerror(errno));
	if (!kind->prepare(s))
		return false;
	give_to_user(s, s->directory);
	return true;
}

static void
set_commands(struct server *s, const char *const *common,
    const char *foreground, const char *background)
{
	size_t n;

	s->foreground[0] = s->background[0] = s->program;
	for (n = 0; common[n] != NULL; n++)
		s->foreground[n + 1] = s->background[n + 1] = common[n];
	s->foreground[n + 1] = foreground;
	s->background[n + 1] = background;
}

/*
 * nginx: a master, and workers as another user if root starts it
 */

static bool
nginx_prepare(struct server *s)
{
	const char *d = s->directory, *file = server_path(s, "conf");
	const char *common[] = { "-c", file, "-g", NULL };

	if ((s->program = server_find(s, "nginx")) == NULL)
		return false;
	server_write(s, file,
	    server_text(s,
		"pid %s;\nerror_log %s;\nworker_processes 2;\nevents {}\n"
		"http {\naccess_log off;\nclient_body_temp_path %s/1;\n"
		"proxy_temp_path %s/2;\nfastcgi_temp_path %s/3;\n"
		"uwsgi_temp_path %s/4;\nscgi_temp_path %s/5;\n"
		"server { listen %s; root %s; }\n}\n",
		s->pid_file, s->log_file, d, d, d, d, d, s->socket, d));
	set_commands(s, common, "daemon off;", "daemon on;");
	return true;
}

static bool
http_ready(const struct server *s)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";

	return server_answers(s, request, strlen(request), "HTTP/1.");
}

/*
 * Redis: one process of many threads, which has something to save
 */

static bool
redis_prepare(struct server *s)
{
	const char *common[] = { "--port", "0", "--unixsocket", s->socket + 5,
		"--dir", s->directory, "--pidfile", s->pid_file, "--logfile",
		s->log_file, "--save", "3600 1", "--daemonize", NULL };

	if ((s->program = server_find(s, "redis-server")) == NULL)
		return false;
	s->user = geteuid() == 0 ? "nobody" : NULL;
	set_commands(s, common, "no", "yes");
	return true;
}

static bool
redis_ready(const struct server *s)
{
	static const char request[] = "SET key value\r\n";

	return server_answers(s, request, strlen(request), "+OK");
}

static bool
redis_saved(const struct server *s)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/dump.rdb", s->directory);
	return access(path, F_OK) == 0;
}

/*
 * Apache: children with threads, which ignore TERM once their parent is gone
 */

static bool
apache_prepare(struct server *s)
{
	static const char *const places[] = { "/usr/lib/apache2/modules",
		"/usr/lib64/httpd/modules", "/usr/lib/httpd/modules" };
	static const char *const modules[] = { "mpm_event", "unixd",
		"authz_core" };
	const char *file = server_path(s, "conf");
	const char *common[] = { "-f", file, NULL };
	char load[2048] = "", path[256];
	size_t n;

	if ((s->program = server_find(s, "apache2")) == NULL &&
	    (s->program = server_find(s, "httpd")) == NULL)
		return false;
	for (size_t i = 0; i < 9; i++) {
		snprintf(path, sizeof(path), "%s/mod_%s.so", places[i / 3],
		    modules[i % 3]);
		n = strlen(load);
		if (access(path, R_OK) == 0)
			snprintf(load + n, sizeof(load) - n,
			    "LoadModule %s_module %s\n", modules[i % 3], path);
	}
	s->socket = server_text(s, "%u", free_port());
	server_write(s, file,
	    server_text(s,
		"%sServerRoot %s\nServerName localhost\nPidFile %s\n"
		"ErrorLog %s\nListen 127.0.0.1:%s\nDocumentRoot %s\n"
		"User #" NOBODY "\nGroup #" NOBODY "\nStartServers 2\n",
		load, s->directory, s->pid_file, s->log_file, s->socket,
		s->directory));
	set_commands(s, common, "-DFOREGROUND", "-DBACKGROUND");
	return true;
}

/*
 * D-Bus
 */

static bool
dbus_prepare(struct server *s)
{
	const char *file = server_path(s, "conf");
	const char *common[] = { server_text(s, "--config-file=%s", file),
		NULL };

	if ((s->program = server_find(s, "dbus-daemon")) == NULL)
		return false;
	server_write(s, file,
	    server_text(s,
		"<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus "
		"Configuration 1.0//EN' 'http://www.freedesktop.org/standards/"
		"dbus/1.0/busconfig.dtd'>\n<busconfig><type>session</type>"
		"<pidfile>%s</pidfile><listen>unix:path=%s</listen>"
		"<policy context='default'><allow own='*'/></policy>"
		"</busconfig>\n",
		s->pid_file, s->socket + 5));
	set_commands(s, common, "--nofork", "--fork");
	return true;
}

static bool
dbus_ready(const struct server *s)
{
	static const char request[] = "\0AUTH\r\n";

	return server_answers(s, request, sizeof(request) - 1, "REJECTED");
}

/*
 * OpenSSH: each connection gets a process, each command a session
 */

static bool
sshd_prepare(struct server *s)
{
	const char *file = server_path(s, "conf");
	const char *common[] = { "-f", file, "-E", s->log_file, NULL };
	const char *words[] = { NULL, "-q", "-t", "ed25519", "-N", "", "-f",
		server_path(s, "key"), NULL };
	struct support_command keygen = { .argv = words };
	struct support_run r;

	if ((s->program = server_find(s, "sshd")) == NULL ||
	    (words[0] = server_find(s, "ssh-keygen")) == NULL)
		return false;
	ck_assert_int_eq(support_call(&r, &keygen), 0);
	support_finish(&r);
	s->socket = server_text(s, "%u", free_port());
	server_write(s, file,
	    server_text(s,
		"Port %s\nListenAddress 127.0.0.1\nHostKey %s/key\n"
		"PidFile %s\nAuthorizedKeysFile %s/key.pub\nStrictModes no\n"
		"PermitRootLogin yes\nPrintMotd no\n"
		"ForceCommand echo ready; sleep 600 & exec sleep 600\n",
		s->socket, s->directory, s->pid_file, s->directory));
	set_commands(s, common, "-D", NULL);
	return true;
}

static bool
sshd_ready(const struct server *s)
{
	return server_answers(s, "", 0, "SSH-2.0");
}

const struct server_kind server_kinds[SERVERS] = {
	{ "postgres", postgres_prepare, postgres_ready, postgres_saved },
	{ "nginx", nginx_prepare, http_ready, NULL },
	{ "redis", redis_prepare, redis_ready, redis_saved },
	{ "apache", apache_prepare, http_ready, NULL },
	{ "sshd", sshd_prepare, sshd_ready, NULL },
	{ "dbus", dbus_prepare, dbus_ready, NULL },
};
