#include "release/gitops.h"

#include "api/object.h"
#include "release/autoscaler.h"

#include "unit/traffic/trees.h"

#define DEPLOYMENT(labels, annotations)                                                            \
	"{'kind': 'Deployment', 'metadata': {'name': 'web', 'namespace': 'shop', 'labels': "       \
	"{" labels "}, 'annotations': {" annotations "}}, 'spec': {'replicas': 4, 'template': "    \
	"{'metadata': {'labels': {'app': 'web'}}, 'spec': {'containers': [{'name': 'web', "        \
	"'image': 'r/web:v1'}, {'name': 'log', 'image': 'r/log:v1'}]}}}}"

static const struct {
	const char *labels, *annotations, *manager;
} MARKS[] = {
	{"", "", NULL},
	{"", "'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web'",
		"Argo CD application shop"},
	{"", "'argocd.argoproj.io/tracking-id': 'teams_shop:apps/Deployment:shop/web'",
		"Argo CD application teams/shop"},
	/* A copy of another object's. */
	{"", "'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/other'", NULL},
	{"'argocd.argoproj.io/instance': 'shop'", "", "Argo CD application shop"},
	{"'app.kubernetes.io/instance': 'shop'", "", NULL},
	{"'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': "
	 "'flux-system'",
		"", "Flux kustomization flux-system/apps"},
	{"'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'shop', "
	 "'app.kubernetes.io/managed-by': 'Helm'",
		"'meta.helm.sh/release-name': 'web'", "Flux helmrelease shop/web"},
	{"'app.kubernetes.io/managed-by': 'Helm'",
		"'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop'",
		"Helm release shop/web"},
	/* A chart that Argo CD, or somebody, has only rendered. */
	{"'app.kubernetes.io/managed-by': 'Helm'", "", NULL},
};

static json *deployment_with(const char *labels, const char *annotations)
{
	AUTO_STRING text = mem_format(DEPLOYMENT("%s", "%s"), labels, annotations);
	return tree(text);
}

static void managers_are_told_by_their_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(MARKS); i++) {
		AUTO_JSON object = deployment_with(MARKS[i].labels, MARKS[i].annotations);
		AUTO_STRING manager = gitops_manager(object, NULL);
		if (MARKS[i].manager == NULL)
			assert_null(manager);
		else
			assert_string_equal(manager, MARKS[i].manager);
	}
}

/* The label of the instance counts where Argo CD writes. */
static void managers_are_told_by_who_writes(void **state)
{
	(void)state;
	AUTO_JSON object = deployment_with("'app.kubernetes.io/instance': 'shop'", "");
	AUTO_JSON argo = tree("[{'manager': 'kubectl'}, {'manager': 'argocd-controller'}]");
	AUTO_JSON people = tree("[{'manager': 'kubectl'}]");
	AUTO_STRING manager = gitops_manager(object, argo);
	assert_string_equal(manager, "Argo CD application shop");
	assert_null(gitops_manager(object, people));
	json_set(json_get(object, "metadata"), "managedFields", TAKE(argo));
	AUTO_STRING live = gitops_manager(object, NULL);
	assert_string_equal(live, "Argo CD application shop");
}

static struct record record_of(const char *labels, const char *annotations)
{
	struct record record = {
		.plan = {.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.canary_deployment = mem_strdup("web-v2"),
			.stable_version = mem_strdup("v1"),
			.canary_version = mem_strdup("v2"),
			.replicas = 4},
		.stable = deployment_with(labels, annotations),
	};
	record.template = json_copy(json_path(record.stable, "spec", "template", NULL));
	json_set_text(json_first(json_path(record.template, "spec", "containers", NULL)), "image",
		"r/web:v2");
	return record;
}

#define ARGO "", "'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web'"

static void assert_expected(const struct record *record, const char *expected)
{
	CLEANUP(str_list_release) struct str_list notes = {0};
	gitops_expect(record, NULL, &notes);
	AUTO_STRING text = mem_strdup("");
	for (size_t i = 0; i < notes.count; i++) {
		char *longer = mem_format("%s%s\n", text, notes.items[i]);
		mem_cleanup(&text);
		text = longer;
	}
	assert_string_equal(text, expected);
}

