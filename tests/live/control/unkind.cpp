// A program that is unkind to moult's threads and descriptors; its first argument says how. Otherwise as target.cpp.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// As daemons do it, after it has made its listeners: closes every descriptor but the standard ones, and opens files of
/// its own.
void close_all_descriptors(const char* fifo, const std::filesystem::path& folder) {
  std::vector<int> own;
  {
    const moult::Listener listener;
    const moult::PipeListener pipe(fifo);
    ::closefrom(3);
    for (int file = 0; file < 10; ++file)
      own.push_back(::open((folder / std::to_string(file)).c_str(), O_RDWR | O_CREAT, 0600));
    serve();
  }
  std::size_t open = 0;
  std::size_t bytes = 0;
  for (const int file : own) {
    struct stat status {};
    if (::fstat(file, &status) != 0) continue;
    ++open;
    bytes += static_cast<std::size_t>(status.st_size);
  }
  std::cout << open << " files, " << bytes << " bytes" << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view how = count > 1 ? arguments[1] : "";
  if (how == "descriptors") close_all_descriptors(arguments[2], arguments[3]);
  if (how == "signals") make_all_with_signals_blocked(arguments[2]);
}
