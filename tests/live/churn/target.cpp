// A program whose threads come and go: each renames itself and works; half of them are joined, half detached. Another
// thread forks children, which run another program. Says "ready", then answers each line with what was done so far.
#include "target.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

MOULT_UPDATABLE int version() { return 1; }

MOULT_UPDATABLE Couple::Couple(int value) : left(value), right(value + 1) {}
MOULT_UPDATABLE bool Couple::is_sound() const { return right == left + 1; }
MOULT_UPDATABLE void Couple::step() {
  ++left;
  ++right;
}

namespace {

std::atomic<bool> is_ending = false;
std::atomic<int> wrong = 0;
std::atomic<int> threads = 0;
std::atomic<int> alive = 0;
std::atomic<int> children = 0;

struct Shared {
  std::mutex mutex;
  std::vector<std::unique_ptr<Couple>> couples;
};

void count_if(bool is_wrong) {
  if (is_wrong) ++wrong;
}

void use(Couple& couple) {
  const int before = couple.left;
  couple.step();
  count_if(!couple.is_sound() || couple.left != before + 1);
}

/// What every thread does in its short life.
void work(Shared& shared, int number) {
  ::pthread_setname_np(::pthread_self(), ("worker " + std::to_string(number % 1000)).c_str());
  const auto own = std::make_unique<Couple>(number);
  for (int round = 0; round < 10; ++round) {
    const int seen = version();
    count_if(seen != 1 && seen != 2);
    use(*own);
    const std::lock_guard lock(shared.mutex);
    use(*shared.couples[static_cast<std::size_t>(number + round) % shared.couples.size()]);
  }
  ++threads;
}

/// Makes one thread after the other. The rests are for who looks for a moment in which no thread is being made.
void mother(Shared& shared) {
  for (int number = 0; !is_ending; ++number) {
    ++alive;
    std::thread child([&shared, number] {
      work(shared, number);
      --alive;
    });
    if (number % 2 == 0)
      child.join();
    else
      child.detach();
    ::pthread_setname_np(::pthread_self(), ("mother " + std::to_string(number % 1000)).c_str());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void father() {
  while (!is_ending) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    count_if(status != 0);
    ++children;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

int main() {
  const moult::Listener listener;
  Shared shared;
  for (int i = 0; i < 10'000; ++i) shared.couples.push_back(std::make_unique<Couple>(i));
  std::vector<std::thread> parents;
  for (int i = 0; i < 3; ++i) parents.emplace_back([&] { mother(shared); });
  parents.emplace_back(father);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << version() << " " << wrong << " " << threads << " " << children << std::endl;
  is_ending = true;
  for (std::thread& parent : parents) parent.join();
  while (alive > 0) std::this_thread::yield();  // the detached ones use what main holds
  return wrong == 0 ? 0 : 1;
}
