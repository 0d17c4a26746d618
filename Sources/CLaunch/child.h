/* What spawn.c and launch.c share and nobody else sees. */
#ifndef DORMOUSE_CHILD_H
#define DORMOUSE_CHILD_H

#include "launch.h"

/* What goes through the report pipe. */
struct launch_report {
  int32_t step;
  int32_t error;
};

/* The child; `plan` is a struct launch_plan. Never returns. */
void launch_child(void *plan);

#endif
