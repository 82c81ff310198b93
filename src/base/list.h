/* list: a circle of nodes embedded in the things listed. A node is in one list or in none. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/* The struct of type `type` whose member `member` is at `node`. */
#define container_of(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Visits each node; the body may remove the visited one, and no other. */
#define list_each_safe(node, head)                                                                 \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head);          \
		node = node##_next, node##_next = node->next)

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Puts node at the end of the list. */
static inline void list_push(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Puts node at the beginning of the list. */
static inline void list_unshift(struct list *head, struct list *node)
{
	list_push(head->next, node);
}

/* Takes node out; it may be removed again or asked whether it is listed. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Takes all nodes out of one list into a new one, so that what is done to them may list others. */
static inline void list_take(struct list *from, struct list *all)
{
	list_init(all);
	if (list_empty(from))
		return;
	*all = *from;
	all->prev->next = all->next->prev = all;
	list_init(from);
}

/* The first node, or NULL. */
static inline struct list *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

#endif
