/* SPDX-License-Identifier: ISC */
/*
 * A member that talks, see talk.h:
 *
 *	talker witness DIRECTORY
 *	talker publish DIRECTORY WHO COUNT AVERAGE PAUSE SEED
 *	talker listen DIRECTORY SEED PATTERN...
 *
 * Publishers send COUNT broadcasts (0: without end) of about AVERAGE bytes
 * with a PAUSE, in microseconds, after each.  PATTERN is what the tree
 * subscribes the listener to.  All are the only ones of their key, and ready
 * when they have their pipes.
 *
 * Who sees anything that must not be, a sequence that does not rise, a payload
 * that is not the one of its number, messages of one publisher out of order,
 * says so in the file "wrong" and ends with 99.
 */

#include "talk.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/member.h>

#include "chance.h"
#include "sole_lock.h"

#define WRONG 99
#define RECORDS 512    /* written at once */
#define LONGEST 65536  /* payload */
#define LONGER_ONE 16  /* of so many messages is long */
#define CHANGE_ONE 400 /* messages between two changes, on average */
/* Bytes that the witness may be behind: a host keeps some for each audience. */
#define WINDOW (512U << 10)

static const char *directory;
static struct grouper_member *member;
static struct talk_board *board;
static uint32_t life;
static unsigned char filler[LONGEST + 256];

static struct talk_record records[RECORDS];
static size_t nrecords;
static int records_fd = -1;

_Noreturn static void
wrong(const char *fmt, ...)
{
	char path[1024], text[512];
	int fd, length;
	va_list ap;

	length = snprintf(text, sizeof(text), "%s: ", getenv("GROUPER_KEY"));
	va_start(ap, fmt);
	length += vsnprintf(text + length, sizeof(text) - (size_t)length - 1,
	    fmt, ap);
	va_end(ap);
	text[length++] = '\n';
	snprintf(path, sizeof(path), "%s/" TALK_WRONG, directory);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd == -1 || write(fd, text, (size_t)length) != length)
		sole_die(path);
	_exit(WRONG);
}

/* The host may end at any time: that is no error of ours. */
static void
must(enum grouper_error error, const char *what)
{
	if (error == GROUPER_NO_GROUP)
		_exit(0);
	if (error != GROUPER_OK)
		wrong("%s: %s", what, grouper_strerror(error));
}

/*
 * Records
 */

static void
open_records(const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	records_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0644);
	if (records_fd == -1)
		sole_die(path);
}

static void
write_records(void)
{
	size_t length = nrecords * sizeof(records[0]);

	if (length > 0 && write(records_fd, records, length) != (ssize_t)length)
		sole_die("records");
	nrecords = 0;
}

static struct talk_record *
add_record(enum talk_kind kind, uint64_t number)
{
	struct talk_record *record;

	if (nrecords == RECORDS)
		write_records();
	record = &records[nrecords++];
	*record = (struct talk_record) { .kind = (uint8_t)kind,
		.number = number };
	return record;
}

static void
next_message(struct grouper_message *message)
{
	enum grouper_error error = grouper_member_next(member, 0, message);

	if (error == GROUPER_TIMED_OUT) {
		write_records();
		error = grouper_member_next(member, -1, message);
	}
	if (error != GROUPER_OK)
		write_records();
	must(error, "next");
}

/*
 * Messages
 */

static const char *const topic_names[TALK_PATTERNS] = { "t:0", "t:1", "t:2",
	"t:3", "t:4", "t:5", "t:6", "t:7", "mark", "end", "noise", "t:*", "*" };

/* The number of a topic or a pattern. */
static unsigned int
number_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < TALK_PATTERNS; i++)
		if (strcmp(topic_names[i], name) == 0)
			return i;
	wrong("there is no topic %s", name);
}

static void
make_filler(void)
{
	size_t i;

	for (i = 0; i < sizeof(filler); i++)
		filler[i] = (unsigned char)i;
}

/* What each publisher sent last to each topic. */
struct last {
	uint32_t life;
	uint32_t number;
	bool any;
};

static void
check_payload(const struct grouper_message *message,
    const struct talk_message *head, size_t topic)
{
	static struct last lasts[TALK_PUBLISHERS][TALK_TOPICS];
	const unsigned char *bytes = message->payload;
	size_t rest = message->length - sizeof(*head);
	struct last *last;

	if (head->who >= TALK_PUBLISHERS ||
	    memcmp(bytes + sizeof(*head), filler + head->number % 256, rest) !=
		0)
		wrong("the payload of %llu is not what was sent",
		    (unsigned long long)message->seq);
	last = &lasts[head->who][topic];
	if (last->any && last->life == head->life &&
	    head->number <= last->number)
		wrong("number %u came behind number %u", head->number,
		    last->number);
	*last = (struct last) { head->life, head->number, true };
}

