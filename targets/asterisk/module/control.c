#include "control.h"

#include "asterisk/astobj2.h"
#include "asterisk/utils.h"

#include "config.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Longest reply, in bytes; the daemon's own command takes no longer one. */
#define MAX_REPLY_LEN (64 * 1024)

static void explain(int error, const char *path, int timeout_ms, char *problem)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        snprintf(problem, HA_PROBLEM_LEN, "no daemon answers at %s; start it with `ucm-ha run`", path);
        break;
    case EAGAIN:
    case ETIMEDOUT:
        snprintf(problem, HA_PROBLEM_LEN, "the daemon at %s did not answer within %d ms; see its log", path, timeout_ms);
        break;
    case EACCES:
        snprintf(problem, HA_PROBLEM_LEN, "the user that Asterisk runs as may not open %s; let it, as docs/asterisk.md says",
                 path);
        break;
    case EMSGSIZE:
    case EPROTO:
        snprintf(problem, HA_PROBLEM_LEN, "what answers at %s is not the daemon; see control_socket in %s", path,
                 HA_CONFIG_FILE);
        break;
    default:
        snprintf(problem, HA_PROBLEM_LEN, "the daemon at %s cannot be asked: %s", path, strerror(error));
        break;
    }
}

/* A connection, or -1 with errno. A frozen daemon whose queue is full does not hold it up for longer than the timeout. */
static int connect_to(const char *path, int timeout_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    ast_copy_string(address.sun_path, path, sizeof(address.sun_path));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Reads up to the end of the line; its length, or -1 with errno. */
static ssize_t read_line(int fd, int64_t end_ms, char *line)
{
    size_t len = 0;

    while (len < MAX_REPLY_LEN) {
        struct pollfd readable = { .fd = fd, .events = POLLIN };
        int64_t left_ms = end_ms - ha_now_ms();
        ssize_t got;

        if (left_ms <= 0 || poll(&readable, 1, (int)left_ms) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        got = recv(fd, line + len, MAX_REPLY_LEN - len, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EPROTO : errno;
            return -1;
        }
        len += (size_t)got;
        if (line[len - 1] == '\n') {
            return (ssize_t)len;
        }
    }
    errno = EMSGSIZE;
    return -1;
}

/* The reply, or null with errno. */
static struct ast_json *exchange(const char *path, const char *request, int timeout_ms)
{
    int64_t end_ms = ha_now_ms() + timeout_ms;
    char line[64];
    char *reply = ast_malloc(MAX_REPLY_LEN);
    struct ast_json *json = NULL;
    int len = snprintf(line, sizeof(line), "{\"request\":\"%s\"}\n", request);
    int fd = connect_to(path, timeout_ms);

    if (reply && fd >= 0 && send(fd, line, (size_t)len, MSG_NOSIGNAL) == len) {
        ssize_t got = read_line(fd, end_ms, reply);
        if (got > 0) {
            json = ast_json_load_buf(reply, (size_t)got, NULL);
            errno = EPROTO;
        }
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    ast_free(reply);
    errno = error;
    return json;
}

struct ast_json *ha_control_ask(const char *request, int timeout_ms, char problem[HA_PROBLEM_LEN])
{
    RAII_VAR(struct ha_config *, config, ha_config_get(), ao2_cleanup);
    struct ast_json *reply = exchange(config->control_socket, request, timeout_ms);

    if (!reply) {
        explain(errno, config->control_socket, timeout_ms, problem);
    }
    return reply;
}

struct ast_json *ha_control_status(char problem[HA_PROBLEM_LEN])
{
    struct ast_json *reply = ha_control_ask("status", HA_STATUS_TIMEOUT_MS, problem);

    if (!reply) {
        return NULL;
    }
    struct ast_json *status = ast_json_object_get(reply, "status");
    if (ast_json_typeof(status) == AST_JSON_OBJECT) {
        ast_json_ref(status); /* so far only the reply holds it */
    } else {
        const char *reason = ast_json_object_string_get(reply, "reason");
        snprintf(problem, HA_PROBLEM_LEN, "the daemon gives no status: %s", S_OR(reason, "its reply names no reason"));
        status = NULL;
    }
    ast_json_unref(reply);
    return status;
}
