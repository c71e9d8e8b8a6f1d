/*
 * The threads of res_pjsip, as a station of the round.
 *
 * Its header needs those of its own PJPROJECT, which distributions do not package, and a PBX without PJSIP is one too: so its
 * functions are looked up by name while running.
 */
#ifndef UCM_HA_ASTERISK_SIP_H
#define UCM_HA_ASTERISK_SIP_H

/* Looks whether res_pjsip runs, unless that is known. */
void ha_sip_find(void);

int ha_sip_is_there(void);

/* Gives a task to its threads; 0 when they have it. */
int ha_sip_push(int (*task)(void *data), void *data);

/* Returns when no thread of it is in a task of this module. Not to be called while one is stuck. */
void ha_sip_forget(void);

#endif
