/* Uses both libraries. Returns 0, or the number of the step that failed. */
int both_work(void);
