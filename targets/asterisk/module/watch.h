/* Watches the role of this node, and raises the manager event HARoleChange. */
#ifndef UCM_HA_ASTERISK_WATCH_H
#define UCM_HA_ASTERISK_WATCH_H

/* Starts it; -1, with the reason in the log, if that fails. */
int ha_watch_start(void);

/* Ends it, within the timeout of a question under way. */
void ha_watch_stop(void);

#endif
