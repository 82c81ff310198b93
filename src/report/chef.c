#include "report/chef.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE 4096

/* Where lines go; -1: nowhere. */
static int outputs[2] = { -1, -1 };
static bool is_open;

int chef_open(const char *file)
{
	/* Opened anew, so that what others do with standard output still waits for them. */
	int out = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);

	outputs[0] = out < 0 ? STDOUT_FILENO : out;
	if (file) {
		outputs[1] =
			open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);
		if (outputs[1] < 0)
			return -errno;
	}
	tzset(); /* the zone's file is out of reach later */
	is_open = true;
	return 0;
}

bool chef_is_open(void)
{
	return is_open;
}

/* A line in the making; what does not fit is left out. */
struct line {
	size_t len;
	char text[LINE];
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(l->text + l->len, sizeof l->text - l->len, format, args);
	va_end(args);
	if (len > 0)
		l->len += (size_t)len;
	if (l->len > sizeof l->text - 2)
		l->len = sizeof l->text - 2; /* the line feed */
}

/* The name as it was asked for, without its last dot. */
static void add_name(struct line *l, const ldns_rdf *name)
{
	char *text = ldns_rdf2str(name);
	size_t len = text ? strlen(text) : 0;

	add(l, "%.*s", (int)(len > 1 ? len - 1 : len), text ? text : "?");
	free(text);
}

static void add_type(struct line *l, ldns_rr_type type)
{
	char *text = ldns_rr_type2str(type);

	add(l, "%s", text ? text : "?");
	free(text);
}

/* The data of the first record of that type, as DNSChef has them; nothing if there is none. */
static void add_value(struct line *l, const ldns_rr_list *answers, ldns_rr_type type)
{
	const ldns_rr *found = NULL;

	for (size_t i = 0; !found && i < ldns_rr_list_rr_count(answers); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(answers, i)) == type)
			found = ldns_rr_list_rr(answers, i);
	if (!found)
		return;
	add(l, " to");
	for (size_t i = 0; i < ldns_rr_rd_count(found); i++) {
		char *text = ldns_rdf2str(ldns_rr_rdf(found, i));

		add(l, " %s", text ? text : "?");
		free(text);
	}
}

static void write_line(struct line *l)
{
	l->text[l->len++] = '\n';
	for (size_t i = 0; i < 2; i++)
		if (outputs[i] >= 0 && write(outputs[i], l->text, l->len) < 0)
			continue; /* lost: nobody waits */
}

static void report(const struct addr *client, const ldns_pkt *packet, bool cooked)
{
	struct line l = { .len = 0 };
	char host[ADDR_TEXT];
	time_t now = time(NULL);
	struct tm tm;
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

	if (!question || !localtime_r(&now, &tm))
		return;
	add(&l, "[%02d:%02d:%02d] %s: %s the response of type '", tm.tm_hour, tm.tm_min, tm.tm_sec,
		addr_print_host(client, host), cooked ? "cooking" : "proxying");
	add_type(&l, ldns_rr_get_type(question));
	add(&l, "' for ");
	add_name(&l, ldns_rr_owner(question));
	if (cooked)
		add_value(&l, ldns_pkt_answer(packet), ldns_rr_get_type(question));
	write_line(&l);
}

void chef_report(const struct addr *client, struct span answer, bool cooked)
{
	ldns_pkt *packet;

	if (ldns_wire2pkt(&packet, answer.at, answer.len) != LDNS_STATUS_OK)
		return;
	report(client, packet, cooked);
	ldns_pkt_free(packet);
}
