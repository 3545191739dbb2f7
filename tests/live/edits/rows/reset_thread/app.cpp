#include <cstdio>

static thread_local int own = 1;

void answer(const char*, char* reply, unsigned long size) { std::snprintf(reply, size, "%d", ++own); }
