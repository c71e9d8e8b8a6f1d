/* The commands of Asterisk's command line: `ha show status` and `ha switch`. */
#ifndef UCM_HA_ASTERISK_CLI_H
#define UCM_HA_ASTERISK_CLI_H

/* 0 when they are there. */
int ha_cli_register(void);

void ha_cli_unregister(void);

#endif
