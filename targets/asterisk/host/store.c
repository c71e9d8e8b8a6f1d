#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORM "ucm-ha-host 1 term %lu ceiling %lu active %u off %u handovers %u maintenance %u\n"
#define MAX_LEN 128

static int form(const ucm_ha_record *record, char text[MAX_LEN])
{
    return snprintf(text, MAX_LEN, FORM, (unsigned long)record->term, (unsigned long)record->term_ceiling,
                    (unsigned)record->last_active, (unsigned)record->disabled_by_peer, (unsigned)record->handovers,
                    (unsigned)record->maintenance);
}

/* FNV-1a, against a file that was cut or changed by accident. */
static uint32_t checksum(const char *text)
{
    uint32_t sum = 2166136261u;

    for (; *text != '\0'; text++) {
        sum = (sum ^ (uint8_t)*text) * 16777619u;
    }
    return sum;
}

enum store_result store_read(const char *path, ucm_ha_record *record)
{
    unsigned long term, ceiling, sum;
    unsigned active, off, handovers, maintenance;
    char text[MAX_LEN];
    FILE *file = fopen(path, "re");

    memset(record, 0, sizeof *record);
    if (file == NULL) {
        return errno == ENOENT ? STORE_NONE : STORE_DAMAGED;
    }
    int read = fscanf(file, FORM "sum %lx", &term, &ceiling, &active, &off, &handovers, &maintenance, &sum);
    fclose(file);
    if (read != 7 || term > UINT32_MAX || ceiling > UINT32_MAX || active > 1 || off > 1 || handovers > UINT8_MAX ||
        maintenance > 1) {
        return STORE_DAMAGED;
    }
    ucm_ha_record found = { .term = (uint32_t)term,
                            .term_ceiling = (uint32_t)ceiling,
                            .last_active = (uint8_t)active,
                            .disabled_by_peer = (uint8_t)off,
                            .handovers = (uint8_t)handovers,
                            .maintenance = (uint8_t)maintenance };
    form(&found, text);
    if (checksum(text) != sum) {
        return STORE_DAMAGED;
    }
    *record = found;
    return STORE_READ;
}

static bool sync_folder(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return synced;
}

bool store_write(const char *path, const ucm_ha_record *record)
{
    char aside[PATH_MAX], text[MAX_LEN], sum[32];

    int len = form(record, text);
    int sum_len = snprintf(sum, sizeof sum, "sum %lx\n", (unsigned long)checksum(text));
    if (snprintf(aside, sizeof aside, "%s.new", path) >= (int)sizeof aside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool written = write(fd, text, (size_t)len) == len && write(fd, sum, (size_t)sum_len) == sum_len && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return written && rename(aside, path) == 0 && sync_folder(path);
}