#define DEPLOYMENT_ITEM                                                                            \
	"  - group: apps\n    kind: Deployment\n    name: web\n    namespace: shop\n"              \
	"    jsonPointers:\n    - /spec/replicas\n    - /spec/paused\n"
#define IMAGE_ITEM                                                                                 \
	"    - /spec/template/metadata/labels/version\n    jqPathExpressions:\n"                   \
	"    - .spec.template.spec.containers[] | select(.name == \"web\") | .image\n"
#define ARGO_ADVICE                                                                                \
	"managed by Argo CD application shop, which undoes the release where it heals by itself, " \
	"or is synced meanwhile. Let the Application ignore what is the release's:\nspec:\n"       \
	"  ignoreDifferences:\n"
#define ARGO_END                                                                                   \
	"  syncPolicy:\n    syncOptions:\n    - RespectIgnoreDifferences=true\n"                   \
	"or, until the result is committed: argocd app set shop --sync-policy none\n"

static void expected_of_argo(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	assert_expected(
		&record, "deployment.apps/web is " ARGO_ADVICE DEPLOYMENT_ITEM IMAGE_ITEM ARGO_END);
	/* More than images: then it is the whole template. */
	json_set_bool(json_get(record.template, "spec"), "hostPID", true);
	assert_expected(&record, "deployment.apps/web is " ARGO_ADVICE DEPLOYMENT_ITEM
				 "    - /spec/template\n" ARGO_END);
}

static void expected_of_argo_with_routes(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	record.plan.traffic = TRAFFIC_ISTIO;
	record.virtualservices = tree(
		"[{'kind': 'VirtualService', 'metadata': {'name': 'front', 'namespace': 'edge', "
		"'annotations': {'argocd.argoproj.io/tracking-id': "
		"'shop:networking.istio.io/VirtualService:edge/front'}}, 'spec': {'http': [], "
		"'tcp': []}}, {'kind': 'VirtualService', 'metadata': {'name': 'own', 'namespace': "
		"'shop'}, 'spec': {'http': []}}]");
	record.destinationrules = json_array();
	assert_expected(&record,
		"deployment.apps/web and virtualservice.networking.istio.io/front "
		"are " ARGO_ADVICE DEPLOYMENT_ITEM IMAGE_ITEM
		"  - group: networking.istio.io\n    kind: VirtualService\n    name: front\n"
		"    namespace: edge\n    jsonPointers:\n    - /spec/http\n"
		"    - /spec/tcp\n" ARGO_END);
}

#define TRACKED(kind, name)                                                                        \
	"'kind': '" kind "', 'metadata': {'name': '" name "', 'namespace': 'shop', "               \
	"'annotations': {'argocd.argoproj.io/tracking-id': 'shop:x/" kind ":shop/" name "'}}"
#define DISABLED "{'selectPolicy': 'Disabled'}"

/* One that changes in all it can, one that is frozen by a policy alone, and one that stood still
 * before. */
static void add_autoscalers(struct record *record)
{
	record->autoscalers = tree("[{" TRACKED("HorizontalPodAutoscaler",
		"web") ", 'spec': {'minReplicas': 6, 'maxReplicas': 3}}, {" TRACKED("HorizontalPodA"
										    "utoscaler",
		"own") ", 'spec': {'minReplicas': 1, 'maxReplicas': 9}}, {" TRACKED("HorizontalPodA"
										    "utoscaler",
		"still") ", 'spec': {'minReplicas': 1, 'maxReplicas': 9, 'behavior': "
			 "{'scaleUp': " DISABLED ", 'scaleDown': " DISABLED "}}}]");
	record->frozen_autoscalers = json_array();
	json_for_each (autoscaler, record->autoscalers)
		json_append(record->frozen_autoscalers, autoscaler_frozen(autoscaler, 4));
	record->scaled_objects = tree("[{" TRACKED("ScaledObject", "queue") "}]");
}

