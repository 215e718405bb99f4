/*
 * StringMatch: {exact: …}, {prefix: …}, {regex: …}, or nothing, which asks for presence only.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#StringMatch
 */
#ifndef SIMULATE_STRING_MATCH_H
#define SIMULATE_STRING_MATCH_H

#include "base/buf.h"
#include "data/json.h"

enum match_result {
	MATCH_NO,
	MATCH_YES,
	MATCH_UNKNOWN, /* it could not be told: counts as no match */
};

/* True where any value will do; istiod reads the regex "*", which is none, like that, too. */
bool string_match_is_presence(const json *match);

/* Whether a value matches. ignore_case: for exact and prefix; a regex says so itself. */
enum match_result string_match(const json *match, const char *value, bool ignore_case);

/* How a value stands to what is asked for, as the end of a sentence: `is not "a"`, `does not begin
 * with "a"`, `does not match the regular expression "a"`, or the same without "not". */
void string_match_describe(
	const json *match, enum match_result result, bool ignore_case, struct buf *buf);

#endif
