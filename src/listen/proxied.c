#include "listen/proxied.h"

#include "base/log.h"

void proxied_refuse(struct metrics *m)
{
	struct log_line l;

	m->proxies_malformed++;
	log_begin(&l, LOG_WARN, "what a proxy sends has no PROXY header in front: it is not taken");
	log_str(&l, "hint",
		"have it send one (dnsdist: useProxyProtocol=true, HAProxy: send-proxy-v2), or "
		"leave it out of `proxies`");
	log_end(&l);
}
