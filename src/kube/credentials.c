#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "kube/internal.h"

enum { TOKEN_MAXIMUM = 1 << 20 };

static void wipe_string(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void kube_credentials_release(struct kube_credentials *credentials)
{
	wipe_string(&credentials->authorization);
	free(credentials->token_file);
	credentials->token_file = NULL;
}

static void set_basic(
	struct kube_credentials *credentials, const char *username, const char *password)
{
	CLEANUP(wipe_string)
	char *pair = mem_format("%s:%s", username, password != NULL ? password : "");
	CLEANUP(wipe_string) char *encoded = base64_encode(pair, strlen(pair));
	credentials->authorization = mem_format("Authorization: Basic %s", encoded);
}

int kube_credentials_init(
	struct kube_credentials *credentials, const struct kube_config *config, struct err *err)
{
	bool any = config->token != NULL || config->token_file != NULL || config->username != NULL;
	if (any && !str_starts(config->server, "https://"))
		return err_set(err, ERR_FAILED,
			"the server %s would get the user's credentials unencrypted: they go over "
			"https only",
			config->server);
	*credentials = (struct kube_credentials){.token_file = mem_strdup(config->token_file)};
	if (config->token_file == NULL && config->token != NULL)
		credentials->authorization = mem_format("Authorization: Bearer %s", config->token);
	else if (config->token_file == NULL && config->username != NULL)
		set_basic(credentials, config->username, config->password);
	return 0;
}

static int read_token(struct kube_credentials *credentials, struct err *err)
{
	struct buf token;
	int code = file_read(credentials->token_file, TOKEN_MAXIMUM, &token, err);
	if (code != 0)
		return err_wrap(err, "tokenFile");
	size_t length = strlen(buf_text(&token));
	while (length > 0 && strchr(" \t\r\n", token.text[length - 1]) != NULL)
		length--;
	if (length == 0) {
		code = err_set(err, ERR_FAILED, "tokenFile: %s is empty", credentials->token_file);
	} else {
		wipe_string(&credentials->authorization);
		credentials->authorization =
			mem_format("Authorization: Bearer %.*s", (int)length, token.text);
	}
	if (token.text != NULL)
		explicit_bzero(token.text, token.length);
	buf_release(&token);
	return code;
}

int kube_credentials_refresh(struct kube_credentials *credentials, struct err *err)
{
	if (credentials->token_file == NULL)
		return 0;
	struct stat file = {0};
	bool known = stat(credentials->token_file, &file) == 0 && credentials->token_was_read &&
		     file.st_mtim.tv_sec == credentials->token_read.tv_sec &&
		     file.st_mtim.tv_nsec == credentials->token_read.tv_nsec;
	if (known)
		return 0;
	int code = read_token(credentials, err);
	/* The old time even if the file was replaced just now: it is read again next time then. */
	if (code == 0) {
		credentials->token_read = file.st_mtim;
		credentials->token_was_read = true;
	}
	return code;
}
