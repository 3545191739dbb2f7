// A program to be updated while it makes it hard: each line of its input is a command, each is answered with a line.
//   versions   which version answer(), question() and stays() are
//   stay       a thread named "stayer" enters stays() and does not leave it
//   deafen     a thread named "deaf" blocks every signal
//   let go     the thread of the last stay or deafen ends
//   drop       the process becomes the user nobody
//   leave      the folder it is in becomes its root
#include "target.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "moult/moult.hpp"

namespace {

std::binary_semaphore may_leave{0};
std::binary_semaphore has_entered{0};
bool is_to_stay = false;

}  // namespace

// Functions that cannot be redefined.
[[gnu::noinline, gnu::used]] static int twin() { return 1; }
[[gnu::always_inline]] inline int copied() {
  volatile int copy = FIRST_QUESTION;  // another build of this program has another one
  return copy;
}
int (*volatile pointer_to_copied)() = copied;
asm(R"(
  .text
  .p2align 4
  .globl short_answer, looping_answer
  .type short_answer, @function
short_answer:
  mov $1, %al
  ret
  .size short_answer, .-short_answer
  .type looping_answer, @function
looping_answer:
  xor %eax, %eax
1:
  inc %eax
  cmp $1, %eax
  jl 1b
  ret
  .size looping_answer, .-looping_answer
)");

MOULT_UPDATABLE int answer() { return 1; }
MOULT_UPDATABLE int question() { return copied(); }
MOULT_UPDATABLE int stays() {
  if (is_to_stay) {
    has_entered.release();
    may_leave.acquire();
  }
  return 1;
}

namespace {

/// A thread that one command brings to a place and another releases.
class Held final {
 public:
  template <class Work>
  void start(const char* name, Work work) {
    thread_ = std::thread([name, work] {
      pthread_setname_np(pthread_self(), name);
      work();
    });
    has_entered.acquire();
  }
  void let_go() {
    may_leave.release();
    thread_.join();
  }

 private:
  std::thread thread_;
};

void stay() {
  static volatile int version = 0;  // what there is to come back for
  version = version + stays();
}

void be_deaf() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  has_entered.release();
  may_leave.acquire();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

int main() {
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  Held held;
  const std::map<std::string, std::function<void()>> commands{
      {"versions", [] { std::cout << answer() << question() << stays() << std::endl; }},
      {"stay",
       [&held] {
         is_to_stay = true;
         held.start("stayer", stay);
         is_to_stay = false;
         std::cout << "stays" << std::endl;
       }},
      {"deafen",
       [&held] {
         held.start("deaf", be_deaf);
         std::cout << "deaf" << std::endl;
       }},
      {"let go",
       [&held] {
         held.let_go();
         std::cout << "gone" << std::endl;
       }},
      {"drop",
       [] {
         constexpr uid_t nobody = 65534;
         std::cout << (setgid(nobody) == 0 && setuid(nobody) == 0 ? "dropped" : "may not") << std::endl;
       }},
      {"leave", [] { std::cout << (chroot(".") == 0 ? "left" : "may not") << std::endl; }},
  };
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) commands.at(line)();
}
