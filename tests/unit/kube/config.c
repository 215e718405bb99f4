#include "kube/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

static char directory[] = "/tmp/batchrollout-config-XXXXXX";

static char *path_of(const char *name)
{
	return mem_format("%s/%s", directory, name);
}

static void write_file(const char *name, const char *content)
{
	AUTO_STRING path = path_of(name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL || chdir(directory) != 0 || mkdir("sub", 0700) != 0)
		return -1;
	write_file("one", "apiVersion: v1\nkind: Config\ncurrent-context: first\n"
			  "contexts:\n"
			  "- name: first\n  context: {cluster: c1, user: u1, namespace: shop}\n"
			  "- name: nowhere\n  context: {cluster: missing, user: u1}\n"
			  "- name: nobody\n  context: {cluster: c1, user: missing}\n"
			  "clusters:\n"
			  "- name: c1\n  cluster:\n    server: https://one:6443/\n"
			  "    certificate-authority-data: Q0E=\n    tls-server-name: inner\n"
			  "    proxy-url: socks5://proxy:1080\n    disable-compression: true\n"
			  "users:\n"
			  "- name: u1\n  user: {token: secret-one, as: boss, as-uid: '7', "
			  "as-groups: [g1, g2]}\n");
	write_file("sub/two",
		"current-context: second\n"
		"contexts:\n"
		"- name: first\n  context: {cluster: c2, user: u2}\n"
		"- name: second\n  context: {cluster: c2, user: u2}\n"
		"clusters:\n"
		"- name: c1\n  cluster: {server: https://wrong}\n"
		"- name: c2\n  cluster: {server: https://two, certificate-authority: ca.pem}\n"
		"users:\n"
		"- name: u2\n  user:\n    client-certificate: cert.pem\n    client-key-data: S0VZ\n"
		"    tokenFile: ../token\n"
		"- name: cloud\n  user: {exec: {command: login}}\n"
		"- name: extra\n  user: {token: x, as: a, as-user-extra: {k: [v]}}\n"
		"- name: keyless\n  user: {client-certificate: cert.pem}\n"
		"- name: broken\n  user: {client-certificate-data: '*secret*'}\n");
	write_file("sub/ca.pem", "CA two");
	write_file("sub/cert.pem", "CERT");
	write_file("token", "file-token\n");
	write_file("namespace", "pods-own\n");
	write_file("ca.crt", "CLUSTER CA");
	write_file("empty", "");
	write_file("list", "- a\n");
	write_file("pod", "kind: Pod\n");
	write_file("nameless", "users: [{user: {token: secret}}]\n");
	write_file("not-a-list", "clusters: {a: b}\n");
	write_file("syntax", "a: [\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const NAMES[] = {"one", "sub/two", "sub/ca.pem", "sub/cert.pem", "token",
		"namespace", "ca.crt", "empty", "list", "pod", "nameless", "not-a-list", "syntax",
		"sub"};
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		AUTO_STRING path = path_of(NAMES[i]);
		(void)remove(path);
	}
	return chdir("/") != 0 || rmdir(directory) != 0;
}

static int load(const struct kube_flags *flags, const char *kubeconfig, struct kube_config *ret,
	struct err *err)
{
	struct kube_environment environment = {.kubeconfig = kubeconfig, .home = "/nonexistent"};
	return kube_config_load(flags, &environment, ret, err);
}

#define LOAD(config, kubeconfig, ...)                                                              \
	do {                                                                                       \
		struct err err_ = {0};                                                             \
		struct kube_flags flags_ = {__VA_ARGS__};                                          \
		if (load(&flags_, (kubeconfig), &(config), &err_) != 0)                            \
			fail_msg("%s", err_.message);                                              \
	} while (0)

#define FAULT(part, kubeconfig, ...)                                                               \
	do {                                                                                       \
		struct err err_ = {0};                                                             \
		struct kube_config config_ = {0};                                                  \
		struct kube_flags flags_ = {__VA_ARGS__};                                          \
		assert_int_not_equal(load(&flags_, (kubeconfig), &config_, &err_), 0);             \
		if (strstr(err_.message, (part)) == NULL)                                          \
			fail_msg("\"%s\" is not in: %s", (part), err_.message);                    \
		assert_null(strstr(err_.message, "secret"));                                       \
	} while (0)

static void takes_the_current_context(void **state)
{
	(void)state;
	struct kube_config config;
	LOAD(config, "one", 0);
	assert_string_equal(config.server, "https://one:6443");
	assert_string_equal(config.namespace, "shop");
	assert_string_equal(config.certificate_authority.bytes, "CA");
	assert_int_equal(config.certificate_authority.length, 2);
	assert_string_equal(config.tls_server_name, "inner");
	assert_string_equal(config.proxy_url, "socks5://proxy:1080");
	assert_true(config.disable_compression);
	assert_string_equal(config.token, "secret-one");
	assert_string_equal(config.as, "boss");
	assert_string_equal(config.as_uid, "7");
	assert_string_equal(config.as_groups[1], "g2");
	assert_null(config.as_groups[2]);
	kube_config_release(&config);
	assert_null(config.token);
}

static void merges_whole_stanzas_and_the_first_wins(void **state)
{
	(void)state;
	struct kube_config config;
	LOAD(config, "missing::one:sub/two", 0);
	assert_string_equal(config.server, "https://one:6443");
	kube_config_release(&config);
	LOAD(config, "missing:one:sub/two", .context = "second");
	assert_string_equal(config.server, "https://two");
	assert_string_equal(config.namespace, "default");
	kube_config_release(&config);
	LOAD(config, "sub/two:one", 0);
	assert_string_equal(config.server, "https://two");
	kube_config_release(&config);
	LOAD(config, "sub/two:one", .context = "first");
	assert_string_equal(config.server, "https://two");
	/* Of cluster c1, nothing comes from the second file. */
	kube_config_release(&config);
	LOAD(config, "sub/two:one", .cluster = "c1");
	assert_string_equal(config.server, "https://wrong");
	assert_int_equal(config.certificate_authority.length, 0);
	kube_config_release(&config);
}

