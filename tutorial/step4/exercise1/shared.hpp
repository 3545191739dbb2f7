// What the application's two threads share, and the functions that they use it with, for the application and its
// updates.
#pragma once

#include <moult/moult.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;       ///< the format is what the two functions agree about: "7"
  bool is_fresh = false;  ///< it was written and has not been read yet
};

extern Shared shared;

/// Waits until the last number was read, and writes the next one.
void write_number(long number);
/// Waits for a fresh number and prints it. A text that is no number ends the program.
void read_number();
