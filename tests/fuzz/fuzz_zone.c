/* A zone file, whatever is in it: if it is taken, its apex has an SOA, and what is found for names
 * in it can be packed, and read by reply_parse(). */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/message.h"
#include "dns/name.h"
#include "fuzz.h"
#include "rules/answer.h"
#include "rules/local.h"

/* The message is what a server could have sent. */
static void is_sound(const struct packed *packed)
{
	struct reply reply;
	uint8_t copy[DNS_MESSAGE_MAX];

	HOLDS(reply_parse(packed->message, &reply));
	HOLDS(packed->ttl_count == reply.count[SECTION_ANSWER] + reply.count[SECTION_AUTHORITY]);
	memcpy(copy, packed->message.at, packed->message.len);
	packed_age(packed, copy, packed->message.len, 0, 0);
	HOLDS(memcmp(copy, packed->message.at, packed->message.len) == 0);
}

static void answer(const struct local *l, struct span name, uint16_t type)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	const struct question question = { name.at, name.len, type, CLASS_IN };
	struct answer_to to = { .question = &question, .ttl_s = 60 };
	struct answer_dname dname;
	struct local_found found;
	struct packed packed;

	local_find(l, name, type, &found);
	to.zone = found.zone;
	to.soa = found.soa;
	HOLDS(found.kind == LOCAL_FOREIGN || (found.soa && found.zone.len > 0));
	switch (found.kind) {
	case LOCAL_FOREIGN:
		return;
	case LOCAL_DNAME:
		dname = (struct answer_dname){ found.owner, rrset_find(found.sets, TYPE_DNAME),
			{ 0 } };
		answer_dname(&packed, memory, &to, &dname);
		break;
	case LOCAL_NXDOMAIN:
		answer_negative(&packed, memory, &to, RCODE_NXDOMAIN);
		break;
	default:
		answer_records(&packed, memory, &to, found.sets);
	}
	is_sound(&packed);
}

static void ask(const struct local *l, const char *text)
{
	static const uint16_t types[] = { TYPE_A, TYPE_CNAME, TYPE_DS, TYPE_SOA, TYPE_TXT,
		TYPE_ANY };
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name);

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		answer(l, (struct span){ name, len }, types[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct local *l = local_new(60);
	int fd = memfd_create("zone", MFD_CLOEXEC);
	struct local_fault fault;
	char path[64];

	HOLDS(l && fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (local_read_zone(l, "example", path, &fault)) {
		local_seal(l);
		ask(l, "example");
		ask(l, "a.example");
		ask(l, "b.a.example");
		ask(l, "x.y.example");
		ask(l, "*.example");
		ask(l, "test");
	} else {
		HOLDS(*fault.why);
	}
	close(fd);
	local_free(l);
	return 0;
}
