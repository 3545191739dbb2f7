// A shared object that is not an update.
int plain() { return 1; }
