// What the updates know of the program.
#pragma once

int answer();
int question();
int stays();
