/* What a release refuses in gateway mode by objects other than the HTTPRoutes themselves. */
#ifndef RELEASE_GATEWAY_CHECK_H
#define RELEASE_GATEWAY_CHECK_H

#include "release/record.h"
#include "release/target.h"

/* Refuses an HTTPRoute of another namespace that may name the Service and not the release's own.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.ReferenceGrant */
int gateway_check_grants(const struct api_port *api, const json *httproute,
	const struct record *record, struct err *err);

/* Refuses --match where it takes a regular expression, and not all who follow the HTTPRoute are
 * known to understand it. NULL: one of our own, for a mesh of which that is not known. */
int gateway_check_regex(const json *httproute, const struct record *record, struct err *err);

/* Refuses a Service that has more than HTTPRoutes: routes of other kinds, which would not be split;
 * a policy that says how to speak to it, and would not be for the release's own Services; pods of
 * other Deployments, which no version's Service would have. */
int gateway_check_others(const struct api_port *api, const struct target *target,
	const struct record *record, struct err *err);

/* Refuses DestinationRules (a list, or NULL) that say that the Service is spoken to by TLS, and
 * notes others for it: they are not for the release's own Services. */
int gateway_check_istio(const json *destinationrules, const struct record *record,
	struct str_list *notes, struct err *err);

#endif
