#include "cmd/start_options.h"

#include "base/file.h"
#include "base/mem.h"
#include "data/yaml.h"

#define DESCRIBING_ROWS                                                                            \
	{"image", 'i', OPTION_LIST, "[CONTAINER=]IMAGE",                                           \
		"The new version's image; CONTAINER may be left out where it is clear. May be "    \
		"repeated.",                                                                       \
		START_ROW(release.images)},                                                        \
		{"filename", 'f', OPTION_TEXT, "FILE",                                             \
			"Take the pod template from the Deployment in this file, YAML or JSON; "   \
			"- is standard input.",                                                    \
			START_ROW(file)},                                                          \
		{"config", 0, OPTION_LIST, "FILE",                                                 \
			"Give the new version other contents for ConfigMaps and Secrets that its " \
			"pod template names: as copies, yours stay as they are. YAML or JSON; - "  \
			"is standard input. May be repeated.",                                     \
			START_ROW(config_files)},                                                  \
		{"version", 0, OPTION_TEXT, "TAG",                                                 \
			"The new version's name, a label value; by default the image's tag.",      \
			START_ROW(release.version)},                                               \
		{"deployment", 0, OPTION_TEXT, "NAME",                                             \
			"Which Deployment, where several are behind the Service.",                 \
			START_ROW(release.deployment)},                                            \
		{"batches", 0, OPTION_TEXT, "N", "In so many equal batches; 4 by default.",        \
			START_ROW(release.batches)},                                               \
		{"steps", 0, OPTION_TEXT, "LIST",                                                  \
			"Or step by step: replicas, as a number or percentage, each perhaps "      \
			"with a weight of its own: 1,25%,50%,100% or 1@5%,50%,100%.",              \
			START_ROW(release.steps)},                                                 \
		{"pause", 0, OPTION_TEXT, "each|first|none",                                       \
			"Stop after each batch (default), after the first only, or never.",        \
			START_ROW(release.pause)},                                                 \
		{"hpa", 0, OPTION_TEXT, "freeze|ignore|refuse",                                    \
			"What to do with an autoscaler of the Deployment (HPA, or KEDA's "         \
			"ScaledObject): freeze it for the time of the release (default), let "     \
			"it go on, or do not start.",                                              \
			START_ROW(release.hpa)},                                                   \
		{"traffic", 0, OPTION_TEXT, "auto|istio|gateway|replicas",                         \
			"How requests are split; by default found out from what is there.",        \
			START_ROW(release.traffic)},                                               \
		{"match", 0, OPTION_LIST, "RULE",                                                  \
			"Send requests that match to the new version from the beginning: "         \
			"cookie:NAME=VALUE or header:NAME=VALUE; ^= begins with, ~ is a regular "  \
			"expression; joined by commas all must hold. May be repeated: any may.",   \
			START_ROW(release.match)},                                                 \
		{"sticky", 0, OPTION_FLAG, NULL,                                                   \
			"Keep each person on the version they got, by a cookie.",                  \
			START_ROW(release.sticky)},                                                \
		{"virtualservice", 0, OPTION_LIST, "[NAMESPACE/]NAME[:ROUTE,...]",                 \
			"Split only the routes of this VirtualService; by default all that route " \
			"to the Service. May be repeated.",                                        \
			START_ROW(release.virtualservices)},                                       \
		{"cluster-domain", 0, OPTION_TEXT, "DOMAIN",                                       \
			"What full names of Services end with; found out by default.",             \
			START_ROW(release.cluster_domain)},                                        \
		{"settle", 0, OPTION_TEXT, "DURATION",                                             \
			"How long proxies get to learn of a change; 2s by default.",               \
			START_ROW(release.settle)},                                                \
		{"timeout", 0, OPTION_TEXT, "DURATION",                                            \
			"How long a batch may take before it fails; 10m by default.",              \
			START_ROW(release.timeout)},                                               \
		{"keep-stable", 0, OPTION_FLAG, NULL,                                              \
			"Keep the old version at full size until the end.",                        \
			START_ROW(release.keep_stable)},                                           \
		{"handover", 0, OPTION_TEXT, "auto|takeover|swap|rolling",                         \
			"How the new version becomes the Deployment at the end: it takes the "     \
			"copy's pods over, the copy takes its place, or it is updated as by "      \
			"kubectl; by default what keeps the pods.",                                \
			START_ROW(release.handover)},                                              \
		{"force", 0, OPTION_FLAG, NULL,                                                    \
			"Go on with what cannot work, by what there is in the cluster now; it is " \
			"said all the same.",                                                      \
			START_ROW(release.force)},                                                 \
	{                                                                                          \
		"hold", 0, OPTION_FLAG, NULL,                                                      \
			"Stop at 100%, before the hand-over: both versions are still there.",      \
			START_ROW(release.hold)                                                    \
	}

