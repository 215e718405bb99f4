/* What a plain YAML 1.1 scalar means, as sigs.k8s.io/yaml resolves it; for data/ alone. */
#ifndef DATA_YAML_SCALAR_H
#define DATA_YAML_SCALAR_H

#include <stdbool.h>

enum yaml_scalar_type {
	YAML_STRING,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_NOT_FINITE, /* .inf and .nan: no JSON number */
	YAML_TOO_LARGE,	 /* an integer that a double does not hold exactly */
	YAML_MERGE,	 /* << */
};

struct yaml_scalar {
	enum yaml_scalar_type type;
	double number; /* of YAML_INT and YAML_FLOAT */
	bool truth;    /* of YAML_BOOL */
};

struct yaml_scalar yaml_scalar_resolve(const char *text);

/* Whether some reader of YAML might take the plain text for something else than this string: what
 * yaml_scalar_resolve does, and also timestamps and numbers of base 60. */
bool yaml_scalar_needs_quotes(const char *text);

#endif
