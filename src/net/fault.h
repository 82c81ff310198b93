/* fault: why a connection failed, in words a person can act on. */
#ifndef NET_FAULT_H
#define NET_FAULT_H

enum phase {
	PHASE_NONE,
	PHASE_RESOLVE,
	PHASE_CONNECT,
	PHASE_HANDSHAKE,
	PHASE_VERIFY,
	PHASE_WRITE,
	PHASE_READ,
	PHASE_PARSE,
	PHASES /* how many there are */
};

struct fault {
	enum phase phase; /* PHASE_NONE: nothing is wrong, an orderly end */
	const char *cause; /* a constant token for machines: "refused", "wrong-name", ... */
	char reason[256]; /* a sentence for people */
	const char *hint; /* a constant: what to do about it */
};

const char *phase_name(enum phase);

/* Fills in a fault; the reason is printf-like. */
void fault_set(struct fault *, enum phase, const char *cause, const char *hint, const char *reason,
	...) __attribute__((format(printf, 5, 6)));
/* A fault from an errno of a socket call. */
void fault_from_errno(struct fault *, enum phase, int error);

#endif
