#include "ask/why.h"

#include <stdarg.h>
#include <stdio.h>

bool why_say(char why[WHY_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, WHY_MAX, format, arguments);
	va_end(arguments);
	return false;
}
