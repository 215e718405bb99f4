#include "release/config_document.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/base64.h"
#include "base/str.h"

/* The members that a document may have, of each kind. */
static const char *const CONFIG_MAP_MEMBERS[] = {
	"apiVersion", "kind", "metadata", "data", "binaryData", "immutable"};
static const char *const SECRET_MEMBERS[] = {
	"apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"};

const struct kind *config_kind(const char *name)
{
	if (str_equal(name, KIND_CONFIG_MAP.name))
		return &KIND_CONFIG_MAP;
	return str_equal(name, KIND_SECRET.name) ? &KIND_SECRET : NULL;
}

/* "--config: configmap/settings: …" */
static int refuse(const json *object, struct err *err)
{
	return err_wrap(err, "--config: %s/%s",
		config_kind(json_get_text(object, "kind"))->singular, object_name(object));
}

static bool is_bool(const json *node)
{
	AUTO_JSON no = json_bool(false);
	return json_is_true(node) || json_equal(node, no);
}

static int check_members(const json *document, const struct kind *kind, struct err *err)
{
	bool secret = kind == &KIND_SECRET;
	const char *const *members = secret ? SECRET_MEMBERS : CONFIG_MAP_MEMBERS;
	size_t count = secret ? COUNT_OF(SECRET_MEMBERS) : COUNT_OF(CONFIG_MAP_MEMBERS);
	json_for_each (member, document)
		if (str_index(members, count, json_key(member)) < 0)
			return err_set(err, ERR_FAILED, "a %s has no field \"%s\"", kind->name,
				json_key(member));
	const json *immutable = json_get(document, "immutable");
	if (immutable != NULL && !is_bool(immutable))
		return err_set(err, ERR_FAILED, "immutable must be true or false");
	const json *type = json_get(document, "type");
	if (type != NULL && !json_is_string(type))
		return err_set(err, ERR_FAILED, "type must be a string");
	return 0;
}

/* Base64 as the server gives it back, whatever line breaks it has in the file. */
static int normalize_base64(const char *text, char **ret, size_t *length, struct err *err)
{
	AUTO_STRING bytes = NULL;
	if (base64_decode(text, &bytes, length, NULL) != 0)
		return err_set(err, ERR_FAILED, "is not base64");
	*ret = base64_encode(bytes, *length);
	return 0;
}

/* Adds up the bytes of the values, which must be strings (in base64 where that is said). */
static int check_values(json *object, const char *name, bool base64, size_t *total, struct err *err)
{
	json *values = json_get(object, name);
	if (values == NULL || json_is_null(values)) {
		json_remove(object, name);
		return 0;
	}
	if (!json_is_object(values))
		return err_set(err, ERR_FAILED, "%s must be an object", name);
	AUTO_JSON checked = json_object();
	json_for_each (value, values) {
		const char *key = json_key(value);
		AUTO_STRING normal = NULL;
		size_t length = 0;
		if (!json_is_string(value))
			return err_set(err, ERR_FAILED,
				"%s.%s must be a string: write it in quotes", name, key);
		if (!base64)
			length = strlen(json_text(value));
		else if (normalize_base64(json_text(value), &normal, &length, err) != 0)
			return err_wrap(err, "%s.%s", name, key);
		*total += length;
		json_set_text(checked, key, base64 ? normal : json_text(value));
	}
	json_set(object, name, TAKE(checked));
	return 0;
}

/* As the server does it: stringData goes before data, and is never stored. */
static void merge_string_data(json *secret)
{
	AUTO_JSON strings = json_detach(secret, "stringData");
	json_for_each (value, strings) {
		AUTO_STRING encoded = base64_encode(json_text(value), strlen(json_text(value)));
		json_set_text(json_ensure_object(secret, "data"), json_key(value), encoded);
	}
}

static int check_contents(json *object, const struct kind *kind, struct err *err)
{
	size_t total = 0;
	bool secret = kind == &KIND_SECRET;
	int code = check_members(object, kind, err);
	if (code == 0)
		code = check_values(object, "data", secret, &total, err);
	if (code == 0)
		code = check_values(
			object, secret ? "stringData" : "binaryData", !secret, &total, err);
	if (code != 0)
		return code;
	if (total > CONFIG_MAXIMUM_BYTES)
		return err_set(err, ERR_FAILED, "holds %zu bytes, more than the limit of %zu",
			total, CONFIG_MAXIMUM_BYTES);
	if (secret)
		merge_string_data(object);
	return 0;
}

static int check_head(const json *document, const char *namespace, struct err *err)
{
	const char *kind = json_get_text(document, "kind");
	const struct kind *known = config_kind(kind);
	const char *name = object_name(document);
	if (known == NULL)
		return err_set(err, ERR_FAILED,
			"--config: a document is of kind \"%s\", not a ConfigMap or Secret",
			kind == NULL ? "" : kind);
	if (str_empty(name))
		return err_set(err, ERR_FAILED, "--config: a %s has no metadata.name", known->name);
	if (!str_equal(json_get_text(document, "apiVersion"), known->version))
		return err_set(err, ERR_FAILED, "--config: %s/%s is not of apiVersion %s",
			known->singular, name, known->version);
	const char *its = object_namespace(document);
	if (its != NULL && !str_equal(its, namespace))
		return err_set(err, ERR_FAILED,
			"--config: %s/%s is of namespace \"%s\", and the release of \"%s\"",
			known->singular, name, its, namespace);
	return 0;
}

int config_document_read(const json *document, const char *namespace, json **ret, struct err *err)
{
	int code = check_head(document, namespace, err);
	if (code != 0)
		return code;
	AUTO_JSON object = json_copy(document);
	if (check_contents(object, config_kind(json_get_text(object, "kind")), err) != 0)
		return refuse(object, err);
	object_strip_server_fields(object);
	json *metadata = json_get(object, "metadata");
	json_remove(metadata, "generateName");
	/* Whoever waits for its deletion does not know the copy, and would never let it go. */
	json_remove(metadata, "finalizers");
	json_set_text(metadata, "namespace", namespace);
	*ret = TAKE(object);
	return 0;
}

static bool same_member(const json *a, const json *b, const char *name)
{
	const json *of_a = json_get(a, name), *of_b = json_get(b, name);
	return (json_count(of_a) == 0 && json_count(of_b) == 0) || json_equal(of_a, of_b);
}

static const char *type_of(const json *object)
{
	const char *type = json_get_text(object, "type");
	return str_empty(type) ? "Opaque" : type;
}

bool config_same_contents(const json *a, const json *b)
{
	return same_member(a, b, "data") && same_member(a, b, "binaryData") &&
	       str_equal(type_of(a), type_of(b)) &&
	       json_is_true(json_get(a, "immutable")) == json_is_true(json_get(b, "immutable"));
}
