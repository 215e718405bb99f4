/* istiod: ConvertProtocol (pkg/config/kube/conversion.go). */
#include "simulate/protocol.h"

#include "unit/traffic/trees.h"

static void protocols_of_ports(void **state)
{
	(void)state;
	static const struct {
		const char *port;
		enum protocol protocol;
	} cases[] = {
		{"{'port': 80}", PROTOCOL_SNIFFED},
		{"{'port': 80, 'name': 'http'}", PROTOCOL_HTTP},
		{"{'port': 80, 'name': 'http-web'}", PROTOCOL_HTTP},
		{"{'port': 80, 'name': 'httpweb'}", PROTOCOL_SNIFFED},
		{"{'port': 80, 'name': 'grpc-web-x'}", PROTOCOL_HTTP},
		{"{'port': 80, 'name': 'http2'}", PROTOCOL_HTTP},
		{"{'port': 80, 'name': 'https-x'}", PROTOCOL_TLS},
		{"{'port': 80, 'name': 'tls'}", PROTOCOL_TLS},
		{"{'port': 80, 'name': 'tcp-x'}", PROTOCOL_TCP},
		{"{'port': 80, 'name': 'http', 'appProtocol': 'tcp'}", PROTOCOL_TCP},
		{"{'port': 80, 'name': 'tcp', 'appProtocol': 'HTTP'}", PROTOCOL_HTTP},
		{"{'port': 80, 'name': 'tcp', 'appProtocol': 'kubernetes.io/h2c'}", PROTOCOL_HTTP},
		{"{'port': 80, 'appProtocol': 'kubernetes.io/wss'}", PROTOCOL_TLS},
		{"{'port': 80, 'appProtocol': 'example.com/own'}", PROTOCOL_SNIFFED},
		{"{'port': 3306}", PROTOCOL_TCP},
		{"{'port': 3306, 'name': 'http'}", PROTOCOL_HTTP},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_JSON port = tree(cases[i].port);
		if (service_port_protocol(port) != cases[i].protocol)
			fail_msg("%s", cases[i].port);
	}
}

static void ports_by_number(void **state)
{
	(void)state;
	AUTO_JSON service = tree("{'spec': {'ports': ["
				 "{'port': 53, 'protocol': 'UDP'}, {'port': 53, 'name': 'tcp'},"
				 "{'port': 69, 'protocol': 'UDP'}]}}");
	assert_string_equal(json_get_text(service_port(service, 53), "name"), "tcp");
	assert_null(service_port(service, 69));
	assert_null(service_port(NULL, 53));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_of_ports),
		cmocka_unit_test(ports_by_number),
	};
	return cmocka_run_group_tests_name("simulate/protocol", tests, NULL, NULL);
}
