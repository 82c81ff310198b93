#include "net/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *phase_name(enum phase phase)
{
	static const char *const names[] = { "none", "resolve", "connect", "handshake", "verify",
		"write", "read", "parse" };

	return names[phase];
}

void fault_set(struct fault *f, enum phase phase, const char *cause, const char *hint,
	const char *reason, ...)
{
	va_list args;

	f->phase = phase;
	f->cause = cause;
	f->hint = hint;
	va_start(args, reason);
	vsnprintf(f->reason, sizeof f->reason, reason, args);
	va_end(args);
}

struct errno_words {
	int error;
	const char *cause, *reason, *hint;
};

static const struct errno_words errno_words[] = {
	{ ECONNREFUSED, "refused", "the server refused the connection",
		"check that the server runs, and its address and port: usually 853 for DNS over "
		"TLS, 53 for plain DNS" },
	{ ENETUNREACH, "unreachable", "there is no route to the server",
		"check this host's network and default route" },
	{ EHOSTUNREACH, "unreachable", "the server's host cannot be reached",
		"check the network between here and the server, and firewalls" },
	{ EADDRNOTAVAIL, "no-source",
		"the address to connect from is not one of this host, or has no free port",
		"check `source=` and `ip address`" },
	{ EAFNOSUPPORT, "no-source", "the address to connect from cannot reach the server's",
		"give a `source=` of the server's family, IPv4 or IPv6" },
	{ ENODEV, "no-interface", "the interface to connect through does not exist",
		"check `interface=` and `ip link`" },
	{ ETIMEDOUT, "timeout", "the server did not answer in time",
		"check the network between here and the server, and firewalls" },
	{ ECONNRESET, "reset", "the server reset the connection",
		"if it happens at once, something else may be at that port, or a firewall cuts it" },
	{ EPIPE, "reset", "the server had closed the connection", "none needed if it is rare" },
	{ EACCES, "denied", "this host's firewall or sotto's sandbox forbids the connection",
		"allow what goes out to the server's port; restart sotto after a reload that named a "
		"new one; name a server that ddr:// found elsewhere as tls://ADDRESS:PORT#NAME" },
	{ EPERM, "denied", "this host's firewall forbids the connection",
		"allow what goes out to the server's port" },
	{ EMFILE, "no-files", "this process has no file descriptor left",
		"raise the limit of open files (ulimit -n, LimitNOFILE=)" },
};

void fault_from_errno(struct fault *f, enum phase phase, int error)
{
	for (size_t i = 0; i < sizeof errno_words / sizeof *errno_words; i++) {
		const struct errno_words *w = &errno_words[i];

		if (w->error == error) {
			fault_set(f, phase, w->cause, w->hint, "%s", w->reason);
			return;
		}
	}
	fault_set(f, phase, "system", "see the reason", "%s", strerror(error));
}
