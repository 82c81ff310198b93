/* stages: the pipeline that a query runs through, which is also its documentation. */
#ifndef QUERY_STAGES_H
#define QUERY_STAGES_H

#include "query/query.h"

extern const struct stage default_pipeline[];

#endif
