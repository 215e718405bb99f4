/*
 * New contents for the ConfigMaps and Secrets that the pod template names (--config). They are
 * written as copies, each under the name of the object with the version behind it, and the new
 * template names the copies. The users' own objects are never edited: the old version's pods go on
 * with them, and so do those that abort starts.
 *
 * The record says which copies a release makes and which older ones it drops at its end. What they
 * hold stands nowhere but in themselves, since there are Secrets among them: `start` brings it from
 * the files, as record.contents.
 */
#ifndef RELEASE_CONFIGS_H
#define RELEASE_CONFIGS_H

#include "base/buf.h"
#include "release/observation.h"
#include "release/prepare.h"

/* What copies carry beside the labels of all of our objects. A label, so that they are listed
 * apart from records; annotations for names, which may be longer than a label's value. */
#define CONFIG_LABEL "batchrollout/config"
#define CONFIG_LABEL_COPY "copy"
#define CONFIG_OF_ANNOTATION "batchrollout/config-of" /* the name before the version */
#define CONFIG_VERSION_ANNOTATION "batchrollout/config-version"
/* The Deployment, without a version in its name: others may be behind the same Service. */
#define CONFIG_DEPLOYMENT_ANNOTATION "batchrollout/config-deployment"

/* Takes options.configs: lets record.template name the copies, and fills record.configs and
 * record.contents. record.stable, record.template and the plan's versions must be there; the
 * template as the user wrote it. Refuses, before anything is written, what is no document for this
 * template, and names that are taken. Adds a note where an older template (options.template) names
 * what is not there any more. */
int configs_prepare(const struct api_port *api, const struct start_options *options,
	struct record *record, struct str_list *notes, struct err *err);

/* The entries of a record, which have "kind" and "copy", its name. The first have "name" as well,
 * what it is a copy of, and "made": it was not there before this release. */
const json *config_copies(const struct record *record);
const json *config_older(const struct record *record);
/* Whether record.configs can be used: it may come from a damaged record. */
bool configs_are_sound(const json *configs);

/* Whether it is a copy that a release of this Service has made. */
bool is_config_copy(const json *object, const struct record *record);

/* SEEN_CONFIG_MAPS or SEEN_SECRETS, by the entry's kind. */
enum source config_source(const json *entry);

/* Adds "configmap/settings-v2, secret/token-v2". */
void configs_describe(const json *entries, struct buf *buf);

#endif
