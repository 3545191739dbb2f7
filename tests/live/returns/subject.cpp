#include "subject.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>

#include "moult/relinking.hpp"

namespace moult::subject {

MOULT_UPDATABLE int stays(Room& room, int result) {
  room.stay();
  return result;
}

std::atomic<Room*> half_way = nullptr;

MOULT_UPDATABLE int recurses(Room& room, int depth) {
  if (depth == 0) {
    room.stay();
    return 0;
  }
  const volatile int below = recurses(room, depth - 1);
  constexpr int middle = 10;
  if (Room* const half_way_out = half_way; half_way_out != nullptr && depth == middle) half_way_out->stay();
  return below + 1;
}

MOULT_UPDATABLE double returns_double(Room& room) {
  room.stay();
  return 1.5;
}
MOULT_UPDATABLE long double returns_long_double(Room& room) {
  room.stay();
  return 2.25L;
}
MOULT_UPDATABLE Pair returns_pair(Room& room) {
  room.stay();
  return {11, 22};
}
MOULT_UPDATABLE Mixed returns_mixed(Room& room) {
  room.stay();
  return {0.5, 33};
}
MOULT_UPDATABLE Wide returns_in_memory(Room& room) {
  room.stay();
  return {{1, 2, 3, 4, 5, 6, 7, 8, 9}};
}
MOULT_UPDATABLE std::string returns_object(Room& room) {
  room.stay();
  return "an object that is longer than what fits into it";
}

MOULT_UPDATABLE void throws(Room& room, const char* text) {
  room.stay();
  throw std::runtime_error(text);
}

namespace {

class Counted final {
 public:
  explicit Counted(int& count) : count_(count) {}
  ~Counted() { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

}  // namespace

MOULT_UPDATABLE void throws_through(Room& room, int& destroyed) {
  const Counted counted(destroyed);
  throws(room, "trouble");
}

MOULT_UPDATABLE std::string catches(Room& room, int& destroyed) {
  const Counted counted(destroyed);
  try {
    throws_through(room, destroyed);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

thread_local std::jmp_buf way_out;

MOULT_UPDATABLE void jumps(Room& room) {
  room.stay();
  std::longjmp(way_out, 5);
}

MOULT_UPDATABLE int jumps_out(Room& room) {
  const int result = setjmp(way_out);
  if (result != 0) {
    room.stay();
    return result;
  }
  jumps(room);
  return 0;
}

MOULT_UPDATABLE void ends_thread(Room& room, bool is_cancelled, std::atomic<int>& destroyed) {
  struct AtEnd {
    ~AtEnd() { ++count; }
    std::atomic<int>& count;
  };
  const AtEnd at_end{destroyed};
  room.entered.release();
  // NOLINTNEXTLINE(bugprone-infinite-loop): it ends where the thread is cancelled
  while (is_cancelled) ::pause();
  room.leave.acquire();
  ::pthread_exit(nullptr);
}

MOULT_UPDATABLE int raises(int signal) {
  std::raise(signal);
  return 8;
}

MOULT_UPDATABLE int calls_stays(Room& room, int result) {
  const volatile int below = stays(room, result);
  return below + 1;
}

MOULT_UPDATABLE long keeps_registers(Room& room, long seed) {
  long a = seed + 1;
  long b = seed * 3;
  long c = seed ^ 0x55;
  long d = seed - 7;
  long e = seed + 100;
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
  const int inner = stays(room, 9);
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
  return a + b + c + d + e + inner;
}

}  // namespace moult::subject
