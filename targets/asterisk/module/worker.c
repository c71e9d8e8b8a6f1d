#include "worker.h"

#include "asterisk/logger.h"
#include "asterisk/utils.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int64_t ha_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for so long; whether it is to end. */
static int told_to_stop(const struct ha_worker *worker, int64_t until_ms)
{
    struct pollfd stop = { .fd = worker->stop_fd, .events = POLLIN };
    int64_t left;

    do {
        left = MAX(until_ms - ha_now_ms(), 0);
    } while (poll(&stop, 1, (int)left) < 0 && errno == EINTR);
    return stop.revents != 0;
}

static void *run(void *data)
{
    struct ha_worker *worker = data;

    do {
        worker->work();
    } while (!told_to_stop(worker, ha_now_ms() + worker->interval_ms()));
    return NULL;
}

int ha_worker_start(struct ha_worker *worker, void (*work)(void), int (*interval_ms)(void))
{
    worker->work = work;
    worker->interval_ms = interval_ms;
    worker->thread = AST_PTHREADT_NULL;
    worker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->stop_fd < 0) {
        ast_log(LOG_ERROR, "no eventfd for a thread: %s\n", strerror(errno));
        return -1;
    }
    if (ast_pthread_create(&worker->thread, NULL, run, worker)) {
        ast_log(LOG_ERROR, "a thread cannot be started: %s\n", strerror(errno));
        worker->thread = AST_PTHREADT_NULL;
        close(worker->stop_fd);
        return -1;
    }
    return 0;
}

void ha_worker_stop(struct ha_worker *worker)
{
    if (worker->thread == AST_PTHREADT_NULL) {
        return;
    }
    if (eventfd_write(worker->stop_fd, 1) != 0) {
        ast_log(LOG_ERROR, "a thread cannot be told to end: %s\n", strerror(errno));
    }
    pthread_join(worker->thread, NULL);
    worker->thread = AST_PTHREADT_NULL;
    close(worker->stop_fd);
}
