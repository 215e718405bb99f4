#include "release/configs.h"

#include "api/object.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/config_document.h"

const json *config_copies(const struct record *record)
{
	return json_get(record->configs, "copies");
}

const json *config_older(const struct record *record)
{
	return json_get(record->configs, "older");
}

static bool are_sound(const json *entries)
{
	if (!json_is_array(entries))
		return false;
	json_for_each (entry, entries)
		if (config_kind(json_get_text(entry, "kind")) == NULL ||
			str_empty(json_get_text(entry, "copy")))
			return false;
	return true;
}

bool configs_are_sound(const json *configs)
{
	return configs == NULL ||
	       (are_sound(json_get(configs, "copies")) && are_sound(json_get(configs, "older")));
}

bool is_config_copy(const json *object, const struct record *record)
{
	return object_label(object, CONFIG_LABEL) != NULL &&
	       check_is_own(&KIND_CONFIG_MAP, object, record, NULL) == 0;
}

enum source config_source(const json *entry)
{
	return config_kind(json_get_text(entry, "kind")) == &KIND_SECRET ? SEEN_SECRETS
									 : SEEN_CONFIG_MAPS;
}

void configs_describe(const json *entries, struct buf *buf)
{
	const char *separator = "";
	json_for_each (entry, entries) {
		buf_addf(buf, "%s%s/%s", separator,
			config_kind(json_get_text(entry, "kind"))->singular,
			json_get_text(entry, "copy"));
		separator = ", ";
	}
}