/*
 * Checks an event and makes a record of it; its message, if it has one, is
 * copied.  Returns its topic.
 */
static size_t
take_event(const struct grouper_message *message, struct talk_message *head)
{
	static uint64_t last;
	struct talk_record *record;
	unsigned int topic = number_of(message->topic);

	if (message->seq <= last)
		wrong("event %llu came behind %llu",
		    (unsigned long long)message->seq, (unsigned long long)last);
	last = message->seq;
	record = add_record(TALK_EVENT, message->seq);
	record->topic = topic & 15;
	if (topic > TALK_MARK)
		return topic;
	if (message->length < sizeof(*head))
		wrong("the payload of %llu is short",
		    (unsigned long long)message->seq);
	memcpy(head, message->payload, sizeof(*head));
	if (topic < TALK_TOPICS) {
		check_payload(message, head, topic);
		return topic;
	}
	record->life = head->life;
	record->change = (uint16_t)head->number;
	record->side = head->side != 0;
	return topic;
}

/*
 * Publishers, and the witness
 */

/* The topics of message `number` in byte order; returns how many. */
static size_t
topics_of(uint32_t number, unsigned int *group, size_t topics[2])
{
	size_t first, second;

	*group = (number * 2654435761U >> 13) % TALK_TOPICS;
	first = *group;
	second = (*group + 3) % TALK_TOPICS;
	topics[0] = first < second || first % 2 == 0 ? first : second;
	topics[1] = first < second ? second : first;
	return first % 2 == 0 ? 1 : 2;
}

static size_t
length_of(uint64_t *random, size_t average)
{
	size_t length;

	/* A few are long and make half of all bytes. */
	if (chance_below(random, LONGER_ONE) == 0)
		length = chance_below(random, average * LONGER_ONE);
	else
		length = chance_below(random, average);
	return length < LONGEST ? length : LONGEST;
}

static void
await_turn(unsigned int who, uint32_t number, uint32_t window)
{
	while (number - atomic_load(&board->witnessed[who]) > window)
		usleep(200);
	if (!atomic_load(&board->paused))
		return;
	atomic_store(&board->idle[who], 1);
	while (atomic_load(&board->paused))
		usleep(1000);
	atomic_store(&board->idle[who], 0);
}

static int
publish(char **argv)
{
	unsigned int who = (unsigned int)atoi(argv[0]), group;
	uint32_t count = (uint32_t)atol(argv[1]), n;
	size_t average = (size_t)atol(argv[2]), length, topics[2];
	useconds_t pause = (useconds_t)atoi(argv[3]);
	uint64_t random = strtoull(argv[4], NULL, 0) + who;
	static unsigned char payload[LONGEST + sizeof(struct talk_message)];
	struct talk_message head = { .life = life, .who = (uint16_t)who };
	char name[16];

	atomic_store(&board->witnessed[who], 0);
	for (n = 0; count == 0 || n < count; n++) {
		await_turn(who, n, WINDOW / (uint32_t)average);
		topics_of(n, &group, topics);
		snprintf(name, sizeof(name), "g:%u", group);
		length = length_of(&random, average);
		head.number = n;
		memcpy(payload, &head, sizeof(head));
		memcpy(payload + sizeof(head), filler + n % 256, length);
		must(grouper_member_broadcast(member, name, "said", payload,
			 sizeof(head) + length),
		    "broadcast");
		atomic_store(&board->published[who], n + 1);
		if (pause > 0)
			usleep(pause);
	}
	return 0;
}

/* What must come from a publisher next. */
struct followed {
	uint32_t life;
	uint32_t number;
	size_t step;  /* in its topics */
	uint64_t seq; /* of the step before */
};

/* All messages come, in order, each to all its topics at once. */
static void
follow(const struct talk_message *head, size_t topic, uint64_t seq)
{
	static struct followed all[TALK_PUBLISHERS];
	struct followed *next = &all[head->who];
	unsigned int group;
	size_t topics[2], n;

	if (next->life != head->life)
		*next = (struct followed) { .life = head->life };
	n = topics_of(next->number, &group, topics);
	if (head->number != next->number || topic != topics[next->step])
		wrong("message %u to t:%zu came, not %u to t:%zu", head->number,
		    topic, next->number, topics[next->step]);
	if (next->step > 0 && seq != next->seq + 1)
		wrong("events %llu and %llu, which are of one broadcast, are "
		      "apart",
		    (unsigned long long)next->seq, (unsigned long long)seq);
	next->seq = seq;
	if (++next->step < n)
		return;
	next->step = 0;
	next->number++;
	atomic_store(&board->witnessed[head->who], next->number);
}

