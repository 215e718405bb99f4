/*
 * YAML to JSON trees and back, as kubectl reads it (YAML 1.1 scalars, as sigs.k8s.io/yaml resolves
 * them). JSON is read too, being YAML.
 */
#ifndef DATA_YAML_H
#define DATA_YAML_H

#include "data/json.h"

/* The limits of an input: bytes, nesting, and nodes after aliases were resolved. */
#define YAML_MAXIMUM_BYTES ((size_t)8 << 20)
#define YAML_MAXIMUM_DEPTH 100
#define YAML_MAXIMUM_NODES 1000000

/* Parses all documents; ret is an array of their roots, empty documents left out. ERR_INVALID with
 * line and column otherwise: syntax, duplicate keys, keys that are no scalars, unknown tags,
 * limits; no message has a value in it. */
int yaml_parse(const char *text, size_t length, json **ret, struct err *err);

/* Block-style YAML of a tree, keys in their order, strings quoted where they would not come back as
 * the same string. The caller frees. */
char *yaml_print(const json *node);

#endif
