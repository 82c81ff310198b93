/* What a server replies: it is malformed for who tells where as for who reads it, and each fault
 * has words. */
#include <string.h>

#include "ask/broken.h"
#include "ask/check.h"
#include "dns/message.h"
#include "fuzz.h"

/* The question is that of the message, if it has any, so that more than its ID is looked at. */
static void ask(struct ask_message *sent, struct ask_question *asked, struct span m)
{
	size_t name = m.len > DNS_HEADER ? name_len(m, DNS_HEADER) : 0;

	sent->len = DNS_HEADER;
	memset(sent->octets, 0, DNS_HEADER);
	if (m.len >= 2)
		sent->id = get_u16(m.at);
	if (name == 0 || m.len - DNS_HEADER - name < 4)
		return;
	asked->name_len = name;
	asked->type = get_u16(m.at + DNS_HEADER + name);
	asked->class = get_u16(m.at + DNS_HEADER + name + 2);
	memcpy(sent->octets + DNS_HEADER, m.at + DNS_HEADER, name + 4);
	sent->len += name + 4;
	put_u16(sent->octets + 4, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ask_plan plan;
	static struct ask_message sent;
	struct ask_question asked = { .type = 0 };
	const struct span m = { data, len };
	char why[WHY_MAX], where[WHY_MAX];
	struct reply reply;

	ask(&sent, &asked, m);
	enum check verdict = check_reply(&plan, &sent, &asked, m, why);
	bool is_message = reply_parse(m, &reply);

	broken_where(m, where, sizeof(where));
	HOLDS(is_message == (*where == 0));
	HOLDS(is_message == (verdict != CHECK_MALFORMED));
	HOLDS((verdict == CHECK_GOOD) == (*why == 0));
	HOLDS(memchr(why, 0, WHY_MAX) && memchr(where, 0, WHY_MAX));
	HOLDS(is_message || strstr(where, "octet"));
	return 0;
}
