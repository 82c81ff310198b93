#include "report/dump.h"

#include "case.h"
#include "dns/octets.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a query of 12 octets over IPv4 takes. */
#define RECORD (16 + 20 + 8 + 12)

/* ---- a disk of ours: each write() but those of the log asks it ---- */

enum disk { WORKS, STANDS_STILL, IS_FULL };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static enum disk disk;
static size_t room; /* of one that is full: octets that it still takes */
static unsigned tried; /* writes that began */

ssize_t __real_write(int fd, const void *octets, size_t len);
ssize_t __wrap_write(int fd, const void *octets, size_t len);
ssize_t __wrap_write(int fd, const void *octets, size_t len)
{
	if (fd <= STDERR_FILENO)
		return __real_write(fd, octets, len);
	pthread_mutex_lock(&lock);
	tried++;
	pthread_cond_broadcast(&changed);
	while (disk == STANDS_STILL)
		pthread_cond_wait(&changed, &lock);
	if (disk == IS_FULL && len > room)
		len = room;
	if (disk == IS_FULL)
		room -= len;
	pthread_mutex_unlock(&lock);
	if (len)
		return __real_write(fd, octets, len);
	errno = ENOSPC;
	return -1;
}

/* With room for so many octets, if it is full. */
static void become(enum disk what, size_t octets)
{
	pthread_mutex_lock(&lock);
	disk = what;
	room = octets;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Until so many writes have begun. */
static void await_writes(unsigned count)
{
	pthread_mutex_lock(&lock);
	while (tried < count)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* ---- files ---- */

static char folder[32], file[64], old[128];
static struct addr client, server;

static int begin(void **unused)
{
	(void)unused;
	disk = WORKS;
	tried = 0;
	room = 0;
	snprintf(folder, sizeof folder, "/tmp/dump-test-XXXXXX");
	OK(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/dump", folder);
	snprintf(old, sizeof old, "%s.old", file);
	OK(addr_parse(&client, "192.0.2.7:4660", 0) && addr_parse(&server, "192.0.2.53", 0));
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	unlink(file);
	unlink(old);
	return rmdir(folder);
}

static struct dump *open_dump(uint64_t size)
{
	const struct dump_conf conf = { file, size };
	struct dump *d = dump_new();

	OK(d && dump_open(d, &conf));
	dump_write(d, &conf);
	return d;
}

/* A query whose octets are those of its number, over and over. */
static bool put(struct dump *d, uint32_t number, size_t len)
{
	static uint8_t octets[65535];

	for (size_t i = 0; i + 4 <= len; i += 4)
		put_u32(octets + i, number);
	const struct packet p = { &client, &server, false, { octets, len } };

	return dump_put(d, &p);
}

static size_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* How many records there are, of which each is whole and has the numbers from `from` on. */
static unsigned count_records(const char *path, uint32_t from)
{
	uint8_t head[PCAP_HEADER], ours[PCAP_HEADER], record[16], packet[65536 + 64];
	FILE *f = fopen(path, "r");
	unsigned count = 0;

	pcap_put_header(ours);
	OK(f && fread(head, sizeof head, 1, f) == 1);
	MEM(head, ours, sizeof head);
	for (; fread(record, 1, sizeof record, f) == sizeof record; count++) {
		size_t len = get_u32(record + 8);

		OK(len <= sizeof packet && fread(packet, len, 1, f) == 1);
		EQ(get_u32(packet + 28), from + count);
	}
	OK(feof(f));
	fclose(f);
	return count;
}

/* ---- claims ---- */

CASE(what_was_put_is_in_the_file_in_order_and_for_its_owner_alone)
{
	struct dump *d = open_dump(1 << 20);
	struct stat st;

	for (uint32_t i = 0; i < 1000; i++)
		OK(put(d, i, 12));
	dump_free(d);
	EQ(count_records(file, 0), 1000);
	OK(stat(file, &st) == 0);
	EQ(st.st_mode & 0777, 0600);
}

CASE(nobody_waits_for_a_disk_that_stands_still)
{
	struct dump *d = open_dump(1 << 30);
	uint32_t took = 0;

	await_writes(1); /* of the header */
	become(STANDS_STILL, 0);
	OK(put(d, took++, 12));
	await_writes(2);
	while (put(d, took, 60000)) /* one buffer is full; the other one stands still */
		took++;
	OK(took > 10 && took < 100);
	OK(!put(d, 0, 60000));
	become(WORKS, 0);
	dump_free(d);
	EQ(count_records(file, 0), took);
}

CASE(a_file_has_its_size_and_no_more)
{
	const size_t fit = 10;
	struct dump *d = open_dump(PCAP_HEADER + fit * RECORD + RECORD - 4);

	for (uint32_t i = 0; i < fit; i++)
		OK(put(d, i, 12));
	OK(!put(d, 0, 12));
	OK(!put(d, 0, 4)); /* nor what is small enough */
	dump_free(d);
	EQ(size_of(file), PCAP_HEADER + fit * RECORD);
	EQ(count_records(file, 0), fit);
}

CASE(a_disk_that_was_full_gets_the_rest_of_a_record)
{
	struct dump *d = open_dump(1 << 20);

	await_writes(1);
	become(IS_FULL, RECORD + 7);
	for (uint32_t i = 0; i < 3; i++)
		OK(put(d, i, 12));
	await_writes(4); /* header, what there is room for, and twice nothing */
	EQ(size_of(file), PCAP_HEADER + RECORD + 7);
	OK(put(d, 3, 12));
	become(WORKS, 0);
	while (size_of(file) < PCAP_HEADER + 4 * RECORD)
		usleep(1000);
	dump_free(d);
	EQ(count_records(file, 0), 4);
}

CASE(the_end_does_not_wait_for_a_full_disk)
{
	struct dump *d = open_dump(1 << 20);

	await_writes(1);
	become(IS_FULL, 0);
	OK(put(d, 0, 12));
	await_writes(2);
	dump_free(d);
	EQ(size_of(file), PCAP_HEADER);
}

static void renew(struct dump *d, const char *path, uint64_t size)
{
	const struct dump_conf conf = { path, size };

	dump_write(d, &conf);
}

/* Puts until a message is taken, or is not. */
static void put_until(struct dump *d, bool taken, uint32_t number)
{
	while (put(d, number, 12) != taken)
		usleep(1000);
}

CASE(a_reload_goes_on_with_the_file_that_there_is)
{
	struct dump *d = open_dump(PCAP_HEADER + RECORD);

	OK(put(d, 0, 12));
	renew(d, file, 1 << 20);
	dump_free(d);
	EQ(count_records(file, 0), 1);
	EQ(size_of(old), 0);
}

CASE(a_reload_leaves_a_full_file_for_a_new_one)
{
	struct dump *d = open_dump(PCAP_HEADER + RECORD);

	OK(put(d, 5, 12) && !put(d, 6, 12));
	renew(d, file, 1 << 20);
	put_until(d, true, 7);
	dump_free(d);
	EQ(count_records(old, 5), 1);
	EQ(count_records(file, 7), 1);
}

CASE(a_reload_makes_anew_what_was_taken_away)
{
	struct dump *d = open_dump(1 << 20);

	OK(put(d, 5, 12));
	while (size_of(file) < PCAP_HEADER + RECORD)
		usleep(1000);
	OK(rename(file, old) == 0);
	renew(d, file, 1 << 20);
	while (!size_of(file))
		usleep(1000);
	OK(put(d, 7, 12));
	dump_free(d);
	EQ(count_records(old, 5), 1);
	EQ(count_records(file, 7), 1);
}

CASE(a_reload_switches_it_off_and_on)
{
	struct dump *d = dump_new();

	renew(d, NULL, 0);
	OK(!put(d, 0, 12));
	renew(d, file, 1 << 20);
	put_until(d, true, 0);
	renew(d, NULL, 0);
	while (put(d, 1, 12))
		unlink(file); /* what is put meanwhile does not matter */
	renew(d, file, 1 << 20);
	put_until(d, true, 9);
	dump_free(d);
	EQ(count_records(file, 9), 1);
}

CASE(a_reload_that_finds_a_full_disk_leaves_that_file)
{
	char other[128];
	struct dump *d = open_dump(1 << 20);

	snprintf(other, sizeof other, "%s.other", file);
	await_writes(1);
	become(IS_FULL, 0);
	OK(put(d, 0, 12));
	await_writes(2);
	renew(d, other, 1 << 20);
	while (access(other, F_OK) < 0)
		usleep(1000);
	become(WORKS, 0);
	put_until(d, true, 4);
	dump_free(d);
	EQ(size_of(file), PCAP_HEADER);
	OK(count_records(other, 4) >= 1);
	unlink(other);
}

static void make(const char *text)
{
	FILE *f = fopen(file, "w");

	OK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

CASE(what_is_no_dump_stays_as_it_is)
{
	const struct dump_conf conf = { file, 1 << 20 }, none = { folder, 1 << 20 };
	struct dump *d = dump_new();

	make("root:x:0:0:root:/root:/bin/bash\n");
	OK(!dump_open(d, &conf) && !dump_open(d, &none) && !put(d, 0, 12));
	EQ(size_of(file), 32);
	make("short");
	OK(!dump_open(d, &conf));
	EQ(size_of(file), 5);
	dump_free(d);
}

CASE(an_earlier_dump_makes_room_and_an_empty_one_does_not_count)
{
	for (uint32_t run = 0; run < 2; run++) {
		struct dump *d = open_dump(1 << 20);

		OK(put(d, run, 12));
		dump_free(d);
	}
	EQ(count_records(old, 0), 1);
	EQ(count_records(file, 1), 1);
	dump_free(open_dump(1 << 20));
	dump_free(open_dump(1 << 20));
	EQ(count_records(old, 1), 1);
	EQ(count_records(file, 0), 0);
}

#define TELL(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest cases[] = {
		TELL(what_was_put_is_in_the_file_in_order_and_for_its_owner_alone),
		TELL(nobody_waits_for_a_disk_that_stands_still),
		TELL(a_file_has_its_size_and_no_more),
		TELL(a_disk_that_was_full_gets_the_rest_of_a_record),
		TELL(the_end_does_not_wait_for_a_full_disk),
		TELL(a_reload_goes_on_with_the_file_that_there_is),
		TELL(a_reload_leaves_a_full_file_for_a_new_one),
		TELL(a_reload_makes_anew_what_was_taken_away),
		TELL(a_reload_switches_it_off_and_on),
		TELL(a_reload_that_finds_a_full_disk_leaves_that_file),
		TELL(what_is_no_dump_stays_as_it_is),
		TELL(an_earlier_dump_makes_room_and_an_empty_one_does_not_count),
	};
	return RUN(cases);
}
