#include "simulate/protocol.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const struct {
	const char *name;
	enum protocol protocol;
} NAMES[] = {
	{"http", PROTOCOL_HTTP},
	{"http2", PROTOCOL_HTTP},
	{"http_proxy", PROTOCOL_HTTP},
	{"grpc", PROTOCOL_HTTP},
	{"grpc-web", PROTOCOL_HTTP},
	{"https", PROTOCOL_TLS},
	{"tls", PROTOCOL_TLS},
	{"tcp", PROTOCOL_TCP},
	{"mongo", PROTOCOL_TCP},
	{"redis", PROTOCOL_TCP},
	{"mysql", PROTOCOL_TCP},
};

/* Values of appProtocol that Kubernetes defines. */
static const struct {
	const char *name;
	enum protocol protocol;
} KUBERNETES_NAMES[] = {
	{"kubernetes.io/h2c", PROTOCOL_HTTP},
	{"kubernetes.io/ws", PROTOCOL_HTTP},
	{"kubernetes.io/wss", PROTOCOL_TLS},
};

/* Where the server speaks first: looking at what is sent would wait for ever. */
static const int NEVER_SNIFFED[] = {25, 53, 3306, 27017};

static enum protocol named(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		if (strlen(NAMES[i].name) == length &&
			strncasecmp(NAMES[i].name, name, length) == 0)
			return NAMES[i].protocol;
	return PROTOCOL_SNIFFED;
}

enum protocol protocol_named(const char *name)
{
	return name == NULL ? PROTOCOL_SNIFFED : named(name, strlen(name));
}

enum protocol service_port_protocol(const json *port)
{
	const char *application = json_get_text(port, "appProtocol");
	const char *name = application != NULL ? application : json_get_text(port, "name");
	for (size_t i = 0; i < COUNT_OF(KUBERNETES_NAMES); i++)
		if (str_equal(KUBERNETES_NAMES[i].name, application))
			return KUBERNETES_NAMES[i].protocol;
	if (name != NULL && strncasecmp(name, "grpc-web", strlen("grpc-web")) == 0)
		return PROTOCOL_HTTP;
	enum protocol protocol = name == NULL ? PROTOCOL_SNIFFED : named(name, strcspn(name, "-"));
	int64_t number = json_get_integer(port, "port", 0);
	for (size_t i = 0; i < COUNT_OF(NEVER_SNIFFED); i++)
		if (protocol == PROTOCOL_SNIFFED && number == NEVER_SNIFFED[i])
			return PROTOCOL_TCP;
	return protocol;
}

bool protocol_is_http(enum protocol protocol)
{
	return protocol == PROTOCOL_HTTP || protocol == PROTOCOL_SNIFFED;
}

const json *service_port(const json *service, int number)
{
	json_for_each (port, json_path(service, "spec", "ports", NULL))
		if (json_get_integer(port, "port", 0) == number &&
			!str_equal(json_get_text(port, "protocol"), "UDP"))
			return port;
	return NULL;
}
