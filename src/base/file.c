#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static void close_cleanup(const int *fd)
{
	if (*fd > STDERR_FILENO)
		(void)close(*fd);
}

int file_read(const char *path, size_t maximum, struct buf *ret, struct err *err)
{
	bool standard_input = str_equal(path, "-");
	CLEANUP(close_cleanup)
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, ERR_FAILED, errno, "open %s", path);

	AUTO_BUF content = BUF_INIT(maximum);
	char chunk[16384];
	for (;;) {
		ssize_t count = read(fd, chunk, sizeof(chunk));
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_errno(err, ERR_FAILED, errno, "read %s", path);
		if (count == 0)
			break;
		buf_add(&content, chunk, (size_t)count);
		if (content.overflow)
			return err_set(err, ERR_FAILED,
				"read %s: longer than the limit of %zu bytes", path, maximum);
	}
	*ret = content;
	content = (struct buf)BUF_INIT(maximum);
	return 0;
}
