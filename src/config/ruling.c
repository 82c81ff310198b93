#include "config/ruling.h"

uint64_t ruling_files(const struct config *c)
{
	return ruleset_files(&c->rules);
}

void ruling_load(struct config *c, struct problems *problems)
{
	struct ruleset_fault f;
	struct source source = { 0 };
	const struct place place = { .source = &source };

	c->rules_files = ruling_files(c); /* before: what changes meanwhile is then seen */
	struct ruleset *set = ruleset_new(&c->rules, &f);

	if (set) {
		ruled_replace(&c->ruled, set); /* there was none */
		return;
	}
	source.name = *f.file ? f.file : "rules";
	if (f.line)
		source.name = memory_format(&c->memory, "%s:%u", f.file, f.line);
	problem(problems, &place, NULL, "%s", f.why);
}
