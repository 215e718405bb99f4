#include "simulate/subnet.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

/* An address as bits; `bits` is 32 or 128, 0 for what is none. */
struct address {
	unsigned char bytes[16];
	int bits;
};

static struct address parse_address(const char *text)
{
	struct address address = {0};
	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.bits = 32;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.bits = 128;
	return address;
}

static bool same_prefix(const struct address *a, const struct address *b, int length)
{
	int whole = length / 8, rest = length % 8;
	if (memcmp(a->bytes, b->bytes, (size_t)whole) != 0)
		return false;
	int mask = rest == 0 ? 0 : 0xff << (8 - rest);
	return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask & 0xff) == 0;
}

int subnet_fit(const char *subnet, const char *address)
{
	if (subnet == NULL || address == NULL)
		return -1;
	const char *slash = strchr(subnet, '/');
	AUTO_STRING base =
		slash == NULL ? mem_strdup(subnet) : mem_strndup(subnet, (size_t)(slash - subnet));
	struct address net = parse_address(base), one = parse_address(address);
	int64_t length = net.bits;
	if (net.bits == 0 || net.bits != one.bits ||
		(slash != NULL && parse_int(slash + 1, 0, net.bits, &length, NULL) != 0))
		return -1;
	return same_prefix(&net, &one, (int)length) ? (int)length : -1;
}
