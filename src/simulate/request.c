#include "simulate/request.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulate/hostname.h"

bool request_is_from_mesh(const struct request *request)
{
	return str_equal(request->gateway, MESH_GATEWAY);
}

/* --- the path ------------------------------------------------------------------------------- */

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* The length of a dot at the beginning of text, also of an encoded one; 0 for anything else. */
static size_t dot_length(const char *text, const char *end)
{
	if (text < end && *text == '.')
		return 1;
	if (end - text >= 3 && text[0] == '%' && text[1] == '2' && (text[2] | ' ') == 'e')
		return 3;
	return 0;
}

/* How much of text is a segment "." or ".." with its slash; 0 for others. As Envoy does it, dots
 * that are not encoded may be followed by parameters: "..;a=b". ret_dots: 1 or 2. */
static size_t dot_segment(const char *text, const char *end, int *ret_dots)
{
	const char *at = text;
	int dots = 0;
	for (; dots < 2 && dot_length(at, end) > 0; dots++)
		at += dot_length(at, end);
	bool plain = at - text == dots;
	if (dots == 0 || (at < end && !is_slash(*at) && !(*at == ';' && plain)))
		return 0;
	while (at < end && !is_slash(*at))
		at++;
	*ret_dots = dots;
	return (size_t)(at - text) + (at < end ? 1 : 0);
}

/* Back to the slash before the last segment: "/a/b/" becomes "/a/". */
static void remove_segment(struct buf *path)
{
	if (path->length <= 1)
		return;
	size_t length = path->length - 1;
	while (length > 1 && path->text[length - 1] != '/')
		length--;
	path->length = length;
	path->text[length] = '\0';
}

static int hex_digit(char c)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(DIGITS, tolower((unsigned char)c));
	return found == NULL ? -1 : (int)(found - DIGITS);
}

/* Adds one character, decoding what needs no encoding and encoding what does. Returns how much of
 * text that was. */
static size_t add_character(struct buf *path, const char *text, const char *end)
{
	if (is_slash(*text)) {
		buf_add_char(path, '/');
		return 1;
	}
	int high = end - text >= 3 && *text == '%' ? hex_digit(text[1]) : -1;
	int low = high >= 0 ? hex_digit(text[2]) : -1;
	int decoded = low >= 0 ? high * 16 + low : 0;
	if (decoded > 0 && decoded < 0x80 &&
		(isalnum(decoded) || strchr("-._~", decoded) != NULL)) {
		buf_add_char(path, (char)decoded);
		return 3;
	}
	if (strchr("\"<>^`{|}", *text) != NULL)
		buf_addf(path, "%%%02X", (unsigned char)*text);
	else
		buf_add_char(path, *text);
	return 1;
}

char *request_path(const struct request *request)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	const char *text = request->path;
	const char *end = text + strcspn(text, "?#");
	while (text < end) {
		int dots = 0;
		size_t length = 0;
		if (path.length > 0 && path.text[path.length - 1] == '/')
			length = dot_segment(text, end, &dots);
		if (length == 0) {
			text += add_character(&path, text, end);
			continue;
		}
		if (dots == 2)
			remove_segment(&path);
		text += length;
	}
	return mem_strdup(buf_text(&path));
}

char *request_query_value(const struct request *request, const char *name)
{
	const char *query = strchr(request->path, '?');
	if (query == NULL)
		return NULL;
	CLEANUP(str_list_release) struct str_list pairs = {0};
	AUTO_STRING text = mem_strndup(query + 1, strcspn(query + 1, "#"));
	str_split(text, '&', &pairs);
	for (size_t i = 0; i < pairs.count; i++) {
		const char *pair = pairs.items[i];
		size_t length = strcspn(pair, "=");
		if (length == strlen(name) && strncmp(pair, name, length) == 0)
			return mem_strdup(pair[length] == '=' ? pair + length + 1 : "");
	}
	return NULL;
}

/* --- headers -------------------------------------------------------------------------------- */

/* A sidecar believes its application's x-forwarded-proto; a gateway writes its own. */
static char *scheme_of(const struct request *request)
{
	const char *claimed = json_get_text(request->headers, "x-forwarded-proto");
	bool known = str_equal(claimed, "http") || str_equal(claimed, "https");
	return mem_strdup(request_is_from_mesh(request) && known ? claimed : request->scheme);
}

static char *method_of(const struct request *request)
{
	return mem_strdup(request->method);
}

static char *host_of(const struct request *request)
{
	return mem_strdup(request->host);
}

static char *whole_path(const struct request *request)
{
	AUTO_STRING path = request_path(request);
	const char *query = strchr(request->path, '?');
	return mem_format("%s%s", path, query == NULL ? "" : query);
}

/* What is not among the headers, but can be asked for like one. */
static const struct {
	const char *name;
	char *(*value)(const struct request *request);
} PSEUDO_HEADERS[] = {
	{":authority", host_of},
	{":method", method_of},
	{":path", whole_path},
	{":scheme", scheme_of},
	{"host", host_of},
};

/* Headers that proxies add before they look for a route. */
static void add_by_proxy(json *values, const struct request *request, const char *name)
{
	if (str_equal(name, "x-forwarded-proto")) {
		AUTO_STRING scheme = scheme_of(request);
		json_append(values, json_string(scheme));
	}
	if (str_equal(name, "x-request-id") ||
		(str_equal(name, "x-forwarded-for") && !request_is_from_mesh(request)))
		json_append(values, json_null());
}

json *request_header_values(const struct request *request, const char *name)
{
	AUTO_STRING lower = hostname_lower(name);
	json *values = json_array();
	for (size_t i = 0; i < COUNT_OF(PSEUDO_HEADERS); i++) {
		if (!str_equal(PSEUDO_HEADERS[i].name, lower))
			continue;
		AUTO_STRING value = PSEUDO_HEADERS[i].value(request);
		json_append(values, json_string(value));
		return values;
	}
	/* A gateway writes its own over the client's. */
	bool believed = request_is_from_mesh(request) || !str_equal(lower, "x-forwarded-proto");
	const json *given = believed ? json_get(request->headers, lower) : NULL;
	if (json_is_array(given))
		json_for_each (value, given)
			json_append(values, json_copy(value));
	else if (given != NULL)
		json_append(values, json_copy(given));
	if (given == NULL)
		add_by_proxy(values, request, lower);
	return values;
}
