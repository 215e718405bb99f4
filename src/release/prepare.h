/*
 * From what the user asks for to the record of a release: finds the Deployment behind the Service,
 * checks everything that can be checked before the first write, works out the plan, and takes the
 * snapshots. Writes nothing.
 */
#ifndef RELEASE_PREPARE_H
#define RELEASE_PREPARE_H

#include "api/port.h"
#include "base/str.h"
#include "release/record.h"

/* The flags of `start` and `plan`; NULL or 0 where not given. The strings are the caller's. */
struct start_options {
	const char *namespace;
	const char *service;
	const char *deployment; /* which one, where the Service selects several */
	struct str_list images; /* "[CONTAINER=]IMAGE" */
	const json *manifest;	/* documents of -f FILE: an array; or NULL */
	const json *configs;	/* documents of --config FILE, likewise */
	const json *template;	/* or this pod template, of a version that ran before */
	/* What that was called, and what to call it where nothing says; NULL where not known. */
	const char *template_version, *unnamed;
	const char *version;
	const char *batches; /* a number */
	const char *steps;
	const char *pause;
	const char *hpa;
	const char *traffic;  /* "auto", "istio", "gateway", "replicas" */
	const char *handover; /* "auto", "takeover", "swap", "rolling" */
	const char *settle;
	const char *timeout;
	struct str_list match;		 /* rules; see rules_parse */
	struct str_list virtualservices; /* "[NAMESPACE/]NAME[:ROUTE,…]" */
	const json *selection;		 /* or the same, as an earlier plan has it */
	const char *cluster_domain;
	bool sticky;
	bool keep_stable;
	bool hold;
	bool force;		   /* go on with what cannot work (preflight.h) */
	struct str_list *refusals; /* what cannot work goes here, and is no error; or NULL */
	const char *now;	   /* "2026-01-31T12:00:00Z" */
};

/* ret_notes: what the user should know, a line each: how the traffic mode was chosen first. The
 * record is Progressing to batch 1 and not saved yet; its holder is nobody. */
int prepare_release(const struct api_port *api, const struct start_options *options,
	struct record *ret, struct str_list *ret_notes, struct err *err);

#endif