const struct option_row START_OPTIONS[] = {
	DESCRIBING_ROWS,
	{"dry-run", 0, OPTION_FLAG, NULL, "Show what would be done, and do nothing.",
		START_ROW(dry_run)},
	{0},
};

const struct option_row PLAN_OPTIONS[] = {DESCRIBING_ROWS, {0}};

static int read_manifest(const char *path, json **ret, struct err *err)
{
	AUTO_BUF content = BUF_INIT(0);
	int code = file_read(path, YAML_MAXIMUM_BYTES, &content, err);
	if (code != 0)
		return err_wrap(err, "-f");
	code = yaml_parse(buf_text(&content), content.length, ret, err);
	return code == 0 ? 0 : err_wrap(err, "-f %s", path);
}

static int read_config(const char *path, json *all, struct err *err)
{
	AUTO_BUF content = BUF_INIT(0);
	AUTO_JSON documents = NULL;
	int code = file_read(path, YAML_MAXIMUM_BYTES, &content, err);
	if (code != 0)
		return err_wrap(err, "--config");
	code = yaml_parse(buf_text(&content), content.length, &documents, err);
	if (code != 0)
		return err_wrap(err, "--config %s", path);
	for (json *document; (document = json_detach_at(documents, 0)) != NULL;)
		json_append(all, document);
	return 0;
}

/* The documents of all files; NULL where there are no files. */
static int read_configs(const struct start_flags *flags, json **ret, struct err *err)
{
	const struct str_list *files = &flags->config_files;
	AUTO_JSON all = files->count == 0 ? NULL : json_array();
	int inputs = str_equal(flags->file, "-");
	for (size_t i = 0; i < files->count; i++)
		inputs += str_equal(files->items[i], "-");
	if (inputs > 1)
		return err_set(err, ERR_USAGE, "standard input (-) can be only one of the files");
	for (size_t i = 0; i < files->count; i++) {
		int code = read_config(files->items[i], all, err);
		if (code != 0)
			return code;
	}
	*ret = TAKE(all);
	return 0;
}

int check_refusals(const struct str_list *refusals, struct err *err)
{
	return refusals->count == 0
		       ? 0
		       : err_set(err, ERR_FAILED,
				 "start would refuse this release, for what cannot work; --force "
				 "goes on all the same");
}

int start_prepare(struct session *session, const struct str_list *arguments,
	struct start_flags *flags, struct record *ret, struct str_list *ret_notes, struct err *err)
{
	AUTO_JSON manifest = NULL;
	AUTO_JSON configs = NULL;
	struct start_options *release = &flags->release;
	release->service = session_service(arguments->items[0], err);
	if (release->service == NULL)
		return ERR_USAGE;
	bool nothing = flags->file == NULL && release->images.count == 0;
	if ((flags->file != NULL && release->images.count > 0) ||
		(nothing && flags->config_files.count == 0))
		return err_set(err, ERR_USAGE, "say what to release: either --image or -f");
	int code = read_configs(flags, &configs, err);
	if (code == 0 && flags->file != NULL)
		code = read_manifest(flags->file, &manifest, err);
	if (code == 0)
		code = session_connect(session, err);
	if (code != 0)
		return code;
	release->manifest = manifest;
	release->configs = configs;
	release->namespace = session->namespace;
	char now[32];
	session->ports.host.wall_time(session->ports.host.context, now);
	release->now = now;
	return prepare_release(&session->ports.api, release, ret, ret_notes, err);
}
