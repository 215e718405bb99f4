#include "traffic/sticky.h"

#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "data/regex.h"
#include "traffic/cookie.h"

#define SET_COOKIE "set-cookie"
/* Longer than most releases take; a browser that is closed meanwhile keeps it. */
#define COOKIE_SECONDS (7 * 24 * 60 * 60)

static char *cookie_name(const struct intent *intent)
{
	return mem_format(OWN_PREFIX "%s.%s", intent->service, intent->namespace);
}

static const char *round_of(const struct intent *intent)
{
	return intent->sticky_round != NULL ? intent->sticky_round : intent->canary_version;
}

void sticky_set_cookie(json *entry, int step, const struct intent *intent)
{
	AUTO_STRING name = cookie_name(intent);
	AUTO_STRING cookie = mem_format("%s=%s.%d; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax",
		name, round_of(intent), step, COOKIE_SECONDS);
	json *response = json_ensure_object(json_ensure_object(entry, "headers"), "response");
	json_set_text(json_ensure_object(response, "add"), SET_COOKIE, cookie);
}

json *sticky_condition(const struct intent *intent, int weight, bool canary)
{
	AUTO_STRING round = regex_quote(round_of(intent));
	AUTO_BUF value = BUF_INIT(BUF_OWN_TEXT);
	size_t count = 0;
	int before = 0;
	for (int i = 0; i < intent->sticky_step_count; i++) {
		int until = intent->sticky_steps[i];
		/* Nobody moves at a step that has nobody's share. */
		if (until > before && (until <= weight) == canary)
			buf_addf(&value, "%s%d", count++ > 0 ? "|" : "", i + 1);
		before = until;
	}
	if (count == 0)
		return NULL;
	AUTO_STRING name = cookie_name(intent);
	AUTO_STRING pattern = mem_format("%s\\.(?:%s)", round, buf_text(&value));
	AUTO_STRING regex = cookie_pattern(name, pattern);
	json *headers = json_object();
	json_set_text(json_ensure_object(headers, "cookie"), "regex", regex);
	return headers;
}

/* --- what is in the way --------------------------------------------------------------------- */

static bool has_set_cookie(const json *headers)
{
	json_for_each (member, headers) {
		const char *name = json_key(member) != NULL ? json_key(member) : json_text(member);
		if (name != NULL && strcasecmp(name, SET_COOKIE) == 0)
			return true;
	}
	return false;
}

/* Whether these operations on the answer's headers would take our cookie's place, or away. */
static bool overrules(const json *headers, bool same_place)
{
	const json *response = json_get(headers, "response");
	return has_set_cookie(json_get(response, "set")) ||
	       has_set_cookie(json_get(response, "remove")) ||
	       (same_place && has_set_cookie(json_get(response, "add")));
}

const char *sticky_obstacle(const json *route, const struct scope *scope)
{
	if (overrules(json_get(route, "headers"), false))
		return "it sets or removes the header Set-Cookie of answers, which --sticky needs";
	json_for_each (entry, json_get(route, "route")) {
		if (destination_is_ours(json_get(entry, "destination"), scope) &&
			overrules(json_get(entry, "headers"), true))
			return "its destination sets the header Set-Cookie of answers, which "
			       "--sticky needs";
	}
	return NULL;
}
