#include <stdio.h>

#include "api/object.h"
#include "base/mem.h"
#include "kube/internal.h"
#include "kube/url.h"

#define CHUNK "500"

enum { MAXIMUM_ITEMS = 200000 };

/* One chunk: from the start (continue_token NULL) or from where the last one ended. */
static int get_chunk(struct kube_client *client, const struct query *query, const char *limit,
	const char *continue_token, json **ret, struct err *err)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_query(&path, query);
	if (limit != NULL)
		url_add_parameter(&path, "limit", limit);
	if (continue_token != NULL)
		url_add_parameter(&path, "continue", continue_token);
	return kube_client_get(client, buf_text(&path), ret, err);
}

static void move_items(json *from, json *to)
{
	json *items = json_ensure_array(to, "items");
	for (json *item; (item = json_detach_at(list_items(from), 0)) != NULL;)
		json_append(items, item);
}

/* All chunks in one list, with the metadata of the last. ERR_EXPIRED when the server has forgotten
 * the version that the first chunk was of. */
static int get_all(struct kube_client *client, const struct query *query, const char *limit,
	json **ret, struct err *err)
{
	AUTO_JSON list = NULL;
	int code = get_chunk(client, query, limit, NULL, &list, err);
	if (code != 0)
		return code;
	size_t count = json_count(list_items(list));
	for (;;) {
		const char *token = json_path_text(list, "metadata", "continue", NULL);
		if (str_empty(token))
			break;
		AUTO_JSON chunk = NULL;
		code = get_chunk(client, query, limit, token, &chunk, err);
		if (code != 0)
			return code;
		count += json_count(list_items(chunk));
		if (count > MAXIMUM_ITEMS)
			return err_set(err, ERR_FAILED, "more than %d %s", MAXIMUM_ITEMS,
				query->kind->plural);
		json_set(list, "metadata", json_detach(chunk, "metadata"));
		move_items(chunk, list);
	}
	*ret = list;
	list = NULL;
	return 0;
}

/* Items come without apiVersion and kind, which the list has for all of them. */
static void complete_items(json *list, const struct kind *kind)
{
	json_for_each (item, json_ensure_array(list, "items")) {
		json_set_text(item, "apiVersion", kind->version);
		json_set_text(item, "kind", kind->name);
	}
}

int kube_list(void *context, const struct query *query, json **ret, struct err *err)
{
	struct kube_client *client = context;
	json *list = NULL;
	int code = get_all(client, query, CHUNK, &list, err);
	/* The second time in one piece, which cannot expire half-way. */
	if (code == ERR_EXPIRED)
		code = get_all(client, query, NULL, &list, err);
	if (code != 0)
		return code;
	json *metadata = json_ensure_object(list, "metadata");
	json_remove(metadata, "continue");
	json_remove(metadata, "remainingItemCount");
	complete_items(list, query->kind);
	*ret = list;
	return 0;
}
