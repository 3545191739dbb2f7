// A sum that is being made, for the program and its updates.
#pragma once

#include "inbox.hpp"

struct Tally {
  int count = 0;
  int sum = 0;
};

/// The numbers to add.
extern Inbox inbox;

/// Adds numbers up until a 0 comes, and returns their sum.
int add_up();
