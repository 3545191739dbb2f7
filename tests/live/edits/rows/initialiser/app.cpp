#include <cstdio>

static int limit = 10;

void answer(const char*, char* reply, unsigned long size) { std::snprintf(reply, size, "limit %d", ++limit); }