#define AUTOSCALER_ITEM(name)                                                                      \
	"  - group: autoscaling\n    kind: HorizontalPodAutoscaler\n    name: " name "\n"          \
	"    namespace: shop\n    jsonPointers:\n"

static void expected_of_argo_with_autoscalers(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	add_autoscalers(&record);
	assert_expected(&record,
		"deployment.apps/web, horizontalpodautoscaler.autoscaling/web, "
		"horizontalpodautoscaler.autoscaling/own and scaledobject.keda.sh/queue "
		"are " ARGO_ADVICE DEPLOYMENT_ITEM IMAGE_ITEM AUTOSCALER_ITEM(
			"web") "    - /spec/minReplicas\n    - /spec/maxReplicas\n "
			       "   - /spec/behavior\n" AUTOSCALER_ITEM(
				       "own") "    - /spec/behavior\n"
					      "  - group: keda.sh\n    kind: "
					      "ScaledObject\n    name: queue\n"
					      "    namespace: shop\n    "
					      "jsonPointers:\n"
					      "    - "
					      "/metadata/annotations/"
					      "autoscaling.keda.sh~"
					      "1paused\n" ARGO_END);
}

#define DELETED                                                                                    \
	"deployment.apps/web is deleted at the end; what syncs makes it again: commit "            \
	"deployment.apps/web-v2 in its place before automatic syncs are switched on\n"

/* No field of what is missing can be ignored. */
static void expected_of_a_swap(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record argo = record_of(ARGO);
	CLEANUP(record_release)
	struct record flux = record_of("'kustomize.toolkit.fluxcd.io/name': 'apps', "
				       "'kustomize.toolkit.fluxcd.io/namespace': 'flux-system'",
		"");
	argo.plan.handover = flux.plan.handover = HANDOVER_SWAP;
	assert_expected(&argo,
		"deployment.apps/web is managed by Argo CD application shop, which undoes the "
		"release where it heals by itself, or is synced meanwhile. Until the result is "
		"committed: argocd app set shop --sync-policy none\n" DELETED);
	assert_expected(&flux,
		"deployment.apps/web is managed by Flux kustomization flux-system/apps, which "
		"undoes the release when it reconciles the next time. Until the result is "
		"committed: flux suspend kustomization apps -n flux-system\n(afterwards: flux "
		"resume kustomization apps -n flux-system)\n" DELETED);
}

/* Who manages the autoscaler alone can be told what to ignore of it. */
static void expected_of_a_swap_with_an_autoscaler(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of("", "");
	record.plan.handover = HANDOVER_SWAP;
	record.scaled_objects = tree("[{" TRACKED("ScaledObject", "queue") "}]");
	assert_expected(&record, "scaledobject.keda.sh/queue is " ARGO_ADVICE
				 "  - group: keda.sh\n    kind: ScaledObject\n    name: queue\n"
				 "    namespace: shop\n    jsonPointers:\n"
				 "    - /metadata/annotations/autoscaling.keda.sh~1paused\n"
				 "    - /spec/scaleTargetRef/name\n" ARGO_END);
}

static void expected_of_others(void **state)
{
	(void)state;
	static const struct {
		const char *labels, *annotations, *expected;
	} ROWS[] = {
		{"", "", ""},
		{"'kustomize.toolkit.fluxcd.io/name': 'apps', "
		 "'kustomize.toolkit.fluxcd.io/namespace': 'flux-system'",
			"",
			"deployment.apps/web is managed by Flux kustomization flux-system/apps, "
			"which undoes the release when it reconciles the next time. Until the "
			"result is committed: flux suspend kustomization apps -n flux-system\n"
			"(afterwards: flux resume kustomization apps -n flux-system)\n"},
		{"'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'shop'",
			"",
			"deployment.apps/web is managed by Flux helmrelease shop/web, which undoes "
			"the release at an upgrade, and at once where it corrects drift. Until the "
			"result is committed: flux suspend helmrelease web -n shop\n"
			"(afterwards: flux resume helmrelease web -n shop)\n"},
		{"'app.kubernetes.io/managed-by': 'Helm'",
			"'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': "
			"'shop'",
			"deployment.apps/web is managed by Helm release shop/web: no `helm upgrade "
			"web -n shop` until the release has ended\n"},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		CLEANUP(record_release)
		struct record record = record_of(ROWS[i].labels, ROWS[i].annotations);
		assert_expected(&record, ROWS[i].expected);
	}
}

