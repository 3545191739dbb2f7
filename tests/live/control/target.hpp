// What the updates know of the program.
#pragma once

int answer();
