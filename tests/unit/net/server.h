/*
 * An HTTP server for tests, in a thread: it gives the answers of a script, in their order, one to
 * each request, whatever the request is, and keeps the requests. On loopback, at a free port.
 */
#ifndef TESTS_UNIT_NET_SERVER_H
#define TESTS_UNIT_NET_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

struct answer {
	int status; /* 0: close the connection without a word */
	const char *headers;
	const char *body;
	size_t body_length; /* 0: that of the text */
	bool chunked;	    /* end the answer with the connection's end instead of a length */
	bool hold;	    /* send the headers and the body, then wait until the client goes */
	bool cut;	    /* promise more than there is, then close */
	volatile sig_atomic_t *flag; /* set when the request has come */
};

#define SERVER_MAXIMUM_REQUESTS 16

struct server {
	int listener, port, connections;
	const struct answer *answers;
	size_t count, served;
	char *requests[SERVER_MAXIMUM_REQUESTS];
	pthread_t thread;
	char url[64];
};

static inline void server_send(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* The head and body of the next request, or NULL at the connection's end. */
static inline char *server_read(int fd)
{
	struct buf text = BUF_INIT(1 << 20);
	size_t wanted = 0;
	while (wanted == 0 || text.length < wanted) {
		char chunk[4096];
		ssize_t count = recv(fd, chunk, sizeof(chunk), 0);
		if (count <= 0) {
			buf_release(&text);
			return NULL;
		}
		buf_add(&text, chunk, (size_t)count);
		const char *end = strstr(text.text, "\r\n\r\n");
		if (end == NULL)
			continue;
		const char *length = strcasestr(text.text, "\r\ncontent-length:");
		wanted = (size_t)(end + 4 - text.text);
		if (length != NULL && length < end)
			wanted += strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	}
	return buf_take(&text);
}

/* Returns whether the connection stays. */
static inline bool server_answer(int fd, const struct answer *answer)
{
	if (answer->flag != NULL)
		*answer->flag = 1;
	if (answer->status == 0)
		return false;
	const char *body = answer->body != NULL ? answer->body : "";
	size_t length = answer->body_length > 0 ? answer->body_length : strlen(body);
	bool open_end = answer->chunked || answer->hold;
	struct buf head = BUF_INIT(1 << 16);
	buf_addf(&head, "HTTP/1.1 %d X\r\n%s", answer->status,
		answer->headers != NULL ? answer->headers : "");
	if (open_end)
		buf_add_text(&head, "Connection: close\r\n\r\n");
	else
		buf_addf(&head, "Content-Length: %zu\r\n\r\n", length + (answer->cut ? 10 : 0));
	server_send(fd, head.text, head.length);
	server_send(fd, body, length);
	buf_release(&head);
	char byte;
	while (answer->hold && recv(fd, &byte, 1, 0) > 0)
		continue;
	return !open_end && !answer->cut;
}

static inline void *server_run(void *data)
{
	struct server *server = data;
	int fd = -1;
	while (server->served < server->count) {
		if (fd < 0)
			fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		char *request = server_read(fd);
		bool stays = false;
		if (request != NULL) {
			const struct answer *answer = &server->answers[server->served];
			server->requests[server->served++] = request;
			stays = server_answer(fd, answer);
		}
		if (!stays) {
			server->connections++;
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0) {
		server->connections++;
		close(fd);
	}
	/* Who comes now shall be refused, not wait. */
	(void)shutdown(server->listener, SHUT_RDWR);
	return NULL;
}

static inline void server_start(struct server *server, const struct answer *answers, size_t count)
{
	*server = (struct server){.answers = answers, .count = count};
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	assert_true(count <= SERVER_MAXIMUM_REQUESTS);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->listener >= 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
	server->port = ntohs(address.sin_port);
	(void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", server->port);
	assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

/* Ends the thread. The requests that came stay for the test to look at. */
static inline void server_stop(struct server *server)
{
	(void)shutdown(server->listener, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	close(server->listener);
}

static inline void server_release(struct server *server)
{
	for (size_t i = 0; i < server->served; i++)
		free(server->requests[i]);
}

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (strstr((text), (part)) == NULL)                                                \
			fail_msg("\"%s\" is not in: %s", (part), (text));                          \
	} while (0)

#endif
