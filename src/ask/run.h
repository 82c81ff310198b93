/* run: `sotto query`, from the words to the exit status. */
#ifndef ASK_RUN_H
#define ASK_RUN_H

/* words: those behind `sotto query`, up to NULL. The exit status: an RCODE or an ask_status. */
int ask_run(const char *const *words);

#endif
