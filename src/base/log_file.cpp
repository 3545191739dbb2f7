#include "base/log_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

bool is_plain_file(int number) noexcept {
  struct stat status {};
  return ::fstat(number, &status) == 0 && S_ISREG(status.st_mode);
}

int open_for_appending(const std::string& path) {
  int number = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
  if (number >= 0) return number;
  std::string why = errno == ENXIO ? "nobody reads from it; start the reader first" : std::strerror(errno);
  throw Error(ErrorCode::system, "cannot open the log file " + path + ": " + why);
}

/// Keeps the signals of a failed write away from the program: blocks them in this thread and consumes one that arrived.
class WriteSignalsHeldBack final {
 public:
  WriteSignalsHeldBack() noexcept {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGPIPE);
    sigaddset(&signals_, SIGXFSZ);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1 || sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &signals_, &outer_);
  }
  ~WriteSignalsHeldBack() {
    const timespec at_once{};
    if (failed_ && !was_pending_)
      while (sigtimedwait(&signals_, nullptr, &at_once) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &outer_, nullptr);
  }
  WriteSignalsHeldBack(const WriteSignalsHeldBack&) = delete;
  WriteSignalsHeldBack& operator=(const WriteSignalsHeldBack&) = delete;

  void write_failed() noexcept { failed_ = true; }

 private:
  sigset_t signals_{};
  sigset_t outer_{};
  bool was_pending_ = false;
  bool failed_ = false;
};

bool write_once(int number, std::string_view line) noexcept {
  char newline = '\n';
  const iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  WriteSignalsHeldBack signals;
  ssize_t written = ::writev(number, parts, 2);
  if (written < 0) signals.write_failed();
  return written == static_cast<ssize_t>(line.size() + 1);
}

}  // namespace

LogFile::LogFile() noexcept : plain_(is_plain_file(STDERR_FILENO)) {}

LogFile::LogFile(const std::string& path) : file_(open_for_appending(path)), plain_(is_plain_file(file_.get())) {}

/// Says once that the file is gone.
void LogFile::fall_back() noexcept {
  file_.reset();
  plain_ = is_plain_file(STDERR_FILENO);
  if (!try_write("moult: the program has closed the log file; lines go to standard error until its path is set again"))
    ++dropped_;
}

int LogFile::number() const noexcept { return file_ ? file_.get() : STDERR_FILENO; }

void LogFile::write_line(std::string_view line) noexcept {
  int saved_errno = errno;
  if (file_ && !file_.is_ours()) fall_back();
  if (dropped_ > told_) {
    char words[64];
    int length = std::snprintf(words, sizeof words, "moult: %llu log lines were dropped",
                               static_cast<unsigned long long>(dropped_ - told_));
    if (try_write({words, static_cast<std::size_t>(length)})) told_ = dropped_;
  }
  if (!try_write(line)) ++dropped_;
  errno = saved_errno;
}

bool LogFile::try_write(std::string_view line) noexcept {
  if (!plain_) {
    if (!takes_a_line_now()) return false;
    line = line.substr(0, PIPE_BUF - 1);
  }
  return write_once(number(), line);
}

bool LogFile::takes_a_line_now() const noexcept {
  pollfd question{.fd = number(), .events = POLLOUT, .revents = 0};
  return ::poll(&question, 1, 0) == 1 && (question.revents & (POLLERR | POLLNVAL | POLLHUP)) == 0;
}

}  // namespace moult::internal
