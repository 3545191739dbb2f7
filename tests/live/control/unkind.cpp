// A program that is unkind to moult's threads and descriptors; its first argument says how. Otherwise as target.cpp.
#include <csignal>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "moult/moult.hpp"
#include "target.hpp"

MOULT_UPDATABLE int answer() { return 1; }

namespace {

/// Blocks every signal of this thread for its lifetime.
class SignalsBlocked final {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

void serve() {
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << answer() << std::endl;
}

void make_all_with_signals_blocked(const char* fifo) {
  std::optional<SignalsBlocked> blocked(std::in_place);
  moult::ThreadedManager manager("main");
  const moult::Listener listener;
  const moult::PipeListener pipe(fifo);
  blocked.reset();
  serve();
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view how = count > 1 ? arguments[1] : "";
  if (how == "signals") make_all_with_signals_blocked(arguments[2]);
}
