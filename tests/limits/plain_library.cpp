// A shared object, and no update.
int plain() { return 1; }
