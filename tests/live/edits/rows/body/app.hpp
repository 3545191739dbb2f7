#pragma once
#include <cstdio>
#include <cstdlib>

int doubled(int number);
int other(int number);
inline int shared(int number) { return number - 7; }
