// Functions whose return is waited for: compiled without and with optimisation.
#pragma once

#include <atomic>
#include <semaphore>
#include <stdexcept>
#include <string>

namespace moult::subject {

/// Where a call waits inside, until it is let go.
struct Room {
  std::counting_semaphore<> entered{0};
  std::counting_semaphore<> leave{0};

  void stay() {
    entered.release();
    leave.acquire();
  }
};

struct Pair {
  long first;
  long second;
};
struct Mixed {
  double real;
  long whole;
};
struct Wide {
  double numbers[9];
};

int stays(Room& room, int result);
/// Enters `depth` times, and stays innermost.
int recurses(Room& room, int depth);
extern std::atomic<Room*> half_way;  ///< where its tenth call stays on its way out, if anywhere
double returns_double(Room& room);
long double returns_long_double(Room& room);
Pair returns_pair(Room& room);
Mixed returns_mixed(Room& room);
Wide returns_in_memory(Room& room);
std::string returns_object(Room& room);
void throws(Room& room, const char* text);
/// Catches what `throws` throws, and tells it; counts the destructors that ran on the way.
std::string catches(Room& room, int& destroyed);
int jumps_out(Room& room);
int calls_stays(Room& room, int result);
void jumps(Room& room);
void throws_through(Room& room, int& destroyed);

/// Ends its thread, or is in a place where it is cancelled.
void ends_thread(Room& room, bool is_cancelled, std::atomic<int>& destroyed);
/// Raises the signal inside of itself, and returns 8.
int raises(int signal);

/// Sums that only come out right when every register that is to be kept was kept.
long keeps_registers(Room& room, long seed);

}  // namespace moult::subject
