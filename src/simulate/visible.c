#include "simulate/visible.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulate/resolve.h"

void object_list_release(struct object_list *list)
{
	free(list->items);
	*list = (struct object_list){0};
}

static void add(struct object_list *list, const json *object)
{
	list->items = mem_grow(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = object;
}

static const json *gateways_of(const json *virtualservice)
{
	return json_path(virtualservice, "spec", "gateways", NULL);
}

static bool is_for_gateway(const json *virtualservice, const char *gateway)
{
	if (json_count(gateways_of(virtualservice)) == 0)
		return str_equal(gateway, MESH_GATEWAY);
	return array_has_text(gateways_of(virtualservice), gateway);
}

enum reach { REACH_PRIVATE, REACH_NAMED, REACH_ALL, REACH_NOT };

static enum reach reach_of(const json *virtualservice, const char *namespace)
{
	const json *targets = json_path(virtualservice, "spec", "exportTo", NULL);
	if (!is_exported_to(virtualservice, namespace))
		return REACH_NOT;
	if (json_count(targets) == 0 || array_has_text(targets, "*"))
		return REACH_ALL;
	return str_equal(object_space(virtualservice), namespace) ? REACH_PRIVATE : REACH_NAMED;
}

struct object_list visible_virtualservices(const json *resolved, const struct request *request)
{
	struct object_list list = {0};
	for (int reach = REACH_PRIVATE; reach <= REACH_ALL; reach++)
		json_for_each (virtualservice, resolved)
			if (is_for_gateway(virtualservice, request->gateway) &&
				(int)reach_of(virtualservice, request->client_namespace) == reach)
				add(&list, virtualservice);
	return list;
}

static void add_gateways(struct buf *buf, const json *virtualservice)
{
	const json *gateways = gateways_of(virtualservice);
	if (json_count(gateways) == 0)
		buf_add_text(buf, "the mesh");
	json_for_each (gateway, gateways)
		buf_addf(buf, "%s%s", gateway == json_first(gateways) ? "" : ", ",
			json_text(gateway));
}

char *why_not_visible(const json *virtualservice, const struct request *request)
{
	if (!is_for_gateway(virtualservice, request->gateway)) {
		AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
		buf_add_text(&text, "it is for ");
		add_gateways(&text, virtualservice);
		buf_addf(&text, "; the request comes from %s%s",
			request_is_from_mesh(request) ? "the " : "gateway ", request->gateway);
		return mem_strdup(buf_text(&text));
	}
	if (reach_of(virtualservice, request->client_namespace) == REACH_NOT)
		return mem_format(
			"its exportTo does not reach namespace %s", request->client_namespace);
	return NULL;
}
