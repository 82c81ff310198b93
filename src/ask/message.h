/* message: what is sent: a question as the plan wants it, octet for octet. */
#ifndef ASK_MESSAGE_H
#define ASK_MESSAGE_H

#include "ask/plan.h"

/* A message on its way. */
struct ask_message {
	uint8_t octets[65535];
	size_t len;
	uint16_t id;
	uint8_t name[NAME_MAX_WIRE]; /* as it was spelled, if by 0x20 */
	uint8_t mac[64]; /* of TSIG */
	size_t mac_len;
	uint16_t padding; /* octets of it */
};

/* Writes one; with a key it is signed. False: it does not fit. */
bool message_make(
	struct ask_message *, const struct ask_plan *, const struct ask_question *, uint16_t id);

#endif
