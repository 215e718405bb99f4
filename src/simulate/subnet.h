/* Subnets: "10.1.0.0/16", "2001:db8::/32", or one address. */
#ifndef SIMULATE_SUBNET_H
#define SIMULATE_SUBNET_H

/* The length of the prefix where the subnet has the address, or -1. */
int subnet_fit(const char *subnet, const char *address);

#endif
