/* The host port over the operating system: clocks, sleep, processes. */
#ifndef CMD_HOST_H
#define CMD_HOST_H

#include <signal.h>

#include "api/port.h"
#include "release/record.h"

/* interrupted: set by the signal handler; ends sleeps. */
struct host_port host_port_new(volatile sig_atomic_t *interrupted);

/* Names this process so that the same machine can tell later whether it is still there. */
void host_name_self(struct holder *holder);

#endif
