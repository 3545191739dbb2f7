// A program whose threads come and go: each passes a static update point in every round of its work. Some last: a
// moult::Thread that serves, a std::thread that fills lists, one whose call holds a variable. Says "ready", then
// answers each line: with what was done so far, or with one number that the line asks for.
#include "control_target.hpp"

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <unordered_set>

#include "life.hpp"

std::atomic<int> serving = 0;
std::atomic<moult::ThreadId> filler{};
std::atomic<int> continued = 0;
std::atomic<int> share_seen = 0;
std::atomic<int> marks_made = 0;

namespace {

using Operation = int (*)();

struct Desk {
  Operation operation = first_operation;
};

std::atomic<bool> is_ending = false;
std::atomic<int> wrong = 0;
std::atomic<int> servers = 0;

Operation operation = first_operation;
std::map<int, std::unique_ptr<Desk>> desks;

std::mutex mutex;
std::vector<std::unique_ptr<Couple>> couples;
std::unordered_set<const Couple*> lasting;

void count_if(bool is_wrong) {
  if (is_wrong) ++wrong;
}

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

}  // namespace

MOULT_UPDATABLE int version() { return 1; }
MOULT_UPDATABLE int first_operation() { return 1; }
MOULT_UPDATABLE int second_operation() { return 2; }

MOULT_UPDATABLE Couple::Couple(int value) : left(value), right(value + 1) {}
bool is_lasting(const Couple& couple) { return lasting.contains(&couple); }

MOULT_UPDATABLE std::vector<int> fill(int size) {
  std::vector<int> list;
  for (int i = 0; i < size; ++i) {
    moult::static_update_point("in the list");
    list.push_back(i);
    if (i % 100 == 0) rest();
  }
  return list;
}

MOULT_UPDATABLE int hold(int rounds, std::atomic<int>& seen) {
  volatile int share = 1;
  for (int round = 0; round < rounds && !is_ending; ++round) {
    rest();
    seen = share;
  }
  return share;
}

namespace {

/// Between two points the version of a thread that is meant does not rise. A rollback asks for no point.
void stay_with_version(int first) { count_if(version() > first); }

/// Left by unwinding when the server begins anew.
struct Presence {
  Presence() { count_if(++servers != 1); }
  ~Presence() { --servers; }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
};

void use(Couple& couple) {
  const int before = couple.left++;
  ++couple.right;
  count_if(couple.left != before + 1 || couple.right != before + 2);
}

/// What every thread does in its short life.
void work(int number, bool is_known) {
  const auto own = std::make_unique<Couple>(number);
  for (int round = 0; round < 10; ++round) {
    moult::static_update_point("between rounds");
    const int first = version();
    use(*own);
    const int result = operation() + desks.at((number + round) % 10)->operation();
    count_if(result < 2 || result > 4);
    {
      const std::lock_guard lock(mutex);
      use(*couples[static_cast<std::size_t>(number * 7 + round) % couples.size()]);
    }
    if (is_known) stay_with_version(first);
  }
  std::atomic<int> seen = 1;
  const int share = hold(3, seen);
  count_if(share != 1 && share != 2);
}

void fill_lists() {
  filler = moult::this_thread_id();
  std::vector<int> expected(list_size);
  std::iota(expected.begin(), expected.end(), 0);
  while (!is_ending) count_if(fill(list_size) != expected);
}

int unmarked() {
  int count = 0;
  for (const std::unique_ptr<Couple>& couple : couples) count += couple->marks != marks_made ? 1 : 0;
  return count;
}

/// What the program says to a line.
std::string answer(const std::string& line, const Life& life) {
  if (line == "server") return std::to_string(serving);
  if (line == "continued") return std::to_string(continued);
  if (line == "share") return std::to_string(share_seen);
  if (line == "operations") return std::to_string(operation()) + std::to_string(desks.at(9)->operation());
  if (line == "marks") return std::to_string(marks_made) + " but for " + std::to_string(unmarked());
  return std::to_string(version()) + " " + std::to_string(wrong + life.failures()) + " " +
         std::to_string(life.threads()) + " " + std::to_string(life.children());
}

}  // namespace

MOULT_UPDATABLE void serve(int generation) {
  const Presence presence;
  while (!is_ending) {
    moult::static_update_point("between rounds");
    const int first = version();
    serving = generation;
    rest();
    stay_with_version(first);
  }
}

int main() {
  const moult::Listener listener;
  for (int i = 0; i < 10; ++i) desks.emplace(i, std::make_unique<Desk>());
  for (int i = 0; i < 10'000; ++i) lasting.insert(couples.emplace_back(std::make_unique<Couple>(i)).get());
  moult::Thread server("server", serve, 1);
  std::vector<std::jthread> others;
  others.emplace_back(fill_lists);
  others.emplace_back([] { hold(1'000'000'000, share_seen); });
  auto life = std::make_unique<Life>(work);
  while (filler.load() == moult::ThreadId{} || share_seen == 0) std::this_thread::yield();
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line, *life) << std::endl;
  is_ending = true;
  const int failures = life->failures();
  life.reset();
  server.join();
  others.clear();
  return wrong + failures == 0 ? 0 : 1;
}
