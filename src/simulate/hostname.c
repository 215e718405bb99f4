#include "simulate/hostname.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MESH "mesh"

bool hostname_is_wildcard(const char *name)
{
	return name != NULL && name[0] == '*';
}

bool hostname_overlaps(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return false;
	if (hostname_is_wildcard(a) && hostname_is_wildcard(b))
		return strlen(a) < strlen(b) ? str_ends(b + 1, a + 1) : str_ends(a + 1, b + 1);
	if (hostname_is_wildcard(a))
		return str_ends(b, a + 1);
	if (hostname_is_wildcard(b))
		return str_ends(a, b + 1);
	return str_equal(a, b);
}

bool hostname_is_within(const char *a, const char *b)
{
	if (a == NULL || b == NULL || (hostname_is_wildcard(a) && !hostname_is_wildcard(b)))
		return false;
	if (hostname_is_wildcard(a))
		return strlen(a) >= strlen(b) && str_ends(a + 1, b + 1);
	return hostname_overlaps(a, b);
}

bool hostname_is_closer(const char *a, const char *b)
{
	if (hostname_is_wildcard(a) != hostname_is_wildcard(b))
		return hostname_is_wildcard(b);
	if (strlen(a) != strlen(b))
		return strlen(a) > strlen(b);
	return strcmp(a, b) < 0;
}

/* A name without a dot is completed, but "*" and an IPv6 address are none. */
static bool is_short(const char *name)
{
	return strpbrk(name, ".:") == NULL && !str_equal(name, "*");
}

char *hostname_complete(const char *name, const char *namespace, const char *cluster_domain)
{
	if (str_empty(name) || !is_short(name))
		return mem_strdup(name == NULL ? "" : name);
	return mem_format("%s.%s.svc.%s", name, namespace, cluster_domain);
}

char *gateway_complete(const char *name, const char *namespace)
{
	if (str_equal(name, MESH))
		return mem_strdup(name);
	if (str_starts(name, "./"))
		return mem_format("%s/%s", namespace, name + 2);
	const char *dot = strchr(name, '.');
	if (strchr(name, '/') != NULL)
		return mem_strdup(name);
	if (dot == NULL)
		return mem_format("%s/%s", namespace, name);
	/* The old form: name.namespace.svc.domain. */
	int length = (int)strcspn(dot + 1, ".");
	return mem_format("%.*s/%.*s", length, dot + 1, (int)(dot - name), name);
}

char *hostname_lower(const char *name)
{
	char *lower = mem_strdup(name);
	for (char *c = lower; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

char *hostname_without_port(const char *authority)
{
	const char *colon = strrchr(authority, ':');
	const char *bracket = strrchr(authority, ']');
	if (colon == NULL || (bracket != NULL && bracket > colon))
		return mem_strdup(authority);
	return mem_strndup(authority, (size_t)(colon - authority));
}

int hostname_fit(const char *domain, const char *host)
{
	if (str_equal(domain, host))
		return HOST_FITS_EXACTLY;
	if (!hostname_is_wildcard(domain) || strlen(host) < strlen(domain) ||
		!str_ends(host, domain + 1))
		return 0;
	return (int)strlen(domain);
}
