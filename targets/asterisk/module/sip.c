#include "asterisk.h"

#include "sip.h"

#include "asterisk/logger.h"
#include "asterisk/module.h"
#include "asterisk/taskprocessor.h"

#include <dlfcn.h>

/* As in asterisk/res_pjsip.h. */
typedef struct ast_taskprocessor *create_serializer(const char *name);
typedef int push_task_synchronous(struct ast_taskprocessor *serializer, int (*task)(void *), void *data);

static push_task_synchronous *push_and_wait;
/* Runs one task after the other in the threads of the pool. res_pjsip is never unloaded while Asterisk runs. */
static struct ast_taskprocessor *serializer;

void ha_sip_find(void)
{
    if (serializer || !ast_module_check("res_pjsip.so")) {
        return;
    }
    create_serializer *create = (create_serializer *)dlsym(RTLD_DEFAULT, "ast_sip_create_serializer");
    push_and_wait = (push_task_synchronous *)dlsym(RTLD_DEFAULT, "ast_sip_push_task_synchronous");
    if (create && push_and_wait) {
        serializer = create("pjsip/ucm_ha");
    }
    if (!serializer) {
        ast_log(LOG_WARNING, "res_pjsip gives no serializer: a deadlock of its threads will not be noticed by missing kicks\n");
    }
}

int ha_sip_is_there(void)
{
    return serializer != NULL;
}

int ha_sip_push(int (*task)(void *data), void *data)
{
    return ast_taskprocessor_push(serializer, task, data);
}

static int nothing(void *data)
{
    (void)data;
    return 0;
}

void ha_sip_forget(void)
{
    if (serializer) {
        /* Tasks run in order, and the last one returns into res_pjsip before this does. */
        push_and_wait(serializer, nothing, NULL);
        serializer = ast_taskprocessor_unreference(serializer);
    }
}
