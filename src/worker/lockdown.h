/*
 * What a worker gives up before it runs the first guest of its parent: files, network, processes,
 * and all but some tens of the system's calls. Without ERYX_WORKER_UNCONFINED, which only builds
 * with sanitizers have, there is no way around it.
 */
#ifndef ERYX_WORKER_LOCKDOWN_H
#define ERYX_WORKER_LOCKDOWN_H

/*
 * The first part, before anything is opened: closes all descriptors but 0, 1, 2 and control_fd,
 * which becomes 3 by being it; no core dumps, no debugger, no new privileges.
 * NULL if it is done, else what failed.
 */
const char *lockdown_begin(int control_fd);

/*
 * The second: limits of resources, no file system (Landlock, where the kernel has it), and the
 * filter of system calls, after which what is not on the list ends the process at once.
 * NULL if it is done, else what failed.
 */
const char *lockdown_complete(void);

#endif
