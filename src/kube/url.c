#include "kube/url.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

void url_add_escaped(struct buf *url, const char *text)
{
	static const char HEX[] = "0123456789ABCDEF";
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL)) {
			buf_add_char(url, *p);
		} else {
			buf_add_char(url, '%');
			buf_add_char(url, HEX[c >> 4]);
			buf_add_char(url, HEX[c & 15]);
		}
	}
}

void url_add_parameter(struct buf *url, const char *name, const char *value)
{
	bool first = strchr(buf_text(url), '?') == NULL;
	buf_addf(url, "%c%s=", first ? '?' : '&', name);
	url_add_escaped(url, value);
}

void url_add_group_version(struct buf *url, const struct kind *kind)
{
	/* Only the core group has versions without a group in front. */
	bool core = strchr(kind->version, '/') == NULL;
	buf_addf(url, "/%s/%s", core ? "api" : "apis", kind->version);
}

void url_add_resource(
	struct buf *url, const struct kind *kind, const char *namespace, const char *name)
{
	url_add_group_version(url, kind);
	if (namespace != NULL) {
		buf_add_text(url, "/namespaces/");
		url_add_escaped(url, namespace);
	}
	buf_addf(url, "/%s", kind->plural);
	if (name != NULL) {
		buf_add_char(url, '/');
		url_add_escaped(url, name);
	}
}

void url_add_query(struct buf *url, const struct query *query)
{
	url_add_resource(url, query->kind, query->namespace, NULL);
	if (query->name != NULL) {
		AUTO_STRING field = mem_format("metadata.name=%s", query->name);
		url_add_parameter(url, "fieldSelector", field);
	}
	if (query->label_selector != NULL)
		url_add_parameter(url, "labelSelector", query->label_selector);
}
