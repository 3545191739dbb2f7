// What the updates of threads, calls in progress, pointers and objects change in a program whose threads come and go.
#pragma once

#include <atomic>
#include <vector>

#include "moult/moult.hpp"
#include "patience.hpp"

/// 1, and 2 once it was updated.
int version();

/// The main function of the moult::Thread "server".
void serve(int generation);
/// The generation that serves.
extern std::atomic<int> serving;

/// The numbers from 0 on, `size` of them, made in the thread `filler`, with a point at each.
std::vector<int> fill(int size);
inline constexpr int list_size = 2000;
extern std::atomic<moult::ThreadId> filler;
/// How many lists another function has continued.
extern std::atomic<int> continued;

/// Keeps its `share` in calls that are short in the threads that come and go, and lasting in another one.
int hold(int rounds, std::atomic<int>& seen);
/// What the lasting call has in `share`.
extern std::atomic<int> share_seen;

/// Results of functions that the program has pointers to.
int first_operation();
int second_operation();

/// Each is touched by many threads or lives in one only.
class Couple : public moult::Updatable<Couple> {
 public:
  explicit Couple(int value);

  int left;
  int right;
  int marks = 0;  ///< that updates have made
};

/// Whether it is one of those that live as long as the program.
bool is_lasting(const Couple& couple);
/// How many marks a lasting couple has by now.
extern std::atomic<int> marks_made;