static void assert_explained(const char *managed_fields, const char *expected)
{
	AUTO_JSON object = deployment_with(ARGO);
	json_set(json_get(object, "metadata"), "managedFields", tree(managed_fields));
	struct err err = {0};
	assert_int_equal(
		gitops_explain(err_set(&err, ERR_FOREIGN, "changed"), object, &err), ERR_FOREIGN);
	assert_string_equal(err.message, expected);
}

static void whose_work_it_seems(void **state)
{
	(void)state;
	static const char ITS[] =
		"changed\nArgo CD application shop manages it and seems to have put it back: keep "
		"it from that, as `kubectl batchrollout plan` and docs/gitops.md say, before you "
		"go "
		"on";
	assert_explained("[]", ITS);
	assert_explained("[{'manager': 'argocd-controller', 'time': '2026-01-31T12:00:00Z'}, "
			 "{'manager': 'kubectl-edit', 'time': '2026-01-31T11:00:00Z'}]",
		ITS);
	/* Who scales writes, too. */
	assert_explained(
		"[{'manager': 'argocd-controller', 'time': '2026-01-31T12:00:00Z'}, {'manager': "
		"'kubectl', 'subresource': 'scale', 'time': '2026-01-31T12:00:01Z'}]",
		"changed (the last to write it was kubectl, and not Argo CD application shop, "
		"which manages it)");
	/* What we, and controllers, write afterwards hides nobody. */
	assert_explained(
		"[{'manager': 'argocd-controller', 'time': '2026-01-31T12:00:00Z'}, {'manager': "
		"'kubectl-batchrollout', 'time': '2026-01-31T13:00:00Z'}, {'manager': "
		"'kube-controller-manager', 'time': '2026-01-31T13:00:00Z'}, {'manager': 'x', "
		"'subresource': 'status', 'time': '2026-01-31T13:00:00Z'}, {'manager': 'y'}]",
		ITS);
	assert_explained(
		"[{'manager': 'argocd-controller', 'time': '2026-01-31T12:00:00Z'}, {'manager': "
		"'kubectl-edit', 'time': '2026-01-31T12:00:01Z'}]",
		"changed (the last to write it was kubectl-edit, and not Argo CD application shop, "
		"which manages it)");
}

static void nobody_else_is_named(void **state)
{
	(void)state;
	AUTO_JSON plain = deployment_with("", "");
	AUTO_JSON managed = deployment_with(ARGO);
	struct err err = {0};
	assert_int_equal(
		gitops_explain(err_set(&err, ERR_FOREIGN, "changed"), plain, &err), ERR_FOREIGN);
	assert_string_equal(err.message, "changed");
	assert_int_equal(
		gitops_explain(err_set(&err, ERR_FAILED, "broken"), managed, &err), ERR_FAILED);
	assert_string_equal(err.message, "broken");
	assert_int_equal(gitops_explain(ERR_FOREIGN, NULL, &err), ERR_FOREIGN);
	assert_int_equal(gitops_explain(ERR_FOREIGN, managed, NULL), ERR_FOREIGN);
}

static void assert_commit(const struct record *record, const char *expected)
{
	const struct observation seen = {0};
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	gitops_commit(record, &seen, &text);
	assert_string_equal(buf_text(&text), expected);
}

static void what_to_commit(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	CLEANUP(record_release) struct record plain = record_of("", "");
	assert_commit(&record, "");
	record.phase = plain.phase = PHASE_COMPLETED;
	assert_commit(&plain, "");
	assert_commit(&record,
		"commit the new version, or Argo CD application shop will bring the old one back:\n"
		"- deployment.apps/web: the image of container \"web\" is r/web:v2");
	json_set_bool(json_get(record.template, "spec"), "hostPID", true);
	assert_commit(&record,
		"commit the new version, or Argo CD application shop will bring the old one back:\n"
		"- deployment.apps/web: the image of container \"web\" is r/web:v2\n"
		"- deployment.apps/web: the pod template, as it is now");
	record.phase = PHASE_ABORTED;
	assert_commit(&record, "");
}

