/*
 * Deployment tools that keep objects as Git, or a chart, has them: Argo CD, Flux, Helm. A release
 * changes such objects, so the tool is told of before; what it puts back meanwhile is said to be
 * its work, and not fought; and at the end there is something to commit. docs/gitops.md
 */
#ifndef RELEASE_GITOPS_H
#define RELEASE_GITOPS_H

#include "base/buf.h"
#include "release/observation.h"

/* Who manages an object: "Argo CD application shop", "Flux kustomization flux-system/apps"; NULL
 * where no such tool does. managers: its managedFields where the object has them not any more; or
 * NULL. The caller frees. */
char *gitops_manager(const json *object, const json *managers);

/* Adds to notes what the tools that manage the release's objects would do meanwhile, and how to
 * keep them from it; managers: the managedFields of the stable Deployment. */
void gitops_expect(const struct record *record, const json *managers, struct str_list *notes);

/* To be wrapped around an error which says that somebody else changed an object: adds whose work
 * that seems to be, and what to do. Returns code. */
int gitops_explain(int code, const json *object, struct err *err);

/* Adds what to commit when the release is completed; nothing where no tool manages the Deployment.
 */
void gitops_commit(const struct record *record, const struct observation *seen, struct buf *ret);

#endif
