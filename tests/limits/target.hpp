// The updates' view of the program.
#pragma once

int answer();
int question();
int stays();
