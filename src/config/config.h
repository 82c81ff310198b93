/* config: everything that can be set, from every place it can be set in.
 *
 * Defaults < sockets that were handed over < file < conf.d/NAME.yaml beside it < environment
 * SOTTO_A_B < command line. A later place replaces a value of an earlier one, lists whole. One
 * table of options (options.c) knows every key.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/log.h"
#include "cache/cache.h"
#include "config/memory.h"
#include "config/written.h"
#include "config/written_rules.h"
#include "listen/listener.h"
#include "net/tls_front.h"
#include "query/query.h"
#include "report/dump.h"
#include "rules/ruled.h"
#include "sandbox/sandbox.h"
#include "upstream/upstream.h"

#include <stdatomic.h>
#include <stdio.h>

#define CONFIG_FILE "/etc/sotto/sotto.yaml"

/* What every upstream must be. */
enum require { REQUIRE_AUTHENTICATED, REQUIRE_ENCRYPTED, REQUIRE_NOTHING };

/* A spelling of another product, and what it was taken for. */
struct config_note {
	struct config_note *next;
	const char *given, *understood;
};

/* Limits are those of the whole process; the workers divide them. */
struct config {
	atomic_uint owners; /* of one that config_new() made */
	struct listen_conf listen;
	struct query_conf query;
	struct upstream_conf upstream;
	struct tls_pair *certificates; /* shown to clients ... */
	size_t certificate_count;
	bool self_signed; /* ... and one made at start */
	const char *clients_ca; /* PEM file, of whom clients must be; NULL: they are not asked */
	bool clients_required; /* who shows no certificate is refused */
	const char *ticket_keys; /* file; NULL: made at start, and anew */
	struct tls_front *front; /* all of that, loaded; NULL: no listener needs it */
	uint64_t front_files; /* how the files stood then */
	const char *ca; /* PEM file; NULL: the system's */
	struct tls_trust *trust; /* of it; NULL: no server needs it, or nothing is loaded */
	struct rules_conf rules; /* what is to be answered here ... */
	struct ruled ruled; /* ... and what decides on it, loaded; without a set: it is not */
	uint64_t rules_files; /* how the files of it stood then */
	unsigned workers; /* at least 1 */
	struct cache_conf cache;
	bool cache_keep; /* over a restart */
	unsigned cache_save_ms; /* written so often meanwhile; 0: only at the end */
	enum log_level log_level;
	struct dump_conf dump;
	unsigned dump_what; /* as query.dump, whether there is a file or not */
	bool await_clock; /* tls.unsynced-clock: wait */
	enum require require;
	bool state_auto; /* upstream.state is to be found out */
	struct written written; /* what upstream was made of */
	struct written_rules written_rules; /* and rules */
	enum sandbox_mode sandbox;
	const char *control; /* where the control socket is: "auto", "none", or a path */
	struct word_list allow_words, proxies_words; /* of query.allow and listen.proxies */
	struct endpoint *off; /* endpoints that are written and not in force */
	size_t off_count;
	const char *file; /* that was read first; NULL: none */
	struct config_note *notes;
	struct memory memory; /* what the values above borrow from */
};

/* One `--set KEY=VALUE`; `-l` and `-u` are collected into lists first. */
struct config_override {
	const char *key, *value;
	const char *said; /* the option that stood for it, as "-v"; NULL: --set KEY=VALUE */
};

struct config_sources {
	const char *file; /* NULL: CONFIG_FILE if it exists */
	const char *const *handed; /* addresses of handed over sockets, NULL-terminated, or NULL */
	char **environment; /* as environ; NULL: none */
	const char *const *listen; /* -l, NULL-terminated, or NULL */
	const char *const *upstreams; /* -u, likewise */
	const struct config_override *overrides;
	size_t override_count;
	bool certificates; /* load those that are named, too */
	const struct tls_front *before; /* whose throw-away certificate is kept; NULL: nobody's */
	bool again; /* not for the first time: no pipe is waited for, nor taken for empty */
	bool serves; /* of the default of `listen`, only what this host has */
};

/* Reads all sources into c, which starts from the defaults. Every error of every source is written
 * to err, then a count. False: there was one; c is cleared. */
bool config_load(struct config *, const struct config_sources *, FILE *err);

/* The same, as a snapshot that many may share: it goes with the last of its owners. NULL: there was
 * an error. From any thread. */
struct config *config_new(const struct config_sources *, FILE *err);
/* One owner more, and one less; NULL is nothing. */
struct config *config_share(struct config *);
void config_free(struct config *);

/* Writes the effective configuration as YAML that config_load() reads back to the same. */
void config_print(const struct config *, FILE *out);

void config_clear(struct config *);

#endif
