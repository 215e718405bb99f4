/* The world in which the user's template names a ConfigMap and a Secret, and the new version gets
 * other contents for them. */
#ifndef SIM_CONFIGS_H
#define SIM_CONFIGS_H

#include "sim/client.h"
#include "sim/world.h"

/* What the copies of the new version hold, the Secret in base64; it must not get into any record.
 */
#define NEW_SETTING "blue"
#define NEW_SECRET "aHVudGVyMg=="

/* The `envFrom` of a container that names both. */
#define CONFIG_REFERENCES                                                                          \
	"[{'configMapRef': {'name': 'settings'}}, {'secretRef': {'name': 'token'}}]"

/* The user's own objects, and a copy that an earlier release has left. */
void configs_add(struct sim *sim);

/* The documents of --config; they live on. */
const json *configs_documents(void);

/* Whether a copy of the new version is not there. */
bool configs_lack(const struct sim *sim);

/* Fails where a pod is there without what it names. */
void configs_check(const struct sim *sim, const struct event *event);

/* Whether it is one of the copies that the release makes or drops. */
bool is_config(const struct write *write);

/* Changes the snapshot from before the release to what the objects are when it is completed. Takes
 * the copies out of what was found, and fails where they are not as they should be. */
void configs_expect(const struct sim *sim, json *expected, json *found);

/* What finish drops at its end may be gone after an abort from there. */
void configs_forget_dropped(json *snapshot);

#endif
