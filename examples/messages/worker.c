/* SPDX-License-Identifier: ISC */
/*
 * A worker on the member library: for each event "work" of the topic "job"
 * it publishes what it made of the payload to the topic "result", and it ends
 * at an event "stop".
 *
 *	$ grouper spawn --messages -- ./worker
 *	$ grouper publish job work hello
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/member.h>

static void
must(enum grouper_error error, const char *what)
{
	if (error != GROUPER_OK)
		errx(1, "%s: %s", what, grouper_strerror(error));
}

/* Answers with the payload in capitals. */
static void
work(struct grouper_member *member, const struct grouper_message *message)
{
	const unsigned char *from = message->payload;
	char *answer = malloc(message->length + 1);
	size_t i;

	if (answer == NULL)
		err(1, "answer");
	for (i = 0; i < message->length; i++)
		answer[i] = (char)toupper(from[i]);
	must(grouper_member_publish(member, "result", "done", answer,
		 message->length),
	    "publish");
	free(answer);
}

int
main(void)
{
	struct grouper_message message;
	struct grouper_member *member;
	int jobs = 0;

	must(grouper_member_open(&member), "open");
	must(grouper_member_subscribe(member, "job", -1), "subscribe");
	/* Whoever hears this may send jobs: none of them is missed. */
	must(grouper_member_publish(member, "result", "ready", NULL, 0),
	    "publish");
	for (;;) {
		must(grouper_member_next(member, -1, &message), "next");
		if (message.kind == GROUPER_MESSAGE_LOST)
			warnx("too slow: %llu jobs were lost",
			    (unsigned long long)message.lost);
		if (strcmp(message.event, "stop") == 0)
			break;
		if (strcmp(message.event, "work") == 0) {
			work(member, &message);
			jobs++;
		}
	}
	grouper_member_close(member);
	printf("%d jobs done\n", jobs);
	return 0;
}
