#include "life.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

#include "moult/thread.hpp"

namespace {

/// Threads by turns: two of each kind, of which the second is detached.
constexpr int ways = 6;

bool is_joined(int number) { return number % 2 == 0; }

void call_myself(const std::string& name, int number) {
  ::pthread_setname_np(::pthread_self(), (name + " " + std::to_string(number % 1000)).c_str());
}

void* call(void* function) {
  const std::unique_ptr<std::function<void()>> owned(static_cast<std::function<void()>*>(function));
  (*owned)();
  return nullptr;
}

}  // namespace

Life::Life(Work work) : work_(std::move(work)) {
  for (int i = 0; i < 3; ++i) parents_.emplace_back([this] { mother(); });
  parents_.emplace_back([this] { father(); });
}

Life::~Life() {
  is_ending_ = true;
  for (std::thread& parent : parents_) parent.join();
  while (alive_ > 0) std::this_thread::yield();  // the detached ones use what is here
}

void Life::live(int number, bool is_known) {
  call_myself("worker", number);
  work_(number, is_known);
  ++threads_;
  --alive_;
}

void Life::bear_posix(int number) {
  auto function = std::make_unique<std::function<void()>>([this, number] { live(number, false); });
  ::pthread_t child{};
  if (::pthread_create(&child, nullptr, call, function.get()) != 0) {
    ++failures_;
    --alive_;
    return;
  }
  static_cast<void>(function.release());
  if (is_joined(number))
    ::pthread_join(child, nullptr);
  else
    ::pthread_detach(child);
}

void Life::bear_known(int number) {
  moult::Thread child("child " + std::to_string(number), [this, number] { live(number, true); });
  child.rename("renamed " + std::to_string(number));
  if (is_joined(number))
    child.join();
  else
    child.detach();
}

void Life::bear(int number) {
  ++alive_;
  if (number % ways >= 4) return bear_known(number);
  if (number % ways >= 2) return bear_posix(number);
  std::thread child([this, number] { live(number, false); });
  if (is_joined(number))
    child.join();
  else
    child.detach();
}

/// The rests are for who looks for a moment in which no thread is being made.
void Life::mother() {
  for (int number = 0; !is_ending_; ++number) {
    bear(number);
    call_myself("mother", number);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Life::father() {
  while (!is_ending_) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) ++failures_;
    ++children_;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}
