#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

/* What net, service and hub have counted, written to the log: one line each, on SIGUSR1. */

struct net;
struct service;

/* On the loop's thread. */
void counters_log(const struct net *net, const struct service *service);

#endif
