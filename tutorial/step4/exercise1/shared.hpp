// The variable that the application's two threads share, and its two functions, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;        ///< the format that both functions know: "7"
  bool is_unread = false;  ///< written, and not yet read
};

extern Shared shared;

/// Waits until the last text was read, and writes the number.
void write_shared(long number);
/// Waits for a new text and prints its number. Ends the program if the text is not a number.
void read_shared();