/* The repository has no copies. */
static void what_to_commit_of_configuration(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	record.phase = PHASE_COMPLETED;
	json_set_bool(json_get(record.template, "spec"), "hostPID", true);
	record.configs = tree("{'copies': [{'kind': 'ConfigMap', 'name': 'settings', 'copy': "
			      "'settings-v2'}, {'kind': 'Secret', 'name': 'token', 'copy': "
			      "'token-v2'}], 'older': []}");
	assert_commit(&record,
		"commit the new version, or Argo CD application shop will bring the old one back:\n"
		"- deployment.apps/web: the image of container \"web\" is r/web:v2\n"
		"- deployment.apps/web: the pod template, as it is now, with your own names in "
		"place of those of the copies\n"
		"- configmap/settings: the contents given by --config; the template names "
		"settings-v2 for them\n"
		"- secret/token: the contents given by --config; the template names token-v2 for "
		"them");
}

/* The Deployment has got a version label, or is another one. */
static void what_to_commit_of_the_new_deployment(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = record_of(ARGO);
	record.phase = PHASE_COMPLETED;
	CLEANUP(observation_release) struct observation seen = {0};
	json *live = json_copy(record.stable);
	map_set_text(
		json_path(live, "spec", "template", "metadata", NULL), "labels", "version", "v2");
	json *list = json_object();
	json_append(json_ensure_array(list, "items"), live);
	seen.lists[SEEN_STABLE] = list;
	AUTO_BUF kept = BUF_INIT(BUF_OWN_TEXT);
	gitops_commit(&record, &seen, &kept);
	assert_string_equal(buf_text(&kept),
		"commit the new version, or Argo CD application shop will bring the old one back:\n"
		"- deployment.apps/web: the image of container \"web\" is r/web:v2\n"
		"- deployment.apps/web: the label version of the pod template is v2");

	json_set_text(json_get(live, "metadata"), "name", "web-v2");
	record.plan.handover = HANDOVER_SWAP;
	record.scaled_objects = tree("[{" TRACKED("ScaledObject", "queue") "}]");
	seen.lists[SEEN_CANARY] = list;
	/* What was deleted may be there again. */
	seen.lists[SEEN_STABLE] = json_object();
	json_append(json_ensure_array(seen.lists[SEEN_STABLE], "items"), json_copy(record.stable));
	AUTO_BUF swapped = BUF_INIT(BUF_OWN_TEXT);
	gitops_commit(&record, &seen, &swapped);
	assert_string_equal(buf_text(&swapped),
		"commit the new version, or Argo CD application shop will bring the old one back:\n"
		"- deployment.apps/web-v2 in place of deployment.apps/web, with its selector\n"
		"- deployment.apps/web-v2: the image of container \"web\" is r/web:v2\n"
		"- deployment.apps/web-v2: the label version of the pod template is v2\n"
		"- scaledobject.keda.sh/queue: it scales deployment.apps/web-v2 now "
		"(spec.scaleTargetRef)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(managers_are_told_by_their_marks),
		cmocka_unit_test(managers_are_told_by_who_writes),
		cmocka_unit_test(expected_of_argo),
		cmocka_unit_test(expected_of_argo_with_routes),
		cmocka_unit_test(expected_of_argo_with_autoscalers),
		cmocka_unit_test(expected_of_a_swap),
		cmocka_unit_test(expected_of_a_swap_with_an_autoscaler),
		cmocka_unit_test(expected_of_others),
		cmocka_unit_test(whose_work_it_seems),
		cmocka_unit_test(nobody_else_is_named),
		cmocka_unit_test(what_to_commit),
		cmocka_unit_test(what_to_commit_of_configuration),
		cmocka_unit_test(what_to_commit_of_the_new_deployment),
	};
	return cmocka_run_group_tests_name("gitops", tests, NULL, NULL);
}
