/*
 * Claims in the template: the copy's pods mount the same ones as stable's.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
 */
#include "api/object.h"
#include "base/buf.h"
#include "preflight/checks.h"

static const char *claim_of(const json *volume)
{
	return json_path_text(volume, "persistentVolumeClaim", "claimName", NULL);
}

static bool mounts(const json *spec, const char *claim)
{
	json_for_each (volume, json_get(spec, "volumes"))
		if (str_equal(claim_of(volume), claim))
			return true;
	return false;
}

bool needs_volumes(const struct subject *subject)
{
	json_for_each (volume, json_get(subject->new_spec, "volumes"))
		if (claim_of(volume) != NULL)
			return true;
	return false;
}

/* What the volume can do, not what was asked for, where it is known. */
static bool has_mode(const json *claim, const char *mode)
{
	const json *modes = json_path(claim, "status", "accessModes", NULL);
	if (json_count(modes) == 0)
		modes = json_path(claim, "spec", "accessModes", NULL);
	json_for_each (candidate, modes)
		if (str_equal(json_text(candidate), mode))
			return true;
	return false;
}

/* Access modes are the driver's to hold: with some, as of NFS, pods on several nodes have a volume
 * of ReadWriteOnce. Old pods that are one per node show it. */
static bool is_on_several_nodes(const struct subject *subject, const char *claim)
{
	return subject->replicas > 1 && mounts(subject->old_spec, claim) &&
	       is_one_per_node(subject, subject->old_spec, subject->labels[LABELS_TAGGED]);
}

static void check_claim(const struct subject *subject, const json *claim, struct findings *findings)
{
	const char *name = object_name(claim);
	bool shared = mounts(subject->old_spec, name);
	struct moment most = moments_most(&subject->forward, shared);
	int pods = moment_pods(&most, shared);
	if (pods < 2 || has_mode(claim, "ReadWriteMany") || has_mode(claim, "ReadOnlyMany"))
		return;
	if (!has_mode(claim, "ReadWriteOnce"))
		add_refusal(findings,
			mem_format(
				"persistentvolumeclaim/%s is ReadWriteOncePod: one pod at a time "
				"may use it, and the release has %d pods with it at a time",
				name, pods));
	else if (is_one_per_node(subject, subject->new_spec, subject->labels[LABELS_COPY]) &&
		 !is_on_several_nodes(subject, name))
		add_refusal(findings,
			mem_format(
				"persistentvolumeclaim/%s is ReadWriteOnce: one node at a time may "
				"mount it, and the release has %d pods with it at a time, which "
				"may not be on the same node",
				name, pods));
	else
		add_finding(findings,
			mem_format(
				"persistentvolumeclaim/%s is ReadWriteOnce: only pods on the node "
				"that has it mounted can start; both versions write to it",
				name));
}

void check_volumes(const struct subject *subject, const json *claims, struct findings *findings)
{
	json_for_each (claim, list_items(claims))
		if (mounts(subject->new_spec, object_name(claim)))
			check_claim(subject, claim, findings);
}
