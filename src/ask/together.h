/* together: +keepopen: all questions at once over one connection, answers in any order. */
#ifndef ASK_TOGETHER_H
#define ASK_TOGETHER_H

#include "ask/means.h"

/* Shows each reply when it comes. The exit status: of the last question; but what went wrong with
 * any, if something did. */
int together_drive(struct means *);

#endif