static void finds_files_beside_the_kubeconfig(void **state)
{
	(void)state;
	struct kube_config config;
	LOAD(config, "one", .kubeconfig = "sub/two");
	assert_string_equal(config.certificate_authority.bytes, "CA two");
	assert_string_equal(config.client_certificate.bytes, "CERT");
	assert_string_equal(config.client_key.bytes, "KEY");
	assert_string_equal(config.token_file, "sub/../token");
	kube_config_release(&config);
}

static void lets_flags_override(void **state)
{
	(void)state;
	const char *const groups[] = {"ops", NULL};
	struct kube_config config;
	LOAD(config, "one:sub/two", .context = "second", .user = "u2", .cluster = "c1",
		.namespace = "other", .server = "https://flag:1", .token = "flag-token", .as = "me",
		.as_groups = groups, .request_timeout = "1m30s", .insecure_skip_tls_verify = true);
	assert_string_equal(config.server, "https://flag:1");
	assert_string_equal(config.namespace, "other");
	assert_string_equal(config.token, "flag-token");
	assert_null(config.token_file);
	assert_null(config.tls_server_name);
	assert_string_equal(config.as, "me");
	assert_string_equal(config.as_groups[0], "ops");
	assert_int_equal(config.request_timeout_ms, 90000);
	assert_true(config.insecure_skip_tls_verify);
	assert_int_equal(config.certificate_authority.length, 0);
	kube_config_release(&config);
	LOAD(config, "one", .certificate_authority = "sub/ca.pem", .request_timeout = "5",
		.tls_server_name = "name");
	assert_string_equal(config.certificate_authority.bytes, "CA two");
	assert_string_equal(config.tls_server_name, "name");
	assert_int_equal(config.request_timeout_ms, 5000);
	kube_config_release(&config);
}

static void needs_no_file_when_the_server_is_named(void **state)
{
	(void)state;
	struct kube_config config;
	LOAD(config, "missing", .server = "localhost:8001//");
	assert_string_equal(config.server, "http://localhost:8001");
	kube_config_release(&config);
	LOAD(config, NULL, .server = "host", .insecure_skip_tls_verify = true);
	assert_string_equal(config.server, "https://host");
	kube_config_release(&config);
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	FAULT("context \"x\" does not exist in one:sub/two", "one:sub/two", .context = "x");
	FAULT("cluster \"missing\" does not exist in one", "one", .context = "nowhere");
	FAULT("user \"missing\" does not exist in one", "one", .context = "nobody");
	FAULT("user \"z\" does not exist in one", "one", .user = "z");
	FAULT("open absent: No such file or directory", "one", .kubeconfig = "absent");
	FAULT("no cluster is configured: point --kubeconfig", "absent:empty", 0);
	FAULT("no cluster is configured", NULL, 0);
	FAULT("list is not a kubeconfig file", "list", 0);
	FAULT("pod is not a kubeconfig file but a Pod", "pod", 0);
	FAULT("nameless: an element of users has no name", "nameless", 0);
	FAULT("not-a-list: clusters is not a list", "not-a-list", 0);
	FAULT("kubeconfig syntax: yaml: line 2", "syntax", 0);
	FAULT("user \"cloud\" in sub/two: logs in by \"exec\", which is not supported yet",
		"sub/two", .user = "cloud");
	FAULT("as-user-extra is not supported", "sub/two", .user = "extra");
	FAULT("the client certificate is there without its key", "sub/two", .user = "keyless");
	FAULT("user \"broken\" in sub/two: client-certificate-data: not base64", "sub/two",
		.user = "broken");
	FAULT("--request-timeout: \"soon\"", "one", .request_timeout = "soon");
	FAULT("--client-key: open absent", "one", .client_key = "absent");
	FAULT("with the insecure flag is not allowed", "one", .insecure_skip_tls_verify = true,
		.certificate_authority = "sub/ca.pem");
}

static void takes_the_service_account(void **state)
{
	(void)state;
	struct kube_environment environment = {.service_host = "fd00::1",
		.service_port = "443",
		.service_account_directory = directory};
	struct kube_flags flags = {0};
	struct kube_config config;
	AUTO_STRING token = path_of("token");
	assert_int_equal(kube_config_load(&flags, &environment, &config, NULL), 0);
	assert_string_equal(config.server, "https://[fd00::1]:443");
	assert_string_equal(config.namespace, "pods-own");
	assert_string_equal(config.token_file, token);
	assert_string_equal(config.certificate_authority.bytes, "CLUSTER CA");
	kube_config_release(&config);
	flags.namespace = "flag";
	environment.service_host = "10.0.0.1";
	assert_int_equal(kube_config_load(&flags, &environment, &config, NULL), 0);
	assert_string_equal(config.server, "https://10.0.0.1:443");
	assert_string_equal(config.namespace, "flag");
	kube_config_release(&config);
	/* A kubeconfig goes before. */
	environment.kubeconfig = "one";
	assert_int_equal(kube_config_load(&flags, &environment, &config, NULL), 0);
	assert_string_equal(config.server, "https://one:6443");
	kube_config_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_current_context),
		cmocka_unit_test(merges_whole_stanzas_and_the_first_wins),
		cmocka_unit_test(finds_files_beside_the_kubeconfig),
		cmocka_unit_test(lets_flags_override),
		cmocka_unit_test(needs_no_file_when_the_server_is_named),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(takes_the_service_account),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
