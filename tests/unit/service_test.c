#include "service.h"

#include "case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A manager that listens at a name without a file, and a service that is to tell it. */
struct stage {
	int manager;
	struct service service;
};

static void set_up(struct stage *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[64];

	t->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(text, sizeof text, "@sotto-service-test-%d", (int)getpid());
	memcpy(a.sun_path, text, strlen(text));
	a.sun_path[0] = '\0';
	EQ(bind(t->manager, (struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text))),
		0);
	setenv("NOTIFY_SOCKET", text, 1);
	service_open(&t->service);
}

static const char *told(const struct stage *t)
{
	static char message[1024];
	ssize_t n = recv(t->manager, message, sizeof message - 1, 0);

	message[n < 0 ? 0 : n] = '\0';
	return message;
}

static void tear_down(struct stage *t)
{
	service_close(&t->service);
	close(t->manager);
}

CASE(what_happens_is_told_in_the_words_of_the_protocol)
{
	struct stage t;

	set_up(&t);
	service_ready(&t.service, "well");
	STR(told(&t), "READY=1\nSTATUS=well");
	service_alive(&t.service);
	STR(told(&t), "WATCHDOG=1");
	service_stopping(&t.service);
	STR(told(&t), "STOPPING=1\nSTATUS=answering what is in flight");
	tear_down(&t);
}

CASE(a_reload_is_told_with_the_time_of_its_beginning)
{
	struct stage t;
	struct timespec before, after;
	uint64_t us;

	set_up(&t);
	clock_gettime(CLOCK_MONOTONIC, &before);
	service_reloading(&t.service);
	clock_gettime(CLOCK_MONOTONIC, &after);
	EQ(sscanf(told(&t), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "\nSTATUS=", &us), 1);
	OK(us >= (uint64_t)before.tv_sec * 1000000 + (uint64_t)before.tv_nsec / 1000);
	OK(us <= (uint64_t)after.tv_sec * 1000000 + (uint64_t)after.tv_nsec / 1000);
	tear_down(&t);
}

CASE(its_variables_are_for_nobody_else)
{
	struct stage t;

	setenv("WATCHDOG_USEC", "10000000", 1);
	set_up(&t);
	EQ(t.service.watchdog_ms, 10000);
	OK(!getenv("NOTIFY_SOCKET"));
	OK(!getenv("WATCHDOG_USEC"));
	tear_down(&t);
}

CASE(without_a_manager_nothing_is_told_and_nothing_watched)
{
	struct service s;

	setenv("WATCHDOG_USEC", "10000000", 1);
	service_open(&s);
	EQ(s.fd, -1);
	EQ(s.watchdog_ms, 0);
	service_ready(&s, "well");
	service_close(&s);
}

CASE(a_manager_that_does_not_read_is_not_waited_for)
{
	struct stage t;

	set_up(&t);
	for (int i = 0; i < 10000; i++) /* more than any queue of datagrams holds */
		service_alive(&t.service);
	STR(told(&t), "WATCHDOG=1");
	tear_down(&t);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_happens_is_told_in_the_words_of_the_protocol),
		CLAIM(a_reload_is_told_with_the_time_of_its_beginning),
		CLAIM(its_variables_are_for_nobody_else),
		CLAIM(without_a_manager_nothing_is_told_and_nothing_watched),
		CLAIM(a_manager_that_does_not_read_is_not_waited_for),
	};
	return RUN(cases);
}