static int
witness(void)
{
	struct grouper_message message;
	struct talk_message head;
	size_t topic;

	open_records(TALK_WITNESS);
	for (;;) {
		next_message(&message);
		if (message.kind != GROUPER_MESSAGE_EVENT)
			wrong("the witness lost %llu",
			    (unsigned long long)message.lost);
		topic = take_event(&message, &head);
		if (topic < TALK_TOPICS)
			follow(&head, topic, message.seq);
	}
}

/*
 * Listeners
 */

static void
mark(uint32_t change, uint16_t side)
{
	struct talk_message head = { life, change, side, 0 };

	must(grouper_member_publish(member, "mark", "mark", &head,
		 sizeof(head)),
	    "publish");
}

/* Of a topic or of prefixes, but not of those that must hold. */
static void
change_one(uint64_t *random, uint32_t change, uint32_t *patterns)
{
	size_t n = chance_below(random, TALK_TOPICS + 2);
	uint32_t pattern = (uint32_t)n;

	if (n >= TALK_TOPICS)
		pattern = n == TALK_TOPICS ? TALK_EVERY_T : TALK_EVERY;
	*patterns ^= 1U << pattern;
	mark(change, 0);
	must(*patterns & 1U << pattern ?
		grouper_member_subscribe(member, topic_names[pattern], 0) :
		grouper_member_unsubscribe(member, topic_names[pattern], 0),
	    "change");
	mark(change, 1);
}

static void
take_changed(const struct grouper_message *message, uint32_t change,
    uint32_t patterns)
{
	struct talk_record *record = add_record(TALK_CHANGED, 0);
	unsigned int pattern = number_of(message->topic);

	record->life = change;
	record->topic = pattern & 15;
	record->side = (patterns & 1U << pattern) != 0;
}

static void
listen_on(uint64_t random, uint32_t patterns)
{
	uint32_t change = 0, confirmed = 0;
	struct grouper_message message;
	struct talk_message head;

	for (;;) {
		next_message(&message);
		if (message.kind == GROUPER_MESSAGE_EVENT)
			take_event(&message, &head);
		else if (message.kind == GROUPER_MESSAGE_LOST)
			add_record(TALK_LOST, message.lost);
		else
			take_changed(&message, ++confirmed, patterns);
		if (change == confirmed &&
		    chance_below(&random, CHANGE_ONE) == 0)
			change_one(&random, ++change, &patterns);
	}
}

static int
listen_to(char **argv)
{
	const char *key = getenv("GROUPER_KEY");
	uint64_t random = strtoull(argv[0], NULL, 0) + life;
	struct talk_head head = { .life = life };
	char name[64];

	for (argv++; *argv != NULL; argv++)
		head.patterns |= 1U << number_of(*argv);
	snprintf(head.key, sizeof(head.key), "%s", key);
	snprintf(name, sizeof(name), TALK_HEARD "%08x", life);
	open_records(name);
	if (write(records_fd, &head, sizeof(head)) != sizeof(head))
		sole_die(name);
	mark(0, 0);
	listen_on(random, head.patterns);
	return 0;
}

static void
open_board(void)
{
	char path[1024];
	int fd;

	snprintf(path, sizeof(path), "%s/" TALK_BOARD, directory);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		sole_die(path);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (board == MAP_FAILED)
		sole_die("mmap");
	close(fd);
}

int
main(int argc, char **argv)
{
	struct sole_lock lock;

	if (argc < 3)
		return SOLE_FAILED;
	directory = argv[2];
	sole_lock(&lock, directory);
	open_board();
	if (getrandom(&life, sizeof(life), 0) != sizeof(life))
		sole_die("getrandom");
	make_filler();
	must(grouper_member_open(&member), "open");
	sole_ready(&lock);
	sole_tell(&lock, 0);
	if (strcmp(argv[1], "witness") == 0)
		return witness();
	if (strcmp(argv[1], "publish") == 0 && argc == 8)
		return publish(argv + 3);
	if (strcmp(argv[1], "listen") == 0 && argc > 3)
		return listen_to(argv + 3);
	return SOLE_FAILED;
}
