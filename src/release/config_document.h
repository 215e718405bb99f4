/* The documents of --config: ConfigMaps and Secrets, read strictly. */
#ifndef RELEASE_CONFIG_DOCUMENT_H
#define RELEASE_CONFIG_DOCUMENT_H

#include "api/kind.h"
#include "base/err.h"
#include "data/json.h"

/* As much as the API server takes of one object's values. */
#define CONFIG_MAXIMUM_BYTES ((size_t)1 << 20)

/* KIND_CONFIG_MAP or KIND_SECRET; NULL for any other name of a kind. */
const struct kind *config_kind(const char *name);

/* Checks a document and makes an object for the API server of it: in the namespace, without what
 * the server sets, a Secret's stringData within its data. The caller frees ret. ERR_FAILED for
 * anything that is not a ConfigMap or Secret of this namespace; no message has a value of a Secret
 * in it. */
int config_document_read(const json *document, const char *namespace, json **ret, struct err *err);

/* Whether two objects of one kind give pods the same: labels and the like do not count. */
bool config_same_contents(const json *a, const json *b);

#endif
