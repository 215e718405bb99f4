/*
 * Host names as istiod compares them: full names, and names with a wildcard in front
 * ("*.shop.svc.cluster.local", "*").
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService
 */
#ifndef SIMULATE_HOSTNAME_H
#define SIMULATE_HOSTNAME_H

#include <stdbool.h>

bool hostname_is_wildcard(const char *name);

/* True where there is a name that both stand for. */
bool hostname_overlaps(const char *a, const char *b);

/* True where `b` stands for everything that `a` stands for. */
bool hostname_is_within(const char *a, const char *b);

/* True where istiod prefers `a`: without a wildcard, then the longer one, then by the alphabet. */
bool hostname_is_closer(const char *a, const char *b);

/* A name of an object in the namespace as istiod completes it: "web" becomes
 * "web.NAMESPACE.svc.DOMAIN", anything with a dot stays. The caller frees. */
char *hostname_complete(const char *name, const char *namespace, const char *cluster_domain);

/* The name of a Gateway, as an object in the namespace writes it ("web", "./web", "shop/web",
 * "web.shop.svc.cluster.local"), as "NAMESPACE/NAME"; "mesh" stays. The caller frees. */
char *gateway_complete(const char *name, const char *namespace);

/* In lower case, as proxies compare hosts; and without a port at the end. The caller frees. */
char *hostname_lower(const char *name);
char *hostname_without_port(const char *authority);

/* How closely a domain of a proxy's virtual host fits a host (both in lower case): 0 not at all,
 * HOST_FITS_EXACTLY, or the longer the wildcard name, the more. */
#define HOST_FITS_EXACTLY 100000
int hostname_fit(const char *domain, const char *host);

#endif
