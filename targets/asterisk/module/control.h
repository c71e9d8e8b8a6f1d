/* The control socket of the daemon: one JSON request line, one JSON reply line, then the connection ends. */
#ifndef UCM_HA_ASTERISK_CONTROL_H
#define UCM_HA_ASTERISK_CONTROL_H

#include "asterisk.h"

#include "asterisk/json.h"

/* How long the daemon may take for its status, and for the outcome of a switch. */
#define HA_STATUS_TIMEOUT_MS 2000
#define HA_SWITCH_TIMEOUT_MS 5000
/* Room for one line that says why there is no answer. */
#define HA_PROBLEM_LEN 512

/*
 * Asks for "status" or "switch" and waits so long at most. The reply is a JSON object, to be released by the caller; null
 * with problem written where there is none.
 */
struct ast_json *ha_control_ask(const char *request, int timeout_ms, char problem[HA_PROBLEM_LEN]);

/* Asks for the status alone, in the same way. */
struct ast_json *ha_control_status(char problem[HA_PROBLEM_LEN]);

#endif
